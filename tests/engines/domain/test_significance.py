"""Paired tests: right rates, honest about what they can't tell."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.significance import (
    Significance,
    alpha_for,
    contradicts,
    corrected_paired_test,
    mcnemar,
    paired_bootstrap,
)

SCORES = st.lists(st.integers(0, 1000), min_size=3, max_size=12)


def answers(rng: np.random.Generator, difficulty: np.ndarray, share: float) -> list[bool]:
    """Return whether a model is right, row by row; rows are hard or easy for all models alike."""
    ability = math.sqrt(0.6) * difficulty + math.sqrt(0.4) * rng.standard_normal(len(difficulty))
    return [bool(right) for right in ability < NormalDist().inv_cdf(share)]


def test_nadeau_bengio_by_hand() -> None:
    champion, challenger = [0.80, 0.82, 0.81, 0.79], [0.83, 0.84, 0.85, 0.80]
    found = corrected_paired_test(champion, challenger, 0.2, 0.05)
    d = np.array(challenger) - np.array(champion)
    t = d.mean() / math.sqrt(d.var(ddof=1) * (1 / 4 + 0.25))
    assert found.mean_difference == pytest.approx(d.mean())
    assert (found.df, found.pairs, found.confidence) == (3, 4, 0.9)
    # with 3 degrees of freedom the tail has a closed form
    angle = math.atan(t / math.sqrt(3))
    assert found.p_value == pytest.approx(0.5 - (angle + math.sin(angle) * math.cos(angle)) / math.pi)


@settings(deadline=None, max_examples=60)
@given(SCORES, SCORES, st.integers(-10, 10), st.integers(-100, 100))
def test_units_change_nothing(one: list[int], other: list[int], power: int, offset: int) -> None:
    n, factor = min(len(one), len(other)), 2.0**power
    plain = corrected_paired_test(one[:n], other[:n], 0.25, 0.05)
    moved = [[factor * (value + offset) for value in values[:n]] for values in (one, other)]
    scaled = corrected_paired_test(moved[0], moved[1], 0.25, 0.05)
    assert (plain.significant, plain.note) == (scaled.significant, scaled.note)
    assert plain.p_value == pytest.approx(scaled.p_value)
    assert scaled.mean_difference == pytest.approx(factor * plain.mean_difference)


@settings(deadline=None, max_examples=60)
@given(SCORES, SCORES, st.sampled_from([0.05, 0.0025]))
def test_the_bounds_say_the_same_as_the_verdict(one: list[int], other: list[int], alpha: float) -> None:
    n = min(len(one), len(other))
    found = corrected_paired_test(one[:n], other[:n], 0.2, alpha)
    if found.low is not None and found.high is not None:
        assert found.low <= found.mean_difference <= found.high
        assert found.significant == (found.low > 0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=80))
def test_mcnemar_bounds_say_the_same_as_the_verdict(rows: list[tuple[bool, bool]]) -> None:
    found = mcnemar([old for old, _ in rows], [new for _, new in rows], 0.05)
    assert found.low is not None
    assert found.high is not None
    assert found.low - 1e-12 <= found.mean_difference <= found.high + 1e-12
    assert found.significant == (found.low > 0)


def test_mcnemar_by_hand() -> None:
    found = mcnemar([False] * 8 + [True] * 2 + [True] * 5, [True] * 8 + [False] * 2 + [True] * 5, 0.05)
    exactly_eight, more = 45, 10 + 1
    assert found.p_value == pytest.approx((more + exactly_eight / 2) / 2**10)
    assert found.mean_difference == pytest.approx(6 / 15)
    assert found.significant


def test_the_correction_keeps_resampling_from_inventing_gains() -> None:
    naive = corrected = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        # scores on overlapping splits share most of their noise: correlation n_test/n = 0.2
        d = math.sqrt(0.2) * rng.standard_normal() + math.sqrt(0.8) * rng.standard_normal(10)
        corrected += corrected_paired_test([0.0] * 10, d.tolist(), 0.2, 0.05).significant
        naive += d.mean() / (d.std(ddof=1) / math.sqrt(10)) > 1.833
    assert corrected <= 19  # 10 expected, three deviations more
    assert naive > 1.5 * corrected


def test_a_stream_of_null_challengers_hardly_ever_sees_a_promotion() -> None:
    ours = higher = 0
    for seed in range(20):
        rng = np.random.default_rng([7, seed])
        difficulty = rng.standard_normal(300)
        champion = answers(rng, difficulty, 0.8)
        others = [answers(rng, difficulty, 0.8 - 0.01 * rng.random()) for _ in range(20)]
        ours += any(mcnemar(champion, new, alpha_for(k)).significant for k, new in enumerate(others, 1))
        higher += any(sum(new) > sum(champion) for new in others)
    # at most 5 % are promised: 1 of 20, and 4 is three deviations more; the higher score is fooled
    assert ours <= 4
    assert higher >= 15


def test_true_gains_are_found() -> None:
    found = 0
    for seed in range(40):
        rng = np.random.default_rng([8, seed])
        difficulty = rng.standard_normal(1000)
        old, new = answers(rng, difficulty, 0.8), answers(rng, difficulty, 0.85)
        found += mcnemar(old, new, alpha_for(1)).significant
    assert found >= 30


def test_the_bootstrap_agrees_with_the_t_test_on_normal_differences() -> None:
    rng = np.random.default_rng(3)
    champion = rng.normal(0.0, 1.0, 400)
    challenger = champion + rng.normal(0.1, 1.0, 400)
    found = paired_bootstrap(champion.tolist(), challenger.tolist(), 0.05, seed=1)
    d = challenger - champion
    error = d.std(ddof=1) / 20
    assert found.p_value == pytest.approx(0.5 * math.erfc(d.mean() / error / math.sqrt(2)), abs=0.01)
    assert found.low == pytest.approx(d.mean() - 1.65 * error, abs=0.15 * error)
    assert found == paired_bootstrap(champion.tolist(), challenger.tolist(), 0.05, seed=1)


def test_the_bootstrap_keeps_its_rate_on_skewed_differences() -> None:
    false = 0
    for seed in range(100):
        rng = np.random.default_rng([2, seed])
        d = rng.exponential(1.0, 60) - 1.0
        false += paired_bootstrap([0.0] * 60, d.tolist(), 0.05, resamples=400).significant
    assert false <= 11  # 5 expected, three deviations more


@pytest.mark.parametrize(
    "test", [lambda a, b: corrected_paired_test(a, b, 0.2, 0.05), lambda a, b: paired_bootstrap(a, b, 0.05)]
)
def test_without_variance_nothing_is_significant(test: object) -> None:
    same: Significance = test([0.9] * 5, [0.9] * 5)  # type: ignore[operator]
    assert (same.p_value, same.significant, same.note) == (1.0, False, "identical scores")
    equal: Significance = test([0.1, 0.2, 0.3], [0.2, 0.3, 0.4])  # type: ignore[operator]
    assert (equal.p_value, equal.significant, equal.low) == (None, False, None)
    assert "can't be estimated" in equal.note
    worse: Significance = test([0.2, 0.3, 0.4], [0.1, 0.2, 0.3])  # type: ignore[operator]
    assert (worse.p_value, worse.significant) == (1.0, False)


def test_two_models_right_on_the_same_rows() -> None:
    found = mcnemar([True, False, True], [True, False, True], 0.05)
    assert (found.p_value, found.significant, found.low, found.high) == (1.0, False, 0.0, 0.0)
    assert found.note


@pytest.mark.parametrize(
    ("champion", "challenger", "fraction", "alpha"),
    [
        ([0.1], [0.2], 0.2, 0.05),
        ([], [], 0.2, 0.05),
        ([0.1, 0.2], [0.1, 0.2, 0.3], 0.2, 0.05),
        ([0.1, math.nan], [0.1, 0.2], 0.2, 0.05),
        ([0.1, 0.3], [math.inf, 0.2], 0.2, 0.05),
        ([0.1, 0.3], [0.4, 0.2], 0.0, 0.05),
        ([0.1, 0.3], [0.4, 0.2], 1.0, 0.05),
        ([0.1, 0.3], [0.4, 0.2], 0.2, 0.0),
        ([0.1, 0.3], [0.4, 0.2], 0.2, 0.5),
    ],
)
def test_wrong_input_is_refused(
    champion: list[float], challenger: list[float], fraction: float, alpha: float
) -> None:
    with pytest.raises(InvalidInput):
        corrected_paired_test(champion, challenger, fraction, alpha)


def test_mcnemar_takes_right_and_wrong_only() -> None:
    with pytest.raises(InvalidInput, match="right"):
        mcnemar([0.5, 1.0], [1.0, 0.0], 0.05)  # type: ignore[list-item]


@given(st.integers(1, 200), st.integers(1, 40), st.floats(0.001, 0.4))
def test_any_horizon_of_challengers_shares_the_total(first: int, horizon: int, total: float) -> None:
    shares = [alpha_for(k, total, horizon) for k in range(first, first + horizon)]
    assert sum(shares) == pytest.approx(total)
    assert min(shares) > 0


@pytest.mark.parametrize(("k", "total", "horizon"), [(0, 0.05, 20), (1, 0.0, 20), (1, 0.6, 20), (1, 0.05, 0)])
def test_wrong_shares_are_refused(k: int, total: float, horizon: int) -> None:
    with pytest.raises(InvalidInput):
        alpha_for(k, total, horizon)


@pytest.mark.parametrize(
    ("change", "says_worse"),
    [(-0.10, True), (-0.001, False), (0.0, False), (0.10, False)],
)
def test_folds_object_only_to_a_loss_that_is_sure(change: float, says_worse: bool) -> None:
    old = [0.7 + 0.01 * i for i in range(10)]
    new = [score + change + (0.02 if i % 2 else -0.02) for i, score in enumerate(old)]
    assert contradicts(corrected_paired_test(old, new, 0.2, 0.01)) is says_worse


def test_identical_folds_and_equal_gains_are_no_objection() -> None:
    old = [0.5, 0.6, 0.7]
    assert not contradicts(corrected_paired_test(old, old, 0.2, 0.01))
    assert not contradicts(corrected_paired_test(old, [score + 0.25 for score in old], 0.2, 0.01))
    assert contradicts(corrected_paired_test(old, [score - 0.25 for score in old], 0.2, 0.01))


def test_the_correction_of_the_variance_is_told() -> None:
    found = corrected_paired_test([0.5, 0.6, 0.7, 0.6], [0.6, 0.6, 0.9, 0.7], 0.2, 0.05)
    assert found.variance_factor == pytest.approx(1 / 4 + 0.2 / 0.8)
    assert found.df == 3
