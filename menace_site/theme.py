"""Light, dark or the system's colours, and the viewer's time zone: chosen once, kept, never flickering."""

import zoneinfo
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from menace_site.models import Preference

THEMES = ("light", "dark")


def theme_of(request: HttpRequest) -> str:
    """Return "light", "dark" or "" (the system's): the toggle's cookie, else what the person chose."""
    cookie = request.COOKIES.get("theme", "")
    if cookie in THEMES:
        return cookie
    session = getattr(request, "session", None)
    return str(session.get("theme", "")) if session is not None and cookie != "system" else ""


def zones() -> list[str]:
    """Return the names of the time zones."""
    return sorted(zone for zone in zoneinfo.available_timezones() if "/" in zone or zone == "UTC")


@receiver(user_logged_in)
def remember(request: HttpRequest, user: User, **_: Any) -> None:
    """Carry a person's choices into the new session."""
    keep(request, **preference(user))


def preference(user: User) -> dict[str, str]:
    """Return what a person chose."""
    found = Preference.objects.filter(user=user).first()
    return {"time_zone": found.time_zone, "theme": found.theme} if found else {"time_zone": "", "theme": ""}


def save(user: User, *, time_zone: str, theme: str) -> None:
    """Keep a person's choices for later sessions."""
    Preference.objects.update_or_create(user=user, defaults={"time_zone": time_zone, "theme": theme})


def keep(request: HttpRequest, *, time_zone: str, theme: str) -> None:
    """Put the choices into the session, where each request finds them without a query."""
    request.session["time_zone"] = time_zone
    request.session["theme"] = theme
