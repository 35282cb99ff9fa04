"""Entropy of runs, ceilings and plateaus."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasting.domain.entropy import (
    Sample,
    change,
    entropy_ceiling,
    entropy_plateau,
    of_calls,
    ratio,
    shannon,
)


def samples(*rows: tuple[float | None, float | None]) -> list[Sample]:
    return [Sample(roi=roi, entropy=moved) for roi, moved in rows]


@given(st.lists(st.integers(0, 10_000), max_size=30))
@settings(max_examples=20, deadline=None)
def test_entropy_lies_between_nothing_and_that_of_equal_shares(counts: list[int]) -> None:
    found = shannon(counts)
    used = [count for count in counts if count]
    assert (found is None) == (not used)
    if found is not None:
        assert -1e-9 <= found <= math.log2(len(used)) + 1e-9
        assert shannon(count * 7 for count in counts) == pytest.approx(found)


@pytest.mark.parametrize("counts", [[-1.0], [math.nan], [math.inf, 1.0]])
def test_counts_that_are_none_are_refused(counts: list[float]) -> None:
    with pytest.raises(ValueError):
        shannon(counts)


def test_the_entropy_of_a_module_takes_its_own_calls_alone() -> None:
    calls = {"a.py:f": 4, "a.py:g": 4, "a.pyx:h": 9, "b/a.py:f": 1}
    assert of_calls(calls, "a.py") == 1.0
    assert of_calls(calls, "c.py") is None


def test_a_change_needs_both_sides() -> None:
    assert change(1.0, 1.5) == 0.5
    assert change(None, 1.5) is change(1.5, None) is None


def test_gain_per_bit_has_a_sign_and_a_unit_of_its_own() -> None:
    assert ratio(Sample(2.0, -0.5), scale=4.0) == 1.0
    assert ratio(Sample(-2.0, 0.5)) == -4.0
    assert ratio(Sample(None, 0.5)) is ratio(Sample(1.0, None)) is None


def test_a_gain_without_complexity_is_no_plateau() -> None:
    """Steady gains while the entropy stays: that is the best there is, and was once called diminishing."""
    assert ratio(Sample(1.0, 0.0)) == math.inf
    assert not entropy_plateau(samples(*[(1.0, 0.0)] * 10), 0.5, 3)
    assert entropy_plateau(samples(*[(0.0, 0.0)] * 3), 0.5, 3)


def test_a_loss_for_more_complexity_counts_as_no_return() -> None:
    """The size of a loss is no gain."""
    assert entropy_ceiling(samples(*[(-5.0, 0.1)] * 5), 0.01)
    assert not entropy_ceiling(samples(*[(5.0, 0.1)] * 5), 0.01)


def test_a_plateau_takes_a_full_streak_of_measured_samples() -> None:
    flat, steep = (0.0, 1.0), (1.0, 0.1)
    assert not entropy_plateau(samples(flat, flat), 0.01, 3)
    assert entropy_plateau(samples(steep, flat, flat, flat), 0.01, 3)
    assert not entropy_plateau(samples(flat, flat, steep, flat, flat), 0.01, 3)
    assert not entropy_plateau(samples(flat, flat, (None, 1.0), (0.0, None)), 0.01, 3)
    assert entropy_plateau(samples(flat, flat, (None, None), flat), 0.01, 3)


def test_a_ceiling_takes_a_full_window_of_moves() -> None:
    still, poor = (0.0, 0.0), (0.001, 1.0)
    assert not entropy_ceiling(samples(*[poor] * 4, *[still] * 9), 0.01)
    assert entropy_ceiling(samples(*[poor] * 5), 0.01)
    assert not entropy_ceiling(samples(*[poor] * 4, (1.0, 1.0)), 0.01)


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-2, 2)), min_size=5, max_size=12))
@settings(max_examples=20, deadline=None)
def test_the_unit_of_the_roi_changes_no_verdict(rows: list[tuple[float, float]]) -> None:
    size = max(abs(roi) for roi, _ in rows) or 1.0
    plain, other = samples(*rows), samples(*((roi * 1024, moved) for roi, moved in rows))
    for verdict in (entropy_ceiling, entropy_plateau):
        assert verdict(plain, scale=size) == verdict(other, scale=size * 1024)


def test_a_streak_of_none_is_refused() -> None:
    with pytest.raises(ValueError):
        entropy_plateau([], 0.1, 0)
