"""Numbers of a subject over time as plain mappings, never more than 2,000 points."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from forecasting.models.numbers import MetricDaily, MetricPoint, RoiEvent, RoiRollup

Panel = dict[str, Any]
MAX_POINTS = 2_000
MAX_NAMES = 256
HOUR = timedelta(hours=1)
HOURS = {"hour": 1, "day": 24, "week": 168}
"""Roll-ups of ROI events and how many hours each covers."""
ROLLED = ("at", "count", "total", "low", "high", "ema")
PERIODS = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}

# a loose index scan: DISTINCT would read every day of every metric
NAMES = """
WITH RECURSIVE found (name) AS (
    (SELECT name FROM forecasting_metricdaily WHERE subject = %(subject)s ORDER BY name LIMIT 1)
    UNION ALL
    SELECT (
        SELECT d.name FROM forecasting_metricdaily d
        WHERE d.subject = %(subject)s AND d.name > found.name ORDER BY d.name LIMIT 1
    ) FROM found WHERE found.name IS NOT NULL
)
SELECT name FROM found WHERE name IS NOT NULL LIMIT %(most)s
"""


def since(period: str) -> datetime | None:
    """Return when a named period began; None: from the beginning (also for an unknown name)."""
    return timezone.now() - PERIODS[period] if period in PERIODS else None


def roi_series(subject: str, *, since: datetime | None = None) -> Panel:
    """Return the ROI deltas of a subject, oldest first, with their smoothed course.

    Single events where at most 2,000 lie in the time; else the mean (`delta`), `low`, `high` and `count` of
    each hour, day or week, the finest of them that gives no more points. `cut`: there are older ones yet.
    """
    per = _roi_period(subject, since)
    rollups = RoiRollup.objects.filter(subject=subject, per=per)
    events = RoiEvent.objects.filter(subject=subject)
    if since is not None:
        rollups = rollups.filter(at__gt=since - HOURS[per] * HOUR)  # the one in which it began is whole
        events = events.filter(at__gte=since)
    found = list(rollups.order_by("-at").values(*ROLLED)[:MAX_POINTS])[::-1]
    points: list[Any]
    cut = False
    if sum(row["count"] for row in found) > MAX_POINTS:
        points, cut = [_rolled(row) for row in found], len(found) == MAX_POINTS
    else:
        per = "point"
        points = list(events.order_by("-at", "-id").values("at", "delta", "ema", "source")[:MAX_POINTS])[::-1]
    return {"subject": subject, "per": per, "points": points, "cut": cut}


def _roi_period(subject: str, since: datetime | None) -> str:
    """Return the finest roll-up that tells a time in at most 2,000 points."""
    if since is None:
        weeks = RoiRollup.objects.filter(subject=subject, per="week").order_by("at")
        since = weeks.values_list("at", flat=True).first() or timezone.now()
    hours = (timezone.now() - since) / HOUR
    return next((per for per, length in HOURS.items() if hours / length + 2 <= MAX_POINTS), "week")


def _rolled(row: Panel) -> Panel:
    told = f"{row['count']:,} events, {row['total']:+.4g} in all"
    return {**row, "delta": row["total"] / row["count"], "source": told}


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
    """Return the names of the metrics that a subject has, from the roll-ups: one index probe a name."""
    with connection.cursor() as cursor:
        cursor.execute(NAMES, {"subject": subject, "most": MAX_NAMES})
        return [name for (name,) in cursor.fetchall()]
