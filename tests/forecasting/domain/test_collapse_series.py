"""What a verdict reads: checked values, without a unit; and what a few cycles say."""

from typing import Any

import numpy as np
import pytest

from forecasting.domain.collapse_series import WINDOW, read_history
from forecasting.domain.collapse_short import judge_short

BAD: list[tuple[Any, str]] = [
    ("123", "must be a list"),
    (None, "must be a list"),
    ({1: 2}, "must be a list"),
    ([1, None], r"roi\[1\] is not a number but NoneType"),
    ([1, True], r"roi\[1\] is not a number but bool"),
    ([1, "2"], r"roi\[1\] is not a number but str"),
    ([1, 1j], r"roi\[1\] is not a number but complex"),
    ([1, float("nan")], r"roi\[1\] is not a finite"),
    ([1, float("-inf")], r"roi\[1\] is not a finite"),
    ([1, 10**400], "must be a list of numbers"),
    ([1, 1e200], r"roi\[1\] is not a finite"),
    ([float("nan")] + [1.0] * 100, r"roi\[0\] is not a finite"),
    ([[1, 2], [3, 4]], r"roi\[0\] is not a number but list"),
]


@pytest.mark.parametrize(("values", "message"), BAD)
def test_what_is_no_list_of_numbers_is_refused(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_history(values)


def test_entropy_must_have_a_value_for_each_cycle() -> None:
    with pytest.raises(ValueError, match="entropy has 2 values and roi 3"):
        read_history([1, 2, 3], [0, 0])
    with pytest.raises(ValueError, match=r"entropy\[0\]"):
        read_history([1], [float("nan")])


def test_the_unit_goes_and_the_recent_cycles_stay() -> None:
    values = list(np.linspace(1, 2, 100))
    plain, thousandfold = read_history(values), read_history([1000 * each for each in values])
    assert len(plain.values) == WINDOW
    assert np.array_equal(plain.values, thousandfold.values)
    assert thousandfold.unit == pytest.approx(1000 * plain.unit)


def test_rounding_noise_of_a_unit_is_not_read() -> None:
    assert np.array_equal(read_history([0.1] * 5).values, read_history([0.3 / 3] * 5).values)


def test_zeros_and_losses_have_no_reference() -> None:
    assert (read_history([]).unit, read_history([0.0] * 5).unit) == (0.0, 0.0)
    assert not read_history([-3.0] * 5).positive
    assert not read_history([0.0, 0.0, 0.0, 0.0, 1.0]).positive


def test_a_subject_that_turned_to_gain_is_judged_from_there() -> None:
    history = read_history([-2.0, -2.0, -2.0, -2.0, -1.0, 1.0, 1.0, 1.0], [0.0] * 8)
    assert (history.since, history.positive, len(history.values), len(history.entropy)) == (5, True, 3, 3)
    assert read_history([-2.0] * 6 + [1.0, 1.0]).since == 0
    assert read_history([2.0] * 6 + [-1.0, 1.0, 1.0, 1.0]).since == 0


SHORT = [
    ([0.1, 0.2, 0.3], 0),
    ([0.5, 0.4, 0.3], 1),
    ([1, 0.8, 0.6, 0.4], 1),
    ([0, 2, 0, 2], 2),
    ([1, 3, 1, 3, 1], 2),
    ([1, 0.2, 0.05], 3),
    ([5, 5, 5, 5, 5, 0.5], 3),
    ([2, 2, 2], 0),
]


@pytest.mark.parametrize(("values", "label"), SHORT)
@pytest.mark.parametrize("unit", [1.0, 1000.0, 0.001])
def test_few_cycles_get_the_label_that_can_be_seen(values: list[float], label: int, unit: float) -> None:
    found = judge_short(np.array(values) * unit, np.zeros(len(values)))
    assert int(found.probabilities.argmax()) == label
    assert found.probabilities.sum() == pytest.approx(1)
    assert found.elasticity is None


def test_few_cycles_are_trusted_less_than_more_of_them() -> None:
    few, more = (judge_short(np.full(n, 2.0), np.zeros(n)).probabilities.max() for n in (3, 7))
    assert few < more < 0.9


@pytest.mark.parametrize(
    ("values", "entropy", "elasticity"),
    [([1, 1, 0], [0, 0, 0.01], 100), ([1, 0.9, 0.6], [0.1, 0.1, 0.12], 15.8), ([1, 1, 1.2], [0, 0, 0.1], -2)],
)
def test_a_loss_that_a_rise_of_entropy_explains_is_brittle(
    values: list[float], entropy: list[float], elasticity: float
) -> None:
    found = judge_short(np.array(values, dtype=float), np.array(entropy))
    assert found.elasticity == pytest.approx(elasticity, rel=0.01)
    assert found.brittle is (elasticity >= 5)
