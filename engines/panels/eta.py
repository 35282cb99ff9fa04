"""How long a running cycle will still take, from its engine's own history."""

from collections.abc import Iterable
from datetime import datetime

from engines.domain.eta import Remaining, remaining
from engines.domain.states import CycleState, StepState
from engines.models import Cycle, CycleStep

LATEST = 20
COUNTED = (StepState.DONE, StepState.NOT_CONFIGURED, StepState.SKIPPED)
COMING = (StepState.PENDING,)


def eta(cycle: Cycle, steps: Iterable[CycleStep], now: datetime) -> Remaining | None:
    """Return what a running cycle still needs, from earlier ones of the same energy; None: not known."""
    if cycle.state != CycleState.RUNNING:
        return None
    rows = list(steps)
    running = next((row for row in rows if row.state == StepState.RUNNING and row.started_at), None)
    if running is None or running.started_at is None:
        return None
    coming = [row.name for row in rows if row.state in COMING]
    elapsed = max(0.0, (now - running.started_at).total_seconds())
    return remaining(usual(cycle), coming, running.name, elapsed)


def usual(cycle: Cycle) -> dict[str, list[float]]:
    """Return the durations, in seconds by step, of the engine's latest finished cycles of the same energy."""
    latest = Cycle.objects.filter(engine=cycle.engine_id, state=CycleState.DONE).order_by("-pk")[:LATEST]
    rows = CycleStep.objects.filter(cycle__in=latest.values("pk"), state__in=COUNTED).order_by()
    found: dict[str, list[float]] = {}
    for name, seconds, energy in rows.values_list("name", "duration", "cycle__energy"):
        if energy == cycle.energy and seconds is not None:
            found.setdefault(name, []).append(seconds)
    return found
