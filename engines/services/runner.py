"""Moves one cycle through its steps: in Celery workers, in commands and in plain Python alike."""

import contextlib
import logging
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils.module_loading import import_string

from engines.domain.cycle import Interrupted, Part, StepContext, StepFailed, StepTimeout, TransientStepError
from engines.domain.errors import LeaseLost
from engines.domain.results import StepOutcome
from engines.domain.states import STEPS, Control, CycleState, StepState
from engines.models import Cycle, CycleStep
from engines.services import endings, step_rows
from engines.services.leases import Lease, claim, fenced
from engines.services.pulse import Heartbeat
from engines.signals import step_changed

log = logging.getLogger(__name__)

SLICE_SECONDS = 60.0
"""After a step, a worker that held a cycle this long gives it back to the queue: others get a turn."""

DEADLINE = "the cycle's deadline passed"


def run_cycle(
    cycle_id: int, *, owner: str, ignore_back_off: bool = False, parts: dict[str, Part] | None = None
) -> str:
    """Claim the cycle and move it until it ends, pauses, waits for a retry or had its slice of time.

    `parts` replace the configured ones.

    Returns the state that it was left in, `"not claimed"` when another has it or it isn't due, or
    `"lease lost"` when another took it over meanwhile.
    """
    lease = claim(cycle_id, owner=owner, ignore_back_off=ignore_back_off)
    if lease is None:
        return "not claimed"
    with Heartbeat(lease) as pulse:
        try:
            return _Mover(lease, pulse, parts or _parts()).move()
        except LeaseLost:
            log.warning("cycle %s: lease lost, nothing more was written", cycle_id)
            return "lease lost"
        except KeyboardInterrupt:
            endings.obey(lease, lease.step, Control.CANCEL)
            raise
        except (OperationalError, InterfaceError):
            log.warning("cycle %s: database connection lost, the lease will run out", cycle_id, exc_info=True)
            connection.close()
            raise


