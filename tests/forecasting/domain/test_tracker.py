"""`ROITracker`: history, forecasts that are held against what came, trust, and what it never does."""

import json
import math
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from forecasting.domain.tracker import ROITracker


@dataclass(frozen=True)
class Path:
    """A forecast made by hand."""

    mean: tuple[float, ...]
    lower80: tuple[float, ...] = (-9.0,)
    upper80: tuple[float, ...] = (9.0,)
    lower95: tuple[float, ...] = (-99.0,)
    upper95: tuple[float, ...] = (99.0,)
    model: str = "by hand"
    growth: str = "marginal"
    confidence: float | None = None


class Same:
    """A forecaster that repeats the last value and notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int, int]] = []

    def __call__(self, values: Sequence[float], horizon: int, errors: Sequence[float] = ()) -> Path:
        self.asked.append((len(values), horizon, len(errors)))
        return Path(mean=(values[-1],) * horizon)


def fed(deltas: Sequence[float], tracker: ROITracker | None = None, **where: Any) -> ROITracker:
    """Return a tracker after these ROI deltas."""
    made = tracker or ROITracker(answer=Same())
    for delta in deltas:
        made.update(0.0, delta, **where)
    return made


def test_the_example_of_the_specification() -> None:
    tracker = ROITracker()
    tracker.update(0.0, 0.1, metrics={"synergy_efficiency": 0.02})
    pred_eff = tracker.predict_synergy_metric("efficiency")
    assert pred_eff == 0.02
    assert pred_eff > 0


def test_a_tracker_that_knows_nothing_says_so() -> None:
    tracker = ROITracker()
    known = [
        tracker.predict_synergy_metric("efficiency"), tracker.predict_synergy(), tracker.reliability(),
        tracker.synergy_reliability(), tracker.mae(), tracker.confidence(), tracker.forecast(),
        tracker.final_score(), tracker.risk_adjusted(),
    ]  # fmt: skip
    assert known == [None] * len(known)
    assert tracker.needs_review()
    assert tracker.predict_all() == {}


def test_no_delta_is_ever_dropped_as_an_outlier() -> None:
    """After four equal deltas, 0.2, 0.3 and 0.5 must count as much as before."""
    deltas = [0.1, 0.1, 0.1, 0.1, 0.2, 0.3, 0.5]
    tracker = fed(deltas)
    assert tracker.history() == deltas
    assert tracker.series().roi.count == len(deltas)


def test_accelerating_gains_are_not_diminishing() -> None:
    """A parabola's vertex is no reason to stop."""
    assert not fed([0.1, 0.2, 0.4, 0.8]).diminishing(consecutive=4)
    assert not fed([1.0] * 30).diminishing()


def test_deltas_that_shrink_to_nothing_are_diminishing_in_any_unit() -> None:
    shrinking = [1.0, 0.5, 0.2, *[0.0001] * 5]
    assert fed(shrinking).diminishing()
    assert fed([delta * 1000 for delta in shrinking]).diminishing()
    assert not fed([1.0, *[0.0001] * 4]).diminishing()


def test_reliability_is_a_share_and_not_an_error() -> None:
    tracker = ROITracker()
    for value in (0.5, 0.52, 0.5, 0.52, 0.5):
        tracker.update(0.0, 1.0, metrics={"synergy_roi": value})
    found = tracker.synergy_reliability()
    assert found is not None
    assert 0.3 < found < 1
    assert found == tracker.reliability("roi") == tracker.reliability("synergy_roi")


def test_what_was_not_measured_is_not_carried_forward() -> None:
    tracker = ROITracker()
    tracker.update(0.0, 1.0, metrics={"synergy_efficiency": 0.1, "synergy_roi": None})
    first = tracker.series().metrics["efficiency"].count
    tracker.update(0.0, 1.0, metrics={})
    assert tracker.series().metrics["efficiency"].count == first == 1
    assert tracker.predict_synergy() is None


def test_a_forecast_is_held_against_the_next_update() -> None:
    forecaster = Same()
    tracker = fed([1.0, 3.0], ROITracker(answer=forecaster))
    found = tracker.forecast(3)
    assert found is not None
    assert found.mean == (3.0, 3.0, 3.0)
    update = tracker.update(10.0, 14.0)
    assert (update.delta, update.error) == (4.0, 1.0 / 1.5)
    assert forecaster.asked == [(2, 3, 1)]


def test_the_reliability_of_a_forecast_that_was_made_is_what_it_says_itself() -> None:
    sure = lambda values, horizon, errors: Path(mean=(values[-1],) * horizon, confidence=0.9)  # noqa: E731
    tracker = fed([1.0, 3.0], ROITracker(answer=sure))
    past = tracker.reliability()
    tracker.forecast(3)
    assert tracker.reliability() == 0.9 != past
    kept = json.loads(json.dumps(tracker.to_dict()))
    assert ROITracker.from_dict(kept).reliability() == 0.9
    for row in kept["series"][0][2]["issued"]:
        del row["confidence"]  # as earlier versions wrote it
    assert ROITracker.from_dict(kept).reliability() == past
    fed([3.0], tracker)
    assert tracker.reliability() == pytest.approx((0.5**0.8) ** (1 / 1.8))


def test_outcomes_show_what_was_foretold_beside_what_came() -> None:
    tracker = fed([1.0, 2.0], subject="alpha/score")
    for delta in (1.0, 2.0, 4.0, 8.0, 16.0):
        tracker.forecast(4, subject="alpha/score")
        fed([delta], tracker, subject="alpha/score")
    first, *_, newest = tracker.outcomes()
    assert (first.predicted, first.actual, first.workflow) == (2.0, 1.0, "alpha/score")
    assert (first.predicted_class, first.actual_class) == ("marginal", "exponential")
    assert (newest.actual, newest.actual_class) == (16.0, "")
    assert first.bands == ((-9.0, 9.0), (-99.0, 99.0))


