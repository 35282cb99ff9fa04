"""Middleware of the site."""

import functools
import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

View = Callable[[HttpRequest], HttpResponseBase]


@functools.cache
def _zones() -> frozenset[str]:
    """Return the names of all zones; asking the system reads some 600 files, so once a process."""
    return frozenset(zoneinfo.available_timezones())


def time_zone(get_response: View) -> View:
    """Show times in the zone that the viewer chose, else in the one of the browser's cookie, else in UTC."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        chosen = request.session.get("time_zone") or request.COOKIES.get("tz", "")
        if chosen and chosen in _zones():
            with timezone.override(chosen):
                return get_response(request)
        return get_response(request)

    return middleware
