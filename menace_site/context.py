"""Templates see what every page shows: none yet."""

from typing import Any

from django.http import HttpRequest


def chrome(request: HttpRequest) -> dict[str, Any]:
    """Return what the frame of every page needs."""
    return {}
