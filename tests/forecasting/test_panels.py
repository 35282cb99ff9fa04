"""Histories for figures: single points while they are few, days when they are many."""

import datetime as dt

import pytest
from django.utils import timezone

from forecasting import panels
from forecasting.models import MetricDaily, MetricPoint
from tests.factories import make_day, make_point, make_roi_event

pytestmark = pytest.mark.django_db


def test_few_points_come_singly_and_oldest_first() -> None:
    now = timezone.now()
    for hours, value in ((2, 0.1), (1, 0.2)):
        make_point("alpha", value=value, at=now - dt.timedelta(hours=hours))
    make_point("beta", value=9.0)
    panel = panels.metric_series("alpha", "accuracy")
    assert panel["per"] == "point"
    assert [point["value"] for point in panel["points"]] == [0.1, 0.2]


def test_many_points_come_as_days_with_their_band(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(panels.series, "MAX_POINTS", 3)
    for number in range(4):
        make_point("alpha", value=float(number))
    MetricDaily.objects.create(
        subject="alpha", name="accuracy", day=timezone.now().date(), count=4, total=6, low=0, high=3, last=3
    )
    panel = panels.metric_series("alpha", "accuracy")
    assert panel["per"] == "day"
    (day,) = panel["points"]
    assert (day["value"], day["low"], day["high"]) == (1.5, 0, 3)


def test_a_period_leaves_out_what_is_older() -> None:
    make_point("alpha", at=timezone.now() - dt.timedelta(days=40))
    assert panels.metric_series("alpha", "accuracy", since=panels.since("30d"))["points"] == []
    assert len(panels.metric_series("alpha", "accuracy", since=panels.since(""))["points"]) == 1


def test_thinning_keeps_the_ends() -> None:
    thinned = panels.thin([{"at": n} for n in range(10_001)])
    assert len(thinned) == 2_000
    assert (thinned[0]["at"], thinned[-1]["at"]) == (0, 10_000)


def test_names_come_from_the_days() -> None:
    for name in ("f1", "accuracy", "f1"):
        if not MetricDaily.objects.filter(name=name).exists():
            make_day("alpha", dt.date(2026, 1, 1), name)
    make_day("alpha", dt.date(2026, 1, 2), "f1")
    make_roi_event("alpha")
    assert panels.metric_names("alpha") == ["accuracy", "f1"]
    assert MetricPoint.objects.count() == 0
