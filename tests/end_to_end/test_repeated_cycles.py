"""Two real cycles one after the other in one process, as `manage.py run_autonomous --runs 2` moves them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from engines.domain.results import CLI
from engines.models import CycleStep, Engine, ModelVersion
from engines.services.demo import bring_demo
from forecasting.models import RoiEvent
from menace_site.testing.workers import process_environment
from orphans.models import ModuleRun, ScanRun

TRIALS = 4
WORK = {"inspect", "retrain", "orphans", "measure", "gate"}


def run_twice() -> list[dict[str, Any]]:
    """Run two cycles of alpha in one fresh process; return what it printed of each."""
    done = subprocess.run(
        [sys.executable, "manage.py", "run_autonomous", "--engine", "alpha", "--runs", "2", "--json"],
        cwd=Path(settings.BASE_DIR),
        env=process_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    rows: list[dict[str, Any]] = json.loads(done.stdout)["cycles"]
    return rows


def steps(cycle: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return each step's state and note."""
    rows = CycleStep.objects.filter(cycle=cycle["cycle"]).values_list("name", "state", "note")
    return {name: (state, note) for name, state, note in rows}


@pytest.mark.django_db(transaction=True)
def test_a_second_cycle_in_the_same_process_trains_and_measures_anew() -> None:
    bring_demo(CLI, names=("alpha",))
    Engine.objects.update(base_trials=TRIALS)

    first, second = run_twice()

    before, after = steps(first), steps(second)
    assert {name for name, (state, _) in after.items() if state == "done"} == WORK
    assert {name: state for name, (state, _) in before.items()} == {
        name: state for name, (state, _) in after.items()
    }
    # the same commit, seed and data: the same search with the same winner, which takes the first one's place
    assert first["verdict"] == second["verdict"] == "promotable"
    assert before["retrain"] == after["retrain"]
    assert first["artifact"] == second["artifact"]
    assert list(ModelVersion.objects.order_by("id").values_list("state", "cycle_id")) == [
        ("champion", first["cycle"]),
        ("retired", first["cycle"]),
        ("candidate", second["cycle"]),
    ]
    # a candidate isn't live, so the level stays, and the second cycle gains what the first did
    earlier, later = RoiEvent.objects.order_by("id")
    assert later.roi_before == earlier.roi_after
    assert later.delta == earlier.delta > 0
    assert 0 < first["momentum"] < second["momentum"]
    # scanned again, but no module that didn't change is tested again
    assert ScanRun.objects.count() == 2
    assert {run.state for run in ModuleRun.objects.all()} == {"passed"}
    assert not ModuleRun.objects.filter(created_at__gt=earlier.at).exists()
