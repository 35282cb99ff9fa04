"""Finds what the broker or a worker lost, and what the schedule owes. Several may run at once."""

import re
import shutil
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.results import SYSTEM
from engines.domain.states import Control, CycleState, Trigger
from engines.models import Cycle, CycleQuerySet, Engine
from engines.services import endings
from engines.services.cycles import enqueue_cycle
from engines.services.runner import scratch_root

BATCH = 500

QUARANTINE_MESSAGE = "its worker died {} times in a row at step {}; look at the step before you retry it"

SWITCHED_OFF = "its worker died and its engine is switched off"

SCRATCH_NAME = re.compile(r"(?P<cycle>[0-9]+)-[a-z_]+-(?P<token>[0-9]+)")

NEXT_SLOT = """
UPDATE engines_engine SET next_due_at =
    to_timestamp((floor(extract(epoch FROM clock_timestamp()) / schedule_seconds) + 1) * schedule_seconds)
WHERE id = %s
RETURNING (extract(epoch FROM next_due_at) / schedule_seconds)::bigint - 1
"""


def sweep() -> list[int]:
    """Settle the cycles without a worker and return the ids of those to wake: each engine's oldest.

    The others of an engine are woken when its turn is free.
    """
    stale = Cycle.objects.stale().select_related("engine")
    left = stale.filter(
        ~Q(control=Control.NONE) | Q(attempts__gte=settings.SANDBOX.max_attempts) | Q(engine__enabled=False)
    )
    for cycle in left[:BATCH]:
        _settle(cycle)
    oldest = _claimable().order_by("engine_id", "id").distinct("engine_id").values("id")
    return list(
        Cycle.objects.filter(id__in=oldest).order_by("run_after").values_list("id", flat=True)[:BATCH]
    )


def _settle(cycle: Cycle) -> None:
    """Let go of a cycle that no worker holds, and that none shall take over, unless one did meanwhile."""
    with transaction.atomic():
        same = Cycle.objects.stale().filter(pk=cycle.pk, lease_token=cycle.lease_token)
        if not same.select_for_update().exists():
            return
        if cycle.control:
            endings.obeyed(cycle.pk, cycle.step, Control(cycle.control))
        elif cycle.attempts >= settings.SANDBOX.max_attempts:
            message = QUARANTINE_MESSAGE.format(cycle.attempts, cycle.step or "?")
            endings.end(cycle.pk, CycleState.QUARANTINED, message)
        else:
            endings.reopen_step(cycle.pk, cycle.step, SWITCHED_OFF)
            endings.requeue(cycle.pk)


def _claimable() -> CycleQuerySet:
    busy = Cycle.objects.filter(engine=OuterRef("engine"), state=CycleState.RUNNING).exclude(
        pk=OuterRef("pk")
    )
    due = Q(state=CycleState.QUEUED, run_after__lte=Now()) | Q(
        state=CycleState.RUNNING, lease_until__lt=Now()
    )
    return Cycle.objects.filter(due, ~Exists(busy), engine__enabled=True)


def sweep_scratch() -> int:
    """Remove the scratch folders of steps that no worker of a living lease works in; return how many."""
    # listed before the rows are read: a folder is made after its lease was committed
    names = [(path, SCRATCH_NAME.fullmatch(path.name)) for path in _folders(scratch_root())]
    found = {path: (int(name["cycle"]), int(name["token"])) for path, name in names if name}
    running = Cycle.objects.filter(id__in={cycle for cycle, _ in found.values()}, state=CycleState.RUNNING)
    held = set(running.values_list("id", "lease_token"))
    orphans = [path for path, lease in found.items() if lease not in held]
    for path in orphans:
        shutil.rmtree(path, ignore_errors=True)
    return len(orphans)


def _folders(root: Path) -> list[Path]:
    return list(root.iterdir()) if root.is_dir() else []


def next_of(engine_id: int) -> int | None:
    """Return the id of the engine's cycle that waits longest and may run, if any."""
    waiting = Cycle.objects.filter(engine=engine_id, state=CycleState.QUEUED, run_after__lte=Now())
    return waiting.order_by("id").values_list("id", flat=True).first()


def tick_schedules() -> int:
    """Queue a cycle for each engine whose schedule is due and return how many.

    An engine whose last scheduled cycle has not ended gets none: slots that were missed don't pile up.
    """
    queued = 0
    for engine_id in Engine.objects.due().values_list("id", flat=True)[:BATCH]:
        queued += _tick(engine_id)
    return queued


def _tick(engine_id: int) -> int:
    with transaction.atomic():
        engine = (
            Engine.objects.due().select_for_update(skip_locked=True, no_key=True).filter(pk=engine_id).first()
        )
        if engine is None or engine.schedule_seconds is None:
            return 0
        with connection.cursor() as cursor:
            cursor.execute(NEXT_SLOT, [engine_id])
            (slot,) = cursor.fetchone()
        if Cycle.objects.unfinished().filter(engine=engine_id, trigger=Trigger.SCHEDULE).exists():
            return 0
        return _queue_slot(engine, slot)


def _queue_slot(engine: Engine, slot: int) -> int:
    if Cycle.objects.filter(engine=engine, slot=slot).exists():
        return 0
    try:
        enqueue_cycle(engine, trigger=Trigger.SCHEDULE, energy=engine.base_energy, actor=SYSTEM, slot=slot)
    except Conflict:  # too many cycles wait already: the schedule must not add to them
        return 0
    return 1
