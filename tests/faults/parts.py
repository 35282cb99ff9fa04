"""Steps that wait, hang, die or fail as the engine's script says, and whose effects can be counted.

The script is the engine's `manifest`: `{"retrain": {"do": "kill", "times": 1}}`. Each step has two effects: a
row of its own written in `commit` (nothing but the fence stops a second one) and a file that a
compare-and-swap makes, as a branch of git is moved.
"""

import itertools
import os
import resource
import signal
import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings

from engines.domain.cycle import Idle, Interrupted, NotConfiguredPart, Part, StepContext, TransientStepError
from engines.domain.results import StepOutcome
from engines.domain.states import STEPS
from engines.models import CycleStep, Engine
from engines.services import runner
from forecasting.models import MetricPoint

MEMORY = 2**30


def folder() -> Path:
    """Return where the steps leave their marks and files."""
    return Path(os.environ.get("FAULTS_DIR", settings.DATA_DIR)) / "faults"


class Written(Idle):
    """Does nothing, but is no brief step: its start and its end are written on their own."""

    @property
    def brief(self) -> bool:
        """Return False."""
        return False


class Scripted(Idle):
    """Carries out the script and leaves marks."""

    def run(self, context: StepContext) -> StepOutcome:
        """Note the start, do what the script says, make the file."""
        attempt = CycleStep.objects.values_list("attempt", flat=True).get(
            cycle=context.cycle_id, name=context.step
        )
        mark(context, attempt)
        orders = Engine.objects.values_list("manifest", flat=True).get(pk=context.engine_id)
        order = orders.get(context.step, orders.get("*", {}))
        if order and attempt <= order.get("times", 1000):
            ACTS[order["do"]](context, order)
        swap_in(context)
        return StepOutcome(state="done", result={"attempt": attempt}, cpu_seconds=0.01)

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Write one row more, whatever was written before."""
        MetricPoint.objects.create(
            subject=f"cycle:{context.cycle_id}", name=context.step, value=1.0, source=uuid.uuid4().hex
        )


def mark(context: StepContext, attempt: int) -> None:
    """Append who started which step; one write, so that lines of several processes don't mix."""
    folder().mkdir(parents=True, exist_ok=True)
    line = f"{context.cycle_id} {context.step} {attempt} {os.getpid()} {time.monotonic():.3f}\n"
    handle = os.open(folder() / "starts.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def swap_in(context: StepContext) -> None:
    """Make the step's file unless it is there: whole, and by one attempt only."""
    context.scratch.mkdir(parents=True, exist_ok=True)
    draft = context.scratch / "draft"
    draft.write_text(str(os.getpid()))
    target = folder() / f"{context.cycle_id}-{context.step}"
    try:
        target.hardlink_to(draft)
    except FileExistsError:
        return
    with (folder() / "made.log").open("a") as log:
        log.write(f"{context.cycle_id} {context.step}\n")


def wait(context: StepContext, order: Mapping[str, Any]) -> None:
    """Work until a file is there, listening to the pulse."""
    while not Path(order["until"]).exists():
        if context.pulse.is_set():
            raise Interrupted
        time.sleep(0.02)


def work(context: StepContext, order: Mapping[str, Any]) -> None:
    """Work for so many seconds, listening to the pulse."""
    end = time.monotonic() + order["seconds"]
    while time.monotonic() < end:
        if context.pulse.is_set():
            raise Interrupted
        time.sleep(0.02)


def kill(context: StepContext, order: Mapping[str, Any]) -> None:
    """Kill the process that runs this."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang(context: StepContext, order: Mapping[str, Any]) -> None:
    """Never come back from a C function that holds the interpreter's lock and looks at no signal."""
    deque(itertools.repeat(0), maxlen=0)


def memory(context: StepContext, order: Mapping[str, Any]) -> None:
    """Ask for more memory than there is, then die of it as the kernel would have it."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        bytearray(2 * MEMORY)
    except MemoryError:
        os.kill(os.getpid(), signal.SIGKILL)


def fail(context: StepContext, order: Mapping[str, Any]) -> None:
    """Fail in a way that may go away."""
    raise TransientStepError("scripted")


Act = Callable[[StepContext, Mapping[str, Any]], None]
ACTS: dict[str, Act] = {
    "wait": wait,
    "work": work,
    "kill": kill,
    "hang": hang,
    "memory": memory,
    "fail": fail,
}


def scripted_parts() -> dict[str, Part]:
    """Return the parts of a worker.

    Those named in FAULTS_UNKNOWN are not known to its code, which then waits one second instead of ten;
    those in FAULTS_BRIEF are not configured.
    """
    unknown, brief = (os.environ.get(name, "").split(",") for name in ("FAULTS_UNKNOWN", "FAULTS_BRIEF"))
    if any(unknown):
        runner.UNKNOWN_SECONDS = 1.0
    return {
        name: NotConfiguredPart("not in this test") if name in brief else Scripted()
        for name in STEPS
        if name not in unknown
    }


def idle_parts() -> dict[str, Part]:
    """Return parts that do nothing."""
    return {name: Idle() for name in STEPS}


def written_parts() -> dict[str, Part]:
    """Return parts that do nothing, each written on its own as if it did something."""
    return {name: Written() for name in STEPS}
