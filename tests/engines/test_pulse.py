"""The heartbeat of a running cycle: what it writes of a step, and what it must not write any more."""

import pytest
from django.db import OperationalError

from engines.domain.states import Control, CycleState, StepState
from engines.models import Cycle, CycleStep
from engines.services import leases, pulse, step_rows
from engines.services.leases import Lease
from engines.services.pulse import Heartbeat
from tests.engines.moving import queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease() -> Lease:
    """A claimed cycle whose training runs."""
    cycle = queued(make_engine())
    found = leases.claim(cycle.pk, owner="w")
    assert found is not None
    step_rows.start(cycle.pk, "retrain")
    return found


@pytest.fixture
def heartbeat(lease: Lease) -> Heartbeat:
    """A heartbeat that beats when a test says so."""
    found = Heartbeat(lease)
    found.begin("retrain", 60)
    return found


def told(lease: Lease, name: str) -> tuple[float | None, str]:
    row = CycleStep.objects.get(cycle=lease.cycle_id, name=name)
    return row.progress, row.note


def test_a_beat_writes_how_far_the_step_is_once(heartbeat: Heartbeat, lease: Lease) -> None:
    heartbeat.report(0.25, "trial 1 of 4")
    heartbeat._once()
    assert told(lease, "retrain") == (0.25, "trial 1 of 4")
    CycleStep.objects.update(note="changed")
    heartbeat._once()
    assert told(lease, "retrain") == (0.25, "changed"), "without news nothing is written"


def test_a_long_message_is_cut(heartbeat: Heartbeat, lease: Lease) -> None:
    heartbeat.report(None, "x" * 10_000)
    heartbeat._once()
    assert told(lease, "retrain") == (None, "x" * 500)


@pytest.mark.parametrize("state", [StepState.DONE, StepState.FAILED, StepState.PENDING])
def test_a_step_that_ended_before_the_beat_keeps_its_last_words(
    heartbeat: Heartbeat, lease: Lease, state: StepState
) -> None:
    heartbeat.report(0.25, "trial 1 of 4")
    CycleStep.objects.filter(cycle=lease.cycle_id, name="retrain").update(state=state, note="promotable")
    heartbeat._once()
    assert told(lease, "retrain") == (None, "promotable")


def test_news_of_one_step_are_not_told_of_the_next(
    heartbeat: Heartbeat, lease: Lease, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat.report(0.25, "trial 1 of 4")

    def meanwhile(one: Lease) -> Control:
        """The main thread goes on to the next step while the beat is under way."""
        step_rows.start(lease.cycle_id, "orphans")
        heartbeat._step = "orphans"
        return leases.beat(one)

    monkeypatch.setattr(pulse, "beat", meanwhile)
    heartbeat._once()
    assert told(lease, "orphans") == (None, "")


def test_the_news_of_the_step_before_are_forgotten(heartbeat: Heartbeat, lease: Lease) -> None:
    heartbeat.report(0.25, "trial 1 of 4")
    heartbeat.begin("orphans", 60)
    heartbeat._once()
    assert told(lease, "retrain") == (None, "")


@pytest.mark.parametrize("asked", [Control.PAUSE, Control.CANCEL])
def test_a_beat_hears_what_people_ask(heartbeat: Heartbeat, lease: Lease, asked: Control) -> None:
    heartbeat._once()
    assert not heartbeat.is_set()
    Cycle.objects.filter(pk=lease.cycle_id).update(control=asked)
    heartbeat._once()
    assert heartbeat.asked == asked
    assert heartbeat.is_set()


def test_whoever_was_overtaken_writes_nothing_and_stops(heartbeat: Heartbeat, lease: Lease) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(lease_token=lease.token + 1)
    heartbeat.report(0.25, "trial 1 of 4")
    heartbeat._once()
    assert heartbeat.lost
    assert heartbeat.is_set()
    assert told(lease, "retrain") == (None, "")


def test_a_cycle_that_ended_is_not_kept_alive(heartbeat: Heartbeat, lease: Lease) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(state=CycleState.CANCELLED)
    heartbeat._once()
    assert heartbeat.lost


def test_a_database_that_is_away_stops_nothing(
    heartbeat: Heartbeat, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(_: Lease) -> Control:
        raise OperationalError("the connection is closed")

    monkeypatch.setattr(pulse, "beat", away)
    # the test's transaction lives in the connection
    monkeypatch.setattr("engines.services.pulse.connection.close", lambda: None)
    heartbeat._once()
    assert not heartbeat.is_set()
    assert not heartbeat.lost
    assert "no heartbeat was written: the connection is closed" in caplog.text


def test_a_beat_lengthens_the_lease(heartbeat: Heartbeat, lease: Lease) -> None:
    Cycle.objects.filter(pk=lease.cycle_id).update(lease_until="2001-01-01T00:00:00Z")
    heartbeat._once()
    row = Cycle.objects.get(pk=lease.cycle_id)
    assert row.lease_until is not None
    assert row.lease_until.year > 2001
    assert step_of(row, "retrain").state == StepState.RUNNING
