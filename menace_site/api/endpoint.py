"""The mixin of every endpoint: what happens between the request's arrival and its handler."""

from functools import partial
from typing import Any

from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from menace_site.api.idempotency import key_of, once
from menace_site.api.throttling import PerAddress


class Endpoint(APIView):
    """Counts refused sign-ins by address, and runs a POST with an `Idempotency-Key` once."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check who asks and how often; then wrap the handler of a POST that names a key."""
        try:
            super().initial(request, *args, **kwargs)
        except (AuthenticationFailed, NotAuthenticated):
            stranger = PerAddress()
            if not stranger.allow_request(request, self):
                self.throttled(request, stranger.wait())
            raise
        if request.method == "POST" and (key := key_of(request)) is not None:
            setattr(self, "post", partial(_once_with, getattr(self, "post"), key))  # noqa: B009, B010


def _once_with(handler: Any, key: str, request: Request, *args: Any, **kwargs: Any) -> Any:
    return once(handler, request, key, *args, **kwargs)
