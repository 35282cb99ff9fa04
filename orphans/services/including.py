"""The module map: takes modules in, takes them out, and undoes either."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now

from orphans.domain.candidates import may_be_mapped
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.models import ModuleMapEntry, ModuleRun, OrphanModule
from orphans.services import tallies

NOT_PASSED: Final = "its self-test has not passed"
NEVER: Final = "{}: tested, but never in the module map"
UNCOUNTED: Final = "its side effects were not counted, so whether they are few is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class Included:
    """What entered the module map, and why the others did not."""

    added: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


def include(
    subject: str,
    paths: Iterable[str],
    *,
    by: str,
    source: str,
    refused: Mapping[str, str] | None = None,
    counted: bool = True,
) -> Included:
    """Take modules whose self-test passed into the map, in one transaction; what is in it stays as it is.

    Modules of one island get one group number. `refused` are paths that the caller keeps out, with the
    reason. `counted`: refuse modules whose side effects are not known.
    """
    with transaction.atomic():
        wanted = OrphanModule.objects.of(subject).filter(path__in=list(paths)).select_for_update()
        rows = sorted(wanted, key=lambda row: (len(row.chain), row.path))
        reasons = _reasons(rows, refused or {}, counted=counted)
        taken = [row for row in rows if row.path not in reasons and row.state != ModuleState.INTEGRATED]
        _add(subject, taken, by=by, source=source)
        for row in rows:
            if row.path in reasons and row.state == ModuleState.PASSED:
                _explain(row, reasons[row.path])
    return Included(added=tuple(row.path for row in taken), refused=reasons)


def _reasons(rows: Iterable[OrphanModule], refused: Mapping[str, str], *, counted: bool) -> dict[str, str]:
    """Return why modules are kept out: what the caller says goes first."""
    asked = [row for row in rows if row.path not in refused]
    found = {row.path: _refusal(row, counted=counted) for row in asked}
    return {**refused, **{path: reason for path, reason in found.items() if reason}}


def _refusal(row: OrphanModule, *, counted: bool) -> str:
    if row.state == ModuleState.INTEGRATED:
        return ""
    if row.state != ModuleState.PASSED:
        return row.state_reason or NOT_PASSED
    if not may_be_mapped(Classification(row.classification), redundant=row.redundant):
        words = "redundant" if row.redundant else row.classification
        return NEVER.format(words)
    return UNCOUNTED if counted and row.side_effects is None else ""


def _explain(row: OrphanModule, reason: str) -> None:
    OrphanModule.objects.filter(pk=row.pk).update(state_reason=reason[:500], updated_at=Now())


def _add(subject: str, rows: list[OrphanModule], *, by: str, source: str) -> None:
    if not rows:
        return
    groups = _groups(subject, rows)
    runs = _latest_runs(subject, [row.path for row in rows])
    entries = [
        ModuleMapEntry(
            subject=subject,
            path=row.path,
            group=groups[row.path],
            content_hash=row.content_hash,
            provenance=_provenance(row, source),
            run_id=runs.get(row.path),
            added_at=Now(),
            added_label=by[:150],
        )
        for row in rows
    ]
    ModuleMapEntry.objects.bulk_create(entries)
    for row in rows:
        OrphanModule.objects.move(row.pk, ModuleState.INTEGRATED, sources=[ModuleState.PASSED])
    isolated = sum(row.isolated for row in rows)
    tallies.add(subject, {tallies.REINTRODUCED: len(rows), tallies.ISOLATED_INTEGRATED: isolated})


def _provenance(row: OrphanModule, source: str) -> dict[str, Any]:
    return {
        "source": source,
        "commit": row.scan.commit if row.scan else "",
        "classification": row.classification,
        "confidence": row.confidence,
        "side_effects": row.side_effects,
        "head": row.head,
    }


def _groups(subject: str, rows: list[OrphanModule]) -> dict[str, int]:
    """Return the group of each path: that of its island if it is in the map already, else a new number."""
    entries = ModuleMapEntry.objects.filter(subject=subject)
    active = dict(entries.filter(removed_at=None).values_list("path", "group"))
    following = (entries.aggregate(most=Max("group"))["most"] or 0) + 1
    by_head: dict[str, int] = {}
    for row in rows:
        head = row.head or row.path
        known = [active[path] for path in (head, *row.chain, *row.parents) if path in active]
        if head not in by_head:
            by_head[head] = known[0] if known else following
            following += not known
    return {row.path: by_head[row.head or row.path] for row in rows}


def _latest_runs(subject: str, paths: list[str]) -> dict[str, int]:
    runs = ModuleRun.objects.filter(subject=subject, path__in=paths, state="passed").order_by("id")
    return dict(runs.values_list("path", "id"))


def take_out(subject: str, paths: Iterable[str], *, by: str, reason: str = "") -> list[str]:
    """Take modules out of the map; they are back in the queue. Return the paths that were in it."""
    with transaction.atomic():
        entries = ModuleMapEntry.objects.filter(subject=subject, path__in=list(paths), removed_at=None)
        found = list(entries.select_for_update().values_list("path", flat=True))
        entries.update(removed_at=Now(), removed_label=by[:150])
        rows = OrphanModule.objects.of(subject).filter(path__in=found)
        for pk in rows.values_list("pk", flat=True):
            text = reason or f"taken out of the module map by {by}"
            OrphanModule.objects.move(pk, ModuleState.RESTORED, sources=[ModuleState.INTEGRATED], reason=text)
    return sorted(found)
