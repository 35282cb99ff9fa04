"""Confidence of forecasts, and risk-adjusted ROI with its parts."""

import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.confidence import (
    confidence,
    confidence_of,
    final_score,
    needs_review,
    risk_adjusted,
    stability,
)

SHARE = st.floats(0, 1)


def test_confidence_is_the_reciprocal_of_one_plus_error_plus_variance() -> None:
    assert confidence(1.0, 1.0) == pytest.approx(1 / 3)
    assert confidence(0.0, 0.0) == 1.0


def test_without_evidence_there_is_no_confidence_and_a_person_looks() -> None:
    assert confidence(None, None) is confidence(0.1, None) is confidence_of([]) is None
    assert needs_review(None)
    assert final_score(3.0, None) is None


def test_below_tau_is_review_and_at_tau_is_not() -> None:
    assert needs_review(0.49)
    assert not needs_review(0.5)
    assert needs_review(0.5, tau=0.6)


@pytest.mark.parametrize(("mae", "variance"), [(-0.1, 0.0), (0.0, math.inf), (math.nan, 0.0)])
def test_bad_errors_are_refused(mae: float, variance: float) -> None:
    with pytest.raises(ValueError):
        confidence(mae, variance)


def test_old_errors_no_longer_count() -> None:
    assert confidence_of([50.0] * 30 + [0.0] * 20) == 1.0


def test_the_parts_of_a_risk_adjusted_roi_multiply_to_it() -> None:
    found = risk_adjusted(2.0, p_collapse=0.5, severity=0.4, recent=(1.0, 1.0), safety=0.8, failing_suites=1)
    assert (found.catastrophic_risk, found.stability, found.safety) == (0.2, 1.0, 0.4)
    assert found.value == pytest.approx(2.0 * 0.8 * 1.0 * 0.4)


@given(base=st.floats(-1e6, 1e6), p=SHARE, severity=SHARE, safety=SHARE, fails=st.integers(0, 5))
@settings(max_examples=20, deadline=None)
def test_risk_never_makes_a_roi_better(
    base: float, p: float, severity: float, safety: float, fails: int
) -> None:
    found = risk_adjusted(base, p_collapse=p, severity=severity, safety=safety, failing_suites=fails)
    assert found.value <= base + 1e-9 * abs(base)


def test_a_risky_loss_is_worse_than_a_safe_one() -> None:
    assert risk_adjusted(-1.0, p_collapse=1.0).value == -2.0
    assert risk_adjusted(-1.0).value == -1.0


@pytest.mark.parametrize("more", [{"safety": 5.0}, {"p_collapse": 1.1}, {"severity": -0.1}])
def test_a_score_on_another_scale_is_refused_rather_than_cut_off(more: dict[str, Any]) -> None:
    """5 of 100 must not count as perfect."""
    with pytest.raises(ValueError, match="share from 0 to 1"):
        risk_adjusted(1.0, **more)


@given(st.lists(st.integers(-1000, 1000), max_size=8), st.sampled_from([1e-6, 1e-3, 1e3, 1e6]))
@settings(max_examples=20, deadline=None)
def test_stability_does_not_depend_on_the_unit(recent: list[int], unit: float) -> None:
    assert stability([value * unit for value in recent]) == pytest.approx(stability(recent), rel=1e-6)


def test_a_steady_series_is_stable_and_a_wild_one_is_not() -> None:
    assert stability([3.0, 3.0, 3.0]) == 1.0
    assert stability([3.0, -3.0, 3.0, -3.0]) == 0.5
