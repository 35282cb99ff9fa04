"""Writes numbers of named subjects: single points and ROI events, each with its roll-ups."""

import math
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
MAX_VALUES = 256
LARGEST = 1e100
"""Largest absolute value taken, so that no sum of a day overflows."""

POINTS = """
INSERT INTO forecasting_metricpoint AS p (subject, source, name, value, at)
SELECT %(subject)s, %(source)s, name, value, coalesce(%(at)s::timestamptz, statement_timestamp())
FROM unnest(%(names)s::text[], %(values)s::float8[]) AS given (name, value)
ON CONFLICT (subject, source, name) DO UPDATE SET value = EXCLUDED.value WHERE p.value <> EXCLUDED.value
RETURNING name, value, (at AT TIME ZONE 'UTC')::date, xmax = 0
"""

ADD = """
INSERT INTO forecasting_metricdaily AS d (subject, name, day, count, total, low, high, last)
SELECT %(subject)s, name, day, 1, value, value, value, value
FROM unnest(%(names)s::text[], %(days)s::date[], %(values)s::float8[]) AS given (name, day, value)
ON CONFLICT (subject, name, day) DO UPDATE SET
    count = d.count + 1, total = d.total + EXCLUDED.total, last = EXCLUDED.last,
    low = least(d.low, EXCLUDED.low), high = greatest(d.high, EXCLUDED.high)
"""

LOCK = """
SELECT id FROM forecasting_metricdaily
WHERE subject = %(subject)s AND (name, day) IN (SELECT * FROM unnest(%(names)s::text[], %(days)s::date[]))
ORDER BY name, day FOR UPDATE
"""

RECOUNT = """
INSERT INTO forecasting_metricdaily AS d (subject, name, day, count, total, low, high, last)
SELECT p.subject, p.name, g.day, count(*), sum(value), min(value), max(value),
       (array_agg(value ORDER BY at DESC, id DESC))[1]
FROM unnest(%(names)s::text[], %(days)s::date[]) AS g (name, day)
JOIN forecasting_metricpoint p ON p.subject = %(subject)s AND p.name = g.name
    AND p.at >= g.day::timestamp AT TIME ZONE 'UTC' AND p.at < (g.day + 1)::timestamp AT TIME ZONE 'UTC'
GROUP BY p.subject, p.name, g.day
ON CONFLICT (subject, name, day) DO UPDATE SET
    count = EXCLUDED.count, total = EXCLUDED.total, last = EXCLUDED.last,
    low = EXCLUDED.low, high = EXCLUDED.high
"""

EVENT = """
INSERT INTO forecasting_roievent (subject, source, action, delta, ema, roi_before, roi_after)
VALUES (%(subject)s, %(source)s, %(action)s, %(delta)s, %(ema)s, %(roi_before)s, %(roi_after)s)
ON CONFLICT (subject, source) DO UPDATE SET action = EXCLUDED.action, delta = EXCLUDED.delta,
    ema = EXCLUDED.ema, roi_before = EXCLUDED.roi_before, roi_after = EXCLUDED.roi_after
RETURNING at, xmax = 0
"""

# day, hour, week: rows are locked in this order everywhere
ADD_EVENT = """
INSERT INTO forecasting_roirollup AS r (subject, per, at, count, total, low, high, ema)
SELECT %(subject)s, per, date_trunc(per, %(at)s, 'UTC'), 1, delta, delta, delta, %(ema)s::float8
FROM unnest(ARRAY['day', 'hour', 'week']) AS p (per) CROSS JOIN (SELECT %(delta)s::float8 AS delta) AS given
ON CONFLICT (subject, per, at) DO UPDATE SET
    count = r.count + 1, total = r.total + EXCLUDED.total, ema = coalesce(EXCLUDED.ema, r.ema),
    low = least(r.low, EXCLUDED.low), high = greatest(r.high, EXCLUDED.high)
"""

LOCK_ROLLUPS = """
SELECT id FROM forecasting_roirollup
WHERE subject = %(subject)s AND per IN ('day', 'hour', 'week') AND at = date_trunc(per, %(at)s, 'UTC')
ORDER BY per FOR UPDATE
"""

RECOUNT_HOUR = """
UPDATE forecasting_roirollup r SET count = n.count, total = n.total, low = n.low, high = n.high, ema = n.ema
FROM (
    SELECT count(*), sum(delta) AS total, min(delta) AS low, max(delta) AS high,
           (array_agg(ema ORDER BY at DESC, id DESC) FILTER (WHERE ema IS NOT NULL))[1] AS ema
    FROM forecasting_roievent
    WHERE subject = %(subject)s AND at >= date_trunc('hour', %(at)s, 'UTC')
        AND at < date_trunc('hour', %(at)s, 'UTC') + interval '1 hour'
) n WHERE r.subject = %(subject)s AND r.per = 'hour' AND r.at = date_trunc('hour', %(at)s, 'UTC')
"""

