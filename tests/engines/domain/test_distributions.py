"""Tails and quantiles, against SciPy."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import special

from engines.domain.distributions import (
    binomial_bounds,
    binomial_tail,
    incomplete_beta,
    mid_tail,
    student_quantile,
    student_tail,
)


@settings(deadline=None)
@given(st.floats(0.1, 500), st.floats(0.1, 500), st.floats(0, 1))
def test_incomplete_beta(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-13)


@settings(deadline=None)
@given(st.floats(-30, 30), st.floats(1, 1000))
def test_student_tail(t: float, df: float) -> None:
    assert student_tail(t, df) == pytest.approx(special.stdtr(df, -t), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("df", [1, 2, 9, 100])
@pytest.mark.parametrize("tail", [0.5, 0.05, 0.0015])
def test_student_quantile_is_the_inverse(df: int, tail: float) -> None:
    assert student_tail(student_quantile(tail, df), df) == pytest.approx(tail, rel=1e-9)


@settings(deadline=None)
@given(
    st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.01, 0.99)
)
def test_binomial_tail(case: tuple[int, int], share: float) -> None:
    successes, trials = case
    assert binomial_tail(successes, trials, share) == pytest.approx(
        special.bdtrc(successes - 1, trials, share) if successes else 1.0, rel=1e-8, abs=1e-13
    )


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (3, 10), (10, 10), (400, 900)])
def test_bounds_leave_the_tail_outside(successes: int, trials: int) -> None:
    low, high = binomial_bounds(successes, trials, 0.025)
    assert 0 <= low <= successes / trials <= high <= 1
    assert low == 0.0 or mid_tail(successes, trials, low) == pytest.approx(0.025)
    assert high == 1.0 or 1 - mid_tail(successes, trials, high) == pytest.approx(0.025)
