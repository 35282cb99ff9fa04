"""Parts of a verdict on collapse against numbers worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from forecasting.domain.collapse import _doubt_words, predict
from forecasting.domain.collapse_features import (
    _eased,
    _lag_one,
    _of_entropy,
    _of_shift,
    _of_trends,
    _response,
    plain_features,
)
from forecasting.domain.collapse_labels import HORIZON, reference_length
from forecasting.domain.collapse_policy import blocks, risk_score
from forecasting.domain.collapse_posterior import Posterior
from forecasting.domain.collapse_scores import score, share
from forecasting.domain.collapse_series import read_history
from forecasting.domain.collapse_short import judge_short, short_reference
from forecasting.domain.collapse_simulate import _donated, _lost, donor_residuals
from forecasting.domain.collapse_trees import Trees, _complete, _not_above


def array(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def found_with(elasticity: float, size: int) -> Posterior:
    none = np.zeros(4)
    return Posterior(
        none, 0.0, elasticity, none, none, none, 1.0, 0.05, 0.4, 1.0, np.zeros(size), float(size)
    )


@pytest.mark.parametrize(
    ("label", "volatile", "immediate", "said"),
    [
        ("Volatile", 0.1, 0.4, True),
        ("Volatile", 0.4, 0.1, False),
        ("Immediate collapse risk", 0.1, 0.9, False),
        ("Stable", 0.0, 0.1, False),
    ],
)
def test_a_block_that_is_no_warning_yet_says_so(
    label: str, volatile: float, immediate: float, said: bool
) -> None:
    words = _doubt_words(label, {"Volatile": volatile, "Immediate collapse risk": immediate})
    assert ("not to call it a collapse" in words) is said


def test_a_slope_and_its_standard_errors() -> None:
    slope, errors = _response(array(0, 1, 2), array(1, 3, 4))
    assert slope == pytest.approx(1.5)
    assert errors == pytest.approx(3 * math.sqrt(3))
    assert _response(array(0, 1), array(1, 3)) == (0.0, 0.0)
    assert _response(np.zeros(5), array(1, 2, 3, 4, 5))[0] == 0.0


def test_steps_that_alternate_are_anticorrelated_and_equal_ones_are_not() -> None:
    assert _lag_one(array(1, -1, 1, -1)) == pytest.approx(-0.75)
    assert _lag_one(array(1, 1, -1, -1)) == pytest.approx(0.25)
    assert _lag_one(np.ones(6)) == 0.0


def test_a_shift_has_size_age_and_gap() -> None:
    size, age, gap = _of_shift(array(1, 1, 1, 1, 1, 0, 0, 0))
    assert size == pytest.approx(1000 * math.sqrt(15 / 8))
    assert (age, gap) == (3.0, 1.0)
    assert _of_shift(array(0, 0, 0, 0, 2, 2, 2, 2))[1:] == [4.0, -2.0]


def test_trends_of_a_parabola() -> None:
    found = _of_trends(np.arange(10.0) ** 2)
    assert found[:3] == pytest.approx([15.0, 155.0, 1.0])
    assert found[-2:] == pytest.approx([1.0, 196.0])


def test_losses_that_a_rise_explains_are_added_back_up_to_a_rise_of_six_hundredths() -> None:
    eased = _eased(np.ones(5), array(0.0, 0.02, 0.10, 0.05, 0.35), found_with(10.0, 5))
    assert eased == pytest.approx(array(1.0, 1.2, 1.6, 1.0, 1.6))


def test_answers_to_one_rise_of_entropy() -> None:
    seen, entropy = np.ones(12), np.where(np.arange(12) >= 5, 0.05, 0.0)
    seen[5] = 0.7
    found = _of_entropy(seen, entropy, np.diff(entropy), np.zeros(12))
    assert found[0] == pytest.approx(-6.0, rel=1e-5)
    assert found[2:7] == [0.0, 0.0, 1.0, 1.0, 0.0]
    assert found[7:12] == pytest.approx([-0.3, -0.3, -0.3, 1.0, -6.0])
    assert found[12:] == pytest.approx([0.05, 0.05, 0.0, 0.0])


def test_a_leap_of_entropy_is_no_usual_rise() -> None:
    entropy = np.where(np.arange(12) >= 9, 0.2, 0.0)
    found = _of_entropy(np.ones(12), entropy, np.diff(entropy), np.zeros(12))
    assert found[4:7] == [1.0, 0.0, 1.0]
    assert found[11] == 0.0
    assert found[-1] == pytest.approx(0.2)


def test_features_are_finite_whatever_is_seen() -> None:
    wild = array(*([1e9, -1e9] * 6))
    found = plain_features(wild, wild, np.zeros(12), np.full(12, np.nan))
    assert np.isfinite(found).all()
    assert np.abs(found).max() == 1e6


def test_a_short_decline_by_hand() -> None:
    found = judge_short(array(10, 10, 10, 9, 8), np.zeros(5))
    assert found.slope == pytest.approx(-0.05)
    assert found.noise == pytest.approx(math.sqrt(0.007 / 3))
    assert found.curve == pytest.approx(0.84 - 0.025 * np.arange(1, HORIZON + 1))
    assert found.probabilities == pytest.approx([0.16875, 0.69625, 0.0375, 0.0975])


def test_the_largest_loss_per_unit_of_entropy_counts_and_falls_do_not() -> None:
    found = judge_short(array(1, 0.9, 0.6, 0.8), array(0.1, 0.12, 0.16, 0.10))
    reference = (1 + 0.9 + 0.6) / 3
    assert found.elasticity == pytest.approx(7.5 / reference)
    assert judge_short(array(1, 0.5, 0.5), array(0.3, 0.2, 0.2005)).elasticity is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [((2, 4, 9), 3.0), ((0, 0, 6), 2.0), ((-1, 1, 6), 2.0), ((3, 3, 3, -13, 1, 1), 3.0)],
)
def test_the_reference_of_few_cycles_is_above_zero(values: tuple[float, ...], expected: float) -> None:
    assert short_reference(array(*values)) == pytest.approx(expected)


@pytest.mark.parametrize("roi", [[0.0, 0.0, 5.0], [-1.0, 1.0, 5.0], [-1.0, 0.5, 5.0]])
def test_a_subject_that_just_began_to_earn_is_judged_in_finite_numbers(roi: list[float]) -> None:
    found = predict(roi)
    assert found["risk"] == "Stable"
    assert all(map(math.isfinite, found["curve"]))
    assert sorted(found["curve"]) == found["curve"]
    assert "nan" not in found["reason"]


def test_a_single_number_is_no_history() -> None:
    with pytest.raises(ValueError, match="roi must be a list"):
        read_history(np.array(5.0))


def test_the_reference_of_a_history_is_in_its_units() -> None:
    history = read_history([10.0, 20.0, 30.0, 20.0, 20.0])
    assert history.unit == 20.0
    assert history.scaled_reference == pytest.approx(1.0)
    assert reference_length(len(history.values)) == 3


def test_a_gate_that_blocks_everything_misses_nothing() -> None:
    labels, calm = np.array([0, 1, 2, 3]), np.zeros(4, dtype=bool)
    answer = score(labels, calm, np.full(4, 3), calm)
    assert (answer["false_block"], answer["missed_collapse"], answer["gate_accuracy"]) == (1.0, 0.0, 0.5)
    brittle = score(labels, calm, np.zeros(4, dtype=int), ~calm)
    assert (brittle["missed_collapse"], brittle["brittle_f1"]) == (0.0, 0.0)
    assert math.isnan(share([]))


def test_the_score_of_a_brittle_subject_is_that_of_a_collapse() -> None:
    chances = {"Stable": 0.6, "Slow decay": 0.2, "Volatile": 0.1, "Immediate collapse risk": 0.1}
    assert risk_score(chances, 1.0) == 1.0
    assert blocks({"risk_score": risk_score(chances, 0.0)}, 1 / 9)
    assert blocks({}, 1.0)


def test_a_series_without_noise_donates_none() -> None:
    spiked = np.zeros(60)
    spiked[30] = 5.0
    assert donor_residuals([spiked, np.arange(44.0)]) == []


def test_noise_is_a_piece_of_its_donor_and_a_short_donor_repeats() -> None:
    rng = np.random.default_rng(3)
    piece = _donated(rng, 10, [np.arange(100.0)])
    assert np.diff(piece).tolist() == [1.0] * 9
    assert _donated(rng, 10, [array(1, 2, 3, 4)]).tolist() == [1, 2, 3, 4, 1, 2, 3, 4, 1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_a_brittle_subject_loses_by_a_rise_up_to_saturation(seed: int) -> None:
    rng, entropy = np.random.default_rng(seed), array(0.2, 0.7, 0.6, 0.61)
    lost = _lost(rng, entropy, brittle=True)
    assert lost == pytest.approx(lost[3] * array(0, 6, 0, 1))
    assert 0.06 <= lost[3] <= 0.14
    calm = _lost(rng, entropy, brittle=False)
    assert calm == pytest.approx(calm[3] * array(0, 50, 0, 1))
    assert 0 <= calm[3] <= 0.012


TWO_DEEP: dict[str, Any] = {
    "feature": np.array([[0, 1, 1]]),
    "threshold": np.array([[0.0, -1.0, 1.0]]),
    "leaf": np.array([[1.0, 2.0, 3.0, 4.0]]),
    "start": np.array([10.0]),
}


def test_an_input_goes_down_its_own_way() -> None:
    inputs = np.array([[0, -1], [0, 0], [1, 1], [1, 2], [np.nan, np.nan]], dtype=float)
    assert Trees(**TWO_DEEP).outputs(inputs)[:, 0].tolist() == [11, 12, 13, 14, 11]


def test_trees_take_turns_at_the_outputs() -> None:
    leaves = np.array([[1.0, 1], [20, 20], [300, 300], [4000, 4000]])
    trees = Trees(np.zeros((4, 1), dtype=int), np.zeros((4, 1)), leaves, np.array([0.5, 0.0]))
    assert trees.outputs(np.ones((2, 3))).tolist() == [[301.5, 4020.0]] * 2


def test_a_tree_that_never_splits_answers_alike_everywhere() -> None:
    nodes = np.array([(7.0, True)], dtype=[("value", float), ("is_leaf", bool)])
    feature, threshold, leaf = _complete(nodes, 2)
    trees = Trees(feature[None], threshold[None], leaf[None], np.zeros(1))
    assert trees.outputs(np.array([[-1e300], [0.0], [1e300]]))[:, 0].tolist() == [7.0] * 3


@pytest.mark.parametrize("value", [0.1, -0.1, 0.5, 1 / 3, 1e-40, -7.7])
def test_a_threshold_in_single_precision_is_never_above_the_exact_one(value: float) -> None:
    near = _not_above(value)
    assert near <= value < float(np.nextafter(np.float32(near), np.float32(np.inf)))
