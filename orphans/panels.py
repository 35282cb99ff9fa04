"""Scans, modules, self-tests, the module map and presets as plain mappings. None means "not measured"."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.db.models import Count, Q, Sum

from orphans.domain.preset_effects import effects
from orphans.domain.presets import Preset, PresetError, read_preset
from orphans.domain.states import ACTIVE_BATCH, ENDED, UNDOABLE, RunState
from orphans.models import ModuleMapEntry, ModuleRun, OrphanModule, ScanRun, ScenarioPreset, SelfTestRun

Panel = dict[str, Any]

MODULE_COLUMNS = (
    "id", "subject", "path", "classification", "state", "state_reason", "isolated", "redundant", "parents",
    "twin", "similarity", "confidence", "reason", "side_effects", "coverage", "score", "found_at",
    "updated_at", "tested_at",
)  # fmt: skip
"""Columns of a list: not the evidence."""

RUN_COLUMNS = (
    "id", "batch_id", "module_id", "subject", "path", "classification", "state", "reason", "outcome",
    "origin", "tests_passed", "tests_failed", "side_effects", "coverage", "wall_seconds", "cpu_seconds",
    "score", "created_at", "started_at", "finished_at",
)  # fmt: skip
DETAIL_COLUMNS = (
    "content_hash", "tests", "calls", "exit_code", "signal", "exception", "output_tail", "file_writes",
    "network_connections", "subprocesses", "attempts_exact", "examples", "guarantees", "max_rss_bytes", "roi",
    "synergy_roi", "attempts",
)  # fmt: skip
SCAN_COLUMNS = (
    "id", "subject", "source", "state", "commit", "modules", "edges", "counts", "found", "isolated",
    "seconds", "message", "at",
)  # fmt: skip
BATCH_COLUMNS = (
    "id", "subject", "source", "state", "commit", "requested_label", "cancel_asked", "total", "passed",
    "failed", "skipped", "cpu_seconds", "message", "created_at", "started_at", "finished_at",
)  # fmt: skip
PRESET_COLUMNS = ("id", "name", "profile", "category", "keys", "created_at", "updated_at", "created_label")
PRESETS_A_PAGE = 100
MAX_NEIGHBOURS = 50
MAX_ENTRIES = 5_000


def _values(row: Any, columns: tuple[str, ...]) -> Panel:
    return {name: getattr(row, name) for name in columns}


def module_row(module: OrphanModule) -> Panel:
    """Return what a list shows of a module."""
    return {**_values(module, MODULE_COLUMNS), "undoable": module.state in UNDOABLE}


def module_head(module: OrphanModule) -> Panel:
    """Return all that is known of one module, without its runs."""
    more = ("content_hash", "found_as", "chain", "head", "evidence", "previous_state", "decided_label")
    return {**module_row(module), **_values(module, more), "scan": module.scan_id}


def neighbourhood(module: OrphanModule) -> Panel:
    """Return the modules tied to one: who imports it, whom of its island it leads to, and its twin.

    `edges` are pairs (importer, imported), `nodes` paths with what is known of them.
    """
    parents = list(module.parents)[:MAX_NEIGHBOURS]
    below = OrphanModule.objects.of(module.subject).filter(parents__contains=[module.path])
    children = list(below.order_by("path").values_list("path", flat=True)[:MAX_NEIGHBOURS])
    edges = [(parent, module.path) for parent in parents] + [(module.path, child) for child in children]
    paths = list(dict.fromkeys([module.path, *parents, *children, *([module.twin] if module.twin else [])]))
    known = OrphanModule.objects.of(module.subject).filter(path__in=paths)
    words = {row["path"]: row for row in known.values("path", "id", "classification", "state")}
    unknown = {"id": None, "classification": None, "state": None}
    nodes = [{**unknown, **words.get(path, {}), "path": path} for path in paths]
    return {"nodes": nodes, "edges": edges, "twin": module.twin or None, "similarity": module.similarity}


def module_runs(module: OrphanModule, limit: int = 20) -> list[Panel]:
    """Return the module's latest self-tests, newest first."""
    runs = ModuleRun.objects.filter(subject=module.subject, path=module.path).order_by("-id")
    return [run_row(run) for run in runs.only(*RUN_COLUMNS)[:limit]]


