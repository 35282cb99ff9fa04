"""Scores: by hand, in any unit, honest intervals win, and a method sees nothing after its origin."""

from typing import Any

import numpy as np
import pytest

from forecasting.domain.forecast_backtest import LARGEST, LEVELS, STEPS, means, origins, score, walk

Z = np.array([-1.95996, -1.28155, -0.67449, 0, 0.67449, 1.28155, 1.95996])


def around(centre: float, spread: float) -> Any:
    return np.tile(centre + spread * Z, (STEPS, 1))


def test_a_score_by_hand() -> None:
    before, after = np.array([0.0, 2.0, 4.0]), np.array([5.0, 4.0, 4.0, 4.0, 4.0])
    found = score(around(4.0, 0.0), before, after)
    assert found is not None
    assert found.first == pytest.approx(0.5)
    assert found.mase == pytest.approx(0.1)
    assert found.crps == pytest.approx(2 * np.mean(LEVELS * 0.5) / 5)
    assert (found.inside80, found.inside95) == (0.8, 0.8)


def test_exact_forecasts_score_zero() -> None:
    found = score(around(4.0, 0.0), np.array([0.0, 2.0, 4.0]), np.full(5, 4.0))
    assert found is not None
    assert (found.first, found.mase, found.crps, found.inside80, found.inside95) == (0, 0, 0, 1, 1)


def test_the_unit_does_not_matter() -> None:
    random = np.random.default_rng(0)
    before, after, made = random.normal(0, 1, 20), random.normal(0, 1, 5), around(0.3, 1.0)
    plain, scaled = score(made, before, after), score(made * 1000, before * 1000, after * 1000)
    assert plain is not None
    assert scaled is not None
    assert scaled.crps == pytest.approx(plain.crps)
    assert scaled.mase == pytest.approx(plain.mase)


def test_what_never_moved_has_no_score_and_far_misses_are_cut() -> None:
    assert score(around(0, 1), np.ones(9), np.ones(5)) is None
    far = score(around(0, 1), np.array([0.0, 1.0, 0.0]), np.full(5, 1e9))
    assert far is not None
    assert (far.first, far.mase, far.crps) == (LARGEST, LARGEST, LARGEST)


def test_an_honest_spread_has_the_best_crps() -> None:
    random = np.random.default_rng(1)
    found = {}
    for spread in (0.2, 1.0, 5.0):
        rows = [score(around(0, spread), np.array([0.0, 1.0]), random.normal(0, 1, 5)) for _ in range(200)]
        found[spread] = means([row for row in rows if row is not None])
    assert found[1.0]["crps"] == min(each["crps"] for each in found.values())  # type: ignore[type-var]
    assert found[1.0]["inside80"] == pytest.approx(0.8, abs=0.04)
    assert found[1.0]["inside95"] == pytest.approx(0.95, abs=0.03)


def test_origins_leave_room_behind_and_before() -> None:
    assert origins(30) == [20, 25]
    assert origins(20) == [15]
    assert origins(16) == []
    assert origins(60, most=4) == [40, 45, 50, 55]
    assert origins(22, first=8, most=9) == [12, 17]


def test_a_method_is_given_what_lies_before_and_cannot_change_it() -> None:
    values, seen = np.arange(30.0), []

    def method(before: Any) -> Any:
        seen.append(before.tolist())
        before[:] = 0
        return around(0, 1)

    assert len(list(walk(method, [values]))) == 2
    assert seen == [list(range(20)), list(range(25))]
    assert values.tolist() == list(range(30))


def test_nothing_scored_has_no_means() -> None:
    assert means([]) == {
        "first": None, "mase": None, "crps": None, "inside80": None, "inside95": None, "cases": 0
    }  # fmt: skip
