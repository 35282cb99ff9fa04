"""A module that passed becomes a candidate revision: real repository, real scan, real sandbox."""

from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engines.domain.cycle import NotConfiguredPart, Part
from engines.domain.results import CLI
from engines.domain.states import STEPS as ALL_STEPS
from engines.domain.states import CycleState, RevisionState
from engines.models import Cycle, Engine, WorkflowRevision
from engines.services import workflows
from engines.services.cycles import retry_cycle
from engines.services.demo import bring_demo
from engines.services.parts import default_parts
from engines.services.registry import register_engine
from engines.services.runner import run_cycle
from engines.services.steps.orphans import Orphans
from orphans import sandbox
from orphans.models import ModuleMapEntry, ModuleRun, OrphanModule, OrphanTally, ScanRun, SelfTestRun
from orphans.sandbox import Cancel, Measurement, Progress, RunSpec
from orphans.services.sweeping import checkouts
from tests.engines.domain.test_workflow_matching import DISCOUNT, STEPS
from tests.engines.moving import expire, queued
from tests.engines.repositories import git, make_repository

pytestmark = pytest.mark.django_db(transaction=True)

MANIFEST = """
[project]
name = "shop"
version = "1"

[tool.menace.value]
metric = "accuracy"
value_per_success = 1.0
cpu_hour_cost = 0.1
cpu_billing_seconds = 60

[tool.menace.workflows.orders]
steps = ["shop.steps:load", "shop.steps:price", "shop.steps:report"]
input = "orders.json"
"""
FILES = {
    "pyproject.toml": MANIFEST,
    "shop/__init__.py": "",
    "shop/steps.py": STEPS,
    "shop/discount.py": DISCOUNT,
    "shop/lonely.py": "def alone(first, second):\n    return first + second\n",
    "orders.json": '{"orders": [10, 20]}',
}


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


def shop(tmp_path: Path, **files: str) -> Engine:
    place = make_repository(tmp_path / "shop", {**FILES, **files})
    return register_engine(path=str(place), actor=CLI)


def cycle(engine: Engine) -> Cycle:
    row = queued(engine)
    run_cycle(row.pk, owner="test", parts=default_parts())
    row.refresh_from_db()
    return row


def outcome(row: Cycle) -> dict[str, Any]:
    step = row.steps.get(name="orphans")
    assert step.state == "done", (step.state, step.note, step.error)
    return dict(step.result)


def test_a_cycle_finds_tests_takes_in_and_proposes(tmp_path: Path) -> None:
    engine = shop(tmp_path)

    row = cycle(engine)

    result = outcome(row)
    assert row.state == CycleState.DONE, row.message
    assert result["integrated"] == ["shop/discount.py", "shop/lonely.py"]
    (revision,) = WorkflowRevision.objects.exclude(parent=None)
    assert (revision.state, revision.inserted_step, revision.position) == (
        RevisionState.CANDIDATE,
        "shop/discount.py::discount",
        2,
    )
    assert revision.cycle == row
    assert [each["name"] for each in revision.evidence["preconditions"] if not each["ok"]] == []
    assert revision.benchmark is not None
    assert revision.benchmark["presets"]["baseline"]["candidate"]["successes"] == 3
    assert revision.benchmark["roi"] == pytest.approx(0.0)
    assert ModuleRun.objects.get(path="shop/discount.py").roi == pytest.approx(0.0)
    assert ModuleRun.objects.get(path="shop/lonely.py").roi is None
    assert workflows.current(engine, "orders").steps == [
        "shop.steps:load",
        "shop.steps:price",
        "shop.steps:report",
    ]


def test_the_source_of_the_bot_is_not_touched_and_nothing_is_left(tmp_path: Path) -> None:
    engine = shop(tmp_path)
    place = Path(engine.repository)
    before = (git(place, "rev-parse", "HEAD"), git(place, "status", "--porcelain"))

    cycle(engine)

    assert (git(place, "rev-parse", "HEAD"), git(place, "status", "--porcelain")) == before
    assert list(checkouts().iterdir()) == []


def test_the_next_cycle_does_nothing_twice(tmp_path: Path) -> None:
    engine = shop(tmp_path)
    cycle(engine)
    kept = (SelfTestRun, ModuleRun, ModuleMapEntry, WorkflowRevision)
    counts = [model.objects.count() for model in kept]

    row = cycle(engine)
    second = outcome(row)

    assert second["tested"] == []
    assert second["integrated"] == []
    assert second["batch"] is None
    assert "; nothing new to test; " in row.steps.get(name="orphans").note
    assert [model.objects.count() for model in kept] == counts
    assert ScanRun.objects.count() == 2


def test_a_repeated_step_finds_its_rows_again(tmp_path: Path) -> None:
    engine = shop(tmp_path)
    row = cycle(engine)

    retry_cycle(row.pk, from_step="orphans", actor=CLI)
    run_cycle(row.pk, owner="test", parts=default_parts())

    row.refresh_from_db()
    assert row.state == CycleState.DONE
    assert ScanRun.objects.count() == 1
    assert ModuleRun.objects.count() == 2


