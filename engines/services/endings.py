"""The ways in which a worker lets go of a cycle. Every one is a fenced transaction and sends its news."""

import logging
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, FloatField, Func, Value
from django.db.models.functions import Now

from engines.domain.states import Control, CycleState, StepState
from engines.models import Cycle, CycleStep, Engine
from engines.services import state_file
from engines.services.leases import Lease, fenced
from engines.signals import cycle_finished

log = logging.getLogger(__name__)

FREE = {"lease_owner": "", "lease_until": None, "control": Control.NONE, "attempts": 0}
"""What a row has when nobody holds it."""


class Seconds(Func):
    """Seconds of an interval."""

    template = "extract(epoch FROM %(expressions)s)::float8"
    output_field = FloatField()


def lasted() -> Func:
    """Return the seconds since the row's start, on the database's clock."""
    return Seconds(ExpressionWrapper(Now() - F("started_at"), output_field=DurationField()))


def ended(state: CycleState, message: str) -> dict[str, Any]:
    """Return the columns of a cycle that comes to its end now."""
    return {**FREE, "state": state, "message": message[:500], "finished_at": Now(), "duration": lasted()}


def finish(lease: Lease, state: CycleState, message: str) -> str:
    """End the cycle."""
    with fenced(lease):
        _write(lease, ended(state, message))
        close_steps(lease.cycle_id, state)
        announce(lease.cycle_id)
    return state


def fail(lease: Lease, step: str, report: dict[str, str], message: str) -> str:
    """End the cycle because `step` failed for good."""
    with fenced(lease):
        _write(lease, ended(CycleState.FAILED, message))
        _fail_step(lease, step, StepState.FAILED, report)
        close_steps(lease.cycle_id, CycleState.FAILED)
        announce(lease.cycle_id)
    return CycleState.FAILED


def retry_later(lease: Lease, step: str, failures: int, report: dict[str, str]) -> str:
    """Queue the cycle again after a pause that doubles with each failure of the step."""
    pause = settings.SANDBOX.retry_backoff * 2**failures
    back_off = Now() + Func(
        Value(pause), template="%(expressions)s * interval '1 second'", output_field=DurationField()
    )
    with fenced(lease, step=step):
        _write(lease, {**FREE, "state": CycleState.QUEUED, "run_after": back_off})
        _fail_step(lease, step, StepState.PENDING, report)
    return CycleState.QUEUED


def release(lease: Lease, step: str) -> str:
    """Give the cycle back to the queue; `step` is next."""
    with fenced(lease, step=step):
        _write(lease, {**FREE, "state": CycleState.QUEUED, "run_after": Now()})
    return CycleState.QUEUED


def obey(lease: Lease, step: str, asked: Control) -> str:
    """Pause or cancel while `step` was running: it was stopped and will start anew if the cycle goes on."""
    if asked == Control.CANCEL:
        with fenced(lease):
            _write(lease, ended(CycleState.CANCELLED, "cancelled"))
            close_steps(lease.cycle_id, CycleState.CANCELLED)
            announce(lease.cycle_id)
        return CycleState.CANCELLED
    with fenced(lease, step=step):
        _write(lease, {**FREE, "state": CycleState.PAUSED})
        CycleStep.objects.filter(cycle=lease.cycle_id, name=step).update(
            state=StepState.PENDING, note="paused"
        )
    return CycleState.PAUSED


def _write(lease: Lease, columns: dict[str, Any]) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(**columns)


def announce(cycle_id: int) -> None:
    """Note the end on the engine, send the news of it and, once it is committed, write the state file."""
    cycle = Cycle.objects.select_related("engine").get(pk=cycle_id)
    Engine.objects.filter(pk=cycle.engine_id).update(last_cycle_at=Now())
    cycle_finished.send(sender=Cycle, cycle=cycle)
    if cycle.roi_delta is not None or cycle.engine.state_path:
        transaction.on_commit(lambda: _mirror(cycle.engine_id))


def _mirror(engine_id: int) -> None:
    try:
        state_file.export_state(Engine.objects.get(pk=engine_id))
    except OSError as error:  # the row is the truth: a full disk must not undo the cycle's end
        log.error("the state file of engine %s was not written: %s", engine_id, error)


def _fail_step(lease: Lease, step: str, state: StepState, report: dict[str, str]) -> None:
    CycleStep.objects.filter(cycle=lease.cycle_id, name=step).update(
        state=state, failures=F("failures") + 1, finished_at=Now(), duration=lasted(), progress=None, **report
    )


def close_steps(cycle_id: int, state: CycleState) -> None:
    """Say of the steps that won't run any more why not."""
    word = StepState.CANCELLED if state == CycleState.CANCELLED else StepState.SKIPPED
    if state != CycleState.DONE:
        open_steps = CycleStep.objects.filter(
            cycle=cycle_id, state__in=[StepState.PENDING, StepState.RUNNING]
        )
        open_steps.update(state=word, progress=None)
