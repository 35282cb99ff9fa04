"""Cycles in the caller's own process: they wait for their turn, and say why they did not get it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engines.domain.cycle import StepContext, StepFailed
from engines.domain.errors import Conflict
from engines.domain.results import PYTHON, StepOutcome
from engines.domain.states import Control, CycleState, StepState, Trigger
from engines.models import Cycle, Engine
from engines.services import inline
from engines.services.inline import result_of, run_inline
from tests.engines.moving import ONCE, effects, parts, queued
from tests.factories import make_cycle, make_engine, make_step

RESULT: dict[str, Any] = {
    "roi": {"roi_gain": 1.5, "value": 2.0, "cost": 0.5, "low": None, "high": None, "confidence": None},
    "verdict": "promotable",
    "metrics": {"accuracy": 0.9},
    "champion": None,
    "challenger": {"params": {"depth": 2}},
    "significance": None,
    "search": None,
    "artifact": {"sha256": "a" * 64, "size": 7},
    "cpu_seconds": 3.0,
    "tokens": 0,
    "warnings": ["few rows"],
}


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inline, "POLL_SECONDS", 0.02)
    monkeypatch.setattr(inline, "close_old_connections", lambda: None)  # the test's rows live in this one


@pytest.fixture
def engine(db: None) -> Engine:
    return make_engine("alpha")


def run(engine: Engine, **acts: Callable[[StepContext], StepOutcome | None]) -> Cycle:
    return run_inline(engine, energy=1.0, actor=PYTHON, trigger=Trigger.PYTHON, parts=parts(**acts))


def test_a_cycle_runs_to_its_end_and_nobody_else_is_woken(engine: Engine) -> None:
    cycle = run(engine)
    assert (cycle.state, cycle.trigger) == (CycleState.DONE, Trigger.PYTHON)
    assert effects(cycle) == ONCE


def test_a_failed_cycle_is_returned_and_not_raised(engine: Engine) -> None:
    def fails(_: StepContext) -> None:
        raise StepFailed("no data")

    cycle = run(engine, retrain=fails)
    assert cycle.state == CycleState.FAILED
    assert result_of(cycle).verdict == "failed: retrain: no data"


def test_a_cycle_that_somebody_paused_is_left_to_a_worker(engine: Engine) -> None:
    def paused(context: StepContext) -> None:
        Cycle.objects.filter(pk=context.cycle_id).update(control=Control.PAUSE)

    with pytest.raises(Conflict, match="was paused; resume it"):
        run(engine, inspect=paused)
    assert Cycle.objects.get().state == CycleState.PAUSED


def test_a_cycle_waits_until_the_engine_is_free(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    other = queued(engine)
    Cycle.objects.filter(pk=other.pk).update(state="running", lease_until="2099-01-01T00:00:00Z")
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            Cycle.objects.filter(pk=other.pk).update(state="done", lease_until=None)

    monkeypatch.setattr("engines.services.inline.time.sleep", sleep)
    assert run(engine).state == CycleState.DONE
    assert slept == [0.02] * 3


def test_an_engine_that_stays_busy_is_said(engine: Engine, settings: Settings) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"cycle_deadline": 0.1})
    Cycle.objects.filter(pk=queued(engine).pk).update(state="running", lease_until="2099-01-01T00:00:00Z")
    with pytest.raises(Conflict, match="engine alpha is busy"):
        run(engine)
    assert Cycle.objects.latest("id").state == CycleState.QUEUED


def test_the_owner_of_the_lease_names_process_and_thread(engine: Engine) -> None:
    owners: list[str] = []

    def look(context: StepContext) -> None:
        owners.append(Cycle.objects.get(pk=context.cycle_id).lease_owner)

    run(engine, retrain=look)
    assert owners[0].endswith(f":{threading.get_ident()}")


def test_a_result_is_what_the_pipeline_found(engine: Engine) -> None:
    cycle = make_cycle(engine)
    make_step(cycle, "retrain", result=RESULT)
    found = result_of(cycle)
    assert found.roi is not None
    assert (found.roi.roi_gain, found.verdict, found.warnings) == (1.5, "promotable", ("few rows",))
    assert found.artifact is not None
    assert found.artifact.size == 7


def test_what_was_not_measured_stays_unmeasured(engine: Engine) -> None:
    cycle = make_cycle(engine)
    make_step(cycle, "retrain", result={**RESULT, "roi": None, "artifact": None})
    found = result_of(cycle)
    assert (found.roi, found.artifact) == (None, None)


@pytest.mark.parametrize(
    ("message", "note", "verdict"),
    [
        ("", "", "skipped"),
        ("too little energy", "", "skipped: too little energy"),
        ("", "idle", "skipped: idle"),
    ],
)
def test_without_a_result_the_verdict_says_why(engine: Engine, message: str, note: str, verdict: str) -> None:
    cycle = make_cycle(engine, "skipped", message=message)
    assert result_of(cycle).verdict == (f"skipped: {message}" if message else "skipped")
    make_step(cycle, "retrain", StepState.SKIPPED, note=note)
    found = result_of(cycle)
    assert (found.roi, found.verdict) == (None, verdict)
