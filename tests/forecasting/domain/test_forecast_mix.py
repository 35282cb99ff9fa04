"""The model and the combination together: who was right before has the say, and nothing later is seen."""

import numpy as np
import pytest

from forecasting.domain.forecast import Model, quantiles
from forecasting.domain.forecast_backtest import LEVELS, STEPS, means, walk
from forecasting.domain.forecast_forest import Forest
from forecasting.domain.forecast_input import Floats, checked
from forecasting.domain.forecast_local import combination
from forecasting.domain.forecast_mix import NORMALS, mixed
from forecasting.domain.forecast_shipped import shipped


class Says:
    """A forest that says the same of every series, and notes how often it was asked."""

    def __init__(self, ahead: float) -> None:
        self.ahead, self.asked = ahead, 0

    def quantiles(self, inputs: Floats, levels: Floats, steps: int = 10) -> Floats:
        """Return that many steps, all alike, and without any width."""
        self.asked += 1
        return np.full((steps, len(levels)), self.ahead)


def at_level(forest: Forest | Says, values: Floats, horizon: int = 3) -> Floats:
    scaled = checked(values).scaled
    return mixed(scaled, horizon, LEVELS, NORMALS, forest)  # type: ignore[arg-type]


def noise(points: int = 40) -> Floats:
    return np.random.default_rng(1).normal(0, 1, points)


def test_a_model_that_was_wrong_before_has_no_say() -> None:
    found = at_level(Says(50.0), noise())
    alone = combination(checked(noise()).scaled, 3, NORMALS)
    assert found == pytest.approx(alone, abs=1e-6)


def test_a_model_that_was_right_before_has_it() -> None:
    """The series turns each time, by as much as it came; the combination can't see that."""
    teeth = np.tile([0.0, 1.0], 20)

    class Turns(Says):
        def quantiles(self, inputs: Floats, levels: Floats, steps: int = 10) -> Floats:
            # the newest lag lies a step above or below the last value, which is 0
            path = np.where(np.arange(steps) % 2 == 0, inputs[8], 0.0)
            return np.repeat(path[:, None], len(levels), axis=1)

    found = at_level(Turns(0.0), teeth)
    assert found[:, 3] == pytest.approx([-1.0, 0.0, -1.0], abs=0.01)


@pytest.mark.parametrize(("points", "asked"), [(8, 1), (9, 2), (11, 3), (13, 4), (16, 5), (19, 6), (200, 6)])
def test_it_is_asked_at_five_earlier_points_where_there_are_eight_before(points: int, asked: int) -> None:
    forest = Says(0.0)
    at_level(forest, noise(points))
    assert forest.asked == asked


def test_a_beginning_that_never_moved_says_nothing() -> None:
    forest = Says(0.0)
    found = at_level(forest, np.array([1.0] * 12 + [2.0]))
    assert forest.asked == 1
    assert np.isfinite(found).all()


def test_far_horizons_and_any_unit() -> None:
    paths = [quantiles(noise() * unit + 7 * unit, 30, (0.1, 0.5, 0.9)) / unit - 7 for unit in (1.0, 1e6)]
    assert paths[0].shape == (30, 3)
    assert (np.diff(paths[0], axis=1) >= 0).all()
    assert paths[0] == pytest.approx(paths[1], rel=1e-6, abs=1e-6)


def test_steady_growth_is_foreseen_better_by_both_together() -> None:
    """Four seeded lines; over six seeds the ratio lies from .74 to .82."""
    random = np.random.default_rng(0)
    series = [np.arange(40) + random.normal(0, 0.05, 40) for _ in range(4)]

    def mean(alone: bool) -> float:
        model = Model(shipped(), "shipped", alone=alone)
        found = means(list(walk(lambda values: quantiles(values, STEPS, LEVELS, model=model), series)))
        return float(found["crps"] or 0.0)

    assert mean(alone=False) < 0.9 * mean(alone=True)
