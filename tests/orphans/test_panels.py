"""Panels of modules, scans and self-tests."""

import json

import pytest
from django.core.serializers.json import DjangoJSONEncoder

from orphans import panels
from orphans.domain.findings import Classification
from orphans.domain.states import BatchState, ModuleState, RunState
from orphans.models import ModuleMapEntry
from tests.orphans.rows import make_batch, make_module, make_run, make_scan

pytestmark = pytest.mark.django_db


def test_every_panel_is_plain_and_says_none_where_nothing_was_measured() -> None:
    module, scan, batch = make_module(), make_scan(), make_batch(total=1)
    run = make_run(batch, module.path, module=module)

    told = [
        panels.module_head(module),
        panels.neighbourhood(module),
        panels.run_head(run),
        panels.batch_progress(batch),
        panels.scan_head(scan),
        panels.queue_counts("alpha"),
    ]

    assert json.loads(json.dumps(told, cls=DjangoJSONEncoder))
    assert panels.module_row(module)["side_effects"] is None
    assert panels.run_row(run)["coverage"] is None


def test_progress_counts_what_has_its_verdict() -> None:
    batch = make_batch(total=4)
    for state in (RunState.PASSED, RunState.FAILED, RunState.RUNNING, RunState.QUEUED):
        make_run(batch, state=state, cpu_seconds=0.5 if state == RunState.PASSED else None)

    progress = panels.batch_progress(batch)

    assert (progress["ended"], progress["fraction"], progress["cpu_so_far"]) == (2, 0.5, 0.5)
    assert progress["states"]["running"] == 1


def test_progress_of_an_empty_set_is_unknown_and_not_zero() -> None:
    assert panels.batch_progress(make_batch())["fraction"] is None


def test_the_neighbourhood_has_importers_imported_and_the_twin() -> None:
    make_module(path="head.py")
    middle = make_module(path="middle.py", parents=["head.py"], twin="live.py", similarity=0.8)
    make_module(path="leaf.py", parents=["middle.py"])
    make_module("beta", path="other.py", parents=["middle.py"])

    graph = panels.neighbourhood(middle)

    assert graph["edges"] == [("head.py", "middle.py"), ("middle.py", "leaf.py")]
    assert [node["path"] for node in graph["nodes"]] == ["middle.py", "head.py", "leaf.py", "live.py"]
    assert graph["nodes"][-1]["classification"] is None


def test_counts_are_of_one_subject_and_of_what_is_open() -> None:
    make_module(classification=Classification.LEGACY)
    make_module(classification=Classification.LEGACY, state=ModuleState.INTEGRATED)
    make_module("beta")

    counts = panels.queue_counts("alpha")

    assert counts["classifications"] == {"legacy": 1}
    assert counts["states"] == {"found": 1, "integrated": 1}


def test_the_map_leaves_out_what_was_taken_out() -> None:
    for path, removed in (("b.py", None), ("a.py", None), ("gone.py", "2025-01-01T00:00:00Z")):
        ModuleMapEntry.objects.create(subject="alpha", path=path, group=1, removed_at=removed)

    assert [entry["path"] for entry in panels.module_map("alpha")] == ["a.py", "b.py"]


def test_the_live_set_of_self_tests_is_the_open_one() -> None:
    make_batch(state=BatchState.DONE)
    running = make_batch(state=BatchState.RUNNING)

    live = panels.live_batch("alpha")

    assert live is not None
    assert live["id"] == running.pk
    assert panels.live_batch("beta") is None


def test_the_runs_of_a_module_come_newest_first() -> None:
    module = make_module(path="a.py")
    runs = [make_run(make_batch(), "a.py", module=module) for _ in range(3)]

    assert [row["id"] for row in panels.module_runs(module)] == [run.pk for run in reversed(runs)]
