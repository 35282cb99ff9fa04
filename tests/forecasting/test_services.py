"""Numbers of subjects: idempotent points, daily roll-ups that always agree with them, ROI events."""

import datetime as dt
import math
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Max, Min, Sum
from django.db.models.functions import TruncDate
from django.test.utils import CaptureQueriesContext

from forecasting.models import MetricDaily, MetricPoint, RoiEvent
from forecasting.services import record_points, record_roi_event

MONDAY = dt.datetime(2026, 3, 2, 23, 59, tzinfo=dt.UTC)
TUESDAY = MONDAY + dt.timedelta(minutes=2)


def day(name: str = "accuracy", **where: Any) -> tuple[int, float, float, float, float]:
    row = MetricDaily.objects.get(subject="alpha", name=name, **where)
    return row.count, row.total, row.low, row.high, row.last


def roll_ups_agree() -> bool:
    counted = (
        MetricPoint.objects.annotate(day=TruncDate("at", tzinfo=dt.UTC))
        .order_by()
        .values("subject", "name", "day")
    )
    numbers = counted.annotate(c=Count("id"), t=Sum("value"), lo=Min("value"), hi=Max("value"))
    kept = MetricDaily.objects.values_list("subject", "name", "day", "count", "total", "low", "high")
    asked = numbers.values_list("subject", "name", "day", "c", "t", "lo", "hi")
    return sorted(kept) == sorted(asked)


def test_points_and_their_day(db: None) -> None:
    assert record_points("alpha", {"accuracy": 0.5, "loss": 2}, source="cycle:1") == 2
    assert record_points("alpha", {"accuracy": 0.75}, source="cycle:2") == 1
    assert day() == (2, 1.25, 0.5, 0.75, 0.75)
    assert roll_ups_agree()


def test_repeating_writes_nothing(db: None) -> None:
    record_points("alpha", {"accuracy": 0.5}, source="cycle:1")
    assert record_points("alpha", {"accuracy": 0.5}, source="cycle:1") == 0
    assert day() == (1, 0.5, 0.5, 0.5, 0.5)


def test_a_new_value_of_the_same_source_replaces(db: None) -> None:
    record_points("alpha", {"accuracy": 0.9}, source="cycle:1")
    record_points("alpha", {"accuracy": 0.5}, source="cycle:2")
    assert record_points("alpha", {"accuracy": 0.6, "loss": 1.0}, source="cycle:1") == 2
    assert day() == (2, 1.1, 0.5, 0.6, 0.5)
    assert roll_ups_agree()


def test_days_are_utc(db: None) -> None:
    record_points("alpha", {"accuracy": 0.5}, source="a", at=MONDAY)
    record_points("alpha", {"accuracy": 0.7}, source="b", at=TUESDAY)
    assert day(day=MONDAY.date())[:2] == (1, 0.5)
    assert day(day=TUESDAY.date())[:2] == (1, 0.7)


def test_numbers_from_the_past_do_not_become_the_last(db: None) -> None:
    record_points("alpha", {"accuracy": 0.7}, source="late", at=MONDAY)
    record_points("alpha", {"accuracy": 0.1}, source="early", at=MONDAY - dt.timedelta(hours=3))
    assert day() == (2, 0.7999999999999999, 0.1, 0.7, 0.7)


def test_subjects_are_apart(db: None) -> None:
    record_points("alpha", {"accuracy": 0.5}, source="cycle:1")
    record_points("beta", {"accuracy": 0.6}, source="cycle:1")
    assert day() == (1, 0.5, 0.5, 0.5, 0.5)


@pytest.mark.parametrize("count", [1, 256])
def test_two_statements_however_many_numbers(db: None, count: int) -> None:
    values = {f"metric_{number}": float(number) for number in range(count)}
    with CaptureQueriesContext(
        connection,
    ) as queries:
        record_points("alpha", values, source="cycle:1")
    assert len([query for query in queries if "SAVEPOINT" not in query["sql"]]) == 2


@pytest.mark.parametrize(
    "values",
    [
        {"Accuracy": 1.0},
        {"a b": 1.0},
        {"": 1.0},
        {"a" * 65: 1.0},
        {"a\n": 1.0},
        {"1a": 1.0},
        {"a": math.nan},
        {"a": math.inf},
        {"a": 1e101},
        {"a": 10**400},
        {"a": True},
        {"a": "1"},
        {f"m{number}": 1.0 for number in range(257)},
    ],
)
def test_refused(db: None, values: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"metric name|number|at most 256"):
        record_points("alpha", values, source="cycle:1")
    assert not MetricPoint.objects.exists()


@pytest.mark.parametrize(("subject", "source"), [("", "s"), ("a" * 129, "s"), ("a", ""), ("a", "s" * 65)])
def test_refused_names_of_subject_and_source(db: None, subject: str, source: str) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        record_points(subject, {"a": 1.0}, source=source)


def test_nothing_measured_writes_nothing(db: None) -> None:
    assert record_points("alpha", {}, source="cycle:1") == 0


def test_roi_event_of_one_source_is_replaced(db: None) -> None:
    record_roi_event("alpha", source="cycle:1", action="cycle", delta=0.5, ema=0.1, roi_after=2.0)
    record_roi_event("alpha", source="cycle:1", action="cycle", delta=-0.5)
    record_roi_event("alpha", source="cycle:2", action="cycle", delta=0.25)
    found = RoiEvent.objects.filter(subject="alpha").values_list("source", "delta", "ema", "roi_after")
    assert list(found) == [("cycle:1", -0.5, None, None), ("cycle:2", 0.25, None, None)]


@pytest.mark.parametrize("numbers", [{"delta": math.nan}, {"delta": 0.0, "ema": math.inf}])
def test_roi_event_refuses_what_is_not_finite(db: None, numbers: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="finite"):
        record_roi_event("alpha", source="cycle:1", action="cycle", **numbers)
