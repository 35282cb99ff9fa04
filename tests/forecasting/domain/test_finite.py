"""What no float can hold is refused by name wherever numbers are taken, never an overflow."""

from collections.abc import Callable
from typing import Any

import pytest

from forecasting.domain.confidence import confidence, risk_adjusted
from forecasting.domain.finite import is_finite
from forecasting.domain.foresight import ForesightTracker
from forecasting.domain.metrics import METRICS
from forecasting.domain.synergy import Smoothed
from forecasting.domain.tracker import ROITracker

HUGE = 10**400
BAD = [HUGE, -HUGE, float("nan"), float("inf"), "1", True, [1.0]]


@pytest.mark.parametrize("value", BAD)
def test_what_is_no_finite_number(value: Any) -> None:
    assert not is_finite(value)


@pytest.mark.parametrize("value", [0, -1.5, 10**300, 5e-324])
def test_what_is_one(value: float) -> None:
    assert is_finite(value)


TAKES: list[Callable[[Any], Any]] = [
    lambda bad: ROITracker().update(0.0, bad),
    lambda bad: ROITracker().update(bad, None),
    lambda bad: ROITracker().update(0.0, 1.0, metrics={"roi": bad}),
    lambda bad: ROITracker().update(0.0, 1.0, resources={"cpu_seconds": bad}),
    lambda bad: Smoothed().add(bad),
    lambda bad: confidence(bad, 1.0),
    lambda bad: confidence(1.0, bad),
    lambda bad: risk_adjusted(bad),
    lambda bad: risk_adjusted(1.0, recent=[bad]),
    lambda bad: ForesightTracker().record_cycle_metrics("alpha", {"roi": bad}),
]


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("take", TAKES)
def test_whoever_takes_numbers_refuses_it(take: Callable[[Any], Any], bad: Any) -> None:
    with pytest.raises(ValueError, match="finite"):
        take(bad)


@pytest.mark.parametrize("bad", BAD)
def test_a_metric_of_no_number_was_not_measured(bad: Any) -> None:
    assert METRICS["efficiency"].of({"success_rate": 1.0, "cpu_seconds": bad}) is None


def test_a_refused_update_changes_nothing() -> None:
    tracker = ROITracker()
    tracker.update(0.0, 1.0, metrics={"roi": 1.0})
    before = tracker.to_dict()
    with pytest.raises(ValueError, match="finite"):
        tracker.update(0.0, 2.0, metrics={"roi": 2.0, "efficiency": HUGE})
    assert tracker.to_dict() == before
