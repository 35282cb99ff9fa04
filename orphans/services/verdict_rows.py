"""Writes verdicts: the run's row, its module's, and the counts, in one transaction under the fence."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState, RunState
from orphans.models import ModuleRun, OrphanModule, SelfTestRun
from orphans.models.words import WORDS_CHARS
from orphans.services import tallies
from orphans.services.executing import Report
from orphans.services.leases import Lease
from orphans.signals import run_finished

BECOMES: Final[Mapping[RunState, ModuleState]] = {
    RunState.PASSED: ModuleState.PASSED,
    RunState.FAILED: ModuleState.FAILED,
    RunState.SKIPPED: ModuleState.SKIPPED,
    RunState.CANCELLED: ModuleState.FOUND,
}
OPEN: Final = (
    ModuleState.FOUND, ModuleState.QUEUED, ModuleState.TESTING, ModuleState.PASSED, ModuleState.FAILED,
    ModuleState.SKIPPED, ModuleState.RESTORED,
)  # fmt: skip
"""States that a verdict may change; a decision of a person stays."""


def write(lease: Lease, row: ModuleRun, report: Report) -> bool:
    """Write what a self-test found; False when another worker has it by now, and nothing was written."""
    state = report.verdict.state
    with transaction.atomic():
        columns = {"state": state, "reason": report.verdict.reason[:WORDS_CHARS], **report.facts}
        if not _fenced(lease, **columns, finished_at=Now()):
            return False
        heavy = report.effects is not None and report.effects.is_heavy
        _move_module(row, state, report.verdict.reason, report.facts, heavy=heavy)
        _count(row, state, report.facts, heavy=heavy)
        _tell(row, state)
    return True


def give_up(lease: Lease, row: ModuleRun, reason: str) -> bool:
    """Fail a self-test that ends every worker that takes it."""
    with transaction.atomic():
        if not _fenced(lease, state=RunState.FAILED, reason=reason, finished_at=Now()):
            return False
        _move_module(row, RunState.FAILED, reason, {}, heavy=False)
        _count(row, RunState.FAILED, {}, heavy=False)
        _tell(row, RunState.FAILED)
    return True


def give_back(lease: Lease) -> bool:
    """Let go of a self-test that was stopped, so that it is done anew; that was no fault of its own."""
    return _fenced(lease, state=RunState.QUEUED, attempts=max(0, lease.attempts - 1))


def _fenced(lease: Lease, **columns: Any) -> bool:
    mine = ModuleRun.objects.filter(pk=lease.run_id, lease_token=lease.token, state=RunState.RUNNING)
    return mine.update(**columns, lease_owner="", lease_until=None) == 1


def _move_module(
    row: ModuleRun, state: RunState, reason: str, facts: Mapping[str, Any], *, heavy: bool
) -> None:
    module = OrphanModule.objects.filter(
        subject=row.subject, path=row.path, content_hash=row.content_hash, state__in=OPEN
    )
    measured = {name: facts[name] for name in ("side_effects", "coverage", "score") if name in facts}
    became = {"classification": Classification.HEAVY_SIDE_EFFECTS} if heavy else {}
    module.update(
        state=BECOMES[state],
        state_reason=reason[:WORDS_CHARS],
        tested_at=Now(),
        updated_at=Now(),
        **measured,
        **became,
    )


def _count(row: ModuleRun, state: RunState, facts: Mapping[str, Any], *, heavy: bool) -> None:
    tried = sum(facts.get(name) or 0 for name in ("file_writes", "network_connections", "subprocesses"))
    counts = {
        tallies.TESTED: int(state in (RunState.PASSED, RunState.FAILED) or heavy),
        tallies.FAILED: int(state is RunState.FAILED),
        tallies.SIDE_EFFECTS: tried,
        tallies.RECLASSIFIED: int(heavy and row.classification != Classification.HEAVY_SIDE_EFFECTS),
    }
    tallies.add(row.subject, counts)


def _tell(row: ModuleRun, state: RunState) -> None:
    news = {"run_id": row.pk, "batch_id": row.batch_id, "subject": row.subject, "path": row.path}
    run_finished.send(sender=ModuleRun, **news, state=state)


def mark_queued(subject: str, paths: Iterable[str]) -> None:
    """Show that modules wait for their self-test."""
    modules = OrphanModule.objects.of(subject).filter(path__in=list(paths), state__in=OPEN)
    modules.update(state=ModuleState.QUEUED, state_reason="", updated_at=Now())


def mark_skipped(subject: str, reasons: Mapping[str, str]) -> None:
    """Show why modules are not executed."""
    for path, reason in reasons.items():
        module = OrphanModule.objects.of(subject).filter(path=path, state__in=OPEN)
        module.update(state=ModuleState.SKIPPED, state_reason=reason[:WORDS_CHARS], updated_at=Now())


def cancel_waiting(batch: SelfTestRun) -> None:
    """Cancel the self-tests of a set that nobody has taken yet."""
    waiting = batch.runs.filter(state=RunState.QUEUED)
    paths = list(waiting.values_list("path", flat=True))
    waiting.update(state=RunState.CANCELLED, reason="cancelled", finished_at=Now())
    modules = OrphanModule.objects.of(batch.subject).filter(path__in=paths, state=ModuleState.QUEUED)
    modules.update(state=ModuleState.FOUND, updated_at=Now())
