"""Roll-ups against a model: whatever is recorded, replaced or from the past, sums agree with the points."""

import datetime as dt
import math
import random
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting import panels, services
from forecasting.charts import metric_figure, roi_figure
from forecasting.models import MetricDaily, MetricPoint, RoiEvent, RoiRollup
from forecasting.panels import MAX_POINTS, metric_series, roi_series, thin
from forecasting.services import LARGEST, MAX_VALUES, record_points, record_roi_event

pytestmark = pytest.mark.django_db
SUBJECTS, NAMES, SOURCES = (
    ("alpha", "beta"),
    ("accuracy", "loss", "rows"),
    tuple(f"cycle:{n}" for n in range(6)),
)
BASE = dt.datetime(2026, 3, 1, 22, 0, tzinfo=dt.UTC)
TURNS = 40
Key = tuple[str, str, str]


class Model:
    """What a subject's source said of a metric last, in plain Python."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.points: dict[Key, tuple[dt.datetime, float]] = {}

    def turn(self) -> None:
        pick = self.pick
        subject, source = pick.choice(SUBJECTS), pick.choice(SOURCES)
        values = {name: float(pick.randint(-4, 4)) for name in NAMES if pick.random() < 0.6}
        at = BASE + dt.timedelta(hours=pick.randint(-30, 30)) if pick.random() < 0.7 else None
        changed = [
            name for name, value in values.items()
            if self.points.get((subject, source, name), (None, None))[1] != value
        ]  # fmt: skip
        assert record_points(subject, values, source=source, at=at) == len(changed)
        for point in MetricPoint.objects.filter(subject=subject, source=source, name__in=changed):
            before = self.points.get((subject, source, point.name))
            assert before is None or point.at == before[0], "a replaced number keeps its time"
            assert at is None or before is not None or point.at == at
            self.points[subject, source, point.name] = (point.at, values[point.name])

    def daily(self) -> dict[tuple[str, str, dt.date], list[float]]:
        found: dict[tuple[str, str, dt.date], list[float]] = defaultdict(list)
        for (subject, _, name), (at, value) in self.points.items():
            found[subject, name, at.date()].append(value)
        return found


@pytest.mark.parametrize("seed", range(6))
def test_days_agree_with_their_points_after_every_call(seed: int) -> None:
    model = Model(seed)
    for _ in range(TURNS):
        model.turn()
    kept = {
        (row.subject, row.name, row.day): (row.count, row.total, row.low, row.high)
        for row in MetricDaily.objects.all()
    }
    assert kept == {
        key: (len(values), math.fsum(values), min(values), max(values))
        for key, values in model.daily().items()
    }
    assert MetricPoint.objects.count() == len(model.points)


@pytest.mark.parametrize("seed", range(4))
def test_events_agree_with_hours_days_and_weeks(seed: int) -> None:
    pick, deltas = random.Random(seed), {}
    for _ in range(30):
        source = pick.choice(SOURCES)
        deltas[source] = float(pick.randint(-9, 9))
        record_roi_event("alpha", source=source, action="cycle", delta=deltas[source], ema=0.5)
        if pick.random() < 0.3:
            record_roi_event("beta", source=source, action="cycle", delta=100.0)
    for per in panels.series.HOURS:
        rows = RoiRollup.objects.filter(subject="alpha", per=per)
        assert sum(row.count for row in rows) == len(deltas)
        assert sum(row.total for row in rows) == pytest.approx(sum(deltas.values()))
        assert min(row.low for row in rows) == min(deltas.values())
        assert max(row.high for row in rows) == max(deltas.values())
    assert {point["delta"] for point in roi_series("alpha")["points"]} == set(deltas.values())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"A": 1.0}, "no metric name"),
        ({"a" * 65: 1.0}, "no metric name"),
        ({"a\n": 1.0}, "no metric name"),
        ({"": 1.0}, "no metric name"),
        ({1: 1.0}, "no metric name"),
        ({"a": True}, "must be a number, not bool"),
        ({"a": "1"}, "must be a number, not str"),
        ({"a": None}, "must be a number, not NoneType"),
        ({"a": math.nan}, "finite number"),
        ({"a": -math.inf}, "finite number"),
        ({"a": 10**400}, "finite number"),
        ({"a": LARGEST * 1.1}, "finite number"),
        ({f"m{number}": 1.0 for number in range(MAX_VALUES)}, "257 metrics at once"),
    ],
)
def test_one_wrong_number_keeps_all_of_them_out(values: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        record_points("alpha", {"fine": 1.0, **values}, source="cycle:1")
    assert not MetricPoint.objects.exists()
    assert not MetricDaily.objects.exists()


def test_the_largest_numbers_are_kept_and_their_sum_is_finite() -> None:
    for number, value in enumerate([LARGEST, -LARGEST, LARGEST, 5e-324, 0.0]):
        record_points("alpha", {"a": value}, source=f"s:{number}")
    row = MetricDaily.objects.get()
    assert (row.count, row.low, row.high) == (5, -LARGEST, LARGEST)
    assert math.isfinite(row.total)


def test_as_many_metrics_as_may_be_at_once() -> None:
    values = {f"m{number}": float(number) for number in range(MAX_VALUES)}
    assert record_points("alpha", values, source="s") == MAX_VALUES
    assert len(panels.metric_names("alpha")) == MAX_VALUES


@pytest.mark.parametrize("name", ["delta", "ema", "roi_before", "roi_after"])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_an_event_with_a_number_that_is_none_is_refused_whole(name: str, value: float) -> None:
    numbers = {"delta": 1.0, name: value}
    with pytest.raises(ValueError, match=f"{name} must be finite"):
        record_roi_event("alpha", source="cycle:1", action="cycle", **numbers)
    assert not RoiEvent.objects.exists()
    assert not RoiRollup.objects.exists()


def test_what_was_not_measured_stays_a_gap() -> None:
    record_roi_event("alpha", source="cycle:1", action="cycle", delta=1.0)
    event = RoiEvent.objects.get()
    assert (event.ema, event.roi_before, event.roi_after) == (None, None, None)
    assert RoiRollup.objects.values_list("ema", flat=True).distinct().get() is None
    (point,) = roi_series("alpha")["points"]
    assert point["ema"] is None
    assert roi_figure(roi_series("alpha"))["data"][1]["y"] == [None]


def test_a_subject_that_was_never_measured_says_so() -> None:
    for panel, figure in ((roi_series("x"), roi_figure), (metric_series("x", "loss"), metric_figure)):
        assert (panel["points"], panel["per"], panel["cut"]) == ([], "point", False)
        drawn = figure(panel)
        assert drawn["data"] == []
        assert "not measured" in drawn["layout"]["annotations"][0]["text"].replace(
            "No ROI was measured", "not measured"
        )
    assert panels.metric_names("x") == []


def test_unknown_periods_mean_everything() -> None:
    assert [panels.since(period) for period in ("", "forever", "24H")] == [None, None, None]
    known = [panels.since(period) for period in panels.PERIODS]
    assert all(moment is not None for moment in known)
    assert known == sorted(known, reverse=True)  # type: ignore[type-var]


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 300), st.integers(2, 40))
def test_thinning_keeps_order_ends_and_even_steps(count: int, most: int) -> None:
    points = [{"at": number} for number in range(count)]
    kept = [point["at"] for point in thin(points, most)]
    assert len(kept) == min(count, most)
    assert kept == sorted(set(kept))
    if count:
        assert (kept[0], kept[-1]) == (0, count - 1)
    steps = [after - before for before, after in pairwise(kept)]
    assert not steps or max(steps) - min(steps) <= 1


def test_a_figure_never_gets_more_points_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels.series, "MAX_POINTS", 3)
    for number in range(5):
        at = BASE + dt.timedelta(days=number)
        record_points("alpha", {"loss": float(number)}, source=f"s:{number}", at=at)
    few, many = (metric_series("alpha", "loss", since=BASE + dt.timedelta(days=day)) for day in (2, 0))
    assert (few["per"], len(few["points"]), few["cut"]) == ("point", 3, False)
    assert (many["per"], len(many["points"]), many["cut"]) == ("day", 5, True)
    assert MAX_POINTS == 2_000


def test_a_second_writer_of_one_source_waits_for_nothing_it_did_not_say() -> None:
    """Equal numbers touch no row: the transaction number of the roll-up stays."""
    record_points("alpha", {"loss": 1.0}, source="s")
    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text, ctid::text FROM forecasting_metricdaily")
        before = cursor.fetchone()
        services.record_points("alpha", {"loss": 1.0}, source="s")
        cursor.execute("SELECT xmin::text, ctid::text FROM forecasting_metricdaily")
        assert cursor.fetchone() == before
