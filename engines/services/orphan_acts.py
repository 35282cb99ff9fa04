"""What people do with orphan modules of engines: test, retire, restore, take in; one or many at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from django.conf import settings

from engines.domain.errors import Conflict
from engines.domain.results import Actor, Tally
from engines.domain.unseen import visible
from engines.models import Engine
from engines.services import orphan_work
from engines.signals import acted
from orphans.domain.states import UNDOABLE, ModuleState
from orphans.models import OrphanModule
from orphans.services import decisions, including
from orphans.services.decisions import RETIRABLE

FITS: Final[Mapping[str, tuple[ModuleState, ...]]] = {
    "test": (*RETIRABLE,),
    "retire": (*RETIRABLE,),
    "restore": tuple(sorted(UNDOABLE)),
    "integrate": (ModuleState.PASSED,),
}
"""The states from which an act is possible at all."""

BACK: Final[Mapping[str, str]] = {"retire": "restore", "integrate": "restore", "restore": "retire"}
"""What takes an act back."""

REASON_CHARS: Final = 300
Rows = Sequence[OrphanModule]


def act_on(act: str, rows: Rows, *, actor: Actor, reason: str = "") -> Tally:
    """Do one act on modules; what it doesn't fit is left alone and told."""
    fits = [row for row in rows if row.state in FITS[act]]
    others = tuple(f"{row.path} is {row.state}" for row in rows if row.state not in FITS[act])
    tally = ACTS[act](fits, actor, reason[:REASON_CHARS])
    return Tally(tally.done, tuple(visible(text) for text in (*tally.refused, *others)))


def _decided(rows: Rows, decided: decisions.Decided) -> Tally:
    changed = set(decided.changed)
    done = tuple((row.pk, row.state) for row in rows if row.pk in changed)
    return Tally(done, tuple(decided.refused.values()))


def _retire(rows: Rows, actor: Actor, reason: str) -> Tally:
    return _decided(rows, decisions.retire([row.pk for row in rows], actor=actor, reason=reason))


def _restore(rows: Rows, actor: Actor, _reason: str) -> Tally:
    return _decided(rows, decisions.restore([row.pk for row in rows], actor=actor))


def _by_engine(rows: Rows) -> Iterable[tuple[Engine, list[OrphanModule]]]:
    for engine in Engine.objects.filter(name__in={row.subject for row in rows}).order_by("name"):
        yield engine, [row for row in rows if row.subject == engine.name]


def _test(rows: Rows, actor: Actor, _reason: str) -> Tally:
    """Ask for a set of self-tests for each engine."""
    done: list[tuple[int, str]] = []
    refused: list[str] = []
    for engine, modules in _by_engine(rows):
        try:
            orphan_work.ask("test", engine, actor=actor, paths=[row.path for row in modules])
            done += [(row.pk, row.state) for row in modules]
        except Conflict as error:
            refused.append(str(error))
    return Tally(tuple(done), tuple(refused))


def _integrate(rows: Rows, actor: Actor, _reason: str) -> Tally:
    """Take modules into the map at once; a worker tries them in workflows afterwards."""
    done: list[tuple[int, str]] = []
    refused: list[str] = []
    for engine, modules in _by_engine(rows):
        included = including.include(
            engine.name,
            [row.path for row in modules],
            by=actor.label,
            source="web",
            counted=settings.SANDBOX.capture_side_effects,
        )
        taken = [row for row in modules if row.path in included.added]
        done += [(row.pk, row.state) for row in taken]
        refused += [f"{path}: {reason}" for path, reason in included.refused.items()]
        _tell_taken(taken, actor)
        refused += _tried(engine, taken, actor)
    return Tally(tuple(done), tuple(refused))


def _tell_taken(taken: Rows, actor: Actor) -> None:
    OrphanModule.objects.filter(pk__in=[row.pk for row in taken]).update(decided_label=actor.label[:150])
    for row in taken:
        detail = {"subject": row.subject, "path": row.path, "was": row.state}
        target = f"orphan:{row.pk}"
        acted.send(sender=OrphanModule, actor=actor, verb="orphan.integrate", target=target, detail=detail)


def _tried(engine: Engine, taken: Rows, actor: Actor) -> list[str]:
    if not taken:
        return []
    try:
        orphan_work.ask("integrate", engine, actor=actor, paths=[row.path for row in taken])
    except Conflict as error:
        return [f"no workflow was tried: {error}"]
    return []


ACTS: Final[Mapping[str, Callable[[Rows, Actor, str], Tally]]] = {
    "test": _test,
    "retire": _retire,
    "restore": _restore,
    "integrate": _integrate,
}


def begin(act: str, *, actor: Actor, filtered: str, total: str) -> None:
    """Write down that somebody acts on all modules that a filter lets through."""
    detail = {"act": act, "filter": filtered[:300], "modules": total}
    acted.send(sender=OrphanModule, actor=actor, verb=f"orphans.{act}_all", target="orphans", detail=detail)


def way_back(act: str, done: Sequence[tuple[int, str]]) -> list[tuple[int, tuple[str, ...]]]:
    """Return for each module that can be put back the act that does so."""
    return [(pk, (BACK[act],)) for pk, state in done if act in BACK and _was_settled(act, state)]


def _was_settled(act: str, state: str) -> bool:
    """Whether a restored module was a retired one: what left the module map is not taken in again unasked."""
    return act != "restore" or state == ModuleState.RETIRED


def put_back(steps: Iterable[tuple[int, Sequence[str]]], *, actor: Actor) -> Tally:
    """Take acts back, one kind at once; what moved on since is left alone and told."""
    by_act: dict[str, list[int]] = {}
    for pk, (act,) in steps:
        by_act.setdefault(act, []).append(pk)
    tallies = [
        act_on(act, list(OrphanModule.objects.filter(pk__in=ids)), actor=actor, reason="taken back")
        for act, ids in by_act.items()
    ]
    return Tally(
        tuple(row for tally in tallies for row in tally.done),
        tuple(reason for tally in tallies for reason in tally.refused),
    )
