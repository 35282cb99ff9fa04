"""Synergy of a combined run over solo ones, and the smoothed series that foretell it."""

import math
import random

import pytest

from forecasting.domain.synergy import WINDOW, Smoothed, synergy

HEALTHY = {"value": 2.0, "cost": 1.0, "success_rate": 1.0, "cpu_seconds": 0.5}


@pytest.mark.parametrize("parts", [1, 2, 7])
def test_healthy_parts_that_do_nothing_to_each_other_have_no_synergy(parts: int) -> None:
    """With a sum in place of the mean, n of them would give -(n - 1)."""
    found = synergy([HEALTHY], [[HEALTHY]] * parts)
    assert found["synergy_roi"] == 0.0
    assert set(found.values()) == {0.0}


def test_synergy_is_the_combined_run_minus_the_mean_of_the_solo_ones() -> None:
    slow = {**HEALTHY, "cpu_seconds": 1.5}
    found = synergy([{**HEALTHY, "cpu_seconds": 0.75, "value": 5.0}], [[HEALTHY], [slow]])
    assert found["synergy_roi"] == 3.0
    assert found["synergy_cpu_usage"] == -0.25


def test_repeats_count_by_their_median() -> None:
    odd = [{"cpu_seconds": value} for value in (1.0, 1.0, 90.0)]
    assert synergy(odd, [[{"cpu_seconds": 1.0}]]) == {"synergy_cpu_usage": 0.0}


def test_what_a_side_did_not_measure_is_absent() -> None:
    found = synergy([HEALTHY], [[HEALTHY], [{"value": 2.0, "cost": None, "cpu_seconds": 0.5}]])
    assert "synergy_roi" not in found
    assert "synergy_gpu_usage" not in found
    assert found["synergy_cpu_usage"] == 0.0
    assert synergy([], [[HEALTHY]]) == synergy([HEALTHY], []) == synergy([HEALTHY], [[]]) == {}


def added(values: list[float]) -> Smoothed:
    made = Smoothed()
    for value in values:
        made.add(value)
    return made


def test_nothing_is_foretold_before_the_first_value_and_the_last_one_after_it() -> None:
    assert Smoothed().level is Smoothed().reliability is Smoothed().mae is None
    assert added([0.02]).level == 0.02
    assert added([0.02]).reliability is None


def test_reliability_lies_from_0_to_1_and_is_high_where_the_forecast_met() -> None:
    rng = random.Random(4)
    steady = added([math.sin(place / 9) for place in range(60)]).reliability
    noisy = added([rng.choice((-1.0, 1.0)) for _ in range(60)]).reliability
    assert added([3.0] * 9).reliability == 1.0
    assert steady is not None
    assert noisy is not None
    assert 0 < noisy < 1


def test_the_unit_does_not_matter() -> None:
    rng = random.Random(5)
    values = [rng.gauss(0, 1) for _ in range(40)]
    plain, thousand = added(values), added([value * 1000 for value in values])
    assert thousand.mae == pytest.approx(plain.mae)
    assert thousand.reliability == pytest.approx(plain.reliability)


def test_only_the_newest_errors_are_kept_and_json_brings_all_back() -> None:
    rng = random.Random(6)
    made = added([rng.random() for _ in range(200)])
    again = Smoothed.from_dict(made.to_dict())
    assert len(made.errors) == WINDOW
    assert again.add(0.5) == made.add(0.5)
    assert again.to_dict() == made.to_dict()


def test_a_better_forecast_replaces_the_smoothed_one() -> None:
    made = added([1.0, 3.0])
    assert made.add(5.0, expected=5.0) == 0.0


def test_a_number_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError):
        Smoothed().add(math.nan)
