"""Parts of a forecast and of what is said of it against numbers worked out by hand."""

import math

import numpy as np
import pytest

from forecasting.domain.confidence import confidence_of, final_score, risk_adjusted, stability
from forecasting.domain.coverage import AdaptiveLevel, confidence, level_after, reliability, widening
from forecasting.domain.forecast_backtest import Score, means, score, walk
from forecasting.domain.forecast_features import NAMES, features
from forecasting.domain.forecast_input import checked
from forecasting.domain.forecast_local import GRID, _weights, local, naive
from forecasting.domain.forecast_mix import weight
from forecasting.domain.growth import classify
from forecasting.domain.metrics import METRICS
from forecasting.domain.synergy import Smoothed

VALUES = (3.0, 1.0, 2.0, 4.0, 4.0, 5.0, 7.0, 6.0, 8.0, 9.0, 11.0)  # mean absolute step: 1.4


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("mean", 60 / 11 - 11),
        ("median_of_5", -3.0),
        ("mean_of_10", -5.3),
        ("step_of_3", 5 / 3),
        ("step_of_5", 1.6),
        ("median_step", 1.5),
        ("mean_change", 0.8),
        ("median_change", 1.0),
        ("largest_step_of_5", 2.0),
        ("share_up", 0.7 * 1.4),
        ("share_up_of_8", 0.75 * 1.4),
        ("share_above", 0.0),
    ],
)
def test_a_feature_is_what_its_name_says(name: str, steps: float) -> None:
    found = features(checked(VALUES).scaled)
    assert found[NAMES.index(name)] == pytest.approx(steps / 1.4)


def test_features_of_smoothing_are_those_of_the_combination() -> None:
    scaled = checked(VALUES).scaled
    found, own = dict(zip(NAMES, features(scaled), strict=True)), local(scaled, 5)
    assert (found["smoothed_1"], found["smoothed_5"]) == (own.smooth[0], own.smooth[4])
    assert (found["theta_1"], found["theta_5"]) == (own.theta[0], own.theta[4])
    assert found["smoothed_trend"] == pytest.approx(found["smoothed_5"] - found["smoothed_1"])


def test_the_last_value_again_spreads_with_the_root_of_the_steps() -> None:
    normals = np.array([-1.0, 0.0, 2.0])
    assert naive(np.array([-1.0, 0.0]), 4, normals)[[0, 3]].tolist() == [[-1, 0, 2], [-2, 0, 4]]
    assert naive(np.array([0.0, -3.0, 0.0]), 1, normals)[0, 2] == pytest.approx(2 * math.sqrt(19 / 3))


def test_half_of_the_criterion_weighs_the_smoothings() -> None:
    weights = _weights(np.tile([1.0, math.e], (10, 1)), 2)
    assert weights[0] / weights[1] == pytest.approx(math.exp(5))
    assert GRID.shape == (9 + 3 * 34, 3)


def test_a_single_number_is_no_series() -> None:
    for value in (np.array(5.0), 5.0, {1.0: 2.0}):
        with pytest.raises(ValueError, match="a list of numbers is needed"):
            checked(value)  # type: ignore[arg-type]


def test_what_never_moved_is_not_walked() -> None:
    def last(before: np.ndarray) -> np.ndarray:
        return np.full((5, 7), before[-1])

    found = list(walk(last, [np.ones(30), np.arange(30.0), np.arange(9.0)]))
    assert [(each.first, each.mase, each.inside95) for each in found] == [(1.0, 3.0, 0.0)] * 2


def test_values_on_the_edge_of_an_interval_lie_inside() -> None:
    levels = np.tile([-4.0, -2, -1, 0, 1, 2, 4], (5, 1))
    found = score(levels, np.array([0.0, 1.0]), np.array([2.0, -2.0, 4.0, -4.0, 4.1]))
    assert found is not None
    assert (found.inside80, found.inside95) == (0.4, 0.8)


def test_scores_are_averaged() -> None:
    found = means([Score(1.0, 2.0, 0.5, 1.0, 1.0), Score(3.0, 4.0, 1.5, 0.0, 1.0)])
    assert found == {"first": 2, "mase": 3, "crps": 1, "inside80": 0.5, "inside95": 1, "cases": 2}


@pytest.mark.parametrize(("ahead", "word"), [(1.80, "marginal"), (1.83, "linear"), (0.19, "marginal")])
def test_a_path_of_two_steps_moves_by_its_end(ahead: float, word: str) -> None:
    """The noise of 0, 1, 0, 1 is the root of 4 / 6, 0.8165."""
    assert classify([0.0, 1.0, 0.0, 1.0], [ahead, ahead]) == word


def test_a_path_of_more_steps_moves_by_its_slope() -> None:
    assert classify([0.0, 1.0, 0.0, 1.0], [5.0, 5.2, 5.4]) == "marginal"
    assert classify([0.0, 1.0, 0.0, 1.0], [5.0, 5.3, 5.6]) == "linear"