def run_row(run: ModuleRun) -> Panel:
    """Return what a list shows of a self-test of one module."""
    return {**_values(run, RUN_COLUMNS), "ended": run.state in ENDED}


def run_head(run: ModuleRun) -> Panel:
    """Return everything that was observed in the self-test of one module."""
    return {**run_row(run), **_values(run, DETAIL_COLUMNS)}


def batch_row(batch: SelfTestRun) -> Panel:
    """Return what a list shows of a set of self-tests."""
    return {**_values(batch, BATCH_COLUMNS), "open": batch.state in ACTIVE_BATCH}


def batch_progress(batch: SelfTestRun) -> Panel:
    """Return how far a set of self-tests is, from the rows of its modules."""
    states = dict(batch.runs.order_by().values_list("state").annotate(Count("id")))
    ended = sum(count for state, count in states.items() if state in ENDED)
    used = batch.runs.aggregate(cpu=Sum("cpu_seconds"))["cpu"]
    numbers = {str(state): states.get(state, 0) for state in RunState}
    share = ended / batch.total if batch.total else None
    return {**batch_row(batch), "states": numbers, "ended": ended, "fraction": share, "cpu_so_far": used}


def scan_row(scan: ScanRun) -> Panel:
    """Return what the history shows of a scan."""
    return _values(scan, SCAN_COLUMNS)


def scan_head(scan: ScanRun) -> Panel:
    """Return everything that is kept of a scan."""
    return {**scan_row(scan), **_values(scan, ("repository", "changes", "unreadable", "options"))}


def queue_counts(subject: str) -> Panel:
    """Return how many modules of a subject are open, by classification and by state."""
    modules = OrphanModule.objects.of(subject)
    classes = modules.open().order_by().values_list("classification").annotate(Count("id"))
    states = modules.order_by().values_list("state").annotate(Count("id"))
    return {"classifications": dict(classes), "states": dict(states)}


def module_map(subject: str) -> list[Panel]:
    """Return the entries of a subject's module map by path, at most 5,000."""
    entries = ModuleMapEntry.objects.filter(subject=subject, removed_at=None).order_by("path")
    columns = ("id", "path", "group", "content_hash", "provenance", "run_id", "added_at", "added_label")
    return [_values(entry, columns) for entry in entries[:MAX_ENTRIES]]


def live_batch(subject: str) -> Panel | None:
    """Return the subject's set of self-tests that is under way, if any."""
    batch = SelfTestRun.objects.filter(Q(subject=subject), state__in=ACTIVE_BATCH).order_by("-id").first()
    return None if batch is None else batch_progress(batch)


def preset_page(*, category: str = "", q: str = "", after: str = "") -> Panel:
    """Return one page of the stored presets by name, those after `after`; `next` begins the one behind it."""
    found = ScenarioPreset.objects.of_category(category).filter(name__startswith=q, name__gt=after)
    rows = list(found.order_by("name")[: PRESETS_A_PAGE + 1])
    more = len(rows) > PRESETS_A_PAGE
    shown = [_values(row, PRESET_COLUMNS) for row in rows[:PRESETS_A_PAGE]]
    return {"rows": shown, "next": shown[-1]["name"] if more else "", "after": after, "q": q}


def canonical_rows(presets: Mapping[str, Preset], category: str = "") -> list[Panel]:
    """Return presets that aren't stored, as a list shows them; of one category, if it is named."""
    return [
        {"name": name, "profile": each.name, "category": each.category, "keys": each.as_data()}
        for name, each in presets.items()
        if category in ("", each.category)
    ]


def preset_detail(row: ScenarioPreset, probe: Mapping[str, bool]) -> Panel:
    """Return a preset and what each key does on a machine of which `probe` says what holds.

    `problem` says why keys that were written past the services can't be used; it has no effects then.
    """
    shown = _values(row, PRESET_COLUMNS)
    try:
        found = effects(read_preset(row.keys), probe)
    except PresetError as error:
        return {"preset": shown, "effects": [], "idle": 0, "problem": str(error)}
    told = [{**asdict(each), "value": row.keys[each.key]} for each in found]
    return {"preset": shown, "effects": told, "idle": sum(not each.held for each in found), "problem": ""}
