"""What the labels mean: courses whose label anyone can see, and the arithmetic behind them."""

import math

import numpy as np
import pytest

from forecasting.domain.collapse_labels import (
    HORIZON,
    LABELS,
    collapsing,
    decaying,
    normal_cdf,
    reference_length,
    some_below,
)
from forecasting.domain.collapse_scores import f1, score
from forecasting.domain.collapse_simulate import true_label

LENGTH = 20
CYCLES = np.arange(LENGTH + HORIZON, dtype=float)


def since(start: int) -> np.ndarray:
    later: np.ndarray = np.maximum(0.0, CYCLES - start)
    return later


COURSES = {
    "level": (np.ones(25), 0.05, "Stable"),
    "growth": (1 + 0.02 * CYCLES, 0.05, "Stable"),
    "passing dip": (1 - 0.7 * ((CYCLES > 5) & (CYCLES < 9)), 0.05, "Stable"),
    "slow decline": (1 - 0.02 * since(8), 0.05, "Slow decay"),
    "ended decline": (1 - 0.03 * np.minimum(since(4), 6), 0.05, "Stable"),
    "much noise": (np.ones(25), 0.6, "Volatile"),
    "noise and decline": (1 - 0.02 * since(8), 0.6, "Volatile"),
    "already gone": (np.where(CYCLES >= 17, 0.3, 1.0), 0.05, "Immediate collapse risk"),
    "gone in the horizon": (1 - 0.12 * since(18), 0.05, "Immediate collapse risk"),
    "gone after the horizon": (1 - 0.08 * since(19), 0.05, "Slow decay"),
    "gone, and noise": (1 - 0.12 * since(18), 0.6, "Immediate collapse risk"),
}


@pytest.mark.parametrize("name", COURSES)
def test_a_course_has_the_label_that_can_be_seen(name: str) -> None:
    course, noise, label = COURSES[name]
    reference = float(course[: reference_length(LENGTH)].mean())
    assert true_label(course, LENGTH, reference, noise) == label
    assert true_label(course * 1000, LENGTH, reference * 1000, noise * 1000) == label


def test_the_level_of_the_last_cycle_counts_as_collapse() -> None:
    course = np.where(CYCLES == LENGTH - 1, 0.5, 1.0)[None, :]
    assert collapsing(course, LENGTH, np.ones(1)).tolist() == [True]
    assert collapsing(np.roll(course, -1, axis=1), LENGTH, np.ones(1)).tolist() == [False]


def test_a_decline_must_be_a_tenth_and_go_on() -> None:
    small, enough = 1 - 0.0099 * CYCLES, 1 - 0.0113 * CYCLES
    stopped = np.where(CYCLES < LENGTH, 1 - 0.03 * CYCLES, 1 - 0.03 * (LENGTH - 1))
    found = decaying(np.stack([small, enough, stopped]), LENGTH, np.ones(3))
    assert found.tolist() == [False, True, False]


@pytest.mark.parametrize(("length", "expected"), [(3, 3), (5, 3), (10, 6), (60, 36)])
def test_the_reference_is_the_first_60_percent_but_at_least_three(length: int, expected: int) -> None:
    assert reference_length(length) == expected


def test_the_normal_law_is_the_real_one() -> None:
    scores = np.linspace(-8, 8, 321)
    exact = [0.5 * math.erfc(-each / math.sqrt(2)) for each in scores]
    assert np.abs(normal_cdf(scores) - exact).max() < 2e-7
    assert normal_cdf(np.array([-np.inf, np.inf])).tolist() == [0.0, 1.0]


def test_some_value_falls_below_as_often_as_in_a_simulation() -> None:
    margins, rng = np.array([0.5, 0.4, 0.3, 0.2, 0.6]), np.random.default_rng(0)
    simulated = (rng.normal(margins, 0.5, (20_000, 5)) < 0).any(axis=1).mean()
    assert some_below(margins, 0.5) == pytest.approx(simulated, abs=0.01)
    assert some_below(margins, 0.0) == 0


def test_scores_of_a_hand_counted_case() -> None:
    labels, found = np.array([0, 1, 2, 3, 3, 0]), np.array([0, 0, 2, 3, 1, 2])
    brittle = np.array([False, False, False, False, False, True])
    answer = score(labels, brittle, found, np.zeros(6, dtype=bool))
    assert answer["missed_collapse"] == 0.5
    assert answer["false_block"] == 0.0
    assert answer["gate_accuracy"] == pytest.approx(5 / 6)
    assert answer["f1_immediate"] == pytest.approx(2 / 3)
    assert answer["macro_f1"] == pytest.approx((1 / 2 + 0 + 2 / 3 + 2 / 3) / 4)
    assert answer["brittle_f1"] == 0.0
    assert math.isnan(f1(np.zeros(2, dtype=bool), np.zeros(2, dtype=bool)))
    assert len(LABELS) == 4