def test_a_module_that_breaks_the_workflow_is_refused(tmp_path: Path) -> None:
    broken = DISCOUNT.replace('payload["total"] * 0.95', 'payload["total"].nowhere')
    engine = shop(tmp_path, **{"shop/discount.py": broken})

    result = outcome(cycle(engine))

    (revision,) = WorkflowRevision.objects.exclude(parent=None)
    assert revision.state == RevisionState.REJECTED
    assert "the workflow fails with it: AttributeError" in revision.evidence["refused"]
    assert "shop/discount.py" in result["kept_out"]
    assert result["integrated"] == ["shop/lonely.py"]


def test_a_roi_under_the_threshold_keeps_it_out(tmp_path: Path, settings: Settings) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"self_test_roi_threshold": 0.5})

    result = outcome(cycle(shop(tmp_path)))

    assert "under the threshold 0.5" in result["kept_out"]["shop/discount.py"]
    assert OrphanModule.objects.get(path="shop/discount.py").state == "passed"
    assert WorkflowRevision.objects.get(state=RevisionState.REJECTED).benchmark is not None


def test_switched_off_it_says_so(tmp_path: Path, settings: Settings) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"include_orphans": False})

    row = cycle(shop(tmp_path))

    step = row.steps.get(name="orphans")
    assert (step.state, ScanRun.objects.count()) == ("not_configured", 0)
    assert "SANDBOX_INCLUDE_ORPHANS" in step.note


def test_its_cost_is_part_of_the_cycle(tmp_path: Path) -> None:
    row = cycle(shop(tmp_path))

    step = row.steps.get(name="orphans")
    tests = sum(run.cpu_seconds or 0.0 for run in ModuleRun.objects.all())
    bench = sum(
        each.benchmark["cpu_seconds"]
        for each in WorkflowRevision.objects.exclude(benchmark=None)
        if each.benchmark
    )
    assert step.cpu_seconds is not None
    assert step.cpu_seconds > tests + bench > 0
    assert row.cpu_seconds == pytest.approx(step.cpu_seconds)


class Killed(BaseException):
    """What a process sees of SIGKILL: nothing of its own code runs any more."""


class Deadly:
    """A runner whose process is killed at the n-th run."""

    def __init__(self, at: int) -> None:
        self.left = at

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        self.left -= 1
        if self.left <= 0:
            raise Killed
        return sandbox.run(spec, on_progress=on_progress, cancel=cancel)


@pytest.mark.parametrize("at", [1, 2, 3, 5])
def test_a_worker_that_dies_midway_is_taken_over_and_nothing_counts_twice(tmp_path: Path, at: int) -> None:
    engine = shop(tmp_path)
    row = queued(engine)
    with pytest.raises(Killed):
        run_cycle(row.pk, owner="dies", parts={**default_parts(), "orphans": Orphans(Deadly(at))})
    expire(row)
    ModuleRun.objects.filter(state="running").update(lease_until="2001-01-01T00:00:00Z")

    run_cycle(row.pk, owner="second", parts=default_parts())

    row.refresh_from_db()
    assert (row.state, row.takeovers) == (CycleState.DONE, 1)
    assert ModuleRun.objects.filter(state="passed").count() == ModuleRun.objects.count() == 2
    tallies = dict(OrphanTally.objects.values_list("name", "count"))
    assert (tallies["tested"], tallies["reintroduced"]) == (2, 2)
    assert ModuleMapEntry.objects.count() == 2
    assert WorkflowRevision.objects.exclude(parent=None).count() == 1
    assert list(checkouts().iterdir()) == []


def test_the_demo_bot_shows_its_orphans(settings: Settings) -> None:
    bring_demo(CLI, names=("alpha",))
    engine = Engine.objects.get()
    row = queued(engine)
    only: dict[str, Part] = {name: NotConfiguredPart("not here") for name in ALL_STEPS}
    only["orphans"] = Orphans()

    run_cycle(row.pk, owner="test", parts=only)

    result = outcome(row)
    found = {module.path: module for module in OrphanModule.objects.all()}
    assert (result["modules"], result["found"], result["failed"]) == (19, 6, [])
    assert found["alpha/binning.py"].parents == ["alpha/calibration.py"]
    assert found["alpha/kappa.py"].isolated
    assert found["alpha/legacy_ranks.py"].state == "passed"
    assert "alpha/legacy_ranks.py" in result["kept_out"]
    assert {"alpha/calibration.py", "alpha/binning.py", "alpha/kappa.py"} <= set(result["integrated"])
    exported = ModuleRun.objects.get(path="alpha/nightly_export.py")
    assert (exported.file_writes, exported.network_connections) == (3, 1)
