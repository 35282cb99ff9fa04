"""What people do to cycles during a run, and what the rows say then. Import it once Django is set up."""

import random
from collections import Counter
from pathlib import Path

from django.db import Error, connection
from django.db.models import Count, Sum

from engines import tasks
from engines.domain.errors import Conflict
from engines.domain.results import CLI
from engines.domain.states import TERMINAL, Trigger
from engines.models import Cycle, CycleStep, CycleTally, Engine
from engines.services import cycles, sweeper
from forecasting.models import MetricPoint
from menace_site import audit
from menace_site.models import AuditEntry

QUEUED_EACH = 2


def enqueue_missing() -> int:
    """Queue cycles where fewer than two wait; return how many."""
    made = 0
    for engine in Engine.objects.all():
        if Cycle.objects.unfinished().filter(engine=engine).count() < QUEUED_EACH:
            cycles.enqueue_cycle(engine, trigger=Trigger.CLI, energy=1.0, actor=CLI)
            made += 1
    return made


def some_cycle(chance: random.Random, *states: str) -> int | None:
    """Return a random cycle in one of the states."""
    pks = list(Cycle.objects.filter(state__in=states).values_list("id", flat=True))
    return chance.choice(pks) if pks else None


def deliver(chance: random.Random) -> None:
    """Send one id twenty times."""
    pk = some_cycle(chance, "queued", "running") or 1
    for _ in range(20):
        if tasks.wake(pk) == "away":
            return


def cancel_one(chance: random.Random) -> int:
    """Cancel a cycle that has not ended; return how many were."""
    pk = some_cycle(chance, "queued", "running", "paused")
    return _done(cycles.cancel_cycle, pk)


def pause_or_resume(chance: random.Random) -> Counter[str]:
    """Resume a paused cycle, else pause one."""
    paused = some_cycle(chance, "paused")
    if paused is not None:
        return Counter({"cycle.resume": _done(cycles.resume_cycle, paused)})
    return Counter({"cycle.pause": _done(cycles.pause_cycle, some_cycle(chance, "queued", "running"))})


def resume_all() -> int:
    """Resume what is paused; return how many were."""
    paused = list(Cycle.objects.filter(state="paused").values_list("id", flat=True))
    return sum(_done(cycles.resume_cycle, pk) for pk in paused)


def _done(act: object, pk: int | None) -> int:
    if pk is None or not callable(act):
        return 0
    try:
        act(pk, actor=CLI)
    except Conflict:  # it came to its end meanwhile
        return 0
    return 1


def unfinished() -> int:
    """Return how many cycles have not ended; at least one while the database is away."""
    try:
        return Cycle.objects.unfinished().count()
    except Error:
        connection.close()
        return 1


def figures(acts: Counter[str], effects: Path, scratch: Path) -> dict[str, object]:
    """Count what must hold: each effect once, ledger and metrics alike, an audit row for each act."""
    sweeper.sweep_scratch()
    states = Counter(Cycle.objects.values_list("state", flat=True))
    done = set(CycleStep.objects.filter(state="done").values_list("cycle_id", "name"))
    points = Counter(
        (int(subject.removeprefix("cycle:")), name)
        for subject, name in MetricPoint.objects.values_list("subject", "name")
    )
    made = Counter(
        (int(cycle), step)
        for cycle, step in (line.split() for line in (effects / "made.log").read_text().splitlines())
    )
    disturbed = Cycle.objects.aggregate(Sum("takeovers"), Sum("fenced"))
    noted = dict(AuditEntry.objects.values_list("verb").annotate(Count("id")))
    ended = sum(count for state, count in states.items() if state in TERMINAL)
    return {
        "cycles": sum(states.values()),
        "by state": dict(states),
        "steps done": len(done),
        "takeovers": disturbed["takeovers__sum"],
        "writes refused by the fence": disturbed["fenced__sum"],
        "steps started more than once": CycleStep.objects.filter(attempt__gt=1).count(),
        "rows written twice": sum(count - 1 for count in points.values()),
        "files made twice": sum(count - 1 for count in made.values()),
        "brief steps": CycleStep.objects.filter(state="not_configured").count(),
        "steps of done cycles left out": CycleStep.objects.filter(cycle__state="done")
        .exclude(state__in=["done", "not_configured"])
        .count(),
        "done steps without their row": len(done - set(points)),
        "done steps without their file": sum(not (effects / f"{pk}-{step}").exists() for pk, step in done),
        "ledger minus metrics": len(done) - (MetricPoint.objects.aggregate(Sum("value"))["value__sum"] or 0),
        "ended cycles minus tally": ended - (CycleTally.objects.aggregate(Sum("count"))["count__sum"] or 0),
        "acts of people": dict(acts),
        "acts without audit row": sum(abs(count - noted.get(verb, 0)) for verb, count in acts.items()),
        "breaks of the audit chain": int(audit.verify() is not None),
        "orphaned scratch folders": len(list(scratch.glob("*"))) if scratch.is_dir() else 0,
    }
