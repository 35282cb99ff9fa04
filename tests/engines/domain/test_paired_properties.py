"""What every paired test must keep, whatever the numbers: signs, bounds, order, honesty about its alpha."""

import math
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engines.domain.distributions import (
    binomial_bounds,
    binomial_tail,
    bisect,
    incomplete_beta,
    mid_tail,
    student_quantile,
    student_tail,
)
from engines.domain.errors import InvalidInput
from engines.domain.significance import (
    HORIZON,
    OBJECTION,
    TOTAL_ALPHA,
    Significance,
    alpha_for,
    contradicts,
    corrected_paired_test,
    mcnemar,
    paired_bootstrap,
)

QUIET = settings(deadline=None, max_examples=50)
ALPHAS = st.sampled_from([0.001, 0.01, 0.05, 0.2, 0.49])
USUAL = st.sampled_from([0.001, 0.01, 0.05])
PAIRS = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=15)
ANSWERS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=40)
Paired = Callable[[list[float], list[float], float], Significance]


def by_folds(old: list[float], new: list[float], alpha: float) -> Significance:
    return corrected_paired_test(old, new, 0.2, alpha)


def by_bootstrap(old: list[float], new: list[float], alpha: float) -> Significance:
    return paired_bootstrap(old, new, alpha, resamples=400)


def split(pairs: list[tuple[int, int]]) -> tuple[list[float], list[float]]:
    return [float(old) for old, _ in pairs], [float(new) for _, new in pairs]


@pytest.mark.parametrize("test", [by_folds, by_bootstrap])
@settings(deadline=None, max_examples=25)
@given(pairs=PAIRS, alpha=ALPHAS)
def test_a_significant_answer_is_better_and_improbable(
    test: Paired, pairs: list[tuple[int, int]], alpha: float
) -> None:
    old, new = split(pairs)
    found = test(old, new, alpha)
    assert (found.pairs, found.alpha, found.confidence) == (len(pairs), alpha, 1 - 2 * alpha)
    assert found.mean_difference == pytest.approx(math.fsum(new) / len(new) - math.fsum(old) / len(old))
    if found.p_value is None:
        assert (found.significant, found.low, found.high) == (False, None, None)
        assert found.note
    else:
        assert 0.0 <= found.p_value <= 1.0
        assert found.significant == (found.mean_difference > 0 and found.p_value <= alpha)


@pytest.mark.parametrize("test", [by_folds, by_bootstrap])
@settings(deadline=None, max_examples=25)
@given(pairs=PAIRS)
def test_never_both_ways(test: Paired, pairs: list[tuple[int, int]]) -> None:
    old, new = split(pairs)
    assert not (test(old, new, 0.05).significant and test(new, old, 0.05).significant)


@QUIET
@given(PAIRS, ALPHAS)
def test_the_t_test_is_antisymmetric(pairs: list[tuple[int, int]], alpha: float) -> None:
    old, new = split(pairs)
    there, back = by_folds(old, new, alpha), by_folds(new, old, alpha)
    assert there.mean_difference == pytest.approx(-back.mean_difference)
    assume(there.low is not None and there.high is not None)
    assert there.p_value is not None
    assert back.p_value is not None
    assert back.low is not None
    assert there.p_value + back.p_value == pytest.approx(1.0)
    assert there.high == pytest.approx(-back.low)


@QUIET
@given(PAIRS, st.floats(0.01, 0.4), st.floats(0.01, 0.4))
def test_training_on_less_makes_the_folds_worth_more(
    pairs: list[tuple[int, int]], one: float, other: float
) -> None:
    """The larger the share that each fold scores, the more the folds depend on each other."""
    old, new = split(pairs)
    few, many = (corrected_paired_test(old, new, share, 0.05) for share in sorted((one, other)))
    assume(few.variance_factor is not None and many.variance_factor is not None)
    assert few.variance_factor is not None
    assert many.variance_factor is not None
    assert few.variance_factor <= many.variance_factor
    assert few.variance_factor > 1 / len(pairs)


@QUIET
@given(ANSWERS, USUAL)
def test_mcnemar_counts_only_rows_on_which_they_differ(
    answers: list[tuple[bool, bool]], alpha: float
) -> None:
    old, new = [a for a, _ in answers], [b for _, b in answers]
    found = mcnemar(old, new, alpha)
    padded = mcnemar([*old, True, False], [*new, True, False], alpha)
    assert found.p_value == padded.p_value
    assert found.significant == padded.significant
    assert found.low is not None
    assert found.high is not None
    assert -1 <= found.low <= found.mean_difference <= found.high <= 1


@QUIET
@given(st.integers(0, 30), st.integers(0, 30))
def test_one_more_row_won_is_never_less_evidence(won: int, lost: int) -> None:
    def p_value(wins: int) -> float:
        rows = mcnemar([False] * wins + [True] * lost, [True] * wins + [False] * lost, 0.05).p_value
        assert rows is not None
        return rows

    assume(won + lost > 0)
    assert p_value(won + 1) <= p_value(won)


def test_no_row_on_which_they_differ_says_nothing() -> None:
    found = mcnemar([True, False], [True, False], 0.05)
    assert (found.p_value, found.significant, found.low, found.high) == (1.0, False, 0.0, 0.0)
    assert found.note == "both were right on the same rows"


def test_the_seed_decides_the_bootstrap() -> None:
    old, new = [0.1, 0.4, 0.2, 0.9, 0.5], [0.3, 0.5, 0.1, 1.4, 0.4]
    one, again, other = (paired_bootstrap(old, new, 0.05, seed=seed, resamples=300) for seed in (1, 1, 2))
    assert one == again
    assert one.p_value != other.p_value


