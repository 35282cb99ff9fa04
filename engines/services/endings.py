"""The ways in which a worker lets go of a cycle. Every one is a fenced transaction and sends its news.

What a person asked for is read under the fence: a wish that came in a moment before is never overwritten.
"""

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
from engines.signals import cycle_finished, engine_freed

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


def end(cycle_id: int, state: CycleState, message: str) -> str:
    """End the cycle, inside the caller's transaction."""
    _write(cycle_id, ended(state, message))
    close_steps(cycle_id, state)
    announce(cycle_id)
    return state


def requeue(cycle_id: int, *, pause: float = 0.0) -> str:
    """Give the cycle back to the queue for at least `pause` seconds, inside the caller's transaction."""
    _free(cycle_id, {"state": CycleState.QUEUED, "run_after": Now() + seconds(pause)})
    return CycleState.QUEUED


def obeyed(cycle_id: int, step: str, asked: Control) -> str:
    """Pause or cancel, inside the caller's transaction; `step` starts anew if the cycle goes on."""
    if asked == Control.CANCEL:
        return end(cycle_id, CycleState.CANCELLED, "cancelled")
    _free(cycle_id, {"state": CycleState.PAUSED})
    reopen_step(cycle_id, step, "paused")
    return CycleState.PAUSED


def fail(lease: Lease, step: str, report: dict[str, str], message: str) -> str:
    """End the cycle because `step` failed for good."""
    with fenced(lease):
        _fail_step(lease.cycle_id, step, StepState.FAILED, report)
        return end(lease.cycle_id, CycleState.FAILED, message)


def retry_later(lease: Lease, step: str, failures: int, report: dict[str, str]) -> str:
    """Queue the cycle again after a pause that doubles with each failure of the step."""
    with fenced(lease, step=step) as asked:
        _fail_step(lease.cycle_id, step, StepState.PENDING, report)
        if asked:
            return obeyed(lease.cycle_id, step, asked)
        return requeue(lease.cycle_id, pause=settings.SANDBOX.retry_backoff * 2**failures)


def hand_back(lease: Lease, step: str, note: str, *, pause: float = 0.0) -> str:
    """Give the cycle back while `step` was running or next, through no fault of its own."""
    with fenced(lease, step=step) as asked:
        if asked:
            return obeyed(lease.cycle_id, step, asked)
        reopen_step(lease.cycle_id, step, note)
        return requeue(lease.cycle_id, pause=pause)


def obey(lease: Lease, step: str, asked: Control) -> str:
    """Pause or cancel while `step` was running; a later wish counts more than `asked`."""
    with fenced(lease, step=step) as now:
        return obeyed(lease.cycle_id, step, now or asked)


def reopen_step(cycle_id: int, step: str, note: str) -> None:
    """Say that the step will start anew."""
    CycleStep.objects.filter(cycle=cycle_id, name=step).update(
        state=StepState.PENDING, note=note, progress=None
    )


def seconds(count: float) -> Func:
    """Return an interval of so many seconds."""
    return Func(Value(count), template="%(expressions)s * interval '1 second'", output_field=DurationField())


def _free(cycle_id: int, columns: dict[str, Any]) -> None:
    _write(cycle_id, {**FREE, **columns})
    engine_id = Cycle.objects.values_list("engine", flat=True).get(pk=cycle_id)
    engine_freed.send(sender=Cycle, engine_id=engine_id)


def _write(cycle_id: int, columns: dict[str, Any]) -> None:
    Cycle.objects.filter(pk=cycle_id).update(**columns)


def announce(cycle_id: int) -> None:
    """Note the end on the engine, send the news of it and, once it is committed, write the state file."""
    large = ("decision", "engine__manifest", "engine__drift_state", "engine__roi_history")
    cycle = Cycle.objects.select_related("engine").defer(*large).get(pk=cycle_id)
    Engine.objects.filter(pk=cycle.engine_id).update(last_cycle_at=Now())
    cycle_finished.send(sender=Cycle, cycle=cycle)
    engine_freed.send(sender=Cycle, engine_id=cycle.engine_id)
    if cycle.roi_delta is not None or cycle.engine.state_path:
        transaction.on_commit(lambda: _mirror(cycle.engine_id))


def _mirror(engine_id: int) -> None:
    try:
        state_file.export_state(Engine.objects.get(pk=engine_id))
    except OSError as error:  # the row is the truth: a full disk must not undo the cycle's end
        log.error("the state file of engine %s was not written: %s", engine_id, error)


def _fail_step(cycle_id: int, step: str, state: StepState, report: dict[str, str]) -> None:
    CycleStep.objects.filter(cycle=cycle_id, name=step).update(
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
