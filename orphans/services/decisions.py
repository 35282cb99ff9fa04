"""What people decide about modules, one or many at once; each decision can be taken back."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models.functions import Now

from orphans.domain.acting import Acting
from orphans.domain.errors import InvalidInput
from orphans.domain.states import ModuleState
from orphans.models import OrphanModule
from orphans.services import including
from orphans.signals import acted

MAX_AT_ONCE = 1_000
Act = Callable[[OrphanModule], bool]
RETIRABLE = (
    ModuleState.FOUND, ModuleState.PASSED, ModuleState.FAILED, ModuleState.SKIPPED, ModuleState.RESTORED,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What a decision changed, and which modules were in a state that doesn't allow it."""

    changed: tuple[int, ...] = ()
    refused: dict[int, str] = field(default_factory=dict)


def retire(ids: Iterable[int], *, actor: Acting, reason: str = "") -> Decided:
    """Settle modules as not wanted: they leave the queue, and no file is touched."""

    def act(row: OrphanModule) -> bool:
        text = reason or f"retired by {actor.label}"
        return OrphanModule.objects.move(row.pk, ModuleState.RETIRED, sources=RETIRABLE, reason=text)

    return _decide(ids, act, actor, "orphan.retire", "only a module that is found or tested can be retired")


def restore(ids: Iterable[int], *, actor: Acting) -> Decided:
    """Undo: a retired module is what it was, an integrated one leaves the map, a skipped one opens."""

    def act(row: OrphanModule) -> bool:
        if row.state == ModuleState.INTEGRATED:
            return bool(including.take_out(row.subject, [row.path], by=actor.label))
        to = ModuleState(row.previous_state or ModuleState.FOUND)
        if row.state == ModuleState.SKIPPED or to not in RETIRABLE:
            to = ModuleState.RESTORED
        allowed = (ModuleState.RETIRED, ModuleState.SKIPPED)
        return OrphanModule.objects.move(row.pk, to, sources=allowed, reason=f"restored by {actor.label}")

    return _decide(ids, act, actor, "orphan.restore", "there is nothing to take back")


def _decide(ids: Iterable[int], act: Act, actor: Acting, verb: str, refusal: str) -> Decided:
    wanted = sorted(set(ids))
    if len(wanted) > MAX_AT_ONCE:
        raise InvalidInput(f"{len(wanted)} modules at once; at most {MAX_AT_ONCE}", field="ids")
    changed, refused = [], dict.fromkeys(wanted, "there is no such module")
    with transaction.atomic():
        for row in OrphanModule.objects.select_for_update().filter(pk__in=wanted).order_by("pk"):
            if act(row):
                changed.append(row.pk)
                refused.pop(row.pk)
                _audit(row, actor, verb)
            else:
                refused[row.pk] = f"{row.path} is {row.state}: {refusal}"
    return Decided(changed=tuple(changed), refused=refused)


def _audit(row: OrphanModule, actor: Acting, verb: str) -> None:
    OrphanModule.objects.filter(pk=row.pk).update(decided_label=actor.label[:150], updated_at=Now())
    detail = {"subject": row.subject, "path": row.path, "was": row.state}
    acted.send(sender=OrphanModule, actor=actor, verb=verb, target=f"orphan:{row.pk}", detail=detail)
