"""One act on many cycles, in bounded batches by key. Each cycle's act is checked and audited by itself."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import Actor, Tally
from engines.domain.states import STEPS, CycleState
from engines.models import Cycle
from engines.services.cycles import cancel_cycle, pause_cycle, resume_cycle, retry_cycle
from engines.signals import acted

ACTS: Mapping[str, Callable[..., Cycle]] = {
    "cancel": cancel_cycle,
    "pause": pause_cycle,
    "resume": resume_cycle,
}
FITS: Mapping[str, tuple[CycleState, ...]] = {
    "cancel": (CycleState.QUEUED, CycleState.RUNNING, CycleState.PAUSED),
    "pause": (CycleState.QUEUED, CycleState.RUNNING),
    "resume": (CycleState.PAUSED,),
}
"""The states from which an act is possible at all."""

BACK: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("pause", "queued"): ("resume",),
    ("resume", "paused"): ("pause",),
    ("cancel", "queued"): ("requeue",),
    ("cancel", "paused"): ("requeue", "pause"),
}
"""What takes an act back, by the state a cycle was in. A running step that was stopped can't be unstopped."""


def act_on(act: str, rows: Iterable[tuple[int, str]], *, actor: Actor) -> Tally:
    """Do one act on each cycle (id, state it is in); what it doesn't fit is left alone and told."""
    done: list[tuple[int, str]] = []
    refused: list[str] = []
    for pk, state in rows:
        try:
            ACTS[act](pk, actor=actor)
            done.append((pk, state))
        except Conflict as error:
            refused.append(str(error))
    return Tally(tuple(done), tuple(refused))


def begin(act: str, *, actor: Actor, filtered: str, total: str) -> None:
    """Write down that somebody acts on all cycles that a filter lets through."""
    detail = {"act": act, "filter": filtered[:300], "cycles": total}
    acted.send(sender=Cycle, actor=actor, verb=f"cycles.{act}", target="cycles", detail=detail)


def way_back(act: str, done: Sequence[tuple[int, str]]) -> list[tuple[int, tuple[str, ...]]]:
    """Return for each cycle that can be put back what does so."""
    return [(pk, BACK[act, state]) for pk, state in done if (act, state) in BACK]


def put_back(steps: Iterable[tuple[int, Sequence[str]]], *, actor: Actor) -> Tally:
    """Take acts back; what moved on since is left alone and told."""
    done: list[tuple[int, str]] = []
    refused: list[str] = []
    for pk, acts in steps:
        try:
            for act in acts:
                _back(act, pk, actor)
            done.append((pk, ""))
        except (Conflict, InvalidInput) as error:
            refused.append(str(error))
    return Tally(tuple(done), tuple(refused))


def _back(act: str, pk: int, actor: Actor) -> Any:
    if act != "requeue":
        return ACTS[act](pk, actor=actor)
    step = Cycle.objects.values_list("step", flat=True).get(pk=pk)
    return retry_cycle(pk, from_step=step or STEPS[0], actor=actor)
