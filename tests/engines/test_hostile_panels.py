"""Panels over rows whose JSON is anything at all: they show, they never fail, and a gap stays a gap."""

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.charts import fold_figure, sparkline
from engines.domain.states import STEPS, StepState
from engines.domain.wording import MINUS, NOT_MEASURED, lasting, number, sign, signed, size, word
from engines.models import Cycle, CycleStep, Engine, ModelVersion, WorkflowRevision
from engines.panels.bots import engine_card, version_row
from engines.panels.compare import compare
from engines.panels.cycles import cycle_head, cycle_row
from engines.panels.logs import MAX_MARKS, step_logs
from engines.panels.outcome import MAX_FACTS, MAX_FOLDS, decision, outcome
from engines.panels.timeline import TAIL_LINES, step_row
from engines.panels.workflows import revision_head, revision_row

QUIET = settings(deadline=None, max_examples=60)
HUGE = 10**400  # a number of JSON, and beyond every float
PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.sampled_from((HUGE, -HUGE))
    | st.text(max_size=8)
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    PLAIN | FLOATS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
SIDE = st.fixed_dictionaries({}, optional={"metrics": JSON, "params": JSON, "fold_scores": JSON}) | JSON
RESULT = st.fixed_dictionaries(
    {"verdict": JSON},
    optional={
        "roi": JSON | st.fixed_dictionaries({}, optional={"roi_gain": JSON, "low": JSON, "high": JSON}),
        "champion": SIDE,
        "challenger": SIDE,
        "significance": JSON,
        "search": JSON,
        "warnings": JSON,
        "artifact": JSON,
    },
)


def unsaved(**fields: Any) -> Cycle:
    return Cycle(id=7, engine=Engine(id=3, name="alpha"), state="done", trigger="cli", energy=1.0, **fields)


@QUIET
@given(RESULT)
def test_any_result_of_a_bot_is_shown(result: dict[str, Any]) -> None:
    found = outcome(unsaved(), {"retrain": result})
    assert found is not None
    assert json.dumps(found, default=str)
    assert all(len(fold) == 7 for fold in found["folds"])
    assert fold_figure(found["folds"]) is None or found["folds"]


@QUIET
@given(JSON)
def test_what_is_no_result_is_no_outcome(result: Any) -> None:
    shaped = isinstance(result, dict) and "verdict" in result
    assert (outcome(unsaved(), {"retrain": result}) is None) is not shaped


@QUIET
@given(
    st.fixed_dictionaries({}, optional={"run": JSON, "reasons": JSON, "energy": JSON, "energy_factors": JSON})
)
def test_any_decision_is_shown(data: dict[str, Any]) -> None:
    found = decision(unsaved(decision=data))
    assert found is not None
    assert found.keys() == {"run", "energy", "factors", "reasons"}


@pytest.mark.parametrize("odd", [3, True, "text", {"a": 1}, [1, None, "x"]])
def test_reasons_that_are_none_are_left_out(odd: Any) -> None:
    found = decision(unsaved(decision={"run": True, "reasons": odd, "energy_factors": odd}))
    assert found is not None
    assert found["reasons"] == []


@QUIET
@given(JSON, JSON)
def test_cycles_with_any_results_stand_side_by_side(one: Any, other: Any) -> None:
    cycles = [unsaved(), Cycle(id=8, engine=Engine(id=3, name="alpha"), state="failed", energy=2.0)]
    steps = [
        CycleStep(cycle_id=cycle.pk, name="retrain", state="done", result=result, duration=None)
        for cycle, result in zip(cycles, (one, other), strict=True)
    ]
    panel = compare(cycles, steps, everything=True)
    assert all(len(row["cells"]) == 2 for row in panel["rows"])
    assert panel["same"] == len([row for row in panel["rows"] if not row["differs"]])


@QUIET
@given(JSON)
def test_a_version_with_any_metrics_is_a_row(metrics: Any) -> None:
    row = version_row(ModelVersion(id=1, state="candidate", metrics=metrics, size=10))
    assert (row["size"], row["roi_gain"], row["roi_sign"]) == ("", NOT_MEASURED, "")
    assert len(row["metrics"]) <= 6


