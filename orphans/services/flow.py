"""The whole way of a module: listed or found, classified, tested in the sandbox, taken into the module map.

`look` and `work_off` may be repeated at any time; `settle` writes the outcome. The cycle's step, the command
`self_test` and Python callers all go this way.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from orphans.discovery import scan
from orphans.domain.acting import CLI, Acting
from orphans.domain.candidates import Switches
from orphans.domain.findings import Scan
from orphans.domain.states import ModuleState, RunState
from orphans.models import ModuleRun, OrphanModule, ScanRun, SelfTestRun
from orphans.sandbox import Cancel
from orphans.services import documents, executing, including, planning, self_tests
from orphans.services.documents import Taken
from orphans.services.including import Included
from orphans.services.planning import Plan
from orphans.services.scanning import record_scan

Scanner = Callable[[Path], Scan]


def discover(checkout: Path) -> Scan:
    """Scan a checkout; the folders that `SANDBOX_SKIP_DIRS` names aren't looked at, as in `orphans scan`."""
    return scan(checkout, skip=settings.SANDBOX.skip_dirs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is looked at, and what is allowed."""

    subject: str
    checkout: Path
    #: what asked for it, such as `cycle:7`; a repeated one finds its rows again
    source: str
    commit: str = ""
    repository: str = ""
    import_paths: tuple[str, ...] = (".",)
    switches: Switches
    #: modules asked for by name; empty: whatever is open
    named: tuple[str, ...] = ()
    #: test again what has a verdict for its content
    again: bool = False
    actor: Acting = CLI
    #: modules on which nothing more is done unless they are named
    left_out: frozenset[str] = frozenset()
    scanner: Scanner = discover


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a checkout found and chose."""

    scan: ScanRun
    taken: Taken
    plan: Plan
    conflicts: tuple[str, ...] = ()


def switches_of_settings() -> Switches:
    """Return what the `SELF_TEST_*` settings allow; they follow `SANDBOX_*` where not set themselves."""
    looks = settings.SANDBOX.self_test_discover_isolated
    return Switches(
        recursive_orphans=settings.SANDBOX.self_test_recursive_orphans,
        recursive_isolated=settings.SANDBOX.self_test_recursive_isolated,
        isolated=looks or settings.SANDBOX.self_test_auto_include_isolated,
        redundant=settings.SANDBOX.self_test_include_redundant,
    )


def look(task: Task) -> Look:
    """Read the files that people edit, scan, and choose what is executed."""
    taken = documents.include_orphan_modules(task.subject, task.checkout)
    found = task.scanner(task.checkout)
    row = record_scan(
        task.subject,
        found,
        checkout=task.checkout,
        source=task.source,
        repository=task.repository,
        commit=task.commit,
        options=_options(task.switches),
    )
    conflicts = (*taken.conflicts, *documents.disagreements(task.subject, taken))
    return Look(scan=row, taken=taken, plan=_planned(task), conflicts=conflicts)


def _options(switches: Switches) -> dict[str, Any]:
    return {name: getattr(switches, name) for name in switches.__slots__}


def _planned(task: Task) -> Plan:
    plan = planning.plan(
        task.subject,
        checkout=task.checkout,
        switches=task.switches,
        import_paths=task.import_paths,
        named=task.named,
        again=task.again,
        left_out=task.left_out,
    )
    known = {each.path for each in plan.wanted}
    others = [path for path in task.named if path not in known]
    more = planning.plan_files(task.checkout, others, task.import_paths)
    names = {**plan.options["modules"], **more.options["modules"]}
    return Plan(wanted=(*plan.wanted, *more.wanted), options={**plan.options, "modules": names})


def begin(task: Task, plan: Plan, *, wake: bool = False, owned_checkout: bool = False) -> SelfTestRun:
    """Queue the self-tests of a plan."""
    return self_tests.start_batch(
        task.subject,
        plan.wanted,
        source=task.source,
        checkout=task.checkout,
        commit=task.commit,
        by=task.actor.label,
        options={**plan.options, **_rules()},
        owned_checkout=owned_checkout,
        wake=wake,
    )


def _rules() -> dict[str, Any]:
    """Return what every worker that helps must go by, whatever its own settings say."""
    return {
        "captures": settings.SANDBOX.capture_side_effects,
        "threshold": settings.SANDBOX.side_effect_threshold,
    }


def settle(
    task: Task, *, refused: Mapping[str, str] | None = None, taken: Taken | None = None, clean: bool = False
) -> Included:
    """Take what passed into the module map and write the files. `refused`: kept out, with the reason.

    Inside a transaction the files follow its commit; one that can't be written then is logged, and made good
    by the next run.
    """
    passed = _passed(task.subject)
    included = including.include(
        task.subject,
        passed,
        by=task.actor.label,
        source=task.source,
        refused=refused,
        counted=settings.SANDBOX.capture_side_effects,
    )
    transaction.on_commit(
        lambda: _export(task.subject, clean=clean, taken=taken), robust=connection.in_atomic_block
    )
    return included


def _export(subject: str, *, clean: bool, taken: Taken | None) -> None:
    documents.export(subject, clean=clean, taken=taken)


def _passed(subject: str) -> list[str]:
    rows = OrphanModule.objects.of(subject).filter(state=ModuleState.PASSED).order_by("path")
    return list(rows.values_list("path", flat=True))


def auto_include_modules(
    paths: Iterable[str],
    *,
    subject: str,
    checkout: Path,
    source: str,
    recursive: bool = True,
    validate: bool = True,
    parallel: int = 1,
    cancel: Cancel | None = None,
    scanner: Scanner = discover,
    execute: self_tests.Execute = executing.self_test,
) -> Included:
    """Take modules, and when `recursive` the helpers that they lead to, into the module map.

    With `validate` each is tested in the sandbox first; without, only what passed with its present content
    is taken. Nothing of the repository is edited.
    """
    switches = Switches(recursive_orphans=recursive, recursive_isolated=recursive)
    task = Task(
        subject=subject,
        checkout=checkout,
        source=source,
        switches=switches,
        named=tuple(paths),
        again=validate,
        scanner=scanner,
    )
    found = look(task)
    if validate:
        batch = begin(task, found.plan)
        self_tests.work_off(batch.pk, parallel=parallel, cancel=cancel, execute=execute)
    return settle(task, taken=found.taken)


def verdicts(batch: SelfTestRun) -> dict[str, Any]:
    """Return what a set of self-tests found, as plain data."""
    rows = ModuleRun.objects.filter(batch=batch).order_by("path")
    by_state: dict[str, list[str]] = {str(state): [] for state in RunState}
    for row in rows:
        by_state[row.state].append(row.path)
    return {"batch": batch.pk, "state": batch.state, **by_state}