@pytest.mark.parametrize("alpha", [0.0, 0.5, -0.1, math.nan])
def test_alpha_lies_between_zero_and_a_half(alpha: float) -> None:
    for test in (by_folds, by_bootstrap):
        with pytest.raises(InvalidInput) as caught:
            test([1.0, 2.0, 4.0], [2.0, 1.0, 3.0], alpha)
        assert caught.value.field == "alpha"


@pytest.mark.parametrize("share", [0.0, 1.0, -1.0, math.nan])
def test_the_share_of_a_fold_is_a_share(share: float) -> None:
    with pytest.raises(InvalidInput) as caught:
        corrected_paired_test([1.0, 2.0], [2.0, 1.0], share, 0.05)
    assert caught.value.field == "test_fraction"


@QUIET
@given(st.integers(1, 500), st.integers(1, 40), st.floats(0.001, 0.4))
def test_any_horizon_of_challengers_shares_the_total(k: int, horizon: int, total: float) -> None:
    shares = [alpha_for(k + step, total, horizon) for step in range(horizon)]
    assert math.fsum(shares) == pytest.approx(total)
    assert all(0 < share <= total * (1 + 1e-12) for share in shares)


def test_the_first_of_a_horizon_get_most() -> None:
    shares = [alpha_for(k) for k in range(1, HORIZON + 1)]
    assert all(one > next_one for one, next_one in pairwise(shares))
    assert alpha_for(HORIZON + 1) == shares[0]
    assert shares[0] < TOTAL_ALPHA


@pytest.mark.parametrize(
    ("k", "total", "horizon", "field"), [(0, 0.05, 20, "k"), (1, 0.05, 0, "horizon"), (1, 0.5, 9, "alpha")]
)
def test_wrong_shares_are_refused(k: int, total: float, horizon: int, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        alpha_for(k, total, horizon)
    assert caught.value.field == field


def test_folds_object_only_to_a_loss_beyond_chance() -> None:
    worse = corrected_paired_test([0.9, 0.91, 0.92, 0.9], [0.7, 0.72, 0.71, 0.7], 0.2, 0.05)
    slightly = corrected_paired_test([0.9, 0.8, 0.92, 0.9], [0.89, 0.85, 0.9, 0.87], 0.2, 0.05)
    same = corrected_paired_test([0.9, 0.9], [0.9, 0.9], 0.2, 0.05)
    assert contradicts(worse)
    assert not contradicts(slightly)
    assert not contradicts(same)
    assert not contradicts(worse, 1e-12)
    with pytest.raises(InvalidInput):
        contradicts(worse, OBJECTION * 10)


@QUIET
@given(st.floats(0.2, 80), st.floats(0.2, 80), st.floats(0, 1))
def test_the_beta_law_is_mirrored(a: float, b: float, x: float) -> None:
    assert incomplete_beta(a, b, x) + incomplete_beta(b, a, 1 - x) == pytest.approx(1.0, abs=1e-9)


@QUIET
@given(st.floats(0.2, 80), st.floats(0.2, 80), st.floats(0, 1), st.floats(0, 1))
def test_the_beta_law_never_falls(a: float, b: float, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert -1e-12 <= incomplete_beta(a, b, low) <= incomplete_beta(a, b, high) + 1e-12 <= 1 + 2e-12


@QUIET
@given(st.floats(-50, 50), st.floats(0.5, 500))
def test_both_tails_of_t_are_one(t: float, df: float) -> None:
    assert student_tail(t, df) + student_tail(-t, df) == pytest.approx(1.0)
    assert student_tail(0.0, df) == pytest.approx(0.5)


@QUIET
@given(st.floats(1e-9, 0.5), st.floats(0.5, 500))
def test_a_quantile_is_the_inverse_of_its_tail(tail: float, df: float) -> None:
    assert student_tail(student_quantile(tail, df), df) == pytest.approx(tail, rel=1e-6)


@QUIET
@given(st.integers(1, 60), st.floats(0.05, 0.95))
def test_the_binomial_law_sums_to_one(trials: int, share: float) -> None:
    tails = [binomial_tail(successes, trials, share) for successes in range(trials + 2)]
    assert (tails[0], tails[-1]) == (1.0, 0.0)
    assert all(one >= next_one - 1e-12 for one, next_one in pairwise(tails))
    masses = [one - next_one for one, next_one in pairwise(tails)]
    expected = [math.comb(trials, k) * share**k * (1 - share) ** (trials - k) for k in range(trials + 1)]
    assert masses == pytest.approx(expected, abs=1e-9)


@QUIET
@given(st.integers(1, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.001, 0.4))
def test_bounds_of_a_share_contain_it_and_mirror(case: tuple[int, int], tail: float) -> None:
    successes, trials = case
    low, high = binomial_bounds(successes, trials, tail)
    mirrored = binomial_bounds(trials - successes, trials, tail)
    assert 0 <= low <= successes / trials <= high <= 1
    assert (1 - high, 1 - low) == pytest.approx(mirrored, abs=1e-6)
    assert mid_tail(0, trials) + mid_tail(trials, trials) == pytest.approx(1.0)


def test_a_root_is_found_to_the_last_bit() -> None:
    assert bisect(lambda x: 2 - x * x, 0.0, 2.0) == pytest.approx(math.sqrt(2), abs=1e-15)
    assert bisect(lambda x: -1.0, 0.0, 1.0) == pytest.approx(0.0, abs=1e-15)
