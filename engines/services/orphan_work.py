"""Work on an engine's orphan modules that a person asks for: a scan, self-tests, trying workflows.

The request only says what is wanted. A worker exports the commit to a folder of its own and does it. What
is under way, or went wrong, is a note in the cache: the rows say what came of it.
"""

import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from engines import git
from engines.domain.errors import Conflict
from engines.domain.results import Actor
from engines.domain.states import RevisionState
from engines.models import Engine
from engines.services import bots, integration, promotions
from engines.signals import acted, orphan_work_asked
from orphans.domain.errors import MenaceError
from orphans.sandbox import remove_tree
from orphans.services import documents, flow, planning
from orphans.services.flow import Task
from orphans.services.sweeping import checkouts

KINDS: Final = ("scan", "test", "integrate")
NOTE_SECONDS: Final = 900
STALE_SECONDS: Final = 3_600.0
LISTED: Final = 20
Order = dict[str, Any]


def ask(kind: str, engine: Engine, *, actor: Actor, paths: Sequence[str] = ()) -> Order:
    """Note what is wanted and send it to a worker; return the order.

    `kind` is one of `KINDS`; all but `scan` name modules by their paths. Raises Conflict when the engine is
    switched off, or a scan of it is under way.
    """
    if not engine.enabled:
        raise Conflict(f"{engine.name} is switched off, and nothing of it runs; switch it on first")
    token = secrets.token_hex(8)
    order = {"kind": kind, "engine_id": engine.pk, "token": token, "paths": list(paths), "by": vars(actor)}
    note = {"kind": kind, "by": actor.label, "at": timezone.now(), "count": len(paths), "failed": ""}
    before = noted(engine.pk, kind)
    if kind == "scan" and before is not None and not before["failed"]:
        raise Conflict(f"a scan of {engine.name} is under way, asked for by {before['by']}")
    with transaction.atomic():
        # before the order is sent: a worker that is quick takes the note away again
        transaction.on_commit(lambda: cache.set(_key(engine.pk, kind), note, NOTE_SECONDS))
        detail = {"modules": len(paths), "paths": list(paths[:LISTED])} if paths else {}
        target = f"engine:{engine.name}"
        acted.send(sender=Engine, actor=actor, verb=f"orphans.{kind}", target=target, detail=detail)
        orphan_work_asked.send(sender=Engine, order=order)
    return order


def _key(engine_id: int, kind: str) -> str:
    return f"orphan-work:{kind}:{engine_id}"


def noted(engine_id: int, kind: str) -> dict[str, Any] | None:
    """Return what is known of the latest work of a kind that has not ended well: who, when, why it failed."""
    found = cache.get(_key(engine_id, kind))
    return found if isinstance(found, dict) else None


def under_way(engines: Iterable[Engine]) -> list[dict[str, Any]]:
    """Return the notes of engines' work with the engine's name, of each kind at most one."""
    keys = {_key(engine.pk, kind): engine.name for engine in engines for kind in KINDS}
    found = cache.get_many(keys) if keys else {}
    return [{**note, "engine": keys[key]} for key, note in found.items() if isinstance(note, dict)]


def failed(order: Mapping[str, Any], why: str) -> None:
    """Note that work came to nothing, and why."""
    note = noted(order["engine_id"], order["kind"]) or {"kind": order["kind"], "at": timezone.now()}
    by = order["by"]["label"]
    note = {"count": len(order["paths"]), **note, "by": by, "failed": why[:500]}
    cache.set(_key(order["engine_id"], order["kind"]), note, NOTE_SECONDS)


def carry_out(order: Mapping[str, Any]) -> None:
    """Do what was asked for. What can be explained is noted, everything else is raised after a note."""
    engine = Engine.objects.get(pk=order["engine_id"])
    try:
        WORK[order["kind"]](engine, order)
    except (MenaceError, OSError) as error:
        failed(order, str(error))
    except Exception as error:
        failed(order, f"{type(error).__name__}; the worker's log has the trace")
        raise
    else:
        cache.delete(_key(engine.pk, order["kind"]))


def _scan(engine: Engine, order: Mapping[str, Any]) -> None:
    with _exported(engine, order["token"]) as (place, commit):
        flow.look(_task(engine, order, place, commit))


def _test(engine: Engine, order: Mapping[str, Any]) -> None:
    """Queue a set of self-tests whose folder is there before any worker hears of it."""
    with _exported(engine, order["token"]) as (place, commit):
        task = _task(engine, order, place, commit)
        plan = planning.plan(
            engine.name,
            checkout=place,
            switches=task.switches,
            import_paths=task.import_paths,
            named=task.named,
            again=True,
        )
        kept = checkouts() / f"web-{order['token']}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        with transaction.atomic():
            flow.begin(replace(task, checkout=kept), plan, wake=True, owned_checkout=True)
            # workers hear of it after the commit; the sweep knows the folder from then on, too
            place.rename(kept)


def _integrate(engine: Engine, order: Mapping[str, Any]) -> None:
    """Try modules that are in the module map in workflows, and write the JSON files."""
    with _exported(engine, order["token"]) as (place, commit):
        made = integration.try_integrate_into_workflows(
            engine, place, commit, paths=order["paths"], by=order["by"]["label"]
        )
    for revision in made:
        if revision.state == RevisionState.CANDIDATE:
            promotions.open_promotion(revision, requested_by=Actor(**order["by"]))
    documents.export(engine.name)


WORK: Final = {"scan": _scan, "test": _test, "integrate": _integrate}


def _task(engine: Engine, order: Mapping[str, Any], place: Path, commit: str) -> Task:
    return Task(
        subject=engine.name,
        checkout=place,
        source=f"web:{order['token']}:{commit[:12]}",
        commit=commit,
        repository=engine.repository,
        import_paths=bots.manifest_of(engine).import_paths,
        switches=flow.switches_of_settings(),
        named=tuple(order["paths"]),
        actor=Actor(**order["by"]),
    )


@contextmanager
def _exported(engine: Engine, token: str) -> Iterator[tuple[Path, str]]:
    """Give the files of the engine's commit in a folder that lasts as long as it is looked at."""
    root = Path(settings.DATA_DIR) / "orphan_work"
    _sweep(root)
    commit, place = bots.head(engine), root / token
    try:
        git.export(Path(engine.repository), commit, place)
        yield place, commit
    finally:
        remove_tree(place)


def _sweep(root: Path) -> None:
    """Remove what workers that died left behind."""
    before = time.time() - STALE_SECONDS
    for place in root.iterdir() if root.is_dir() else ():
        if place.stat().st_mtime < before:
            remove_tree(place)
