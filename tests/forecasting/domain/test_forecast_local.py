"""The combination without training: known courses, known variances, and no wish for one parameter."""

import numpy as np
import pytest

from forecasting.domain.forecast_input import Floats, checked
from forecasting.domain.forecast_local import (
    GRID,
    PLAIN,
    _growth_of_variance,
    _smooth,
    _weights,
    combination,
    local,
    locals_at,
    naive,
)

NORMALS = np.array([-1.28155, 0.0, 1.28155])


def scaled(values: Floats) -> Floats:
    return checked(values).scaled


def test_every_smoothing_of_the_grid_is_stable() -> None:
    alpha, beta, phi = GRID.T
    assert ((alpha > 0) & (alpha < 1)).all()
    assert (beta[PLAIN] == 0).all()
    assert ((beta[~PLAIN] > 0) & (beta[~PLAIN] <= alpha[~PLAIN])).all()
    assert ((phi[~PLAIN] > 0) & (phi[~PLAIN] < 1)).all()


def test_smoothing_is_the_recursion_of_the_book() -> None:
    values = np.array([1.0, 3.0, 2.0])
    errors, level, trend = _smooth(values[:, None], np.array([[0.5, 0.0, 0.0]]))
    assert errors[:, 0].tolist() == [2.0, 0.0]
    assert level[:, 0].tolist() == [1.0, 2.0, 2.0]
    assert trend[:, 0].tolist() == [0.0] * 3


def test_a_damped_trend_by_hand() -> None:
    errors, level, trend = _smooth(np.array([[0.0], [2.0]]), np.array([[0.5, 0.25, 0.5]]))
    assert errors[0, 0] == pytest.approx(2.0 - 0.5 * 2.0)
    assert level[-1, 0] == pytest.approx(1.0 + 0.5 * 1.0)
    assert trend[-1, 0] == pytest.approx(0.5 * 2.0 + 0.25 * 1.0)


def test_what_a_series_says_at_an_earlier_end_is_what_its_beginning_says() -> None:
    values = np.random.default_rng(4).normal(0, 1, 40).cumsum()
    for end, found in zip((9, 30, 40), locals_at(values, (9, 30, 40), 6), strict=True):
        alone = local(scaled(values[:end]), 6)
        assert found.smooth == pytest.approx(alone.smooth)
        assert found.variance == pytest.approx(alone.variance)
        assert found.theta == pytest.approx(alone.theta)
        assert found.noise == pytest.approx(alone.noise)


def test_variances_grow_as_the_book_says() -> None:
    growth = _growth_of_variance(4)
    alpha = GRID[PLAIN, 0][:, None]
    assert growth[PLAIN] == pytest.approx(1 + alpha**2 * np.arange(4))
    assert growth[:, 0] == pytest.approx(1.0)
    assert (np.diff(growth, axis=1) > 0).all()


def test_weights_prefer_what_foresaw_and_forgive_an_outlier() -> None:
    errors = np.array([[0.1, 1.0]] * 20)
    weights = _weights(errors, 2)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > 0.95
    errors[5, 0] = 15.0
    assert _weights(errors, 2)[0] > 0.4


def test_more_parameters_have_to_be_earned() -> None:
    same = np.ones((8, 2))
    weights = _weights(same, np.array([2.0, 4.0]))
    assert weights[0] > weights[1]


def test_theta_continues_half_of_a_straight_line() -> None:
    line = np.arange(30.0)
    ahead = local(scaled(line), 3).theta
    assert np.allclose(np.diff(ahead), 0.5)
    assert 0 <= ahead[0] <= 1


def test_a_trend_is_followed_and_a_level_kept() -> None:
    trend = local(scaled(np.arange(40.0)), 5).smooth
    assert (np.diff(trend) > 0).all()
    assert 2 < trend[-1] < 6
    random = np.random.default_rng(0)
    level = random.normal(0, 1, 80)
    kept = combination(scaled(level), 5, NORMALS)[:, 1]
    unit = np.abs(np.diff(level)).mean()
    assert np.abs(level[-1] + unit * kept - level.mean()).max() < abs(level[-1] - level.mean()) + 0.5


def test_intervals_widen_with_the_steps() -> None:
    random = np.random.default_rng(1)
    for values in (random.normal(0, 1, 30).cumsum(), random.normal(0, 1, 12)):
        for method in (combination, naive):
            rows = method(scaled(values), 6, NORMALS)
            assert (np.diff(rows[:, 2] - rows[:, 0]) > 0).all()
            assert (rows[:, 2] > rows[:, 0]).all()


def test_the_naive_answer_of_two_points_is_wide_enough_to_be_honest() -> None:
    rows = naive(scaled(np.array([1.0, 2.0])), 2, NORMALS)
    assert rows[0, 1] == 0.0
    assert rows[0, 2] - rows[0, 0] > 2.0


def test_noise_is_in_mean_steps() -> None:
    random = np.random.default_rng(2)
    values = random.normal(0, 1, 200).cumsum()
    assert local(scaled(values), 1).noise == pytest.approx(np.sqrt(np.pi / 2), rel=0.2)


def test_the_combination_covers_random_walks() -> None:
    random = np.random.default_rng(3)
    hits = []
    for _ in range(60):
        values = random.normal(0, 1, 32).cumsum()
        series = checked(values[:-1])
        low, _, high = series.back(combination(series.scaled, 1, NORMALS))[0]
        hits.append(low <= values[-1] <= high)
    assert 0.7 <= np.mean(hits) <= 0.92
