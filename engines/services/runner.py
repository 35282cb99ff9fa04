"""Moves one cycle through its steps: in Celery workers, in commands and in plain Python alike."""

import contextlib
import itertools
import logging
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import F
from django.utils.module_loading import import_string

from engines.domain.cycle import Interrupted, Part, StepContext, StepTimeout
from engines.domain.errors import LeaseLost
from engines.domain.results import StepOutcome
from engines.domain.states import Control, CycleState, StepState
from engines.models import Cycle, CycleStep
from engines.services import endings, step_rows
from engines.services.leases import Lease, beat, claim, fenced
from engines.services.mishaps import TRANSIENT, cut, report_of
from engines.services.pulse import Heartbeat, closing
from engines.services.step_rows import Ended
from engines.signals import step_changed

log = logging.getLogger(__name__)

SLICE_SECONDS = 60.0
"""A worker that held a cycle this long gives it back after a step, so that others get a turn."""

TOGETHER_SECONDS = 0.05
"""Brief steps in a row are written together as long as the first of them began no longer ago than this."""

AWAY_SECONDS = 60.0
"""A worker waits this long for a database that went away under a running cycle."""

RECONNECTS = 10
UNKNOWN_SECONDS = 10.0
"""Pause before a cycle whose next step this code doesn't know is offered again."""

DEADLINE = "the cycle's deadline passed"
NEWER = "waits for a worker that knows this step"
CLOSING = "its worker was asked to end; it starts anew with another"


def run_cycle(
    cycle_id: int, *, owner: str, ignore_back_off: bool = False, parts: dict[str, Part] | None = None
) -> str:
    """Claim the cycle and move it until it ends, pauses, waits for a retry or had its slice of time.

    `parts` replace the configured ones.

    Returns the state that it was left in, `"not claimed"` when another has it or it isn't due, or
    `"lease lost"` when another took it over meanwhile.
    """
    lease = None if closing.asked else claim(cycle_id, owner=owner, ignore_back_off=ignore_back_off)
    if lease is None:
        return "not claimed"
    with Heartbeat(lease) as pulse:
        try:
            return _carry_on(lease, pulse, parts or _parts())
        except LeaseLost:
            log.warning("cycle %s: lease lost, nothing more was written", cycle_id)
            Cycle.objects.filter(pk=cycle_id).update(fenced=F("fenced") + 1)
            return "lease lost"
        except KeyboardInterrupt:
            endings.obey(lease, lease.step, Control.CANCEL)
            raise


def _carry_on(lease: Lease, pulse: Heartbeat, parts: dict[str, Part]) -> str:
    """Move the cycle; after each cut of the database's connection go on from what the row says."""
    for _ in range(RECONNECTS):
        try:
            return _Mover(lease, pulse, parts).move()
        except (OperationalError, InterfaceError):
            log.warning("cycle %s: database connection lost", lease.cycle_id, exc_info=True)
            _reconnect(lease)
    return _Mover(lease, pulse, parts).move()


def _reconnect(lease: Lease) -> None:
    """Wait until the database answers; raises LeaseLost when it says that the lease is another's."""
    give_up_at = time.monotonic() + AWAY_SECONDS
    while True:
        connection.close()
        try:
            beat(lease)
        except (OperationalError, InterfaceError):
            if time.monotonic() > give_up_at:
                raise
            time.sleep(0.2)
        else:
            return