def test_a_second_forecast_before_the_next_update_replaces_the_first() -> None:
    tracker = fed([1.0, 2.0])
    tracker.forecast()
    tracker.forecast()
    fed([2.0], tracker)
    assert len(tracker.outcomes()) == 1


def test_subjects_and_scenarios_have_series_of_their_own() -> None:
    tracker = ROITracker()
    fed([1.0], tracker, subject="alpha")
    fed([-1.0, -2.0], tracker, subject="alpha", scenario="concurrency_spike")
    fed([5.0], tracker, subject="beta")
    assert tracker.subjects() == ["alpha", "beta"]
    assert tracker.scenarios("alpha") == ["", "concurrency_spike"]
    assert tracker.history("alpha") == [1.0]
    assert tracker.history("alpha", "concurrency_spike") == [-1.0, -2.0]


def test_low_confidence_goes_to_review_and_ranks_after_the_rest() -> None:
    tracker = ROITracker()
    fed([2.0, 2.0, 2.0, 2.0], tracker, subject="steady")
    fed([1.0, -4.0, 16.0, -64.0, 256.0], tracker, subject="wild")
    fed([1.0, 1.0, 1.0], tracker, subject="small")
    ranking = tracker.ranking()
    assert [(name, word) for name, _, word in ranking] == [
        ("steady", "ready"), ("small", "ready"), ("wild", "review"),
    ]  # fmt: skip
    assert ranking[0][1] == 2.0


def test_the_final_score_is_the_risk_adjusted_roi_times_the_confidence() -> None:
    tracker = fed([1.0, 1.2, 0.9, 1.1, 1.0, 1.2])
    adjusted, sure = tracker.risk_adjusted(p_collapse=0.25), tracker.confidence()
    assert adjusted is not None
    assert sure is not None
    assert tracker.final_score(p_collapse=0.25) == pytest.approx(adjusted.value * sure)
    assert adjusted.base == tracker.series().roi.level


def test_the_change_of_the_entropy_is_kept_with_the_roi_it_came_with() -> None:
    tracker = ROITracker()
    updates = [
        tracker.update(0.0, gain, metrics={"synergy_shannon_entropy": bits})
        for gain, bits in ((1.0, 2.0), (1.0, 2.5), (0.0, None), (0.0, 3.0))
    ]
    assert [update.entropy_delta for update in updates] == [None, 0.5, None, 0.5]
    assert tracker.entropy_deltas() == [None, 0.5, None, 0.5]


def test_ceiling_and_plateau_see_complexity_that_no_longer_pays() -> None:
    paying, spent = ROITracker(), ROITracker()
    for place in range(8):
        bits = {"synergy_shannon_entropy": place / 2}
        paying.update(0.0, 1.0, metrics=bits)
        spent.update(0.0, 1.0 if place < 2 else 0.0, metrics=bits)
    assert (paying.entropy_ceiling(), paying.entropy_plateau()) == (False, False)
    assert (spent.entropy_ceiling(), spent.entropy_plateau(0.01, 3)) == (True, True)
    assert not spent.entropy_plateau(0.01, 7)


def test_nothing_of_a_bad_update_is_taken() -> None:
    tracker = fed([1.0])
    before = tracker.to_dict()
    for bad in ({"after": math.nan}, {"metrics": {"happiness": 1.0}}, {"metrics": {"synergy_roi": math.inf}},
                {"resources": {"cpu_seconds": math.nan}}):  # fmt: skip
        with pytest.raises(ValueError):
            tracker.update(0.0, **{"after": 1.0, **bad})  # type: ignore[arg-type]
    assert tracker.to_dict() == before


def test_what_was_not_measured_before_or_after_leaves_the_history_alone() -> None:
    tracker = ROITracker()
    update = tracker.update(None, 1.0, resources={"cpu_seconds": 2.0})
    tracker.update(0.0, 1.0, resources={"cpu_seconds": 3.0})
    assert (update.delta, update.error) == (None, None)
    assert tracker.history() == [1.0]
    assert tracker.series().resources == {"cpu_seconds": 5.0}


def test_json_brings_back_everything() -> None:
    rng = random.Random(3)
    tracker = ROITracker(answer=Same(), keep=32)
    for _ in range(50):
        tracker.update(0.0, rng.gauss(1, 1), metrics={"synergy_roi": rng.random()}, subject="a", scenario="s")
        tracker.forecast(subject="a", scenario="s")
    again = ROITracker.from_dict(json.loads(json.dumps(tracker.to_dict())), answer=Same())
    for each in (tracker, again):
        each.update(0.0, 2.0, subject="a", scenario="s")
    assert again.to_dict() == tracker.to_dict()
    assert again.outcomes() == tracker.outcomes()
    with pytest.raises(ValueError, match="version"):
        ROITracker.from_dict({"version": 0})


def test_only_the_newest_numbers_are_kept_and_an_update_costs_the_same() -> None:
    tracker = fed([1.0] * 300, ROITracker(keep=64))

    def spent(count: int) -> float:
        began = time.thread_time()
        fed([1.0] * count, tracker)
        return time.thread_time() - began

    early = min(spent(50) for _ in range(5))
    fed([1.0] * 2_000, tracker)
    late = min(spent(50) for _ in range(5))
    assert len(tracker.history()) == 64
    assert late < 3 * early


@pytest.mark.parametrize("bad", [{"tau": 1.5}, {"tolerance": -1.0}, {"keep": 1}])
def test_settings_that_make_no_sense_are_refused(bad: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        ROITracker(**bad)  # type: ignore[arg-type]
