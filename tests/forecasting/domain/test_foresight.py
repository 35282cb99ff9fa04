"""The foresight tracker: windows, trends, cold starts, and the verdicts that its vectors must keep."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.foresight import (
    FLAT,
    ForesightTracker,
    Template,
    lend,
    template_from,
    trend,
    volatility,
    window_of,
    worst,
)

VALUES = st.lists(st.floats(-100, 100, allow_nan=False).map(lambda value: round(value, 3)), max_size=20)
FEW = settings(max_examples=30, deadline=None)


def tracker_with(
    roi: Iterable[float], degradation: Sequence[float] | None = None, **options: Any
) -> ForesightTracker:
    tracker = ForesightTracker(**options)
    for place, value in enumerate(roi):
        entropy = None if degradation is None else degradation[place]
        tracker.record_cycle_metrics("wf", {"roi_delta": value, "scenario_degradation": entropy})
    return tracker


@pytest.mark.parametrize(
    ("roi", "risk", "collapse_in"),
    [
        ([0.1, 0.2, 0.3], "Stable", None),
        ([0.5, 0.4, 0.3], "Slow decay", None),
        ([0, 2, 0, 2], "Volatile", None),
        ([0.5, 0, -0.5], "Immediate collapse risk", 0),
        ([1, 0.8, 0.6, 0.4], "Slow decay", 4),
        ([1, 0.2, 0.05], "Immediate collapse risk", 1),
        ([1, 3, 1, 3, 1], "Volatile", None),
    ],
)
def test_short_histories_have_the_verdict_that_they_always_had(
    roi: list[float], risk: str, collapse_in: int | None
) -> None:
    found = tracker_with(roi).predict_roi_collapse("wf")
    assert (found["risk"], found["collapse_in"], found["brittle"]) == (risk, collapse_in, False)
    assert found["evidence"] == "low"
    assert found["cycles"] == len(roi)
    assert found["reason"]


@pytest.mark.parametrize(
    ("roi", "degradation", "risk"),
    [
        ([1, 1, 0], [0, 0, 0.01], "Immediate collapse risk"),
        ([1, 0.9, 0.6], [0.10, 0.10, 0.12], "Slow decay"),
    ],
)
def test_a_small_rise_that_costs_much_is_brittle(
    roi: list[float], degradation: list[float], risk: str
) -> None:
    found = tracker_with(roi, degradation).predict_roi_collapse("wf")
    assert (found["risk"], found["brittle"]) == (risk, True)


@pytest.mark.parametrize("roi", [[], [1.0], [1.0, 2.0], [0.0, 0.0, 0.0]])
def test_too_little_is_never_called_stable(roi: list[float]) -> None:
    tracker = tracker_with(roi)
    found = tracker.predict_roi_collapse("wf")
    assert (found["risk"], found["p_collapse"], found["evidence"]) == ("Insufficient data", None, "none")
    assert tracker.is_cold_start("wf")
    assert not tracker.is_stable("wf")


def test_the_unit_does_not_matter() -> None:
    roi = [5.0, 5.2, 4.9, 5.1, 3.9, 3.2, 2.8, 2.9, 2.4, 2.2]
    small, large = (tracker_with([value * unit for value in roi]) for unit in (0.001, 1000))
    for name in ("risk", "collapse_in", "brittle"):
        assert small.predict_roi_collapse("wf")[name] == large.predict_roi_collapse("wf")[name]
    assert small.is_stable("wf") == large.is_stable("wf")
    assert small.get_trend_curve("wf").stability == pytest.approx(large.get_trend_curve("wf").stability)


def test_a_cold_start_is_shown_a_template_that_says_so() -> None:
    found = tracker_with([2.0]).predict_roi_collapse("wf")
    assert found["template"]["curve"] == [2.0] * 5
    assert found["template"]["note"] == "template, not measured: no change"
    assert found["template"]["weight"] == 0.8
    assert found["curve"] == []


def test_without_any_cycle_a_template_has_no_level() -> None:
    found = tracker_with([]).predict_roi_collapse("wf")
    assert found["template"]["curve"] is None
    assert found["template"]["shares"] == [1.0] * 5


def test_a_history_of_its_own_needs_no_template() -> None:
    assert tracker_with([1.0, 1.1, 1.0, 1.2]).predict_roi_collapse("wf")["template"] is None


def test_a_template_fades_as_cycles_come_in() -> None:
    falling = Template("falling", (0.9, 0.8, 0.7, 0.6, 0.5))
    lent = [lend(falling, [1.0] * cycles) for cycles in range(1, 5)]
    curves = [each["curve"][-1] for each in lent if each is not None]
    assert curves == pytest.approx([0.6, 0.7, 0.8, 0.9])
    assert lend(falling, [1.0] * 5) is None


def test_others_lend_their_median_course() -> None:
    histories = [
        [level * share for share in (1, 1, 1, 0.9, 0.8, 0.7, 0.6, 0.5)] for level in (1, 2, 3, 50, 7)
    ]
    made = template_from(histories)
    assert made.shares == pytest.approx((0.9, 0.8, 0.7, 0.6, 0.5))
    assert made.name == "median course of 5 other subjects"


def test_too_few_others_lend_nothing() -> None:
    assert template_from([[1.0] * 8] * 4 + [[1.0] * 5, [0.0] * 8]) == Template(*FLAT)


def test_a_window_keeps_the_latest_cycles() -> None:
    tracker = tracker_with(range(1, 20), window=4)
    assert tracker.window("wf").roi == (16.0, 17.0, 18.0, 19.0)
    assert ForesightTracker(N=7).max_cycles == ForesightTracker(window=7).max_cycles == 7
    with pytest.raises(ValueError, match="max_cycles"):
        ForesightTracker(0)


def test_the_same_cycle_replaces_what_it_said() -> None:
    tracker = ForesightTracker()
    for cycle, roi in [(3, 1.0), (4, 2.0), (3, 5.0), (1, 0.5)]:
        tracker.record_cycle_metrics("wf", {"roi": roi}, cycle=cycle)
    assert tracker.window("wf").roi == (0.5, 5.0, 2.0)


def test_what_was_not_measured_is_not_kept() -> None:
    tracker = ForesightTracker()
    tracker.record_cycle_metrics("wf", {"roi": 1.0, "confidence": None})
    tracker.record_cycle_metrics("wf", {"roi": None, "entropy": 0.2})
    assert tracker.cycles("wf") == [{"roi": 1.0}, {"entropy": 0.2}]
    assert tracker.window("wf").roi == (1.0,)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "1", True])
def test_what_is_no_number_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="finite number"):
        ForesightTracker().record_cycle_metrics("wf", {"roi": value})


def test_an_entropy_holds_until_it_is_measured_anew() -> None:
    entropy = [None, 0.2, None, None, 0.5]
    rows = [{"roi": 1.0, "entropy": value} for value in entropy]
    assert window_of(rows).entropy == (0.2, 0.2, 0.2, 0.2, 0.5)
    assert window_of(rows[:3]).entropy is None


def test_a_risk_adjusted_roi_counts_only_where_all_have_one() -> None:
    rows = [{"roi": 1.0, "raroi": 0.5}, {"roi": 2.0, "raroi": 1.5}, {"roi": 3.0}]
    assert window_of(rows[:2]).raroi == (0.5, 1.5)
    assert window_of(rows).raroi is None


@pytest.mark.parametrize(("missing", "counts"), [(0, 10), (2, 8), (3, 0), (10, 0)])
def test_a_risk_adjusted_roi_counts_from_the_last_gap_on(missing: int, counts: int) -> None:
    rows = [{"roi": 1.0 + at, "entropy": 0.1, "raroi": None if at < missing else 0.5} for at in range(10)]
    window = window_of(rows)
    items = window.as_items()

    assert [len(item["roi"]) for item in items] == [10, *([counts] if counts else [])]
    assert all(len(item["entropy"]) == len(item["roi"]) for item in items)
    assert window_of([*rows, {"roi": 1.0}]).raroi is None, "the latest cycle has none"


def test_the_worse_of_two_verdicts_stands_and_says_which() -> None:
    calm = {"risk": "Stable", "p_collapse": 0.1, "brittle": False, "reason": "calm"}
    gone = {"risk": "Volatile", "p_collapse": None, "brittle": True, "reason": "wild"}

    assert worst([calm]) == calm
    assert worst([calm, {**calm, "p_collapse": 0.05}]) == calm
    assert worst([gone, calm]) == gone
    assert worst([calm, gone]) == {**gone, "reason": "Of the risk-adjusted ROI: wild"}
    assert worst([calm, {**calm, "brittle": True}])["brittle"]
    assert worst([calm, {**calm, "risk": "unheard of"}])["risk"] == "unheard of"


@pytest.mark.parametrize(
    ("roi", "stable"),
    [
        ([1, 1.05, 0.95, 1, 1.02], True),
        ([1, 1.1, 1.2, 1.3], True),
        ([1, 0.8, 0.6, 0.4], False),
        ([1, 3, 0, 3, 0, 3, 1], False),
    ],
)
def test_stable_means_neither_falling_nor_jumping(roi: list[float], stable: bool) -> None:
    assert tracker_with(roi).is_stable("wf") is stable


def test_a_confidence_that_rises_does_not_hide_a_falling_roi() -> None:
    tracker = ForesightTracker()
    for place in range(6):
        tracker.record_cycle_metrics("wf", {"roi": 1 - place * 0.15, "confidence": place * 10.0})
    assert tracker.get_trend_curve("wf").slope == pytest.approx(-0.15)
    assert not tracker.is_stable("wf")


def test_a_trend_knows_its_bend() -> None:
    assert trend([0.0, 1.0, 2.0, 3.0]).curvature == pytest.approx(0.0)
    assert trend([0.0, 1.0, 4.0, 9.0, 16.0]).curvature == pytest.approx(2.0)
    assert trend([1.0]).slope is trend([1.0]).stability is None
    assert volatility([1.0, 2.0]) is None
    assert volatility([0.0, 0.0, 0.0]) == 0.0
    assert volatility([0.0, 1.0, 0.0, 0.0]) == pytest.approx(4.0)


@FEW
@given(VALUES, st.integers(1, 8))
def test_a_tracker_survives_being_written_down(values: list[float], window: int) -> None:
    tracker = tracker_with(values, max_cycles=window, volatility_threshold=0.7)
    again = ForesightTracker.from_dict(json.loads(json.dumps(tracker.to_dict())))
    assert again.to_dict() == tracker.to_dict()
    assert again.predict_roi_collapse("wf") == tracker.predict_roi_collapse("wf")


@pytest.mark.parametrize(
    "data", [{}, {"window": 3}, {"window": 3, "volatility_threshold": 1, "history": []}, 7]
)
def test_what_is_no_tracker_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="tracker"):
        ForesightTracker.from_dict(data)
