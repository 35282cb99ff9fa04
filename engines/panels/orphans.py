"""Orphan modules, scans, self-tests and revisions as pages show them: in words, nothing unseen."""

import difflib
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Count, Sum

from engines.domain.unseen import visible, visible_data
from engines.domain.wording import lasting, number, size, word
from engines.models import WorkflowRevision
from engines.panels import workflows
from engines.panels.pills import pills
from orphans import panels
from orphans.domain.states import ENDED, SETTLED, ModuleState, RunState
from orphans.models import ModuleRun, OrphanModule, OrphanModuleQuerySet, ScanRun, SelfTestRun

Panel = dict[str, Any]

EVERY: Final = "all"
OPEN: Final = tuple(str(state) for state in ModuleState if state not in SETTLED)
"""Modules that are still in the queue."""

LIST_COLUMNS: Final = (
    "subject", "path", "classification", "isolated", "redundant", "parents", "chain", "twin", "similarity",
    "confidence", "reason", "state", "state_reason", "side_effects", "coverage", "score", "found_at",
    "updated_at", "tested_at",
)  # fmt: skip
MOVING: Final = (ModuleState.QUEUED, ModuleState.TESTING)
COUNTS: Final = ("file_writes", "network_connections", "subprocesses")
CHANGES: Final = ("new", "changed", "reclassified", "live", "gone")
SHOWN: Final = 5


def listed(modules: OrphanModuleQuerySet) -> OrphanModuleQuerySet:
    """Return the same modules with the columns of a list alone."""
    return modules.only(*LIST_COLUMNS)


def module_row(module: OrphanModule) -> Panel:
    """Return what the queue shows of a module."""
    row = visible_data(panels.module_row(module))
    chain = [visible(path) for path in module.chain]
    return {
        **row,
        "word": word(module.state),
        "class_word": word(module.classification),
        "moving": module.state in MOVING,
        "confidence_text": f"{module.confidence:.0%}",
        "similarity_text": "" if module.similarity is None else f"{module.similarity:.0%}",
        "effects_text": number(module.side_effects),
        "chain": chain,
        "chain_text": " → ".join(chain[-SHOWN:]),
        "parents_text": ", ".join(row["parents"][:SHOWN]),
        "parents_more": max(0, len(row["parents"]) - SHOWN),
    }


def module_head(module: OrphanModule) -> Panel:
    """Return what the module's own page shows: the row, its evidence and its latest decision."""
    head = visible_data(panels.module_head(module))
    return {
        **head,
        **module_row(module),
        "coverage_text": share(module.coverage),
        "score_text": number(module.score),
    }


def share(value: float | None) -> str:
    """Return a share of one as per cent; what was not measured says so."""
    return "not measured" if value is None else f"{value:.0%}"


def state_pills(modules: OrphanModuleQuerySet, chosen: tuple[str, ...] = ()) -> list[Panel]:
    """Return the states with their modules; the first is all that are in the queue, the last every state."""
    groups = {"": OPEN, **{str(state): (str(state),) for state in ModuleState}, EVERY: ()}
    return pills(modules, groups, chosen, lambda name: word(name) or "in the queue")


def run_row(run: ModuleRun) -> Panel:
    """Return what a list shows of a self-test of one module."""
    row = visible_data(panels.run_row(run))
    return {
        **row,
        "word": word(run.state),
        "coverage_text": share(run.coverage),
        "effects_text": number(run.side_effects),
        "lasting": lasting(run.wall_seconds),
    }


def run_head(run: ModuleRun) -> Panel:
    """Return everything that was observed in the self-test of one module."""
    head = visible_data(panels.run_head(run))
    examples = head["examples"] if isinstance(head["examples"], dict) else {}
    return {
        **head,
        **run_row(run),
        "cpu": lasting(run.cpu_seconds),
        "memory": "" if run.max_rss_bytes is None else size(run.max_rss_bytes),
        "score_text": number(run.score),
        "counts": [_counted(name, head[name], examples.get(name)) for name in COUNTS],
        "walls": _walls(head["guarantees"]),
    }


def _walls(found: Any) -> list[tuple[str, Any]]:
    """Return what the sandbox guarantees, in words, and whether it held."""
    known = found if isinstance(found, dict) else {}
    return [(word(str(name)), held) for name, held in sorted(known.items())]


def _counted(name: str, count: int | None, examples: Any) -> Panel:
    shown = [str(each) for each in examples] if isinstance(examples, list) else []
    return {"name": word(name), "count": count, "text": number(count), "examples": shown}


def runs_of(module: OrphanModule, limit: int = 20) -> list[ModuleRun]:
    """Return the module's latest self-tests, newest first."""
    runs = ModuleRun.objects.filter(subject=module.subject, path=module.path)
    return list(runs.order_by("-id")[:limit])


def batch_row(batch: SelfTestRun) -> Panel:
    """Return what a list shows of a set of self-tests."""
    row = visible_data(panels.batch_row(batch))
    ended = (batch.finished_at - batch.started_at) if batch.finished_at and batch.started_at else None
    return {
        **row,
        "word": "cancelling" if batch.cancel_asked and row["open"] else word(batch.state),
        "cpu": lasting(batch.cpu_seconds),
        "lasting": "" if ended is None else lasting(ended.total_seconds()),
    }


