"""Writes the made rows with COPY and INSERT … SELECT, and removes them again."""

import random
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from engines.domain.manifest import EMPTY
from engines.domain.states import STEPS
from engines.models import Engine
from engines.services.tallies import BOUNDS
from menace_site.made import statements
from menace_site.made.bare import bare
from menace_site.made.stories import CYCLE_COLUMNS, Bot, stories

PREFIX = "bench-"
MANY = 10_000
RESET = "RESET statement_timeout; RESET synchronous_commit; RESET work_mem; RESET maintenance_work_mem"
SESSION = """
SET statement_timeout = 0; SET synchronous_commit = off;
SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'
"""
METRICS = (
    "accuracy", "f1", "log_loss", "latency_ms", "memory_mb",
    "cpu_seconds", "success_rate", "coverage", "entropy", "throughput",
)  # fmt: skip


def make(cursor: CursorWrapper, *, cycles: int, engines: int, days: int, seed: int) -> dict[str, Any]:
    """Add so many ended cycles with ten steps and ten metrics each, all or nothing; return what was made."""
    cursor.execute(SESSION)
    with transaction.atomic():
        ids = _engines(engines, seed)
        cursor.execute("SELECT coalesce(max(id), 0), count(*) FROM engines_cycle")
        before, there = cursor.fetchone()
        more = {"after": before, "steps": list(STEPS), "metrics": list(METRICS), "bounds": list(BOUNDS)}
        values = {**_which(ids), **more}
        # few rows among many: indexing them one by one is quicker, and nobody has to wait
        with bare(cursor, statements.BULK_TABLES) if cycles >= max(MANY, there) else nullcontext():
            _copy_cycles(cursor, list(ids.values()), cycles, days, random.Random(seed))  # noqa: S311 # nosec B311 - made data
            for statement in statements.BULK:
                cursor.execute(statement, values)
        for statement in statements.SUMS:
            cursor.execute(statement, values)
    _tidy(cursor, cleanup="off")
    cursor.execute(RESET)
    return {
        "engines": engines,
        "cycles": cycles,
        "steps": cycles * len(STEPS),
        "points": cycles * len(METRICS),
    }


def remove(cursor: CursorWrapper) -> dict[str, Any]:
    """Remove every made row; return how many went."""
    cursor.execute("SET statement_timeout = 0")
    removed = 0
    with transaction.atomic():
        ids = dict(Engine.objects.filter(name__startswith=PREFIX).values_list("name", "id"))
        for statement in statements.REMOVALS:
            cursor.execute(statement, _which(ids))
            removed += cursor.rowcount
    _tidy(cursor, cleanup="auto")
    return {"removed": removed}


def _which(ids: dict[str, int]) -> dict[str, Any]:
    return {"engines": list(ids.values()), "names": list(ids)}


def _engines(count: int, seed: int) -> dict[str, int]:
    names = [f"{PREFIX}{number:03}" for number in range(count)]
    manifest = asdict(EMPTY)
    wanted = [
        Engine(name=name, repository=f"/nowhere/{name}", manifest=manifest, seed=seed) for name in names
    ]
    Engine.objects.bulk_create(wanted, ignore_conflicts=True)
    return dict(Engine.objects.filter(name__in=names).order_by("name").values_list("name", "id"))


def _copy_cycles(
    cursor: CursorWrapper, ids: list[int], cycles: int, days: int, chance: random.Random
) -> None:
    bots = [Bot(engine_id, worth=chance.gauss(1.0, 1.0)) for engine_id in ids]
    with cursor.copy(f"COPY engines_cycle ({', '.join(CYCLE_COLUMNS)}) FROM STDIN") as copy:
        for row in stories(bots, cycles, days, chance):
            copy.write_row(row)


def _tidy(cursor: CursorWrapper, *, cleanup: str) -> None:
    if not connection.in_atomic_block:
        cursor.execute(statements.TIDY.format(cleanup=cleanup))
