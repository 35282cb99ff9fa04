"""How a worker lets go of a cycle: what its rows say then, and what a person wished meanwhile."""

from pathlib import Path

import pytest
from django.db.models import F
from django.db.models.functions import Now
from pytest_django import DjangoCaptureOnCommitCallbacks
from pytest_django.fixtures import Settings

from engines.domain.errors import LeaseLost
from engines.domain.states import Control, CycleState, StepState
from engines.models import Cycle, CycleStep, Engine
from engines.services import endings, leases, step_rows
from engines.services.leases import Lease
from tests.engines.moving import queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db
REPORT = {"error": "ValueError: no", "log": "line"}


@pytest.fixture
def lease() -> Lease:
    """A claimed cycle whose training runs."""
    cycle = queued(make_engine())
    found = leases.claim(cycle.pk, owner="w")
    assert found is not None
    step_rows.start(cycle.pk, "retrain")
    return found


def row(lease: Lease) -> Cycle:
    return Cycle.objects.get(pk=lease.cycle_id)


def wish(lease: Lease, control: Control) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(control=control)


def pause(lease: Lease) -> float:
    """Return the seconds for which the cycle rests at least, on the database's clock."""
    found = Cycle.objects.annotate(rest=endings.Seconds(F("run_after") - Now()))
    return float(found.values_list("rest", flat=True).get(pk=lease.cycle_id))


def test_a_failure_ends_the_cycle_and_says_which_step(lease: Lease) -> None:
    assert endings.fail(lease, "retrain", REPORT, "retrain: no") == CycleState.FAILED
    cycle, step = row(lease), step_of(row(lease), "retrain")
    assert (cycle.state, cycle.message, cycle.lease_owner) == (CycleState.FAILED, "retrain: no", "")
    assert (step.state, step.error, step.log, step.failures) == ("failed", "ValueError: no", "line", 1)
    assert cycle.duration is not None
    assert 0 <= cycle.duration < 60
    others = CycleStep.objects.filter(cycle=cycle).exclude(name="retrain")
    assert set(others.values_list("state", flat=True)) == {StepState.SKIPPED}


@pytest.mark.parametrize(("failures", "seconds"), [(0, 5.0), (1, 10.0), (3, 40.0)])
def test_each_failure_doubles_the_pause(
    lease: Lease, settings: Settings, failures: int, seconds: float
) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"retry_backoff": 5.0})
    assert endings.retry_later(lease, "retrain", failures, REPORT) == CycleState.QUEUED
    assert seconds - 1 < pause(lease) <= seconds
    step = step_of(row(lease), "retrain")
    assert (step.state, step.failures, step.progress) == (StepState.PENDING, 1, None)


@pytest.mark.parametrize(
    ("wished", "state", "step"),
    [
        (Control.PAUSE, CycleState.PAUSED, StepState.PENDING),
        (Control.CANCEL, CycleState.CANCELLED, StepState.CANCELLED),
    ],
)
@pytest.mark.parametrize("way", ["retry_later", "hand_back", "obey"])
def test_what_a_person_wished_meanwhile_counts_whatever_the_worker_wanted(
    lease: Lease, way: str, wished: Control, state: CycleState, step: StepState
) -> None:
    wish(lease, wished)
    ways = {
        "retry_later": lambda: endings.retry_later(lease, "retrain", 0, REPORT),
        "hand_back": lambda: endings.hand_back(lease, "retrain", "the worker ends"),
        "obey": lambda: endings.obey(lease, "retrain", Control.PAUSE),
    }
    assert ways[way]() == state
    assert (row(lease).state, row(lease).control) == (state, Control.NONE)
    assert step_of(row(lease), "retrain").state == step


def test_a_cycle_that_is_handed_back_is_not_blamed(lease: Lease) -> None:
    assert endings.hand_back(lease, "retrain", "the worker ends", pause=7.0) == CycleState.QUEUED
    cycle, step = row(lease), step_of(row(lease), "retrain")
    assert (cycle.attempts, cycle.lease_owner, cycle.lease_until) == (0, "", None)
    assert (step.state, step.note, step.failures) == (StepState.PENDING, "the worker ends", 0)
    assert 6 < pause(lease) <= 7


@pytest.mark.parametrize("way", ["fail", "retry_later", "hand_back", "obey"])
def test_whoever_was_overtaken_changes_nothing(lease: Lease, way: str) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(lease_token=lease.token + 1)
    before = Cycle.objects.values().get(pk=lease.cycle_id), list(CycleStep.objects.values())
    words = {
        "fail": ("retrain", REPORT, "no"),
        "retry_later": ("retrain", 0, REPORT),
        "hand_back": ("retrain", "x"),
        "obey": ("retrain", Control.CANCEL),
    }
    with pytest.raises(LeaseLost):
        getattr(endings, way)(lease, *words[way])
    assert (Cycle.objects.values().get(pk=lease.cycle_id), list(CycleStep.objects.values())) == before


def test_a_cycle_that_is_done_keeps_the_states_of_its_steps(lease: Lease) -> None:
    before = list(CycleStep.objects.order_by("id").values_list("name", "state"))
    endings.end(lease.cycle_id, CycleState.DONE, "x" * 900)
    assert list(CycleStep.objects.order_by("id").values_list("name", "state")) == before
    assert row(lease).message == "x" * 500


def test_an_end_stands_though_its_state_file_can_not_be_written(
    lease: Lease,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    (tmp_path / "file").write_text("in the way")
    Engine.objects.update(state_path=str(tmp_path / "file" / "state.json"))
    with django_capture_on_commit_callbacks(execute=True):
        endings.end(lease.cycle_id, CycleState.DONE, "")
    assert row(lease).state == CycleState.DONE
    assert "the state file of engine" in caplog.text
    assert row(lease).engine.last_cycle_at is not None
