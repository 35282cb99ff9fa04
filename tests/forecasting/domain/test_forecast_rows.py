"""Training rows: every series weighs alike, unknown outcomes stay unknown, made series are of known laws."""

import numpy as np
import pytest

from forecasting.domain.forecast_features import FAR, NAMES, features
from forecasting.domain.forecast_forest import STEPS
from forecasting.domain.forecast_input import checked
from forecasting.domain.forecast_rows import KNOWN, LEAST, OUTCOME, backwards, made_series, rows_of


def column(values: list[float], name: str) -> float:
    return float(features(checked(values).scaled)[NAMES.index(name)])


def test_every_series_weighs_one() -> None:
    random = np.random.default_rng(0)
    series = [random.normal(0, 1, points) for points in (20, 60, 150)]
    rows = rows_of(series, 30, random)
    assert rows.weights.sum() == pytest.approx(3.0)
    assert len(rows.weights) == (20 - LEAST - KNOWN + 1) + 30 + 30
    assert rows.weighing(0.5).weights.sum() == pytest.approx(0.5)


def test_outcomes_are_scaled_by_what_lay_before_and_unknown_ones_missing() -> None:
    values = np.array([0.0, 1.0] * 9)
    rows = rows_of([values], 99, np.random.default_rng(0))
    assert rows.outcomes.shape == (18 - LEAST - KNOWN + 1, STEPS)
    assert np.isfinite(rows.outcomes[:, :KNOWN]).all()
    assert rows.outcomes[0, :3].tolist() == [-1.0, 0.0, -1.0]
    assert np.isnan(rows.outcomes[-1, KNOWN:]).all()


def test_far_outcomes_are_cut() -> None:
    values = np.concatenate([np.arange(12) % 2, [1e9] * 5])
    rows = rows_of([values], 99, np.random.default_rng(0))
    assert rows.outcomes[0, 0] == OUTCOME


def test_what_stands_still_makes_no_rows() -> None:
    random = np.random.default_rng(0)
    standing = np.concatenate([np.ones(20), np.arange(20.0)])
    rows = rows_of([np.ones(40), standing], 99, random)
    assert len(rows.weights) == 40 - 21 - KNOWN + 1
    with pytest.raises(ValueError, match="nothing to train on"):
        rows_of([np.ones(40), np.arange(16.0)], 99, random)


def test_rows_join() -> None:
    one = rows_of([np.arange(30.0) ** 2], 5, np.random.default_rng(0))
    both = one + one.weighing(3.0)
    assert len(both.weights) == 10
    assert both.weights.sum() == pytest.approx(4.0)


def test_backwards_is_from_the_end_to_the_begin() -> None:
    assert backwards([np.array([1.0, 2.0, 3.0])])[0].tolist() == [3.0, 2.0, 1.0]


def test_made_series_are_finite_move_and_depend_on_the_seed() -> None:
    made = made_series(21, np.random.default_rng(4))
    again = made_series(21, np.random.default_rng(4))
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
    assert all(np.isfinite(values).all() and np.ptp(values) > 0 for values in made)
    assert all(20 <= len(values) < 160 for values in made)


def test_features_say_what_their_names_say() -> None:
    values = [3.0, 1.0, 2.0, 4.0, 4.0, 5.0, 7.0, 6.0, 8.0, 9.0, 11.0]
    unit = np.abs(np.diff(values)).mean()
    assert column(values, "lag_1") == pytest.approx((9 - 11) / unit)
    assert column(values, "lag_9") == pytest.approx((1 - 11) / unit)
    assert column(values, "highest") == 0.0
    assert column(values, "lowest") == pytest.approx((11 - 1) / unit)
    assert column(values, "share_still") == pytest.approx(0.1)
    assert column(values, "root_of_length") == pytest.approx(np.sqrt(11))
    assert column(values, "largest_step") == pytest.approx(2 / unit)
    assert column(values, "slope_4") == pytest.approx(np.polyfit(range(4), values[-4:], 1)[0] / unit)


def test_features_have_bounds() -> None:
    jump = [0.0, 0.001] * 50 + [1e6]
    found = features(checked(jump).scaled)
    assert np.abs(found).max() <= FAR
    assert np.isfinite(found).all()


def test_before_its_begin_a_short_series_stands_still() -> None:
    values = [2.0, 1.0, 3.0, 2.0, 4.0, 3.0, 5.0, 4.0]
    unit = np.abs(np.diff(values)).mean()
    assert column(values, "lag_9") == column(values, "lag_7") == pytest.approx((2 - 4) / unit)