class _Mover:
    """One worker's way through the steps of a cycle, as far as its lease and its connection hold."""

    def __init__(self, lease: Lease, pulse: Heartbeat, parts: dict[str, Part]) -> None:
        self.lease = lease
        self.pulse = pulse
        facts = ("engine__name", "step", "trigger", "energy", "seed")  # not the engine's history
        self.cycle = Cycle.objects.select_related("engine").only(*facts).get(pk=lease.cycle_id)
        rows = CycleStep.objects.filter(cycle=lease.cycle_id).order_by("position")
        columns = ("name", "failures", "result")  # not the logs
        self.steps = {step.name: step for step in rows.values_list(*columns, named=True)}
        self.parts = parts
        self.ahead = _from(list(self.steps), self.cycle.step)
        self.results: dict[str, Mapping[str, Any]] = {name: step.result for name, step in self.steps.items()}
        #: what came to its end since the last write: brief steps, or one that isn't
        self.unwritten: list[Ended] = []

    def move(self) -> str:
        """Run the steps that are left; return the state the cycle was left in."""
        first = self.cycle.step
        todo = self._todo()
        if not todo:
            return endings.hand_back(self.lease, first, NEWER, pause=UNKNOWN_SECONDS)
        if not self.parts[todo[0]].brief:
            with fenced(self.lease, step=todo[0], on_the_way=True) as asked:
                if asked:
                    return endings.obeyed(self.cycle.pk, todo[0], asked)
                step_rows.start(self.cycle.pk, todo[0])
                self._tell(todo[0], StepState.RUNNING)
        return self._run(todo)

    def _todo(self) -> list[str]:
        """Return the steps ahead as far as this code knows them."""
        return list(itertools.takewhile(self.parts.__contains__, self.ahead))

    def _run(self, todo: list[str]) -> str:
        following = [*self.ahead[1:], ""]
        for name, after in zip(todo, following, strict=False):
            ended = self._step(name, after)
            if ended:
                return ended
        raise AssertionError("the last step ends the cycle or hands it back")

    def _step(self, name: str, after: str) -> str | None:
        """Run one step that is brief or marked as running.

        Returns the state the cycle was left in, None to go on.
        """
        seconds = min(settings.SANDBOX.step_timeout, self.lease.left())
        if seconds <= 0:
            self._catch_up(name)
            return endings.fail(self.lease, name, {"error": DEADLINE}, DEADLINE)
        self.pulse.begin(name, seconds)
        context = self._context(name, seconds)
        began = time.monotonic()
        try:
            with _swept(context.scratch):
                outcome = self.parts[name].run(context)
            self._heed()
            return self._complete(Ended(context=context, outcome=outcome, began=began), after)
        except Interrupted:
            return self._interrupted(name)
        except LeaseLost:
            raise
        except Exception as error:
            if cut(error):
                raise
            return self._failed(name, error)

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

    def _complete(self, step: Ended, after: str) -> str | None:
        """Keep what the step found; write it and what waits, unless brief steps may wait for each other."""
        self.unwritten.append(step)
        going_on = after if self._may_go_on(step.outcome, after) else ""
        if not self._may_wait(going_on):
            ended = self._write(step.outcome, after, going_on)
            if ended:
                return ended
        self.results[step.name] = step.outcome.result
        return None

    def _may_wait(self, following: str) -> bool:
        """Tell whether the next write takes these along: all are brief, and the first began a moment ago."""
        first = self.unwritten[0]
        young = time.monotonic() - first.began <= TOGETHER_SECONDS
        return young and self._brief(first.name) and self._brief(following)

    def _brief(self, name: str) -> bool:
        return name in self.parts and self.parts[name].brief

    def _write(self, last: StepOutcome, after: str, going_on: str) -> str | None:
        """Write the steps' own rows, their ends and what comes next in one transaction under the fence."""
        with self._fenced(after, on_the_way=bool(going_on)) as asked:
            if asked:
                self.pulse.asked = asked
                raise Interrupted
            self._write_ends("" if self._brief(going_on) else going_on)
            if not going_on:
                return self._let_go(last, after)
        self.unwritten.clear()
        return None

    def _fenced(self, step: str, *, on_the_way: bool) -> contextlib.AbstractContextManager[Control]:
        """Open a transaction for what is unwritten; `step` becomes the cycle's step."""
        used = [ended.outcome.cpu_seconds for ended in self.unwritten]
        cpu = sum(seconds or 0.0 for seconds in used) if any(s is not None for s in used) else None
        return fenced(self.lease, step=step, done=len(self.unwritten), cpu_seconds=cpu, on_the_way=on_the_way)

    def _write_ends(self, starts: str) -> None:
        """Write the ends, inside a transaction, and that the step `starts` runs now, unless that is empty."""
        first, pk = self.unwritten[0], self.cycle.pk
        brief = self._brief(first.name)
        if brief:
            step_rows.end_brief(pk, self.unwritten, starts)
        else:
            self.parts[first.name].commit(first.context, first.outcome)
            step_rows.end(pk, first.name, first.outcome, starts)
        for step in self.unwritten:
            if brief:
                self._tell(step.name, StepState.RUNNING)
            self._tell(step.name, StepState(step.outcome.state), step.outcome.note)
        if starts:
            self._tell(starts, StepState.RUNNING)

    def _may_go_on(self, outcome: StepOutcome, after: str) -> bool:
        known = after in self.parts
        return known and not outcome.stop and not closing.asked and self.lease.held_for() <= SLICE_SECONDS

    def _let_go(self, outcome: StepOutcome, after: str) -> str:
        """End the cycle or give it back after a step that is done."""
        if outcome.stop:
            return endings.end(self.cycle.pk, CycleState.SKIPPED, outcome.note)
        if not after:
            return endings.end(self.cycle.pk, CycleState.DONE, "")
        if after not in self.parts:
            endings.reopen_step(self.cycle.pk, after, NEWER)
            return endings.requeue(self.cycle.pk, pause=UNKNOWN_SECONDS)
        return endings.requeue(self.cycle.pk)

    def _heed(self) -> None:
        if self.pulse.lost:
            raise LeaseLost(f"cycle {self.lease.cycle_id} belongs to another worker")
        if self.pulse.asked:
            raise Interrupted

    def _interrupted(self, name: str) -> str:
        """Let go of a cycle whose step was stopped, for the reason that stopped it.

        What is unwritten starts anew.
        """
        first = self.unwritten[0].name if self.unwritten else name
        if self.pulse.lost:
            raise LeaseLost(f"cycle {self.lease.cycle_id} belongs to another worker")
        if self.pulse.asked:
            return endings.obey(self.lease, first, self.pulse.asked)
        if closing.asked:
            return endings.hand_back(self.lease, first, CLOSING)
        return self._failed(name, StepTimeout("it ran longer than it may and was stopped"))

    def _catch_up(self, name: str) -> None:
        """Write the brief steps before `name`, and that it runs, so that it fails under its own name."""
        before = [step for step in self.unwritten if step.name != name]
        self.unwritten = before
        if before:
            with self._fenced(name, on_the_way=True):
                self._write_ends(name)
        self.unwritten = []

    def _failed(self, name: str, error: Exception) -> str:
        self._catch_up(name)
        failures = self.steps[name].failures
        again = isinstance(error, TRANSIENT) and (
            failures < settings.SANDBOX.step_retries and self.lease.left() > 0
        )
        report = report_of(error)
        if again:
            state = endings.retry_later(self.lease, name, failures, report)
        else:
            log.info("cycle %s: %s failed: %s", self.lease.cycle_id, name, error)
            state = endings.fail(self.lease, name, report, f"{name}: {error or type(error).__name__}")
        self._tell(name, StepState.FAILED, str(error))
        return state

    def _tell(self, name: str, state: StepState, note: str = "") -> None:
        step_changed.send(
            sender=CycleStep,
            cycle_id=self.cycle.pk,
            engine=self.cycle.engine.name,
            step=name,
            state=state,
            note=note,
        )


def _from(names: list[str], step: str) -> list[str]:
    """Return the cycle's step and those after it; none when the rows don't know that step.

    The order is the rows' own: a cycle that newer or older code queued keeps the steps it was made with.
    """
    if not step:
        return names
    return names[names.index(step) :] if step in names else []


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
