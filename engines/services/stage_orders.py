"""Hard stages that a person asks for now: of one workflow, of a candidate beside what is live, or of all.

The request only says what is wanted; a worker runs it. What is under way is a note in the cache, at most one
an engine: who asks once more while it is there hears of it and sets nothing off. What came of it are rows.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.core.cache import cache
from django.db import transaction
from django.utils import timezone

from engines.domain.cycle import Interrupted
from engines.domain.errors import Conflict, InvalidInput, MenaceError
from engines.domain.results import Actor
from engines.domain.states import RevisionState
from engines.domain.workflows.stages import STAGES
from engines.models import Engine, WorkflowRevision
from engines.services import bots, promotions, temporal_stages, workflows
from engines.services.pulse import closing
from engines.services.stage_runs import REPEATS, SECONDS
from engines.signals import acted, stages_asked
from orphans.sandbox import Measurement, RunSpec
from orphans.sandbox import run as sandbox_run

NOTE_SECONDS: Final = 900
"""A note of work that nobody touched for so long is forgotten: its worker is gone."""
SILENT_SECONDS: Final = 150.0
"""A worker tells of each run, which takes 90 seconds at most: one that is silent for so long is gone."""
LISTEN_SECONDS: Final = 1.0
ENDED: Final = ("failed", "cancelled", "done")
RUNNABLE: Final = (RevisionState.ACTIVE, RevisionState.CANDIDATE)
Order = dict[str, Any]
Note = dict[str, Any]


def ask(engine: Engine, *, actor: Actor, workflow: str = "", revision: int | None = None) -> Note:
    """Have the stages run now, and return the note of it; the one that is there already where one is.

    `workflow`: only this one; `revision`: a candidate of it beside what is live. Raises Conflict when the
    engine is switched off or the revision is neither, InvalidInput for what the engine doesn't have.
    """
    if not engine.enabled:
        raise Conflict(f"{engine.name} is switched off, and nothing of it runs; switch it on first")
    chosen = _chosen(engine, workflow, revision)
    order = {"engine_id": engine.pk, "token": secrets.token_hex(8), "revisions": chosen, "by": vars(actor)}
    note: Note = {
        "engine": engine.name,
        "token": order["token"],
        "state": "waiting",
        "by": actor.label,
        "at": timezone.now(),
        "heard": timezone.now(),
        "revisions": chosen,
        "done": 0,
        "of": len(chosen) * len(STAGES) * REPEATS,
        "message": "",
    }
    if not cache.add(_lock(engine.pk), order["token"], NOTE_SECONDS):  # a second click, or a second person
        return noted(engine.pk) or note
    cache.set(_key(engine.pk), note, NOTE_SECONDS)
    with transaction.atomic():
        detail = {"workflow": workflow, "revisions": chosen}
        target = f"engine:{engine.name}"
        acted.send(sender=Engine, actor=actor, verb="stages.run", target=target, detail=detail)
        stages_asked.send(sender=Engine, order=order)
    return note


def _chosen(engine: Engine, workflow: str, revision: int | None) -> list[int]:
    """Return the ids of the revisions that shall run: what is live first, then the candidate."""
    known = sorted(bots.manifest_of(engine).workflows)
    if revision is not None:
        row = WorkflowRevision.objects.filter(engine=engine, pk=revision).first()
        if row is None or row.workflow not in known:
            raise InvalidInput(f"{engine.name} has no revision {revision}", field="revision")
        if row.state not in RUNNABLE:
            raise Conflict(f"revision {revision} is {row.state}; what is live or a candidate can be run")
        return list(dict.fromkeys([workflows.current(engine, row.workflow).pk, row.pk]))
    if not known or (workflow and workflow not in known):
        told = ", ".join(known) or "none"
        raise InvalidInput(f"{engine.name} has no such workflow; it has {told}", field="workflow")
    return [workflows.current(engine, name).pk for name in ([workflow] if workflow else known)]


def _key(engine_id: int) -> str:
    return f"stages-asked:{engine_id}"


def _lock(engine_id: int) -> str:
    return f"stages-lock:{engine_id}"


def _cancel_key(token: str) -> str:
    return f"stages-cancel:{token}"


def noted(engine_id: int) -> Note | None:
    """Return what is known of the stages that were asked for last: state, who, when, how far."""
    found = cache.get(_key(engine_id))
    return found if isinstance(found, dict) else None


def cancel(engine: Engine, *, actor: Actor) -> Note:
    """Stop what is under way within seconds, and return its note; Conflict when nothing is.

    What no worker has taken up, or whose worker hasn't been heard of, has ended with this.
    """
    note = noted(engine.pk)
    if note is None or note["state"] in ENDED:
        raise Conflict(f"no stages of {engine.name} are under way")
    if cache.add(_cancel_key(note["token"]), actor.label, NOTE_SECONDS):
        target = f"engine:{engine.name}"
        detail = {"revisions": note["revisions"]}
        with transaction.atomic():
            acted.send(sender=Engine, actor=actor, verb="stages.cancel", target=target, detail=detail)
    alone = note["state"] == "waiting" or (timezone.now() - note["heard"]).total_seconds() > SILENT_SECONDS
    news = {"state": "cancelled", "message": f"cancelled by {actor.label}"} if alone else {}
    return _told(engine.pk, note["token"], **{"message": "it is being stopped", **news}) or note


def _told(engine_id: int, token: str, **news: Any) -> Note | None:
    """Change the note while it is this order's; None where it is another's, came to an end or is gone."""
    note = noted(engine_id)
    if note is None or note["token"] != token or note["state"] in ENDED:
        return None
    changed = {**note, "heard": timezone.now(), **news}
    cache.set(_key(engine_id), changed, NOTE_SECONDS)
    if changed["state"] in ENDED:
        cache.delete(_lock(engine_id))
    else:
        cache.touch(_lock(engine_id), NOTE_SECONDS)
    return changed


def failed(order: Mapping[str, Any], why: str) -> None:
    """Note that it came to nothing, and why."""
    _told(order["engine_id"], order["token"], state="failed", message=why[:500])


@dataclass
class _Watch:
    """Counts the runs of an order for its note, and hears when somebody cancels it."""

    engine_id: int
    token: str
    run_one: Callable[..., Measurement] = sandbox_run
    done: int = 0
    cancelled: bool = False
    _heard: float = field(default=-LISTEN_SECONDS)

    def is_set(self) -> bool:
        """Whether to stop now; the cache is asked once a second."""
        if time.monotonic() - self._heard >= LISTEN_SECONDS:
            self._heard = time.monotonic()
            self.cancelled = self.cancelled or cache.get(_cancel_key(self.token)) is not None
        return self.cancelled or closing.asked

    def run(self, spec: RunSpec, **more: Any) -> Measurement:
        """Carry out one run and count it."""
        found = self.run_one(spec, **more)
        self.done += 1
        _told(self.engine_id, self.token, done=self.done, state="running")
        return found


def carry_out(order: Mapping[str, Any], *, run_one: Callable[..., Measurement] = sandbox_run) -> str:
    """Run what was asked for; return "done", or "busy" where other stages run or this process ends.

    A message that comes twice, or after somebody else's order, does nothing. What can be explained is noted,
    everything else is raised after a note.
    """
    engine_id, token = order["engine_id"], order["token"]
    if _told(engine_id, token) is None:
        return "done"
    if not cache.add(temporal_stages.LOCK, 1, SECONDS):
        return "busy"
    watch = _Watch(engine_id, token, run_one)
    try:
        _run_all(order, watch)
    except Interrupted:
        if not watch.cancelled:
            return "busy"
        who = cache.get(_cancel_key(token)) or "somebody"
        _told(engine_id, token, state="cancelled", message=f"cancelled by {who}; what had ended is kept")
    except (MenaceError, OSError) as error:
        failed(order, str(error))
    except Exception as error:
        failed(order, f"{type(error).__name__}; the worker's log has the trace")
        raise
    else:
        _told(engine_id, token, state="done", message="")
    finally:
        cache.delete(temporal_stages.LOCK)
    return "done"


def _run_all(order: Mapping[str, Any], watch: _Watch) -> None:
    """Run each revision, then have the gate look again at what it held for want of this."""
    engine = Engine.objects.get(pk=order["engine_id"])
    rows = WorkflowRevision.objects.in_bulk(order["revisions"])
    for pk in order["revisions"]:
        if watch.is_set():
            raise Interrupted
        row = temporal_stages.measure(engine, rows[pk], by=order["by"]["label"], cancel=watch, runner=watch)
        promotions.renew(engine.pk, row.workflow)
