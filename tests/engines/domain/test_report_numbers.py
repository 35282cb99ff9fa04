"""Numbers of a run's report at their limits: taken, or refused by name, before the judge meets them."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.roi import ValueModel, cycle_cost
from engines.domain.training_report import (
    LARGEST,
    MAX_FOLDS,
    MAX_PARAMS,
    ReportError,
    read_evaluation,
    read_training,
)
from engines.domain.training_verdict import judge

PRICES = ValueModel(metric="rmse", direction="min", unit_value=10.0, cpu_hour_cost=1.0)
EDGES = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e-300, 5e-324, LARGEST, -LARGEST, 1e99, 2**62])
VALUES = EDGES | st.floats(-LARGEST, LARGEST)


def document(old: list[float], new: list[float], rows: bool = True) -> dict[str, Any]:
    """Return a report whose two sides have these scores on folds and on rows."""

    def side(scores: list[float]) -> dict[str, Any]:
        return {
            "params": {},
            "fold_scores": scores,
            "metrics": {"rmse": scores[0]},
            "contributions": scores if rows else None,
        }

    facts = {"task": "regression", "metric": "rmse", "direction": "min", "digest": "d"}
    counts = {"rows": 100, "test_rows": len(old), "folds": 5}
    return {**facts, **counts, "champion": side(old), "challenger": side(new)}


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(VALUES, VALUES), min_size=2, max_size=6), st.booleans())
def test_any_accepted_report_is_judged(pairs: list[tuple[float, float]], rows: bool) -> None:
    report = read_training(document([old for old, _ in pairs], [new for _, new in pairs], rows))
    found = judge(report, PRICES, challengers_judged=0, cpu_seconds=1.0, seed=0)
    assert found.roi is not None
    assert found.verdict
    assert (found.verdict == "promotable") == (found.roi.roi_gain > 0)


@pytest.mark.parametrize("number", [1e101, -1e101, 1.7e308, 10**120, -(10**400)])
@pytest.mark.parametrize("where", ["fold_scores", "contributions"])
def test_a_number_that_would_overflow_the_tests_is_refused(number: float, where: str) -> None:
    given = document([1.0, 2.0], [1.0, 2.0])
    given["challenger"][where] = [1.0, number]
    with pytest.raises(ReportError, match=rf"challenger\.{where} holds a number beyond 1e\+100"):
        read_training(given)


def test_a_metric_that_no_row_can_keep_is_refused() -> None:
    given = document([1.0, 2.0], [1.0, 2.0])
    given["champion"]["metrics"]["rmse"] = 1e200
    with pytest.raises(ReportError, match="rmse is beyond"):
        read_training(given)
    with pytest.raises(ReportError, match="data: drifted is beyond"):
        read_evaluation({"metrics": {}, "data": {"drifted": -1e300}})


@pytest.mark.parametrize(("count", "fine"), [(MAX_FOLDS, True), (MAX_FOLDS + 1, False)])
def test_folds_are_counted(count: int, fine: bool) -> None:
    given = document([1.0] * count, [1.0] * count, rows=False)
    if fine:
        assert len(read_training(given).champion.fold_scores) == count
    else:
        with pytest.raises(ReportError, match="at most 1000"):
            read_training(given)


def test_parameters_are_counted() -> None:
    given = document([1.0, 2.0], [1.0, 2.0])
    given["champion"]["params"] = {f"p{number}": number for number in range(MAX_PARAMS)}
    assert len(read_training(given).champion.params) == MAX_PARAMS
    given["champion"]["params"]["more"] = 1
    with pytest.raises(ReportError, match="more than 200"):
        read_training(given)


def test_what_a_report_lacks_is_named() -> None:
    whole = document([1.0, 2.0], [1.0, 2.0])
    for name in ("task", "metric", "direction", "rows", "test_rows", "folds", "digest", "champion"):
        less = copy.deepcopy(whole)
        del less[name]
        with pytest.raises(ReportError, match=name):
            read_training(less)


def test_without_a_challenger_there_is_no_uplift() -> None:
    alone = read_training({**document([1.0, 2.0], [1.0, 2.0]), "challenger": None})
    assert alone.uplift is None
    found = judge(alone, PRICES, challengers_judged=3, cpu_seconds=3600.0, seed=0)
    assert found.roi is not None
    assert (found.roi.roi_gain, found.roi.value, found.roi.low) == (-1.0, 0.0, None)
    assert (found.challenger, found.significance, found.artifact) == ({}, {}, None)


def test_less_error_is_an_uplift_where_less_is_better() -> None:
    assert read_training(document([3.0, 2.0], [1.0, 2.0])).uplift == 2.0
    more = document([3.0, 2.0], [1.0, 2.0]) | {"direction": "max"}
    assert read_training(more).uplift == -2.0


def test_a_side_without_the_metric_has_no_uplift() -> None:
    given = document([3.0, 2.0], [1.0, 2.0])
    given["challenger"]["metrics"] = {"mae": 1.0}
    assert read_training(given).uplift is None


def test_folds_are_at_least_two_parts() -> None:
    assert read_training(document([1.0, 2.0], [1.0, 2.0]) | {"folds": 0}).folds == 2


@pytest.mark.parametrize("price", [10**400, float("inf"), float("nan"), -1, "1", None, True])
def test_prices_of_any_size_are_refused(price: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        ValueModel(metric="m", unit_value=price)
    assert caught.value.field == "unit_value"
    with pytest.raises(InvalidInput, match="cpu_seconds"):
        cycle_cost(price, 0, PRICES)
