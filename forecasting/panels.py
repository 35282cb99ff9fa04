"""Numbers of a subject over time as plain mappings, never more than 2,000 points."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from forecasting.models import MetricDaily, MetricPoint, RoiEvent

Panel = dict[str, Any]
MAX_POINTS = 2_000
MAX_NAMES = 200
PERIODS = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}


def since(period: str) -> datetime | None:
    """Return when a named period began; None: from the beginning (also for an unknown name)."""
    return timezone.now() - PERIODS[period] if period in PERIODS else None


def roi_series(subject: str, *, since: datetime | None = None) -> Panel:
    """Return the latest ROI deltas of a subject, oldest first, with their smoothed course.

    `cut` tells that there are older ones than the 2,000 shown.
    """
    events = RoiEvent.objects.filter(subject=subject)
    if since is not None:
        events = events.filter(at__gte=since)
    found = list(events.order_by("-id").values("at", "delta", "ema", "source")[: MAX_POINTS + 1])
    points = found[:MAX_POINTS][::-1]
    return {"subject": subject, "points": points, "cut": len(found) > MAX_POINTS}


def metric_series(subject: str, name: str, *, since: datetime | None = None) -> Panel:
    """Return one metric: its single points where they are few enough, else its days."""
    points = MetricPoint.objects.filter(subject=subject, name=name)
    if since is not None:
        points = points.filter(at__gte=since)
    found = list(points.order_by("-at").values("at", "value", "source")[: MAX_POINTS + 1])
    if len(found) <= MAX_POINTS:
        return {"subject": subject, "name": name, "per": "point", "points": found[::-1], "cut": False}
    days = _days(subject, name, since)
    return {
        "subject": subject,
        "name": name,
        "per": "day",
        "points": thin(days),
        "cut": len(days) > MAX_POINTS,
    }


def _days(subject: str, name: str, since: datetime | None) -> list[Panel]:
    days = MetricDaily.objects.filter(subject=subject, name=name)
    if since is not None:
        days = days.filter(day__gte=since.date())
    return [
        {
            "at": row.day,
            "value": row.total / row.count,
            "low": row.low,
            "high": row.high,
            "source": f"{row.count} points",
        }
        for row in days.order_by("day")
    ]


def thin(points: Sequence[Panel], most: int = MAX_POINTS) -> list[Panel]:
    """Return at most `most` points at even steps; the newest one always stays.

    >>> [p["at"] for p in thin([{"at": i} for i in range(10)], 4)]
    [0, 3, 6, 9]
    """
    if len(points) <= most:
        return list(points)
    last = len(points) - 1
    return [points[round(position * last / (most - 1))] for position in range(most)]


def metric_names(subject: str) -> list[str]:
    """Return the names of the metrics that a subject has, from the roll-ups."""
    names = MetricDaily.objects.filter(subject=subject).order_by("name").values_list("name", flat=True)
    return list(names.distinct()[:MAX_NAMES])
