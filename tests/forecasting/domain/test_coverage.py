"""Intervals from own errors: the share of hits comes to the wished one, and too few errors change little."""

import math

import numpy as np
import pytest

from forecasting.domain.coverage import (
    NARROWEST,
    WIDEST,
    AdaptiveLevel,
    confidence,
    level_after,
    reliability,
    upper_quantile,
    widening,
)


@pytest.mark.parametrize("wished", [0.8, 0.95])
def test_a_drifting_subject_is_covered_in_the_long_run(wished: float) -> None:
    random = np.random.default_rng(1)
    errors = np.abs(random.normal(0, np.linspace(1, 4, 1500))).tolist()
    adaptive, hits = AdaptiveLevel(wished, rate=0.02), []
    for place in range(50, len(errors)):
        hit = errors[place] <= upper_quantile(errors[place - 50 : place], adaptive.level)
        adaptive.note(hit=hit)
        hits.append(hit)
    assert abs(float(np.mean(hits)) - wished) < 0.03


def test_the_level_rises_after_misses_and_stays_in_bounds() -> None:
    adaptive = AdaptiveLevel(0.8)
    for _ in range(500):
        adaptive.note(hit=False)
    assert adaptive.level == pytest.approx(0.96)
    for _ in range(5000):
        adaptive.note(hit=True)
    assert adaptive.level == pytest.approx(0.4)


@pytest.mark.parametrize("wished", [0.0, 1.0, -1.0, 2.0])
def test_a_share_lies_between_zero_and_one(wished: float) -> None:
    with pytest.raises(ValueError, match="wished"):
        AdaptiveLevel(wished)


def test_the_conformal_quantile_counts_one_more() -> None:
    errors = [float(value) for value in range(1, 10)]
    assert upper_quantile(errors, 0.8) == 8.0
    assert upper_quantile(errors, 0.95) == 9.0
    assert upper_quantile([3.0], 0.5) == 3.0
    with pytest.raises(ValueError, match="errors"):
        upper_quantile([], 0.8)


def test_without_errors_or_width_nothing_is_widened() -> None:
    assert widening([], 1.0, 0.8) == 1.0
    assert widening([1.0, 2.0], 0.0, 0.8) == 1.0
    assert widening([math.nan, math.inf], 1.0, 0.8) == 1.0


def test_own_errors_count_more_the_more_there_are() -> None:
    few, many = widening([2.0] * 3, 1.0, 0.8), widening([2.0] * 100, 1.0, 0.8)
    assert 1.0 < few < many < 2.0


def test_a_factor_has_bounds() -> None:
    assert widening([1e6] * 10_000, 1.0, 0.8) <= WIDEST
    assert widening([0.0] * 10_000, 1.0, 0.8) >= NARROWEST


def test_signs_of_errors_do_not_matter() -> None:
    assert widening([-2.0, 2.0] * 20, 1.0, 0.8) == widening([2.0] * 40, 1.0, 0.8)


def test_the_level_is_replayed_in_order() -> None:
    rising = [0.1] * 40 + [5.0] * 40
    assert level_after(rising, 0.8) > level_after(rising[::-1], 0.8)


def test_reliability_falls_with_errors_and_weighs_the_newest() -> None:
    assert reliability([]) is None
    assert reliability([0.0]) == 1.0
    assert reliability([math.nan, 0.0, math.inf]) == 1.0
    assert reliability([math.nan]) is None
    assert reliability([1.0] * 10) == pytest.approx(0.5)
    late, early = reliability([0.1] * 5 + [3.0]), reliability([3.0] + [0.1] * 5)
    assert (late or 1.0) < (early or 0.0)


def test_confidence_is_of_the_past_and_twice_of_the_width() -> None:
    assert confidence([], 1.0) is None
    assert confidence([0.0], 0.0) == 1.0
    assert confidence([1.0], 1.0) == pytest.approx(0.5)
    assert confidence([1.0], 7.0) == pytest.approx(3 / (3 + 1 + 14))
    assert confidence([7.0], 1.0) == pytest.approx(3 / (3 + 7 + 2))
    assert confidence([1.0], -0.5) == confidence([1.0], 0.0)
