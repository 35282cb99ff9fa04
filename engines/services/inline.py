"""Cycles in the caller's own process, without Celery: the same rows, the same steps."""

import os
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import close_old_connections

from engines.domain.cycle import Part
from engines.domain.errors import Conflict
from engines.domain.results import Actor, Artifact, AutomationResult, Roi
from engines.domain.states import TERMINAL, CycleState, Trigger
from engines.models import Cycle, CycleStep, Engine
from engines.services.cycles import enqueue_cycle
from engines.services.runner import run_cycle

POLL_SECONDS = 0.5


def run_inline(
    engine: Engine,
    *,
    energy: float,
    actor: Actor,
    trigger: Trigger,
    seed: int | None = None,
    parts: dict[str, Part] | None = None,
) -> Cycle:
    """Queue a cycle and run it here to its end, waiting while the engine is busy with another one.

    Raises Conflict when somebody paused it, or when the engine stays busy for the whole cycle deadline.
    """
    cycle = enqueue_cycle(engine, trigger=trigger, energy=energy, actor=actor, seed=seed, wake=False)
    owner = f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
    give_up_at = time.monotonic() + settings.SANDBOX.cycle_deadline
    while time.monotonic() < give_up_at:
        run_cycle(cycle.pk, owner=owner, parts=parts)
        close_old_connections()
        cycle.refresh_from_db()
        if cycle.state in TERMINAL:
            return cycle
        if cycle.state == CycleState.PAUSED:
            raise Conflict(f"cycle {cycle.pk} was paused; resume it to let a worker finish it")
        time.sleep(POLL_SECONDS)
    raise Conflict(f"cycle {cycle.pk} did not get its turn: engine {engine.name} is busy")


def result_of(cycle: Cycle) -> AutomationResult:
    """Return what the cycle's pipeline found; without a result `roi` is None and the verdict says why."""
    row = CycleStep.objects.filter(cycle=cycle, name="retrain").first()
    if row is None or "verdict" not in row.result:
        why = cycle.message or (row.note if row else "")
        return AutomationResult(roi=None, verdict=f"{cycle.state}: {why}" if why else str(cycle.state))
    return _automation_result(row.result)


def _automation_result(data: Mapping[str, Any]) -> AutomationResult:
    roi, artifact = data["roi"], data["artifact"]
    return AutomationResult(
        roi=None if roi is None else Roi(**roi),
        verdict=data["verdict"],
        metrics=data["metrics"],
        champion=data["champion"],
        challenger=data["challenger"],
        significance=data["significance"],
        search=data["search"],
        artifact=None if artifact is None else Artifact(**artifact),
        cpu_seconds=data["cpu_seconds"],
        tokens=data["tokens"],
        warnings=tuple(data["warnings"]),
    )
