"""`SelfTestService`: sets of self-tests, worked off by any number of processes, each module once.

The rows are the truth: a worker claims one module at a time, writes its verdict under the fence, and the one
that writes the last verdict closes the set. A message that is lost, repeated or forged changes nothing.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now

from orphans.domain.states import ACTIVE_BATCH, BatchState, ModuleState, RunState, TestOrigin
from orphans.domain.tests_of import Tests
from orphans.models import ModuleRun, OrphanModule, SelfTestRun
from orphans.sandbox import Cancel
from orphans.services import executing, verdict_rows
from orphans.services.executing import Order, Report
from orphans.services.leases import MAX_ATTEMPTS, Lease, Watch, claim
from orphans.services.packages import packages_of
from orphans.signals import batch_finished, batch_queued

POLL_SECONDS: Final = 0.2
POISON: Final = f"it ended its worker {MAX_ATTEMPTS} times"

Execute = Callable[..., Report]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One module of a set."""

    path: str
    content_hash: str
    #: dotted name; empty: it is loaded from its file
    module: str
    tests: Tests
    classification: str = ""
    #: why it is not executed; empty: it is
    skip: str = ""


def start_batch(
    subject: str,
    wanted: Iterable[Wanted],
    *,
    source: str,
    checkout: Path,
    commit: str = "",
    by: str = "",
    options: Mapping[str, Any] | None = None,
    owned_checkout: bool = False,
    wake: bool = True,
) -> SelfTestRun:
    """Queue a set of self-tests; a repeated source returns the set that is there.

    `options` has `import_paths`, `modules` (dotted names by path) and may have `limits`. `owned_checkout`:
    the folder is removed once the set has ended. `wake`: send workers; else the caller calls `work_off`.
    """
    with transaction.atomic():
        batch, made = SelfTestRun.objects.get_or_create(
            subject=subject,
            source=source,
            defaults={
                "checkout": str(checkout),
                "commit": commit,
                "requested_label": by[:150],
                "options": dict(options or {}),
                "owned_checkout": owned_checkout,
            },
        )
        if made:
            _add_runs(batch, list(wanted))
            batch_queued.send(sender=SelfTestRun, batch_id=batch.pk, wake=wake)
    return batch


def _add_runs(batch: SelfTestRun, wanted: list[Wanted]) -> None:
    paths = [each.path for each in wanted]
    known = {row.path: row for row in OrphanModule.objects.of(batch.subject).filter(path__in=paths)}
    rows = [_run_row(batch, each, known.get(each.path)) for each in wanted]
    ModuleRun.objects.bulk_create(rows, batch_size=500)
    SelfTestRun.objects.filter(pk=batch.pk).update(total=len(rows))
    batch.total = len(rows)
    waiting = [row.path for row in rows if row.state == RunState.QUEUED]
    verdict_rows.mark_queued(batch.subject, waiting)
    skipped = {each.path: each.skip for each in wanted if each.skip}
    verdict_rows.mark_skipped(batch.subject, skipped)


def _run_row(batch: SelfTestRun, each: Wanted, module: OrphanModule | None) -> ModuleRun:
    skipped = (
        {"state": RunState.SKIPPED, "reason": each.skip[:500], "finished_at": Now()} if each.skip else {}
    )
    return ModuleRun(
        batch=batch,
        module=module,
        subject=batch.subject,
        path=each.path,
        content_hash=each.content_hash,
        classification=each.classification,
        origin=each.tests.origin,
        tests=list(each.tests.files),
        created_at=Now(),
        **skipped,
    )


def work_off(
    batch_id: int,
    *,
    owner: str = "",
    cancel: Cancel | None = None,
    parallel: int = 1,
    execute: Execute = executing.self_test,
) -> SelfTestRun:
    """Work a set off together with whoever else does, until every module has its verdict.

    Returns the set as it ended. When `cancel` is set, what runs is stopped and given back.
    """
    names = [f"{owner or _owner()}:{number}" for number in range(parallel)]
    if parallel == 1:
        _work_until_done(batch_id, names[0], cancel, execute)
    else:
        with ThreadPoolExecutor(parallel, thread_name_prefix="self-test") as pool:
            jobs = [pool.submit(_in_thread, batch_id, name, cancel, execute) for name in names]
            for job in jobs:
                job.result()
    return SelfTestRun.objects.get(pk=batch_id)