# a day from its hours, a week from its days: a replaced event costs the same among a million
RECOUNT_COARSER = """
UPDATE forecasting_roirollup r SET count = n.count, total = n.total, low = n.low, high = n.high, ema = n.ema
FROM (
    SELECT sum(count) AS count, sum(total) AS total, min(low) AS low, max(high) AS high,
           (array_agg(ema ORDER BY at DESC) FILTER (WHERE ema IS NOT NULL))[1] AS ema
    FROM forecasting_roirollup
    WHERE subject = %(subject)s AND per = %(finer)s AND at >= date_trunc(%(per)s, %(at)s, 'UTC')
        AND at < date_trunc(%(per)s, %(at)s, 'UTC') + make_interval(hours => %(hours)s)
) n WHERE r.subject = %(subject)s AND r.per = %(per)s AND r.at = date_trunc(%(per)s, %(at)s, 'UTC')
"""
COARSER = (("day", 24, "hour"), ("week", 168, "day"))

Written = tuple[str, float, object, bool]


def record_points(
    subject: str, values: Mapping[str, float], *, source: str, at: datetime | None = None
) -> int:
    """Keep what `source` measured of `subject` and roll it up by day; return how many numbers were written.

    A repeated call with the same subject and source writes nothing twice: equal numbers are left alone,
    others replace what that source said before. `at` is for numbers from the past; default: now.

    Raises ValueError for names other than `[a-z][a-z0-9_]{0,63}`, values that are no finite numbers, or more
    than 256 of them.
    """
    _check(subject, values, source)
    names = sorted(values)
    if not names:
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        numbers = [float(values[name]) for name in names]
        given = {"subject": subject, "source": source, "at": at, "names": names, "values": numbers}
        cursor.execute(POINTS, given)
        written: list[Written] = sorted(cursor.fetchall())
        _roll_up(cursor, subject, written, in_order=at is None)
    return len(written)


def _roll_up(cursor: CursorWrapper, subject: str, written: list[Written], *, in_order: bool) -> None:
    """Add new numbers to their day; count the day anew where a number was replaced or comes from the past."""
    new = [row for row in written if row[3] and in_order]
    other = [row for row in written if not (row[3] and in_order)]
    if new:
        cursor.execute(ADD, _columns(subject, new))
    if other:
        # the lock first and the reading after it: so no other writer's number is lost or counted twice
        cursor.execute(LOCK, _columns(subject, other))
        cursor.execute(RECOUNT, _columns(subject, other))


def _columns(subject: str, rows: list[Written]) -> dict[str, Any]:
    names, values, days, _ = (list(column) for column in zip(*rows, strict=True))
    return {"subject": subject, "names": names, "values": values, "days": days}


def _check(subject: str, values: Mapping[str, float], source: str) -> None:
    if not 0 < len(subject) <= 128 or not 0 < len(source) <= 64:
        raise ValueError("a subject has 1 to 128 characters, a source 1 to 64")
    if len(values) > MAX_VALUES:
        raise ValueError(f"{len(values)} metrics at once; at most {MAX_VALUES} are taken")
    for name, value in values.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ValueError(
                f"{str(name)[:80]!r} is no metric name; use small letters, digits and _, at most 64"
            )
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"{name} must be a number, not {type(value).__name__}")
        if not _in_range(value):
            raise ValueError(f"{name} must be a finite number up to {LARGEST:g}")


def _in_range(value: float) -> bool:
    return abs(value) <= LARGEST if isinstance(value, int) else math.isfinite(value) and abs(value) <= LARGEST


def record_roi_event(
    subject: str,
    *,
    source: str,
    action: str,
    delta: float,
    ema: float | None = None,
    roi_before: float | None = None,
    roi_after: float | None = None,
) -> None:
    """Keep what `source` did to the ROI of `subject` and roll it up by hour, day and week.

    A repeated call of the same source replaces its event, which keeps its time. Raises ValueError when a
    number is not finite.
    """
    numbers = {"delta": delta, "ema": ema, "roi_before": roi_before, "roi_after": roi_after}
    for name, value in numbers.items():
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} must be finite")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(EVENT, {"subject": subject, "source": source, "action": action, **numbers})
        at, is_new = cursor.fetchone()
        given = {"subject": subject, "at": at, "delta": delta, "ema": ema}
        if is_new:
            cursor.execute(ADD_EVENT, given)
            return
        # the lock first and the reading after it, as above
        cursor.execute(LOCK_ROLLUPS, given)
        cursor.execute(RECOUNT_HOUR, given)
        for per, hours, finer in COARSER:
            cursor.execute(RECOUNT_COARSER, {**given, "per": per, "hours": hours, "finer": finer})
