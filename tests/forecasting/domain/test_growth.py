"""Growth classes: in units of noise, in any unit, and better than a guess."""

import numpy as np
import pytest

from forecasting.domain.growth import CLASSES, Growth, classify


def path_of(values: np.ndarray, steps: int = 5) -> tuple[list[float], list[float]]:
    return values[:-steps].tolist(), values[-steps:].tolist()


def test_plain_courses() -> None:
    time = np.arange(45.0)
    assert classify(*path_of(np.exp(0.05 * time))) == "exponential"
    assert classify(*path_of(3 + 2 * time)) == "linear"
    assert classify(*path_of(100 - 2 * time)) == "linear"
    assert classify(*path_of(np.full(45, 7.0))) == "marginal"


def test_decay_and_growth_below_zero_are_exponential_too() -> None:
    time = np.arange(45.0)
    assert classify(*path_of(5 * np.exp(-0.08 * time))) == "exponential"
    assert classify(*path_of(-np.exp(0.05 * time))) == "exponential"


def test_a_drift_inside_the_noise_is_marginal() -> None:
    noise = np.random.default_rng(0).normal(0, 1.0, 40)
    flat = [0.02] * 5
    assert classify(noise.tolist(), flat) == "marginal"


@pytest.mark.parametrize("unit", [1e-9, 1000.0, 1e60])
def test_the_unit_does_not_matter(unit: float) -> None:
    random = np.random.default_rng(4)
    for course in (np.exp(0.06 * np.arange(40)), np.arange(40.0), np.ones(40)):
        history, path = path_of(course + random.normal(0, 0.05, 40))
        scaled = classify([value * unit for value in history], [value * unit for value in path])
        assert scaled == classify(history, path)


def test_short_histories_are_marginal_and_an_empty_path_is_refused() -> None:
    assert classify([1.0, 2.0, 4.0], [8.0, 16.0]) == "marginal"
    with pytest.raises(ValueError, match="path"):
        classify([1.0] * 9, [])


def test_courses_of_known_class_are_told_apart() -> None:
    random = np.random.default_rng(7)
    said: list[Growth] = []
    true: list[Growth] = []
    for place in range(60):
        time, kind = np.arange(40.0), CLASSES[place % 3]
        course = {
            "exponential": 2 * np.exp(random.uniform(0.04, 0.08) * time),
            "linear": 20 + random.choice([-0.3, 0.4]) * time,
            "marginal": np.full(40, 5.0),
        }[kind]
        noisy = course + np.concatenate([random.normal(0, 0.3, 35), np.zeros(5)])
        said.append(classify(*path_of(noisy)))
        true.append(kind)
    right = sum(a == b for a, b in zip(said, true, strict=True))
    assert right / len(true) >= 0.9