def _in_thread(batch_id: int, owner: str, cancel: Cancel | None, execute: Execute) -> None:
    try:
        _work_until_done(batch_id, owner, cancel, execute)
    finally:
        connection.close()


def _work_until_done(batch_id: int, owner: str, cancel: Cancel | None, execute: Execute) -> None:
    while not (cancel and cancel.is_set()):
        work(batch_id, owner=owner, cancel=cancel, execute=execute)
        if close(batch_id):
            return
        time.sleep(POLL_SECONDS)  # another worker has the last ones; should it die, they come back here


def work(
    batch_id: int,
    *,
    owner: str = "",
    cancel: Cancel | None = None,
    seconds: float = float("inf"),
    execute: Execute = executing.self_test,
) -> int:
    """Test modules of a set one after another while there are free ones and time; return how many."""
    until, done = time.monotonic() + seconds, 0
    batch = SelfTestRun.objects.filter(pk=batch_id).first()
    while batch and time.monotonic() < until and not (cancel and cancel.is_set()):
        lease = claim(batch_id, owner or _owner())
        if lease is None:
            break
        _begin(batch_id)
        _carry_out(batch, lease, cancel, execute)
        done += 1
    return done


def _begin(batch_id: int) -> None:
    waiting = SelfTestRun.objects.filter(pk=batch_id, state=BatchState.QUEUED)
    waiting.update(state=BatchState.RUNNING, started_at=Now())


def _carry_out(batch: SelfTestRun, lease: Lease, cancel: Cancel | None, execute: Execute) -> None:
    row = ModuleRun.objects.get(pk=lease.run_id)
    if lease.attempts > MAX_ATTEMPTS:
        verdict_rows.give_up(lease, row, POISON)
        return
    OrphanModule.objects.filter(runs=row.pk, state=ModuleState.QUEUED).update(state=ModuleState.TESTING)
    watch = Watch(lease, cancel)
    report = execute(_order(batch, row), cancel=watch)
    if watch.lost:
        return
    if report.verdict.state is RunState.CANCELLED and not watch.asked:
        verdict_rows.give_back(lease)
    else:
        verdict_rows.write(lease, row, report)


def _order(batch: SelfTestRun, row: ModuleRun) -> Order:
    return Order(
        path=row.path,
        module=batch.options.get("modules", {}).get(row.path, ""),
        checkout=Path(batch.checkout),
        import_paths=tuple(batch.options.get("import_paths", (".",))),
        packages=packages_of(batch.subject),
        origin=TestOrigin(row.origin),
        tests=tuple(row.tests),
        captures=batch.options.get("captures", settings.SANDBOX.capture_side_effects),
        threshold=batch.options.get("threshold", settings.SANDBOX.side_effect_threshold),
        limits=replace(executing.DEFAULT_LIMITS, **batch.options.get("limits", {})),
    )


def close(batch_id: int) -> bool:
    """End a set whose modules all have their verdict; return whether it has ended, or there is none."""
    with transaction.atomic():
        batch = SelfTestRun.objects.select_for_update().filter(pk=batch_id).first()
        if batch is None or batch.state not in ACTIVE_BATCH:
            return True
        if batch.runs.filter(state__in=[RunState.QUEUED, RunState.RUNNING]).exists():
            return False
        _end(batch)
    return True


def _end(batch: SelfTestRun) -> None:
    counts = {
        name: Count("id", filter=Q(state=name))
        for name in (RunState.PASSED, RunState.FAILED, RunState.SKIPPED)
    }
    totals = batch.runs.aggregate(**counts, cpu_seconds=Sum("cpu_seconds"))
    state = BatchState.CANCELLED if batch.cancel_asked else BatchState.DONE
    SelfTestRun.objects.filter(pk=batch.pk).update(state=state, finished_at=Now(), **totals)
    batch_finished.send(sender=SelfTestRun, batch_id=batch.pk, subject=batch.subject, state=state)


def cancel_batch(batch_id: int, *, by: str = "") -> bool:
    """Cancel a set: what waits at once, what runs within seconds; False when it has ended already."""
    with transaction.atomic():
        batch = SelfTestRun.objects.select_for_update().get(pk=batch_id)
        if batch.state not in ACTIVE_BATCH:
            return False
        SelfTestRun.objects.filter(pk=batch_id).update(cancel_asked=True, message=f"cancelled by {by}"[:500])
        verdict_rows.cancel_waiting(batch)
    close(batch_id)
    return True


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident()}"
