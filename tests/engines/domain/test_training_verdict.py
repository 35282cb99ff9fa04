"""Reading a report with suspicion, and judging it outside of the run."""

import copy
from typing import Any

import pytest

from engines.domain.roi import ValueModel
from engines.domain.significance import alpha_for
from engines.domain.training_report import ReportError, read_evaluation, read_training
from engines.domain.training_verdict import judge
from engines.domain.training_words import CONTRADICTED, NEVER_PAYS, NO_CHALLENGER, NO_GAIN, PROMOTABLE

MODEL = ValueModel(metric="accuracy", unit_value=1000.0, cpu_hour_cost=3600.0, cpu_billing_seconds=10.0)


def side(right: list[int] | None, accuracy: float, folds: list[float] | None = None) -> dict[str, Any]:
    return {
        "params": {"kind": "tree"},
        "fold_scores": folds or [accuracy] * 10,
        "metrics": {"accuracy": accuracy},
        "contributions": right,
    }


def report(champion: dict[str, Any], challenger: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    base = {
        "task": "classification",
        "metric": "accuracy",
        "direction": "max",
        "rows": 300,
        "test_rows": 100,
        "folds": 5,
        "digest": "d" * 64,
        "champion": champion,
        "challenger": challenger,
        "search": {"trials": 12},
    }
    return base | fields


def judged(document: dict[str, Any], model: ValueModel = MODEL, before: int = 0, cpu: float = 1.0) -> Any:
    return judge(read_training(document), model, challengers_judged=before, cpu_seconds=cpu, seed=0)


OLD = [1] * 70 + [0] * 30
NEW = [1] * 95 + [0] * 5


def test_a_clear_gain_is_priced() -> None:
    found = judged(report(side(OLD, 0.70), side(NEW, 0.95)))
    assert (found.verdict, found.significance["method"]) == (PROMOTABLE, "mid-p McNemar test")
    assert found.roi.value == pytest.approx(250.0)
    assert found.roi.cost == pytest.approx(10.0)
    assert found.roi.roi_gain == pytest.approx(240.0)
    assert found.roi.low <= found.roi.roi_gain <= found.roi.high


def test_chance_is_worth_nothing() -> None:
    found = judged(report(side(OLD, 0.70), side([1] * 73 + [0] * 27, 0.73)))
    assert (found.verdict, found.roi.value) == (NO_GAIN, 0.0)
    assert found.roi.roi_gain == pytest.approx(-10.0)


def test_a_gain_that_costs_more_than_it_is_worth_is_said_to() -> None:
    found = judged(report(side(OLD, 0.70), side(NEW, 0.95)), cpu=1000.0)
    assert (found.verdict, found.roi.roi_gain < 0) == (NEVER_PAYS, True)


def test_nothing_found_costs_what_it_cost() -> None:
    found = judged(report(side(OLD, 0.70), None))
    assert (found.verdict, found.roi.roi_gain, found.artifact) == (NO_CHALLENGER, -10.0, None)


def test_a_repeated_run_with_other_cpu_jitter_gives_the_same_money() -> None:
    document = report(side(OLD, 0.70), side(NEW, 0.95))
    assert judged(document, cpu=1.1).roi == judged(document, cpu=9.7).roi


def test_less_error_is_more_value() -> None:
    model = ValueModel(metric="mae", direction="min", unit_value=10.0)
    old = {"params": {}, "fold_scores": [-5.0] * 10, "metrics": {"mae": 5.0}}
    new = {"params": {}, "fold_scores": [-3.0] * 10, "metrics": {"mae": 3.0}}
    rows = (
        {"contributions": [-5.0 - i % 3 for i in range(60)]},
        {"contributions": [-3.0 - i % 4 for i in range(60)]},
    )
    found = judged(report(old | rows[0], new | rows[1], metric="mae", direction="min"), model)
    assert (found.verdict, found.roi.value) == (PROMOTABLE, 20.0)
    assert found.significance["method"] == "studentised paired bootstrap"


FOLDS = [0.6 + i / 100 for i in range(10)]
BETTER = [score + 0.2 + i % 3 / 100 for i, score in enumerate(FOLDS)]
WORSE = [score - 0.2 - i % 3 / 100 for i, score in enumerate(FOLDS)]


def test_both_kinds_of_evidence_are_kept() -> None:
    found = judged(report(side(OLD, 0.70, FOLDS), side(NEW, 0.95, BETTER))).significance
    folds = found["folds"]
    assert (found["decided_by"], found["objection"], found["method"]) == (
        "held-out rows",
        "",
        "mid-p McNemar test",
    )
    assert (folds["method"], folds["df"], folds["pairs"]) == ("corrected resampled t-test", 9, 10)
    assert folds["variance_factor"] == pytest.approx(1 / 10 + 1 / 4)
    assert folds["alpha"] == found["alpha"]
    assert folds["p_value"] < 0.01 > found["p_value"]


def test_folds_that_say_worse_stop_a_promotion_and_are_named() -> None:
    found = judged(report(side(OLD, 0.70, FOLDS), side(NEW, 0.95, WORSE)))
    assert (found.verdict, found.roi.value) == (CONTRADICTED, 0.0)
    assert found.significance["objection"] == "worse on the folds"
    assert not found.significance["significant"]


def test_folds_that_tell_nothing_leave_the_decision_to_the_rows() -> None:
    mixed = [score + (0.1 if i % 2 else -0.11) for i, score in enumerate(FOLDS)]
    found = judged(report(side(OLD, 0.70, FOLDS), side(NEW, 0.95, mixed)))
    assert (found.verdict, found.significance["objection"]) == (PROMOTABLE, "")
    assert 0.05 < found.significance["folds"]["p_value"] < 0.95


def test_folds_never_promote_where_rows_were_held_out() -> None:
    found = judged(report(side(OLD, 0.70, FOLDS), side([1] * 73 + [0] * 27, 0.73, BETTER)))
    assert (found.verdict, found.significance["objection"]) == (NO_GAIN, "")
    assert found.significance["folds"]["significant"]


def test_fewer_than_two_folds_are_no_evidence() -> None:
    found = judged(report(side(OLD, 0.70, [0.7]), side(NEW, 0.95, [0.6])))
    assert (found.verdict, found.significance["folds"]) == (PROMOTABLE, None)


def test_metrics_without_rows_are_decided_by_the_folds() -> None:
    found = judged(report(side(None, 0.64, FOLDS), side(None, 0.85, BETTER)))
    assert (found.verdict, found.significance["method"]) == (PROMOTABLE, "corrected resampled t-test")
    assert found.significance["decided_by"] == "folds"


def test_folds_decide_only_with_the_held_out_metric() -> None:
    found = judged(report(side(None, 0.85, FOLDS), side(None, 0.85, BETTER)))
    assert (found.verdict, found.significance["objection"]) == (CONTRADICTED, "no gain on the held-out rows")


def test_alpha_is_the_share_of_the_challenger_that_is_next() -> None:
    document = report(side(OLD, 0.70), side(NEW, 0.95))
    for before in (0, 1, 30):
        assert judged(document, before=before).significance["alpha"] == alpha_for(before + 1)


def test_another_metric_than_the_one_that_pays_is_refused() -> None:
    with pytest.raises(ReportError, match="mae is what pays"):
        judged(report(side(OLD, 0.7), None), ValueModel(metric="mae", direction="min"))


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ((), [], "report is no mapping"),
        (("champion",), None, "champion is no mapping"),
        (("champion", "params"), [], "params"),
        (("champion", "params"), {str(i): 1 for i in range(300)}, "more than 200"),
        (("champion", "metrics"), {"A b": 1}, "metric name"),
        (("champion", "metrics"), {"accuracy": "high"}, "finite number"),
        (("champion", "fold_scores"), "11", "list"),
        (("champion", "fold_scores"), [True], "no number"),
        (("champion", "fold_scores"), [0.5] * 2000, "at most"),
        (("champion", "contributions"), [1] * 200_000, "at most"),
        (("champion", "contributions"), [1] * 3, "different rows"),
        (("champion", "contributions"), None, "different rows"),
        (("champion", "fold_scores"), [1.0], "different folds"),
        (("rows",), -1, "no count"),
        (("test_rows",), True, "no count"),
        (("direction",), "up", "direction"),
        (("metric",), "", "metric is no short text"),
        (("digest",), "x" * 500, "digest"),
        (("search",), 3, "search"),
        (("data",), {"x": [1]}, "data"),
    ],
)
def test_reports_of_another_shape_are_refused(path: tuple[str, ...], value: Any, words: str) -> None:
    document: Any = copy.deepcopy(report(side(OLD, 0.7), side(NEW, 0.95)))
    if path:
        inner = document
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = value
    else:
        document = value
    with pytest.raises(ReportError, match=words):
        read_training(document)


def test_an_evaluation_is_read_and_checked() -> None:
    document = {"metrics": {"r2": 0.5}, "data": {}, "digest": "d", "metric": "r2", "params": {}}
    assert read_evaluation(document).metrics == {"r2": 0.5}
    assert read_evaluation(document).naive is None
    assert read_evaluation(document | {"naive": -0.1}).naive == -0.1
    for wrong in ("0.5", True, 1e200, [0.5]):
        with pytest.raises(ReportError, match="naive"):
            read_evaluation(document | {"naive": wrong})
    with pytest.raises(ReportError, match="metrics"):
        read_evaluation(document | {"metrics": None})
