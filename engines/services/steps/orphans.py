"""Step *orphans*: what nothing reaches is found, tested in the sandbox, and taken in if it passes.

`run` may be repeated: a scan, a set of self-tests and a proposal are each made once for a cycle and a commit,
and other workers help with the tests. `commit` takes in what passed and keeps the proposed revisions.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from engines import git
from engines.domain.cycle import Idle, Interrupted, StepContext
from engines.domain.results import Actor, StepOutcome
from engines.models import Engine
from engines.services import bots, integration, module_progress
from orphans.domain.states import RunState
from orphans.models import ModuleRun, SelfTestRun
from orphans.sandbox import Cancel, Runner, remove_tree
from orphans.services import executing, flow, self_tests
from orphans.services.executing import Order, Report
from orphans.services.flow import Look, Task
from orphans.services.sweeping import checkouts

SWITCHED_OFF: Final = "SANDBOX_INCLUDE_ORPHANS is off, so no orphan module is looked for"
LISTED: Final = 200


class Orphans(Idle):
    """Discovers, tests and integrates the modules of the bot that nothing live reaches."""

    def __init__(self, runner: Runner | None = None) -> None:
        self._runner = runner

    def run(self, context: StepContext) -> StepOutcome:
        """Scan the commit, self-test what was found, and benchmark the workflows that it fits."""
        if not settings.SANDBOX.include_orphans:
            return StepOutcome(state="not_configured", note=SWITCHED_OFF)
        engine = Engine.objects.get(pk=context.engine_id)
        commit = bots.head(engine)
        checkout = exported(engine, commit, context.cycle_id)
        began = time.thread_time()
        complete = module_progress.complete_of(engine)
        task = replace(_task(engine, context, checkout, commit), left_out=frozenset(complete))
        found = flow.look(task)
        scanning = time.thread_time() - began
        batch = self._tested(task, found, context)
        proposed = integration.proposals(
            engine,
            checkout,
            commit,
            seed=context.seed,
            left_out=task.left_out,
            cancel=context.pulse,
            runner=self._runner,
        )
        remove_tree(checkout)
        outcome = _outcome(task, found, batch, proposed, scanning)
        return replace(outcome, result={**outcome.result, "complete": dict(list(complete.items())[:LISTED])})

    def _tested(self, task: Task, found: Look, context: StepContext) -> SelfTestRun | None:
        """Work the self-tests off together with whoever helps; None where there is nothing to test."""
        begun = SelfTestRun.objects.filter(subject=task.subject, source=task.source)
        if not found.plan.wanted and not begun.exists():
            return None
        batch = flow.begin(task, found.plan, wake=True)
        execute = _Reporting(context, batch.total, self._runner)
        batch = self_tests.work_off(batch.pk, cancel=context.pulse, execute=execute)
        if context.pulse.is_set():
            raise Interrupted
        return batch

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Take into the module map what passed and is worth it, and keep the revisions."""
        if outcome.state != "done":
            return
        engine = Engine.objects.get(pk=context.engine_id)
        result: Any = outcome.result
        task = _task(engine, context, Path(engine.repository), result["commit"])
        included = flow.settle(
            task, refused=result["unprofitable"], clean=settings.SANDBOX.self_test_clean_orphans
        )
        kept = integration.keep(engine, result["proposals"], cycle_id=context.cycle_id, by=task.actor.label)
        result["integrated"] = list(included.added)[:LISTED]
        result["kept_out"] = dict(list(included.refused.items())[:LISTED])
        result["revisions"] = [revision.pk for revision in kept]


def exported(engine: Engine, commit: str, cycle_id: int) -> Path:
    """Return the commit's files in a folder that lasts as long as the step, made whole or not at all."""
    place = checkouts() / f"cycle-{cycle_id}-{commit[:16]}"
    if not place.exists():
        making = place.with_name(f".{place.name}-{time.monotonic_ns()}")
        git.export(Path(engine.repository), commit, making)
        try:
            making.rename(place)
        except OSError:  # another worker was quicker; both have the same files
            remove_tree(making)
    return place


def _task(engine: Engine, context: StepContext, checkout: Path, commit: str) -> Task:
    return Task(
        subject=engine.name,
        checkout=checkout,
        source=f"cycle:{context.cycle_id}:{commit[:12]}",
        commit=commit,
        repository=engine.repository,
        import_paths=bots.manifest_of(engine).import_paths,
        switches=flow.switches_of_settings(),
        actor=Actor(label=f"cycle {context.cycle_id}"),
    )


class _Reporting:
    """Executes self-tests and tells the step's page how far they are."""

    def __init__(self, context: StepContext, total: int, runner: Runner | None) -> None:
        self._context = context
        self._total = total
        self._done = 0
        self._more = {} if runner is None else {"run": runner.run}

    def __call__(self, order: Order, *, cancel: Cancel | None = None) -> Report:
        """Test one module."""
        self._context.pulse.report(self._done / max(1, self._total), f"testing {order.path}"[:200])
        report = executing.self_test(order, cancel=cancel, **self._more)
        self._done += 1
        return report


def _outcome(
    task: Task, found: Look, batch: SelfTestRun | None, proposed: list[dict[str, Any]], scanning: float
) -> StepOutcome:
    benchmarks = [each["benchmark"] for each in proposed if each["benchmark"]]
    testing = 0.0 if batch is None else batch.cpu_seconds or 0.0
    cpu = scanning + testing + sum(each["cpu_seconds"] for each in benchmarks)
    result = {
        "commit": task.commit,
        "scan": found.scan.pk,
        "batch": None if batch is None else batch.pk,
        "modules": found.scan.modules,
        "found": found.scan.found,
        "counts": found.scan.counts,
        "tested": _paths(batch, RunState.PASSED, RunState.FAILED),
        "failed": _paths(batch, RunState.FAILED),
        "skipped": _reasons(batch),
        "conflicts": list(found.conflicts)[:LISTED],
        "unprofitable": _unprofitable(proposed),
        "proposals": proposed,
    }
    return StepOutcome(state="done", note=_note(found, batch, proposed), result=result, cpu_seconds=cpu)


def _paths(batch: SelfTestRun | None, *states: RunState) -> list[str]:
    rows = ModuleRun.objects.filter(batch=batch, state__in=states).order_by("path")
    return list(rows.values_list("path", flat=True)[:LISTED])


def _reasons(batch: SelfTestRun | None) -> dict[str, str]:
    rows = ModuleRun.objects.filter(batch=batch, state=RunState.SKIPPED).order_by("path")
    return dict(rows.values_list("path", "reason")[:LISTED])


def _unprofitable(proposed: list[dict[str, Any]]) -> Mapping[str, str]:
    """Return the modules that were measured in workflows and reached no threshold in any of them."""
    measured: dict[str, list[str]] = {}
    for each in proposed:
        if each["benchmark"]:
            measured.setdefault(each["module_path"], []).append(each["evidence"]["refused"])
    return {path: reasons[0] for path, reasons in measured.items() if all(reasons)}


def _note(found: Look, batch: SelfTestRun | None, proposed: list[dict[str, Any]]) -> str:
    if not found.scan.found:
        return f"{found.scan.modules} modules, all of them are reached"
    tests = "nothing new to test"
    if batch is not None:
        tests = f"{batch.passed or 0} passed, {batch.failed or 0} failed, {batch.skipped or 0} not executed"
    fits = sum(each["state"] == "candidate" for each in proposed)
    return f"{found.scan.found} of {found.scan.modules} modules not reached; {tests}; {fits} fit a workflow"
