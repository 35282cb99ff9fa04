"""Rows of forecasts as outcomes, without a database: what can't be read takes no part."""

import math
from typing import Any

import pytest

from forecasting.panels.model_card import _row, shipped_card
from forecasting.panels.outcomes import at, bands, by_model, by_step, is_number, numbers, outcome, outcomes
from forecasting.panels.scenarios import _changes
from forecasting.panels.series import _rolled, since, thin


def row(**changes: Any) -> dict[str, Any]:
    """Return a row that foresaw 1, 2, 3 within 1 and 2, and of which 1, 4 came."""
    plain = {
        "subject": "alpha", "scenario": "", "model": "pooled", "growth": "linear", "error": 0.5, "scale": 1.0,
        "mean": [1.0, 2.0, 3.0], "lower80": [0.0, 1.0, 2.0], "upper80": [2.0, 3.0, 4.0],
        "lower95": [-1.0, 0.0, 1.0], "upper95": [3.0, 4.0, 5.0], "actual": [1.0, 4.0],
    }  # fmt: skip
    return {**plain, **changes}


@pytest.mark.parametrize(
    "value", [True, False, None, "1", [], math.nan, math.inf, -math.inf, 10**400, -(10**400)]
)
def test_what_json_holds_besides_finite_numbers_is_none(value: Any) -> None:
    assert not is_number(value)
    assert numbers([value, 2]) == [None, 2.0]


def test_numbers_of_what_is_no_list_are_none() -> None:
    for damaged in (None, {"0": 1.0}, "12", 3.0):
        assert numbers(damaged) == []
    assert numbers([1, -2.5, 10**300]) == [1.0, -2.5, 1e300]
    assert (at([7, "x"], 0), at([7, "x"], 1), at([7, "x"], 2), at(None, 0)) == (7.0, None, None, None)


def test_an_outcome_is_the_first_step() -> None:
    found = outcome(row())
    assert found is not None
    assert (found.predicted, found.actual, found.error, found.workflow) == (1.0, 1.0, 0.5, "alpha")
    assert found.bands == ((0.0, 2.0), (-1.0, 3.0))
    assert (found.predicted_class, found.actual_class) == ("linear", "")


def test_a_course_has_a_class_when_all_of_it_came() -> None:
    whole, flat = outcome(row(actual=[1.0, 2.0, 3.0])), outcome(row(actual=[1.0, 1.1, 1.0]))
    holed, unscaled = outcome(row(actual=[1.0, None, 3.0])), outcome(row(actual=[1.0, 2.0, 3.0], scale=None))
    partly = outcome(row(mean=[1.0, 2.0, 3.0, 4.0], actual=[1.0, 2.0, 3.0]))
    classes = [each.actual_class for each in (whole, flat, holed, unscaled, partly) if each]
    assert classes == ["linear", "marginal", "", "", ""]


@pytest.mark.parametrize("damage", [{"mean": []}, {"actual": []}, {"mean": [None, 2.0]}, {"actual": [None]}])
def test_a_row_without_its_first_numbers_is_no_outcome(damage: dict[str, Any]) -> None:
    assert outcome(row(**damage)) is None
    assert len(outcomes([row(), row(**damage)])) == 1


def test_a_band_without_one_of_its_sides_is_none() -> None:
    assert bands(row(lower80=[None]), 0) == (None, (-1.0, 3.0))
    assert bands(row(upper95=[3.0]), 1) == ((1.0, 3.0), None)
    assert bands(row(), 3) == (None, None)


def test_each_step_has_its_error_and_hits() -> None:
    first, second = by_step([row(), row(actual=[3.0])])
    assert (first["step"], first["count"], first["mae"]) == (1, 2, 1.0)
    assert [each["inside"] for each in first["calibration"]] == [1, 2]
    assert (second["step"], second["count"], second["mae"]) == (2, 1, 2.0)
    assert [each["inside"] for each in second["calibration"]] == [0, 1]
    assert by_step([]) == []


def test_a_step_of_which_nothing_came_is_left_out() -> None:
    assert [each["step"] for each in by_step([row(actual=[1.0, None, 3.0])])] == [1, 3]


def test_models_are_told_apart_by_name() -> None:
    rows = [row(model="z"), row(model="a", actual=[3.0], error=None), row(model="z", actual=[2.0], error=1.0)]
    first, last = by_model([*rows, row(model="none", actual=[])])
    assert (first["model"], first["mae"], first["scaled_mae"], first["accuracy"]) == ("a", 2.0, None, None)
    assert (last["model"], last["count"], last["mae"], last["scaled_mae"]) == ("z", 2, 0.5, 0.75)


def test_only_what_was_measured_twice_has_a_change() -> None:
    newest = {"metrics": {"b": 3.0, "a": 1.0, "new": 1.0, "odd": "x", "huge": 10**400}}
    before = {"metrics": {"a": 4.0, "b": 1.0, "odd": 1.0, "huge": 1.0, "gone": 2.0}}
    assert list(_changes([newest, before]).items()) == [("a", -3.0), ("b", 2.0)]
    assert _changes([newest]) == _changes([newest, {"metrics": None}]) == {}


def test_a_rolled_up_point_is_its_mean() -> None:
    found = _rolled({"count": 1200, "total": 300.0, "low": -1.0, "high": 2.0})
    assert (found["delta"], found["source"], found["low"]) == (0.25, "1,200 events, +300 in all", -1.0)


def test_thinning_keeps_the_newest_and_unknown_periods_have_no_begin() -> None:
    points = [{"at": place} for place in range(7)]
    assert [each["at"] for each in thin(points, 3)] == [0, 3, 6]
    assert thin(points, 7) == points
    assert since("forever") is None


def test_the_card_of_a_recipe_that_was_not_scored_has_no_scores() -> None:
    unscored = _row("theta", {"mase": 0.0, "cases": None}, used=False)
    assert (unscored["mase"], unscored["crps"], unscored["inside80"], unscored["cases"]) == (
        0.0,
        None,
        None,
        0,
    )
    assert [each["used"] for each in shipped_card()["backtest"]] == [True, False]