@QUIET
@given(st.lists(JSON, max_size=4))
def test_a_card_with_any_history_shows_the_numbers_of_it(history: list[Any]) -> None:
    card = engine_card(Engine(id=1, name="alpha", roi_history=history), None, None, {})
    assert all(isinstance(delta, float) for delta in card["deltas"])
    assert card["delta"] == (card["deltas"][-1] if card["deltas"] else None)


def test_what_was_never_measured_says_so_everywhere() -> None:
    row, head = cycle_row(unsaved()), cycle_head(unsaved())
    assert {key for key, text in row.items() if text == NOT_MEASURED} == {"roi_text", "cost_text"}
    assert {key for key in ("roi_gain", "value_text", "ema", "momentum") if head[key] == NOT_MEASURED} == {
        "roi_gain", "value_text", "ema", "momentum",
    }  # fmt: skip
    assert (row["roi_delta"], row["cost"], row["duration"], row["roi_sign"]) == (None, None, None, "")
    assert 0.0 not in [value for value in head.values() if isinstance(value, float)]


def test_a_card_without_cycles_has_gaps_and_no_zeros() -> None:
    card = engine_card(Engine(id=1, name="alpha"), None, None, {})
    assert (card["delta"], card["delta_text"], card["ema"], card["ema_text"]) == (None, NOT_MEASURED) * 2
    assert (card["momentum"], card["momentum_text"], card["latest"]) == (None, NOT_MEASURED, None)
    assert (card["state"], card["queued"], card["every"], card["next_due_at"]) == ("idle", 0, "", None)


def test_facts_and_folds_are_capped() -> None:
    scores = [0.5] * (MAX_FOLDS + 5)
    side = {"fold_scores": scores, "metrics": {f"m{n}": n for n in range(99)}}
    found = outcome(
        unsaved(), {"retrain": {"verdict": "x", "champion": side, "challenger": side, "warnings": ["w"] * 99}}
    )
    assert found is not None
    assert [len(found[key]) for key in ("folds", "metrics", "warnings")] == [MAX_FOLDS, MAX_FACTS, MAX_FACTS]


@pytest.mark.parametrize("scores", [[0.1, None], [0.1, "x"], "0.1", {"a": 1}, [True, 1.0], None, 3])
def test_folds_that_are_no_numbers_are_none(scores: Any) -> None:
    good = {"fold_scores": [0.1, 0.2]}
    for sides in ((good, {"fold_scores": scores}), ({"fold_scores": scores}, good)):
        found = outcome(
            unsaved(), {"retrain": {"verdict": "x", "champion": sides[0], "challenger": sides[1]}}
        )
        assert found is not None
        assert found["folds"] == []


@QUIET
@given(st.text(max_size=300), st.text(min_size=1, max_size=3))
def test_marked_lines_put_together_are_the_log(log: str, searched: str) -> None:
    step = CycleStep(name="retrain", state="done", log=log)
    panel = step_logs([step], searched)
    lines = [] if not log else panel["logs"][0]["lines"]
    assert ["".join(piece for piece, _ in parts) for _, parts in lines] == log.splitlines()
    marks = [hit for _, parts in lines for _, hit in parts if hit]
    assert marks == list(range(1, len(marks) + 1))
    assert panel["matches"] == len(marks)
    assert all(piece.lower() == searched.lower() for _, parts in lines for piece, hit in parts if hit) or (
        not (log + searched).isascii()
    )


def test_marks_are_capped_over_all_logs() -> None:
    steps = [CycleStep(name=name, state="done", log="aa\n" * 700) for name in ("patch", "retrain")]
    panel = step_logs(steps, "a", only=True)
    assert panel["capped"]
    assert MAX_MARKS <= panel["matches"] <= MAX_MARKS + 1


@pytest.mark.parametrize("state", list(StepState))
def test_a_step_in_every_state_is_a_row(state: StepState) -> None:
    row = step_row(CycleStep(name="gate", state=state, log="x\n" * (TAIL_LINES + 2)))
    assert row["state"] == state
    assert (row["progress"], row["percent"], row["cpu"]) == (None, None, "")
    assert len(row["log"].splitlines()) == TAIL_LINES
    assert row["log_cut"]


def test_every_step_says_what_it_is_about() -> None:
    rows = [step_row(CycleStep(name=name, state="pending")) for name in STEPS]
    assert len({tuple(sorted(row)) for row in rows}) == 1