def progress(batches: Sequence[SelfTestRun]) -> list[Panel]:
    """Return how far sets of self-tests are, from the rows of their modules, in one statement."""
    rows = ModuleRun.objects.filter(batch__in=batches).order_by().values("batch", "state")
    numbers: dict[int, dict[str, Any]] = {batch.pk: {} for batch in batches}
    for row in rows.annotate(count=Count("id"), cpu=Sum("cpu_seconds")) if batches else ():
        numbers[row["batch"]][row["state"]] = (row["count"], row["cpu"])
    return [_progress(batch, numbers[batch.pk]) for batch in batches]


def _progress(batch: SelfTestRun, found: Mapping[str, tuple[int, float | None]]) -> Panel:
    counts = {str(state): found.get(state, (0, None))[0] for state in RunState}
    used = [cpu for _, cpu in found.values() if cpu is not None]
    ended = sum(counts[state] for state in ENDED)
    return {
        **batch_row(batch),
        "ended": ended,
        "percent": round(100 * ended / batch.total) if batch.total else None,
        "cpu": lasting(sum(used)) if used else "",
        "pills": [{"state": name, "word": word(name), "count": count} for name, count in counts.items()],
    }


def scan_row(scan: ScanRun) -> Panel:
    """Return what the history shows of a scan."""
    row = visible_data(panels.scan_row(scan))
    changes = scan.changes if isinstance(scan.changes, dict) else {}
    counts = scan.counts if isinstance(scan.counts, dict) else {}
    return {
        **row,
        "short": scan.commit[:12],
        "classes": [(word(str(name)), count) for name, count in sorted(counts.items())],
        "changed": [(name, len(changes.get(name, ()))) for name in CHANGES if changes.get(name)],
        "lasting": lasting(scan.seconds),
    }


def scan_head(scan: ScanRun, before: ScanRun | None) -> Panel:
    """Return everything that is kept of a scan, and how its counts differ from the one before."""
    head = visible_data(panels.scan_head(scan))
    unreadable = head["unreadable"] if isinstance(head["unreadable"], dict) else {}
    return {
        **head,
        **scan_row(scan),
        "changes": [(name, head["changes"].get(name, [])) for name in CHANGES],
        "unreadable": sorted(unreadable.items()),
        "options": sorted((word(str(name)), value) for name, value in head["options"].items()),
        "compared": _compared(scan.counts, {} if before is None else before.counts),
        "before": None if before is None else before.pk,
    }


def _compared(now: Mapping[str, int], before: Mapping[str, int]) -> list[Panel]:
    names = sorted({*now, *before})
    return [
        {
            "name": word(str(name)),
            "now": now.get(name, 0),
            "before": before.get(name, 0),
            "change": now.get(name, 0) - before.get(name, 0),
        }
        for name in names
    ]


def revision_row(revision: WorkflowRevision) -> Panel:
    """Return what a list shows of a workflow's revision."""
    row = visible_data(workflows.revision_row(revision))
    evidence = revision.evidence if isinstance(revision.evidence, dict) else {}
    return {
        **row,
        "engine": revision.engine.name,
        "word": word(revision.state),
        "score_text": number(revision.match_score, 2),
        "refused": visible(str(evidence.get("refused") or "")),
    }


def revision_head(revision: WorkflowRevision) -> Panel:
    """Return a revision with its steps beside its parent's, its preconditions and its benchmark."""
    head = visible_data(workflows.revision_head(revision))
    evidence = head["evidence"] if isinstance(head["evidence"], dict) else {}
    return {
        **head,
        **revision_row(revision),
        "diff": step_diff(head["parent_steps"] or [], head["steps"]),
        "conditions": [each for each in evidence.get("preconditions", ()) if isinstance(each, dict)],
        "match": sorted((evidence.get("match") or {}).items()),
        "figures": _figures(head["benchmark"]),
        "sides": _sides(head["benchmark"]),
    }


def step_diff(old: Sequence[str], new: Sequence[str]) -> list[Panel]:
    """Return the steps of two revisions as lines: mark ` `, `+` or `-`, and the step."""
    lines = difflib.ndiff([f"{step}\n" for step in old], [f"{step}\n" for step in new])
    return [{"mark": line[0], "step": line[2:].rstrip("\n")} for line in lines if line[0] in " +-"]


def _figures(benchmark: Any) -> list[tuple[str, str]]:
    """Return what a benchmark measured as names and texts; what is nested is left to the API."""
    if not isinstance(benchmark, dict):
        return []
    plain = [(name, value) for name, value in benchmark.items() if not isinstance(value, dict | list)]
    return [(word(str(name)), _said(value)) for name, value in plain]


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if value is None or isinstance(value, int | float) else str(value)


def _sides(benchmark: Any) -> list[Panel]:
    """Return one row a preset: successes and CPU time of both sides, and the keys that changed nothing."""
    presets = benchmark.get("presets") if isinstance(benchmark, dict) else None
    pairs = presets.items() if isinstance(presets, dict) else ()
    idle = benchmark.get("idle", {}) if isinstance(benchmark, dict) else {}
    return [
        {
            "preset": name,
            "idle": [f"{key} changed nothing: {reason}" for key, reason in idle.get(name, {}).items()],
            **{side: _side(both.get(side)) for side in ("parent", "candidate")},
        }
        for name, both in pairs
    ]


def _side(measured: Any) -> Panel:
    found = measured if isinstance(measured, dict) else {}
    outcomes = ", ".join(str(each) for each in found.get("outcomes", ()))
    return {
        "successes": f"{found['successes']} of {found['runs']}" if "successes" in found else "not measured",
        "cpu": lasting(found.get("cpu_seconds")) or "not measured",
        "outcomes": outcomes,
    }
