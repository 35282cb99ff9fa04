"""The runner: steps in order, each effect once, whatever happens on the way."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.db import connection

from engines.domain.cycle import Interrupted, StepContext, StepFailed, StepTimeout, TransientStepError
from engines.domain.results import SYSTEM, StepOutcome
from engines.domain.states import STEPS, Control, CycleState, StepState
from engines.models import Cycle
from engines.services import pulse, runner
from engines.services.cycles import retry_cycle, run_cycle
from engines.services.leases import claim
from forecasting.models import MetricPoint
from tests.engines.moving import ONCE, effects, expire, parts, queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def cycle() -> Cycle:
    return queued(make_engine())


@pytest.fixture
def tuned(settings: Any) -> Callable[..., None]:
    """Set values of the sandbox settings for one test."""

    def tune(**values: Any) -> None:
        settings.SANDBOX = configured.SANDBOX.model_copy(update=values)

    return tune


def wish(control: Control) -> Callable[[StepContext], None]:
    """A step during which a person asks for something that no heartbeat hears in time."""

    def act(context: StepContext) -> None:
        Cycle.objects.filter(pk=context.cycle_id).update(control=control)

    return act


def raises(error: Exception) -> Callable[[StepContext], None]:
    def act(context: StepContext) -> None:
        raise error

    return act


def test_every_step_runs_in_order_and_is_committed_once(cycle: Cycle) -> None:
    order: list[str] = []
    assert (
        run_cycle(cycle.pk, owner="w", parts=parts(**dict.fromkeys(STEPS, lambda c: order.append(c.step))))
        == "done"
    )
    cycle.refresh_from_db()
    assert order == list(STEPS)
    assert effects(cycle) == ONCE
    assert (cycle.state, cycle.steps_done, cycle.step, cycle.lease_owner) == ("done", 10, "", "")
    assert cycle.cpu_seconds == pytest.approx(5.0)
    assert cycle.duration is not None


def test_a_step_sees_the_results_of_those_before(cycle: Cycle) -> None:
    seen: dict[str, Any] = {}
    run_cycle(cycle.pk, owner="w", parts=parts(measure=lambda c: seen.update(c.results)))
    assert seen["retrain"] == {"run": 1}


def test_a_step_may_end_the_cycle_as_skipped(cycle: Cycle) -> None:
    stop = StepOutcome(state="skipped", note="nothing changed", stop=True)
    assert run_cycle(cycle.pk, owner="w", parts=parts(inspect=lambda c: stop)) == "skipped"
    cycle.refresh_from_db()
    assert (cycle.message, effects(cycle)) == ("nothing changed", {"inspect": 1})
    assert step_of(cycle, "retrain").state == StepState.SKIPPED


def test_an_unexpected_error_fails_the_cycle_with_its_trace(cycle: Cycle) -> None:
    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=raises(KeyError("x")))) == "failed"
    cycle.refresh_from_db()
    row = step_of(cycle, "retrain")
    assert cycle.message == "retrain: 'x'"
    assert (row.state, row.failures) == (StepState.FAILED, 1)
    assert "KeyError" in row.error
    assert step_of(cycle, "orphans").state == StepState.SKIPPED


def test_an_expected_error_keeps_its_message_and_log(cycle: Cycle) -> None:
    run_cycle(cycle.pk, owner="w", parts=parts(retrain=raises(StepFailed("no data", log="tail"))))
    row = step_of(cycle, "retrain")
    assert (row.error, row.log) == ("no data", "tail")


@pytest.mark.parametrize("error", [TransientStepError("busy"), StepTimeout("slow"), OSError("disk full")])
def test_what_may_go_away_is_tried_again_later_and_then_fails(cycle: Cycle, error: Exception) -> None:
    moving = parts(retrain=raises(error))
    for _ in range(configured.SANDBOX.step_retries):
        assert run_cycle(cycle.pk, owner="w", parts=moving, ignore_back_off=True) == "queued"
        assert run_cycle(cycle.pk, owner="w", parts=moving) == "not claimed"
    assert run_cycle(cycle.pk, owner="w", parts=moving, ignore_back_off=True) == "failed"
    assert step_of(cycle, "retrain").failures == 3
    assert effects(cycle) == {"inspect": 1, "patch": 1}


def test_the_back_off_doubles(cycle: Cycle) -> None:
    pauses = []
    moving = parts(retrain=raises(TransientStepError("busy")))
    for _ in range(2):
        run_cycle(cycle.pk, owner="w", parts=moving, ignore_back_off=True)
        cycle.refresh_from_db()
        with connection.cursor() as cursor:
            cursor.execute("SELECT extract(epoch FROM %s - clock_timestamp())", [cycle.run_after])
            pauses.append(float(cursor.fetchone()[0]))
    assert pauses == pytest.approx([5, 10], abs=1.5)


def test_no_retry_outlives_the_cycle_s_deadline(cycle: Cycle) -> None:
    moving = parts(retrain=raises(TransientStepError("busy")))
    run_cycle(cycle.pk, owner="w", parts=moving)
    Cycle.objects.filter(pk=cycle.pk).update(deadline_at="2001-01-01T00:00:00Z")
    assert run_cycle(cycle.pk, owner="w", parts=moving, ignore_back_off=True) == "failed"
    cycle.refresh_from_db()
    assert cycle.message == runner.DEADLINE


def test_a_step_gets_no_more_time_than_the_cycle_has_left(cycle: Cycle, tuned: Callable[..., None]) -> None:
    tuned(cycle_deadline=30.0, step_timeout=600.0)
    left: list[float] = []
    run_cycle(cycle.pk, owner="w", parts=parts(inspect=lambda c: left.append(c.seconds_left)))
    assert 25 < left[0] <= 30


def test_a_cycle_that_held_its_worker_long_goes_back_to_the_queue(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SLICE_SECONDS", -1.0)
    states = [run_cycle(cycle.pk, owner="w", parts=parts()) for _ in STEPS]
    assert states == ["queued"] * 9 + ["done"]
    assert effects(cycle) == ONCE


@pytest.mark.parametrize("step", ["inspect", "retrain", "snapshot"])
def test_a_cancel_in_the_last_moment_of_a_step_is_not_lost(cycle: Cycle, step: str) -> None:
    assert run_cycle(cycle.pk, owner="w", parts=parts(**{step: wish(Control.CANCEL)})) == "cancelled"
    cycle.refresh_from_db()
    assert (cycle.state, cycle.control) == ("cancelled", "")
    assert step not in effects(cycle)


def test_a_pause_in_the_last_moment_starts_the_step_anew_later(cycle: Cycle) -> None:
    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=wish(Control.PAUSE))) == "paused"
    Cycle.objects.move(cycle.pk, CycleState.QUEUED)
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "done"
    assert effects(cycle) == ONCE
    assert step_of(cycle, "retrain").attempt == 2


def test_a_cancel_that_follows_a_pause_wins(cycle: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause_heard_cancel_written(context: StepContext) -> None:
        wish(Control.CANCEL)(context)
        context.pulse.asked = Control.PAUSE  # type: ignore[attr-defined]
        raise Interrupted

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=pause_heard_cancel_written)) == "cancelled"


@pytest.mark.parametrize("error", [TransientStepError("busy"), StepTimeout("slow")])
def test_a_cancel_during_a_step_that_fails_is_not_lost(cycle: Cycle, error: Exception) -> None:
    def act(context: StepContext) -> None:
        wish(Control.CANCEL)(context)
        raise error

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=act)) == "cancelled"


def test_a_cancel_that_waits_at_the_claim_is_obeyed_before_any_step(cycle: Cycle) -> None:
    claim(cycle.pk, owner="dead")
    Cycle.objects.filter(pk=cycle.pk).update(control=Control.CANCEL)
    expire(cycle)
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "cancelled"
    assert effects(cycle) == {}


def test_an_overtaken_worker_writes_nothing_and_is_counted(cycle: Cycle) -> None:
    def lose(context: StepContext) -> None:
        expire(cycle)
        assert claim(cycle.pk, owner="rival")

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=lose)) == "lease lost"
    cycle.refresh_from_db()
    assert (cycle.lease_owner, cycle.lease_token, cycle.fenced) == ("rival", 2, 1)
    assert effects(cycle) == {"inspect": 1, "patch": 1}


def test_the_successor_of_a_dead_worker_repeats_only_the_broken_step(cycle: Cycle) -> None:
    with pytest.raises(SystemExit):
        run_cycle(cycle.pk, owner="w", parts=parts(retrain=raises(SystemExit())))  # type: ignore[arg-type]
    assert run_cycle(cycle.pk, owner="v", parts=parts()) == "not claimed"
    expire(cycle)
    assert run_cycle(cycle.pk, owner="v", parts=parts()) == "done"
    assert effects(cycle) == ONCE
    assert [step_of(cycle, name).attempt for name in ("patch", "retrain", "orphans")] == [1, 2, 1]


def test_a_step_whose_rows_can_t_be_written_leaves_none(cycle: Cycle) -> None:
    moving = parts()

    def broken_commit(context: StepContext, outcome: StepOutcome) -> None:
        MetricPoint.objects.create(subject=f"cycle:{cycle.pk}", name="half", value=1.0, source="x")
        raise ValueError("broken")

    moving["retrain"].commit = broken_commit  # type: ignore[method-assign]
    assert run_cycle(cycle.pk, owner="w", parts=moving) == "failed"
    assert effects(cycle) == {"inspect": 1, "patch": 1}


def test_a_retry_from_a_step_repeats_it_and_those_after(cycle: Cycle) -> None:
    run_cycle(cycle.pk, owner="w", parts=parts(gate=raises(StepFailed("no"))))
    retry_cycle(cycle.pk, from_step="flag", actor=SYSTEM)
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "done"
    assert effects(cycle) == {**ONCE, "flag": 2}
    cycle.refresh_from_db()
    assert cycle.steps_done == 10


def test_a_cycle_at_a_step_unknown_here_waits_for_newer_code(cycle: Cycle) -> None:
    old = parts()
    del old["gate"]
    assert run_cycle(cycle.pk, owner="old", parts=old) == "queued"
    cycle.refresh_from_db()
    assert (cycle.step, cycle.steps_done, step_of(cycle, "gate").note) == ("gate", 8, runner.NEWER)
    assert run_cycle(cycle.pk, owner="old", parts=old, ignore_back_off=True) == "queued"
    assert run_cycle(cycle.pk, owner="new", parts=parts(), ignore_back_off=True) == "done"
    assert effects(cycle) == ONCE


def test_a_cycle_queued_by_older_code_keeps_the_steps_it_was_made_with(cycle: Cycle) -> None:
    cycle.steps.filter(name="flag").delete()
    assert run_cycle(cycle.pk, owner="new", parts=parts()) == "done"
    assert effects(cycle) == {name: 1 for name in STEPS if name != "flag"}


def test_a_step_overdue_is_tried_again(cycle: Cycle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "GRACE_SECONDS", -1000.0)
    monkeypatch.setattr(pulse, "LISTEN_SECONDS", 0.01)

    def stuck(context: StepContext) -> None:
        while not context.pulse.is_set():
            os.sched_yield()
        raise Interrupted

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=stuck)) == "queued"
    assert "longer than it may" in step_of(cycle, "retrain").error


def test_a_process_that_ends_hands_its_cycle_back_unblamed(
    cycle: Cycle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "closing", pulse.Closing())
    monkeypatch.setattr(runner, "closing", pulse.closing)

    def asked_to_end(context: StepContext) -> None:
        pulse.closing.asked = True
        if context.pulse.is_set():
            raise Interrupted

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=asked_to_end)) == "queued"
    cycle.refresh_from_db()
    assert (cycle.step, cycle.attempts, step_of(cycle, "retrain").failures) == ("retrain", 0, 0)
    assert run_cycle(cycle.pk, owner="w", parts=parts()) == "not claimed"


def test_scratch_folders_are_gone_after_the_step(cycle: Cycle) -> None:
    made: list[Path] = []

    def litter(context: StepContext) -> None:
        context.scratch.mkdir(parents=True)
        (context.scratch / "file").write_text("x")
        made.append(context.scratch)

    run_cycle(cycle.pk, owner="w", parts=parts(retrain=litter))
    assert made
    assert not made[0].exists()


@pytest.mark.django_db(transaction=True)
def test_many_deliveries_of_one_id_make_one_run() -> None:
    cycle, moving = queued(make_engine()), parts()

    def deliver(number: int) -> str:
        try:
            return run_cycle(cycle.pk, owner=f"w{number}", parts=moving)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        ended = list(pool.map(deliver, range(24)))
    assert sorted(ended) == ["done"] + ["not claimed"] * 23
    assert effects(cycle) == ONCE


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("where", ["run", "commit"])
def test_a_cut_connection_repeats_the_step_under_the_same_lease(where: str) -> None:
    cycle, moving = queued(make_engine()), parts()
    part = moving["retrain"]
    cuts = iter([True])

    def cut(context: StepContext, *_: Any) -> Any:
        if next(cuts, False):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return plain(context, *_)

    plain = getattr(part, where)
    setattr(part, where, cut)
    assert run_cycle(cycle.pk, owner="w", parts=moving) == "done"
    cycle.refresh_from_db()
    assert (cycle.lease_token, cycle.takeovers, effects(cycle)) == (1, 0, ONCE)
    assert step_of(cycle, "retrain").attempt == 2


@pytest.mark.django_db(transaction=True)
def test_a_statement_that_took_too_long_counts_as_a_failure_of_the_step() -> None:
    cycle = queued(make_engine())

    def slow(context: StepContext) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = '20ms'")
            try:
                cursor.execute("SELECT pg_sleep(5)")
            finally:
                cursor.execute("SET statement_timeout = 0")

    assert run_cycle(cycle.pk, owner="w", parts=parts(retrain=slow)) == "queued"
    assert step_of(cycle, "retrain").failures == 1
