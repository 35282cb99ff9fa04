"""Writes the progress of modules: what each run brought, which are complete, and which a person reopened."""

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from forecasting.domain.acting import Acting
from forecasting.domain.progress import Progress
from forecasting.domain.rankings import Limits, Mark
from forecasting.models import ModuleProgress
from forecasting.models.tracking import SUBJECT_CHARS, WORDS_CHARS
from forecasting.signals import acted

MAX_AT_ONCE: Final = 1_000
SUMS: Final = ("samples", "roi_total", "roi_count", "entropy_change", "entropy_changes", "recent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Brought:
    """What one cycle measured of one module; None where it didn't."""

    roi: float | None = None
    synergy: float | None = None
    #: Shannon entropy of its calls, bits
    entropy: float | None = None


def move_on(
    subject: str,
    cycle: int,
    brought: Mapping[str, Brought],
    *,
    limits: Limits,
    scale: float | None,
) -> dict[str, Mark]:
    """Count what a cycle brought its modules, by path; return those that are complete from now on, and why.

    A repeated call replaces what the same cycle told. `scale`: usual size of a ROI delta of the subject.
    Raises ValueError for a bad subject, numbers that are not finite, or more than 1,000 modules.
    """
    _check(subject, brought)
    if not brought:
        return {}
    with transaction.atomic(savepoint=False):
        rows = _locked(subject, brought)
        marks = {}
        for row in rows:
            mark = _moved(row, cycle, brought[row.path], limits, scale)
            if mark:
                marks[row.path] = mark
                row.complete, row.completed_at, row.completed_by = True, timezone.now(), f"cycle {cycle}"
                row.reason = mark.reason[:WORDS_CHARS]
        _write(rows, "entropy", *SUMS, "updated_at", "complete", "completed_at", "completed_by", "reason")
    return marks


def expected(
    subject: str, cycle: int, brought: Mapping[str, Brought], *, limits: Limits, scale: float | None
) -> dict[str, Mark]:
    """Return what `move_on` would; nothing is written."""
    _check(subject, brought)
    known = {row.path: row for row in _of(subject, brought)} if brought else {}
    rows = [known.get(path) or ModuleProgress(subject=subject, path=path) for path in sorted(brought)]
    found = {row.path: _moved(row, cycle, brought[row.path], limits, scale) for row in rows}
    return {path: mark for path, mark in found.items() if mark}


def _check(subject: str, brought: Mapping[str, Brought]) -> None:
    if not 0 < len(subject) <= SUBJECT_CHARS or len(brought) > MAX_AT_ONCE:
        raise ValueError(f"a subject of 1 to {SUBJECT_CHARS} characters, at most {MAX_AT_ONCE} modules")
    for path, each in brought.items():
        for value in (each.roi, each.synergy, each.entropy):
            if value is not None and not math.isfinite(value):
                raise ValueError(f"{path}: only finite numbers are measured, not {value!r}")


def _locked(subject: str, paths: Collection[str]) -> list[ModuleProgress]:
    """Return a locked row for each path, in one order for everybody; missing ones are made."""
    wanted = [ModuleProgress(subject=subject, path=path) for path in sorted(paths)]
    ModuleProgress.objects.bulk_create(wanted, ignore_conflicts=True)
    return list(_of(subject, paths).select_for_update(no_key=True).order_by("path"))


def _of(subject: str, paths: Collection[str]) -> "QuerySet[ModuleProgress]":
    return ModuleProgress.objects.filter(subject=subject, path__in=list(paths))


def _moved(
    row: ModuleProgress, cycle: int, brought: Brought, limits: Limits, scale: float | None
) -> Mark | None:
    """Move a row's sums on; return why it is complete if it wasn't before."""
    before = Progress(**{name: getattr(row, name) for name in SUMS})
    after = before.moved_on(cycle, roi=brought.roi, synergy=brought.synergy, entropy=brought.entropy)
    for name in SUMS:
        setattr(row, name, getattr(after, name))
    row.entropy, row.updated_at = after.entropy, timezone.now()
    return None if row.complete else after.judged(limits, scale=scale)


def _write(rows: list[ModuleProgress], *columns: str) -> None:
    """Write columns of rows that are there; one INSERT that always conflicts is the quickest way."""
    ModuleProgress.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["id"], update_fields=columns
    )


def complete_of(subject: str) -> dict[str, str]:
    """Return the modules that later cycles skip, each with the reason."""
    return dict(ModuleProgress.objects.complete(subject).order_by("path").values_list("path", "reason"))


def reopen(ids: Iterable[int], *, actor: Acting, reason: str = "") -> list[ModuleProgress]:
    """Let later cycles work on complete modules again, audited; return those that were complete.

    A module needs a full new streak to become complete once more. Raises ValueError for more than 1,000.
    """
    wanted = sorted(set(ids))
    if len(wanted) > MAX_AT_ONCE:
        raise ValueError(f"{len(wanted)} modules at once; at most {MAX_AT_ONCE}")
    with transaction.atomic():
        rows = ModuleProgress.objects.filter(pk__in=wanted, complete=True)
        found = list(rows.select_for_update(no_key=True).order_by("pk"))
        for row in found:
            row.complete, row.reopened_at = False, timezone.now()
            row.reopened_by, row.reopened_reason = actor.label[:150], reason[:WORDS_CHARS]
            row.recent = list(Progress(recent=row.recent).reopened().recent)
        _write(found, "complete", "reopened_at", "reopened_by", "reopened_reason", "recent")
        for row in found:
            detail = {"subject": row.subject, "path": row.path, "was": row.reason, "reason": reason[:300]}
            target = f"module:{row.pk}"
            acted.send(sender=ModuleProgress, actor=actor, verb="module.reopen", target=target, detail=detail)
    return found
