"""What is taken of runs in the stages: facts from outside, and of what a run says only what can't hurt."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engines.domain.errors import NotConfigured
from engines.domain.workflows.stages import NORMAL, STAGES
from engines.services import stage_runs
from engines.services.stage_runs import run_stages
from engines.services.workflow_benchmark import LIMITS, Bench
from orphans.sandbox import Measurement, Outcome, RunSpec, SandboxUnavailable

GOOD = Measurement(outcome=Outcome.OK, result={"success": True}, wall_seconds=1.0, cpu_seconds=1.0)


@pytest.fixture(autouse=True)
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can do everything that a preset asks for."""
    words = dict.fromkeys(("stub", "cpu_limit", "memory_limit", "process_limit", "disk_limit"), True)
    monkeypatch.setattr(stage_runs, "probe", lambda: {**words, "time_limit": True, "file_limit": True})


def bench(run: Any) -> Bench:
    return Bench(checkout=Path("/nowhere"), import_paths=("src",), input="", seed=0, run=run)


def always(measured: Measurement) -> Bench:
    return bench(lambda spec, cancel=None: measured)


def normal_of(measured: Measurement) -> dict[str, Any]:
    return run_stages(always(measured), ["bot:f"], stages=[], repeats=1)[NORMAL]


@pytest.mark.parametrize(
    "result",
    [None, [], "success", 1, {}, {"success": 1}, {"success": "true"}, {"success": None}, {"success": [True]}],
)
def test_only_a_plain_true_is_a_success(result: Any) -> None:
    row = normal_of(replace(GOOD, result=result))
    assert (row["runs"], row["successes"], row["seconds"]) == (1, 0, None)


@pytest.mark.parametrize("outcome", [each for each in Outcome if each not in (Outcome.OK, Outcome.CANCELLED)])
def test_a_run_that_did_not_end_well_is_no_success_whatever_it_says(outcome: Outcome) -> None:
    row = normal_of(replace(GOOD, outcome=outcome, reason="why"))
    assert (row["successes"], row["outcomes"]) == (0, [outcome.value])
    assert "why" in row["error"]


@pytest.mark.parametrize(
    ("keys", "found"),
    [(["a", "b"], ["a", "b"]), (["a", 1, None, ["b"]], ["a"]), ("ab", []), ({"a": 1}, []), (None, [])],
)
def test_keys_are_texts_of_a_list(keys: Any, found: list[str]) -> None:
    assert normal_of(replace(GOOD, result={"success": True, "keys": keys}))["keys"] == found


def test_a_long_error_is_cut() -> None:
    assert len(normal_of(replace(GOOD, result={"success": False, "error": "x" * 9000}))["error"]) == 500


def test_calls_that_nobody_counted_are_no_entropy() -> None:
    assert normal_of(GOOD)["entropy"] is None
    assert normal_of(replace(GOOD, calls={}))["entropy"] is None
    assert normal_of(replace(GOOD, calls={"a": 1}))["entropy"] == 0.0


def test_stages_take_turns() -> None:
    order = []

    def run(spec: RunSpec, cancel: Any = None) -> Measurement:
        order.append((spec.env["SANDBOX_SCENARIO_NAME"], spec.env["SANDBOX_SEED"]))
        return GOOD

    run_stages(bench(run), ["bot:f"], repeats=2)
    hard = list(STAGES[1:])
    assert [name for name, _ in order] == [NORMAL, *hard, NORMAL, *hard]
    assert [seed for _, seed in order] == [*["0"] * 5, *["1"] * 5]


def test_a_stage_is_run_from_when_on_the_normal_one_succeeds() -> None:
    answers = iter([replace(GOOD, result={"success": False}), GOOD, GOOD, GOOD, GOOD])
    found = run_stages(
        bench(lambda spec, cancel=None: next(answers)), ["bot:f"], stages=["resource_strain"], repeats=3
    )
    assert (found[NORMAL]["runs"], found[NORMAL]["successes"]) == (3, 2)
    assert (found["resource_strain"]["runs"], found["resource_strain"]["note"]) == (2, "")


def test_a_workflow_without_an_input_gets_none() -> None:
    seen: list[RunSpec] = []

    def run(spec: RunSpec, cancel: Any = None) -> Measurement:
        seen.append(spec)
        return GOOD

    run_stages(bench(run), ["bot:f", "bot:g"], stages=["resource_strain"], repeats=1)
    assert [spec.payload["steps"] for spec in seen] == [["bot:f", "bot:g"]] * 2
    assert {spec.payload["input"] for spec in seen} == {None}
    assert {spec.import_paths for spec in seen} == {("src",)}
    assert seen[0].limits == LIMITS


def test_when_the_time_ends_in_between_it_says_how_many_runs_there_are() -> None:
    times = iter([0.0, 1.0, 200.0, 200.0])
    found = run_stages(
        always(GOOD),
        ["bot:f"],
        stages=["resource_strain"],
        repeats=2,
        seconds=100.0,
        clock=lambda: next(times),
    )
    row = found["resource_strain"]
    assert (row["runs"], row["note"]) == (1, "only 1 runs: the time for all stages was over")


def test_a_quick_workflow_still_gets_some_seconds() -> None:
    limits = []

    def run(spec: RunSpec, cancel: Any = None) -> Measurement:
        limits.append(spec.limits)
        return replace(GOOD, wall_seconds=0.01)

    run_stages(bench(run), ["bot:f"], stages=["resource_strain"], repeats=1)
    assert (limits[1].wall_seconds, limits[1].cpu_seconds) == (5.0, 2.5)


def test_keys_of_a_preset_that_do_nothing_here_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage_runs, "probe", lambda: {"stub": True})
    found = run_stages(always(GOOD), ["bot:f"], stages=["resource_strain"], repeats=1)
    assert "memory" in found["resource_strain"]["idle"]["MEMORY_LIMIT"]
    assert found[NORMAL]["idle"] == {}


def test_a_machine_that_can_not_confine_says_what_it_lacks() -> None:
    def run(spec: RunSpec, cancel: Any = None) -> Measurement:
        raise SandboxUnavailable("no namespaces here")

    with pytest.raises(NotConfigured, match="no namespaces here"):
        run_stages(bench(run), ["bot:f"])