def test_a_revision_s_head_holds_its_row() -> None:
    one = WorkflowRevision(id=2, engine_id=1, workflow="triage", steps=["a:b"], state="active")
    row, head = revision_row(one), revision_head(one)
    assert row.items() <= head.items()
    assert (head["parent_steps"], head["undoable"], head["benchmark"], head["match_score"]) == (
        None, False, None, None,
    )  # fmt: skip
    assert (row["steps_total"], row["benchmarked"]) == (1, False)


@QUIET
@given(st.lists(FLOATS.filter(lambda x: abs(x) < 1e300), min_size=2, max_size=8))
def test_a_sparkline_stays_in_its_box(values: list[float]) -> None:
    figure = sparkline(values)
    assert figure is not None
    points = [tuple(map(float, pair.split(","))) for pair in figure["points"].split()]
    assert len(points) == len(values)
    assert all(2.0 <= x <= 94.0 and 2.0 <= y <= 22.0 for x, y in points)
    assert 2.0 <= float(figure["zero"]) <= 22.0


@QUIET
@given(FLOATS, st.integers(2, 6))
def test_a_number_is_said_with_a_true_sign_and_never_as_ascii_minus(value: float, digits: int) -> None:
    said = number(value, digits)
    assert said.startswith(MINUS) == (math.copysign(1.0, value) < 0)
    assert not said.startswith("-")
    read = float(said.replace(",", "").replace(MINUS, "-"))
    assert read == pytest.approx(value, rel=10 ** (1 - digits), abs=5e-324)


@QUIET
@given(FLOATS)
def test_signs_agree(value: float) -> None:
    assert signed(value).startswith("+") == (value > 0) == (sign(value) == "up")
    assert (sign(value) == "down") == (value < 0)


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_no_number_is_not_measured(value: float | None) -> None:
    assert (number(value), signed(value), sign(value)) == (NOT_MEASURED, NOT_MEASURED, "")
    assert lasting(value) == ""


@QUIET
@given(st.floats(0, 1e7))
def test_a_duration_reads_back_as_long_as_it_was(seconds: float) -> None:
    units = {"d": 86400.0, "h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
    words = lasting(seconds).split()
    pairs = list(zip(words[::2], words[1::2], strict=True))
    told = sum(float(count) * units[unit] for count, unit in pairs)
    assert 1 <= len(pairs) <= 2
    assert abs(told - seconds) <= max(0.06, {"d": 3600.0, "h": 60.0}.get(pairs[0][1], 1.0))


@QUIET
@given(st.integers(0, 2**60))
def test_a_size_reads_back_to_its_first_digits(count: int) -> None:
    text, unit = size(count).split()
    power = ("bytes", "KiB", "MiB", "GiB", "TiB").index(unit)
    assert float(text) * 1024**power == pytest.approx(count, rel=0.06)


def test_words_have_no_underscores() -> None:
    assert word("not_configured") == "not configured"


def test_numbers_beyond_every_float_are_told_as_not_measured() -> None:
    side = {"metrics": {"accuracy": HUGE}, "params": {"depth": HUGE, "rate": [HUGE]}}
    told = {"verdict": "better", "champion": side, "challenger": side, "significance": {"p": HUGE}}
    found = outcome(unsaved(), {"retrain": told})
    assert found is not None
    assert {found["metrics"][0][key] for key in ("old", "new")} == {NOT_MEASURED}
    assert found["params"] == [("depth", NOT_MEASURED)]
    assert found["significance"] == {"sentence": "", "figures": [("p", NOT_MEASURED)]}
    cycles = [unsaved(), unsaved()]
    steps = [CycleStep(cycle_id=7, name="retrain", state=StepState.DONE, result=told)]
    rows = {row["label"]: row for row in compare(cycles, steps, everything=True)["rows"]}
    assert [cell["text"] for cell in rows["accuracy"]["cells"]] == [NOT_MEASURED] * 2


@pytest.mark.parametrize("words", [number, signed, sign, lasting])
def test_words_for_a_number_beyond_every_float(words: Any) -> None:
    assert words(HUGE) == words(-HUGE) == words(float("inf")) == words(None)
