"""Roll-ups of ROI events: they always agree with the events, and figures of a million read few rows."""

import datetime as dt
import json
import math
from importlib import import_module
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forecasting import panels
from forecasting.models import MetricDaily, RoiEvent, RoiRollup
from forecasting.services import record_roi_event
from tests.factories import make_day, make_roi_event

pytestmark = pytest.mark.django_db

MILLION = """
INSERT INTO forecasting_roievent (subject, source, action, delta, ema, at)
SELECT %(subject)s, 'c:' || n, 'x', n %% 7 - 3, n, %(now)s::timestamptz - n * %(gap)s::interval
FROM generate_series(%(rows)s, 1, -1) AS n
"""


def run(sql: str, **values: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else None


def fill() -> None:
    """Work the roll-ups out from the events, as the migration does for those that it finds."""
    migration = import_module("forecasting.migrations.0002_roi_rollups")
    run(migration.HOURS)
    run(migration.COARSER)


def counted() -> dict[tuple[str, dt.datetime], tuple[float, ...]]:
    """Return what the roll-ups should say, worked out from the events one by one."""
    found: dict[tuple[str, dt.datetime], list[RoiEvent]] = {}
    for event in RoiEvent.objects.order_by("at", "id"):
        hour = event.at.replace(minute=0, second=0, microsecond=0)
        day = hour.replace(hour=0)
        week = day - dt.timedelta(days=day.weekday())
        for key in (("hour", hour), ("day", day), ("week", week)):
            found.setdefault(key, []).append(event)
    return {key: _numbers(events) for key, events in found.items()}


def _numbers(events: list[RoiEvent]) -> tuple[Any, ...]:
    deltas = [event.delta for event in events]
    emas = [event.ema for event in events if event.ema is not None]
    return len(deltas), math.fsum(deltas), min(deltas), max(deltas), emas[-1] if emas else None


def kept() -> dict[tuple[str, dt.datetime], tuple[Any, ...]]:
    rows = RoiRollup.objects.values_list("per", "at", "count", "total", "low", "high", "ema")
    return {(per, at): tuple(numbers) for per, at, *numbers in rows}


def move(source: str, at: dt.datetime) -> None:
    """Put an event and its roll-ups into the past, as if it had been written then."""
    RoiEvent.objects.filter(source=source).update(at=at)
    RoiRollup.objects.all().delete()
    fill()


def agree() -> bool:
    wanted, found = counted(), kept()
    return wanted.keys() == found.keys() and all(
        numbers == pytest.approx(found[key], nan_ok=False) for key, numbers in wanted.items()
    )


def test_each_event_enters_its_hour_its_day_and_its_week() -> None:
    for number, (delta, ema) in enumerate([(0.5, 0.1), (-2.0, 0.2), (1.0, None)]):
        record_roi_event("alpha", source=f"cycle:{number}", action="cycle", delta=delta, ema=ema)
    assert RoiRollup.objects.count() == 3
    assert set(kept().values()) == {(3, -0.5, -2.0, 1.0, 0.2)}
    assert agree()


def test_a_repeated_source_replaces_what_it_said() -> None:
    for number in range(3):
        record_roi_event("alpha", source=f"cycle:{number}", action="cycle", delta=number, ema=number)
    move("cycle:0", timezone.now() - dt.timedelta(hours=5))
    move("cycle:1", timezone.now() - dt.timedelta(days=3))
    for source, delta in (("cycle:1", -7.5), ("cycle:0", 9.0), ("cycle:2", 2.0), ("cycle:2", 0.25)):
        record_roi_event("alpha", source=source, action="cycle", delta=delta, ema=delta / 2)
        assert agree()
    assert RoiEvent.objects.count() == 3


def test_a_number_that_is_none_is_refused_and_writes_nothing() -> None:
    with pytest.raises(ValueError, match="delta must be finite"):
        record_roi_event("alpha", source="cycle:1", action="cycle", delta=math.inf)
    assert not RoiRollup.objects.exists()


def test_subjects_are_apart() -> None:
    record_roi_event("alpha", source="cycle:1", action="cycle", delta=1.0)
    record_roi_event("beta", source="cycle:1", action="cycle", delta=5.0)
    assert RoiRollup.objects.filter(subject="alpha", high=1.0).count() == 3


def test_few_events_come_singly() -> None:
    record_roi_event("alpha", source="cycle:1", action="cycle", delta=1.0)
    record_roi_event("alpha", source="cycle:2", action="cycle", delta=2.0)
    panel = panels.roi_series("alpha")
    assert (panel["per"], panel["cut"]) == ("point", False)
    assert [(point["delta"], point["source"]) for point in panel["points"]] == [
        (1.0, "cycle:1"),
        (2.0, "cycle:2"),
    ]


def test_a_subject_without_events_has_no_points() -> None:
    make_roi_event("beta")
    for period in ("", "24h", "1y"):
        assert panels.roi_series("alpha", since=panels.since(period))["points"] == []


@pytest.mark.parametrize(("since_days", "per"), [(1, "hour"), (80, "hour"), (90, "day"), (1900, "day")])
def test_many_events_come_in_the_finest_periods_that_are_few(
    since_days: int, per: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(MILLION, subject="alpha", rows=3_000, now=timezone.now(), gap="20 seconds")
    fill()
    panel = panels.roi_series("alpha", since=timezone.now() - dt.timedelta(days=since_days))
    assert panel["per"] == per
    assert sum(point["count"] for point in panel["points"]) == 3_000
    assert {point["low"] for point in panel["points"]} == {-3.0}


def test_weeks_tell_what_days_can_not() -> None:
    run(MILLION, subject="alpha", rows=2_500, now=timezone.now(), gap="1 day")
    fill()
    panel = panels.roi_series("alpha")
    assert panel["per"] == "week"
    assert sum(point["count"] for point in panel["points"]) == 2_500
    assert panel["points"][-1]["ema"] == 1.0


PERIODS = {"24h": "hour", "7d": "hour", "30d": "hour", "1y": "day", "": "day"}


def test_a_million_events_are_read_from_roll_ups() -> None:
    run(MILLION, subject="million", rows=1_000_000, now=timezone.now(), gap="20 seconds")
    fill()
    run("ANALYZE forecasting_roievent, forecasting_roirollup")
    total, ema = run("SELECT sum(delta), max(-ema) FROM forecasting_roievent")[0]
    for period, per in PERIODS.items():
        with CaptureQueriesContext(connection) as context:
            panel = panels.roi_series("million", since=panels.since(period))
        assert (panel["per"], panel["cut"]) == (per, False)
        assert len(panel["points"]) <= panels.MAX_POINTS
        assert len(context) <= 2
        for query in context:
            assert_bounded(query["sql"])
    assert sum(point["total"] for point in panel["points"]) == pytest.approx(total)
    assert panel["points"][-1]["ema"] == -ema


def assert_bounded(sql: str) -> None:
    """Hold the plan to an index of the roll-ups, and the rows it reads to those of a figure."""
    assert "roievent" not in sql
    run(
        "SET LOCAL enable_seqscan = off"
    )  # the roll-ups are few here: reading all of them may be estimated less
    plan = run("EXPLAIN (ANALYZE, FORMAT JSON) " + sql.replace("%", "%%"))[0][0]
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    nodes = list(_nodes(top))
    assert any(node.get("Index Name") == "one_roi_rollup_per_period" for node in nodes)
    assert max(node["Actual Rows"] for node in nodes) <= panels.MAX_POINTS


def _nodes(plan: dict[str, Any]) -> Any:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def test_names_cost_a_probe_each_however_many_days_there_are() -> None:
    first = dt.date(2020, 1, 1)
    MetricDaily.objects.bulk_create(
        MetricDaily(
            subject="alpha",
            name=name,
            day=first + dt.timedelta(days=n),
            count=1,
            total=1,
            low=1,
            high=1,
            last=1,
        )
        for name in ("f1", "accuracy", "z9")
        for n in range(2_000)
    )
    make_day("beta", first, "other")
    run("ANALYZE forecasting_metricdaily")
    with CaptureQueriesContext(connection) as context:
        assert panels.metric_names("alpha") == ["accuracy", "f1", "z9"]
    (query,) = context
    plan = run("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + query["sql"])[0][0]
    top = (json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"]
    assert top["Shared Hit Blocks"] + top["Shared Read Blocks"] < 25
    assert panels.metric_names("nobody") == []
