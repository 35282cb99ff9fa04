"""The posterior over courses: its closed form against the long way, and what may be left out of it."""

import numpy as np
import pytest

from forecasting.domain import collapse_posterior
from forecasting.domain.collapse_labels import LABELS
from forecasting.domain.collapse_paths import library
from forecasting.domain.collapse_posterior import (
    ELASTICITIES,
    _outlier_weights,
    _products,
    _weigh,
    median,
    posterior,
    running_median,
)
from forecasting.domain.collapse_simulate import Subject, subjects

RNG = np.random.default_rng(4)


def answers(entropy: np.ndarray) -> np.ndarray:
    """Return what a rise of entropy costs, mildly and at most, per unit of elasticity."""
    rises = np.diff(entropy, prepend=entropy[0])
    return np.stack([np.clip(rises, 0, 1), np.clip(rises, 0, 0.06)])


@pytest.mark.parametrize("rho", [0.0, 0.35])
def test_products_are_those_under_the_covariance_of_the_noise(rho: float) -> None:
    lib, values, entropy = library(9), RNG.normal(1, 0.2, 9), np.cumsum(0.03 * RNG.random(9))
    weights = RNG.uniform(0.3, 1, 9)
    along, size, power = _products(
        lib, np.vstack([values[None], answers(entropy)]), weights, np.array([0.0, rho])
    )
    lags = np.abs(np.subtract.outer(np.arange(9), np.arange(9)))
    inverse = np.linalg.inv(rho**lags) * np.sqrt(np.outer(weights, weights))
    for k, answer in ((0, 0), (1, 0), (4, 1)):
        for course in (0, 100, 629):
            expected = lib.past[:, course] - ELASTICITIES[k] * answers(entropy)[answer]
            assert along[1, k, course] == pytest.approx(values @ inverse @ expected)
            assert size[1, k, course] == pytest.approx(expected @ inverse @ expected)
    assert power[1, 0, 0] == pytest.approx(values @ inverse @ values)


def test_each_cell_has_the_noise_that_explains_what_its_course_leaves() -> None:
    lib, values = library(12), RNG.normal(3, 0.3, 12)
    found = _weigh(lib, values, answers(np.zeros(12)), np.ones(12), {0.0: 1.0})
    assert found.weight.sum() == pytest.approx(1)
    for course in (0, 50, 400):
        left = values / found.scale[0, 0, course] - lib.past[:, course]
        assert np.exp(2 * found.log_noise[0, 0, course]) == pytest.approx(left @ left / 12 + 0.01**2)


def test_only_some_courses_of_a_library_stay_what_they_are() -> None:
    lib, chosen = library(20), np.array([3, 77, 600])
    part = lib.only(chosen)
    assert part.past.shape == part.squares.shape == (20, 3)
    assert part.products.shape == (19, 3)
    assert np.array_equal(part.future, lib.future[:, chosen])
    assert np.array_equal(part.family, lib.family[chosen])
    assert np.array_equal(part.past[:, 1], lib.past[:, 77])


def both(drawn: list[Subject]) -> np.ndarray:
    """Return what the second pass says of each subject, in units of its usual value."""
    found = []
    for each in drawn:
        seen = posterior(each.roi / np.median(np.abs(each.roi)), each.entropy)[1]
        found.append([*seen.labels, seen.brittle, *seen.future, seen.noise])
    return np.array(found)


def test_courses_that_the_first_pass_rules_out_change_next_to_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn = subjects(25, 12)
    pruned = both(drawn)
    monkeypatch.setattr(collapse_posterior, "_NIL", -1.0)
    whole = both(drawn)
    assert np.abs(pruned - whole)[:, : len(LABELS) + 1].max() < 0.01
    assert np.median(np.abs(pruned - whole).max(axis=1)) < 1e-4


def test_medians_are_numpys() -> None:
    for size in (1, 2, 5, 8, 33):
        values = RNG.normal(size=size)
        assert median(values) == np.median(values)
        padded = np.concatenate([values[[0, 0]], values, values[[-1, -1]]])
        assert running_median(values).tolist() == [np.median(padded[i : i + 5]) for i in range(size)]


def test_only_values_far_from_their_neighbours_count_less_and_the_last_two_never() -> None:
    values = 1 + 0.01 * np.sin(np.arange(20.0))
    values[[6, -1]] = 5.0
    weights = _outlier_weights(values)
    assert weights[6] < 0.01
    assert weights[[-2, -1]].tolist() == [1, 1]
    assert (weights > 0.5).sum() == 19