class _Mover:
    """One claim of one cycle."""

    def __init__(self, lease: Lease, pulse: Heartbeat, parts: dict[str, Part]) -> None:
        self.lease = lease
        self.pulse = pulse
        self.cycle = Cycle.objects.select_related("engine").get(pk=lease.cycle_id)
        self.steps = {step.name: step for step in CycleStep.objects.filter(cycle=lease.cycle_id)}
        self.parts = parts
        self.results: dict[str, Mapping[str, Any]] = {name: step.result for name, step in self.steps.items()}
        self._claimed_at = time.monotonic()

    def move(self) -> str:
        """Run the steps that are left; return the state the cycle was left in."""
        if self.cycle.control:
            return endings.obey(self.lease, self.lease.step, Control(self.cycle.control))
        todo = self._todo()
        with fenced(self.lease, step=todo[0]):
            step_rows.start(self.cycle.pk, todo[0])
            self._tell(todo[0], StepState.RUNNING)
        for name, after in zip(todo, [*todo[1:], ""], strict=True):
            ended = self._step(name, after)
            if ended:
                return ended
        return endings.finish(self.lease, CycleState.DONE, "")

    def _todo(self) -> list[str]:
        names = [name for name in STEPS if name in self.steps and name in self.parts]
        return names[names.index(self.lease.step) :] if self.lease.step in names else names

    def _step(self, name: str, after: str) -> str | None:
        """Run one step that is marked as running; return the state the cycle was left in, None to go on."""
        seconds = min(settings.SANDBOX.step_timeout, self._seconds_left())
        if seconds <= 0:
            return endings.fail(self.lease, name, {"error": DEADLINE}, DEADLINE)
        self.pulse.begin(name, seconds)
        context = self._context(name, seconds)
        try:
            with _swept(context.scratch):
                outcome = self.parts[name].run(context)
            self._heed()
            going_on = after if self._may_go_on(outcome) else ""
            self._complete(context, outcome, after, going_on)
        except Interrupted:
            return self._interrupted(name)
        except (LeaseLost, OperationalError, InterfaceError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a step throws ends up on its row
            return self._failed(name, error)
        if outcome.stop:
            return endings.finish(self.lease, CycleState.SKIPPED, outcome.note)
        return endings.release(self.lease, after) if after and not going_on else None

    def _may_go_on(self, outcome: StepOutcome) -> bool:
        return not outcome.stop and time.monotonic() - self._claimed_at <= SLICE_SECONDS

    def _context(self, name: str, seconds: float) -> StepContext:
        cycle = self.cycle
        return StepContext(
            cycle_id=cycle.pk,
            engine_id=cycle.engine_id,
            engine_name=cycle.engine.name,
            step=name,
            trigger=cycle.trigger,
            energy=cycle.energy,
            seed=cycle.seed,
            seconds_left=seconds,
            results=self.results,
            scratch=scratch_root() / f"{cycle.pk}-{name}-{self.lease.token}",
            pulse=self.pulse,
        )

    def _complete(self, context: StepContext, outcome: StepOutcome, after: str, going_on: str) -> None:
        """Write the step's own rows, its end and the next step's start in one transaction under the fence."""
        with fenced(self.lease, step=after, done=1, cpu_seconds=outcome.cpu_seconds):
            self.parts[context.step].commit(context, outcome)
            step_rows.end(context.cycle_id, context.step, outcome, going_on)
            self._tell(context.step, StepState(outcome.state), outcome.note)
            if going_on:
                self._tell(going_on, StepState.RUNNING)
        self.results[context.step] = outcome.result

    def _heed(self) -> None:
        if self.pulse.lost:
            raise LeaseLost(f"cycle {self.lease.cycle_id} belongs to another worker")
        if self.pulse.asked:
            raise Interrupted

    def _interrupted(self, name: str) -> str:
        if self.pulse.lost:
            raise LeaseLost(f"cycle {self.lease.cycle_id} belongs to another worker")
        return endings.obey(self.lease, name, self.pulse.asked)

    def _failed(self, name: str, error: Exception) -> str:
        failures = self.steps[name].failures
        again = isinstance(error, TransientStepError | StepTimeout | OSError) and (
            failures < settings.SANDBOX.step_retries and self._seconds_left() > 0
        )
        report = _report(error)
        self._tell(name, StepState.FAILED, str(error))
        if again:
            return endings.retry_later(self.lease, name, failures, report)
        log.info("cycle %s: %s failed: %s", self.lease.cycle_id, name, error)
        return endings.fail(self.lease, name, report, f"{name}: {error or type(error).__name__}")

    def _seconds_left(self) -> float:
        return self.lease.seconds_left - (time.monotonic() - self._claimed_at)

    def _tell(self, name: str, state: StepState, note: str = "") -> None:
        step_changed.send(
            sender=CycleStep,
            cycle_id=self.cycle.pk,
            engine=self.cycle.engine.name,
            step=name,
            state=state,
            note=note,
        )


def _report(error: Exception) -> dict[str, str]:
    """Return what the row keeps of an error: expected ones as their message, others with their trace."""
    if isinstance(error, StepFailed):
        return {"error": str(error)[: step_rows.LOG_CHARS], "log": error.log[-step_rows.LOG_CHARS :]}
    return {"error": "".join(traceback.format_exception(error))[-step_rows.LOG_CHARS :]}


def scratch_root() -> Path:
    """Return the folder that holds the scratch folders of running steps."""
    return Path(settings.DATA_DIR) / "scratch"


@contextlib.contextmanager
def _swept(path: Path) -> Iterator[None]:
    """Remove the scratch folder after the step, if the step made it."""
    try:
        yield
    finally:
        if path.exists():
            shutil.rmtree(path, ignore_errors=True)


def _parts() -> dict[str, Part]:
    factory: Callable[[], dict[str, Part]] = import_string(settings.CYCLE_PARTS)
    return factory()
