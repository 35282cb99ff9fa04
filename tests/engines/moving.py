"""Steps and cycles for the tests of the durable cycle."""

from collections.abc import Callable

from engines.domain.cycle import Idle, Part, StepContext
from engines.domain.results import PYTHON, StepOutcome
from engines.domain.states import STEPS, Trigger
from engines.models import Cycle, CycleStep, Engine
from engines.services.cycles import enqueue_cycle
from forecasting.models import MetricPoint

Act = Callable[[StepContext], StepOutcome | None]


class Does(Idle):
    """A step that does what it is told, and writes one row each time it is committed."""

    def __init__(self, act: Act | None = None) -> None:
        self.act = act
        self.runs = 0

    def run(self, context: StepContext) -> StepOutcome:
        self.runs += 1
        outcome = self.act(context) if self.act else None
        return outcome or StepOutcome(state="done", result={"run": self.runs}, cpu_seconds=0.5)

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        number = MetricPoint.objects.filter(subject=f"cycle:{context.cycle_id}", name=context.step).count()
        MetricPoint.objects.create(
            subject=f"cycle:{context.cycle_id}", name=context.step, value=1.0, source=f"commit:{number}"
        )


def parts(**acts: Act) -> dict[str, Part]:
    """Return a part for each step; the named ones do what they are given."""
    return {name: Does(acts.get(name)) for name in STEPS}


def queued(engine: Engine, **fields: int) -> Cycle:
    """Queue a cycle without waking anybody."""
    return enqueue_cycle(engine, trigger=Trigger.PYTHON, energy=1.0, actor=PYTHON, wake=False, **fields)


def effects(cycle: Cycle) -> dict[str, int]:
    """Return how often each step of the cycle was committed."""
    points = MetricPoint.objects.filter(subject=f"cycle:{cycle.pk}").values_list("name", flat=True)
    return {name: list(points).count(name) for name in points}


def step_of(cycle: Cycle, name: str) -> CycleStep:
    """Return the row of one step."""
    return CycleStep.objects.get(cycle=cycle, name=name)


def expire(cycle: Cycle) -> None:
    """Let the lease run out, as if its worker were dead."""
    Cycle.objects.filter(pk=cycle.pk).update(lease_until="2001-01-01T00:00:00Z")


ONCE = dict.fromkeys(STEPS, 1)