def test_an_own_error_widens_by_its_share() -> None:
    assert widening([2.0] * 20, 1.0, 0.8) == pytest.approx(2**0.5)
    assert widening([0.5] * 20, 1.0, 0.8) == pytest.approx(0.5**0.5)
    assert widening([9.0] * 20, 1.0, 0.8) == pytest.approx(3**0.5)


def test_a_level_moves_by_a_fiftieth_of_what_it_missed() -> None:
    assert level_after([1.0] * 20, 0.8) == 0.8
    assert level_after([1.0] * 20 + [2.0], 0.8) == pytest.approx(0.816)
    assert level_after([1.0] * 20 + [0.5], 0.8) == pytest.approx(0.796)
    fast = AdaptiveLevel(0.5, rate=0.1)
    fast.note(hit=False)
    assert fast.level == pytest.approx(0.55)


def test_the_newest_error_weighs_most_in_the_reliability() -> None:
    assert reliability([1.0, 0.0]) == pytest.approx(0.5 ** (0.8 / 1.8))
    assert reliability([0.0, -1.0]) == pytest.approx(0.5 ** (1 / 1.8))


def test_the_confidence_counts_the_interval_twice_as_much_as_what_was() -> None:
    assert confidence([1.0, 1.0], 3.0) == pytest.approx(1 / (1 + 1 / 3 + 2))
    assert confidence([3.0, 3.0], 0.0) == pytest.approx(1 / 2)
    assert confidence([0.0], -1.0) == 1.0
    assert confidence([], 0.1) is None


def test_the_weight_of_the_model_by_hand() -> None:
    nothing = 1 / (1 + math.exp(-0.5))
    assert weight([]) == weight([(1.0, 1.0)]) == weight([(0.0, 0.0)] * 5) == pytest.approx(nothing)
    assert weight([(1.1, 0.9)]) == pytest.approx(1 / (1 + math.exp(8 * 0.2 - 0.5)))
    assert weight([(0.9, 1.1)] * 4) == pytest.approx(1 / (1 + math.exp(-2 * 8 * 0.2 - 0.5)))
    assert weight([(1.0, 0.0)] * 5) < 1e-12


def test_a_smoothed_series_by_hand() -> None:
    made = Smoothed()
    assert made.add(1.0) is None
    assert made.add(3.0) == pytest.approx(1.0)
    assert made.level == pytest.approx(1.6)
    assert made.add(2.0) == pytest.approx(0.4 / 1.5)
    assert made.scale == 1.5
    assert made.mae == pytest.approx((1 + 0.4 / 1.5) / 2)
    assert made.reliability == pytest.approx(math.exp(-(0.8 * math.log(2) + math.log(1.9 / 1.5)) / 1.8))
    with pytest.raises(KeyError):
        Smoothed.from_dict({"count": 1})


def test_risk_takes_its_parts_off_by_hand() -> None:
    assert stability([1.0, 3.0]) == pytest.approx(2 / 3)
    assert stability([99.0, 2.0, 2.0, 2.0, 2.0, 2.0]) == 1.0
    gained = risk_adjusted(6.0, p_collapse=0.2, severity=0.5, recent=(1.0, 3.0), failing_suites=2)
    assert gained.value == pytest.approx(6 * 0.9 * 2 / 3 / 4)
    assert risk_adjusted(-6.0, p_collapse=0.4).value == pytest.approx(-6 * 1.4)
    assert final_score(gained.value, 0.5) == pytest.approx(0.45)
    assert confidence_of([0.0, 2.0]) == pytest.approx(1 / 3)


@pytest.mark.parametrize("odd", [math.nan, math.inf])
def test_deltas_that_are_no_numbers_are_not_taken_for_steady_ones(odd: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        risk_adjusted(1.0, recent=(1.0, odd))
    with pytest.raises(ValueError, match="finite"):
        risk_adjusted(odd)


@pytest.mark.parametrize(
    ("name", "raw", "expected"),
    [
        ("roi", {"value": 4.0, "cost": 1.0}, 3.0),
        ("profitability", {"value": 4.0, "cost": 1.0}, 0.75),
        ("profitability", {"value": 0.0, "cost": 1.0}, None),
        ("efficiency", {"success_rate": 0.5, "cpu_seconds": 0.25}, 2.0),
        ("throughput", {"success_rate": 0.5, "wall_seconds": 2.0}, 0.25),
        ("safety_rating", {"refused": 0.25}, 0.75),
        ("code_quality", {"lint_findings": 3.0}, 0.25),
        ("revenue", {"value": math.inf}, None),
        ("roi", {"value": 1e308, "cost": -1e308}, None),
    ],
)
def test_a_metric_by_hand(name: str, raw: dict[str, float], expected: float | None) -> None:
    assert METRICS[name].of(raw) == expected
