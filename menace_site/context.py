"""What the frame of every page shows: theme, who is there, and which part of the system is away."""

from typing import Any

from django.contrib.auth.models import User
from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone

from engines.domain.promotion import PromotionState
from engines.models import Promotion
from engines.models.paging import capped_count
from menace_site import __version__, health
from menace_site.theme import theme_of

WAITING_SECONDS = 10
ADVICE = {
    "workers": "Cycles wait until one does. Start one with",
    "broker": "New cycles are kept and start when it is back. Start it with",
    "beat": "Schedules and lost cycles wait. Start it with",
}
COMMANDS = {
    "workers": "celery -A menace_site worker",
    "broker": "manage.py up",
    "beat": "celery -A menace_site beat",
}
WORDS = {"workers": "No worker answers.", "broker": "The broker is away.", "beat": "The scheduler is away."}


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page needs; fragments and anonymous pages get no banner."""
    theme = {"theme": theme_of(request), "version": __version__}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated or getattr(request, "htmx", False):
        return theme
    zone = timezone.get_current_timezone_name()
    return {**theme, "banners": _banners(), "zone": zone, "waiting": waiting(user)}


def waiting(user: User) -> str:
    """Return how many promotions wait for a person, up to 99+; empty without any. Ten seconds old at most."""
    key = f"waiting:{user.pk}"
    kept = cache.get(key)
    if kept is None:
        rows = Promotion.objects.visible_to(user).filter(state=PromotionState.WAITING)
        found = capped_count(rows, 99)
        kept = str(found) if found.number else ""
        cache.set(key, kept, WAITING_SECONDS)
    return str(kept)


def _banners() -> list[dict[str, str]]:
    """Return a banner for each part that does not answer."""
    parts = health.state()
    away = [name for name in WORDS if name in parts and not parts[name]["ok"]]
    return [
        {"part": name, "word": WORDS[name], "advice": ADVICE[name], "command": COMMANDS[name]}
        for name in away
    ]
