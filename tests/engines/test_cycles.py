"""What people do to cycles: every act in every state, its refusals and its audit row."""

from collections.abc import Callable

import pytest

from engines.domain.errors import Conflict, InvalidInput
from engines.domain.results import Actor
from engines.domain.states import STEPS, Control, CycleState, StepState, Trigger
from engines.models import Cycle, Engine
from engines.services import cycles
from engines.services.leases import claim
from menace_site.models import AuditEntry
from tests.engines.moving import parts, queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db

ADA = Actor(label="ada", kind="person")
Act = Callable[..., Cycle]


def in_state(state: CycleState) -> Cycle:
    cycle = queued(make_engine())
    if state == CycleState.RUNNING:
        claim(cycle.pk, owner="w")
    else:
        Cycle.objects.filter(pk=cycle.pk).update(state=state)
    return cycle


def now(cycle: Cycle) -> Cycle:
    return Cycle.objects.get(pk=cycle.pk)


def test_enqueue_makes_the_row_its_steps_and_an_audit_row() -> None:
    engine = make_engine(seed=7)
    cycle = cycles.enqueue_cycle(engine, trigger=Trigger.MANUAL, energy=2, actor=ADA)
    assert (cycle.state, cycle.energy, cycle.seed, cycle.requested_label) == ("queued", 2.0, 7, "ada")
    assert list(cycle.steps.values_list("name", flat=True)) == list(STEPS)
    entry = AuditEntry.objects.get()
    assert (entry.verb, entry.target, entry.actor) == ("cycle.trigger", f"cycle:{cycle.pk}", "ada")


@pytest.mark.parametrize("energy", [0, -1, 100.5, float("nan"), float("inf"), True, "1"])
def test_a_bad_energy_is_refused_and_nothing_is_made(energy: float) -> None:
    with pytest.raises(InvalidInput):
        cycles.enqueue_cycle(make_engine(), trigger=Trigger.MANUAL, energy=energy, actor=ADA)
    assert not Cycle.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("seed", [-1, 2**31, True, 1.5])
def test_a_bad_seed_is_refused(seed: int) -> None:
    with pytest.raises(InvalidInput):
        cycles.enqueue_cycle(make_engine(), trigger=Trigger.MANUAL, energy=1, actor=ADA, seed=seed)


def test_an_engine_that_is_off_takes_no_cycle() -> None:
    with pytest.raises(Conflict, match="switched off"):
        queued(make_engine(enabled=False))


def test_the_queue_of_an_engine_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cycles, "MAX_QUEUED", 2)
    engine = make_engine()
    queued(engine)
    queued(engine)
    with pytest.raises(Conflict, match="2 cycles waiting"):
        queued(engine)


@pytest.mark.parametrize("state", [CycleState.QUEUED, CycleState.PAUSED])
def test_cancel_ends_an_idle_cycle_at_once(state: CycleState) -> None:
    cycle = cycles.cancel_cycle(in_state(state).pk, actor=ADA)
    assert (cycle.state, cycle.message) == ("cancelled", "cancelled by ada")
    assert step_of(cycle, "inspect").state == StepState.CANCELLED


@pytest.mark.parametrize(
    ("act", "asked"), [(cycles.cancel_cycle, Control.CANCEL), (cycles.pause_cycle, Control.PAUSE)]
)
def test_a_running_cycle_is_asked_and_keeps_running_until_its_worker_hears(act: Act, asked: Control) -> None:
    cycle = act(in_state(CycleState.RUNNING).pk, actor=ADA)
    assert (cycle.state, cycle.control) == ("running", asked)


def test_pause_holds_a_queued_cycle_and_resume_queues_it_with_a_fresh_deadline() -> None:
    cycle = in_state(CycleState.QUEUED)
    Cycle.objects.filter(pk=cycle.pk).update(deadline_at="2001-01-01T00:00:00Z")
    assert cycles.pause_cycle(cycle.pk, actor=ADA).state == "paused"
    resumed = cycles.resume_cycle(cycle.pk, actor=ADA)
    assert (resumed.state, resumed.deadline_at) == ("queued", None)
    verbs = AuditEntry.objects.order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["cycle.trigger", "cycle.pause", "cycle.resume"]


REFUSED = [
    (cycles.cancel_cycle, ["done", "skipped", "failed", "cancelled", "quarantined"]),
    (cycles.pause_cycle, ["paused", "done", "skipped", "failed", "cancelled", "quarantined"]),
    (cycles.resume_cycle, ["queued", "running", "done", "skipped", "failed", "cancelled", "quarantined"]),
]


@pytest.mark.parametrize(("act", "state"), [(act, state) for act, states in REFUSED for state in states])
def test_an_act_that_the_state_forbids_changes_nothing(act: Act, state: str) -> None:
    cycle = in_state(CycleState(state))
    before = AuditEntry.objects.count()
    with pytest.raises(Conflict, match=state):
        act(cycle.pk, actor=ADA)
    assert now(cycle).state == state
    assert AuditEntry.objects.count() == before


def test_a_cycle_being_cancelled_can_t_be_paused() -> None:
    cycle = in_state(CycleState.RUNNING)
    cycles.cancel_cycle(cycle.pk, actor=ADA)
    with pytest.raises(Conflict):
        cycles.pause_cycle(cycle.pk, actor=ADA)
    assert now(cycle).control == Control.CANCEL


@pytest.fixture
def finished() -> Cycle:
    cycle = queued(make_engine())
    cycles.run_cycle(cycle.pk, owner="w", parts=parts())
    return cycle


@pytest.mark.parametrize("state", ["done", "skipped", "failed", "cancelled", "quarantined"])
def test_every_ended_cycle_can_be_retried_from_a_step(finished: Cycle, state: str) -> None:
    Cycle.objects.filter(pk=finished.pk).update(state=state, attempts=3)
    cycle = cycles.retry_cycle(finished.pk, from_step="gate", actor=ADA)
    assert (cycle.state, cycle.step, cycle.steps_done, cycle.attempts) == ("queued", "gate", 8, 0)
    assert (cycle.finished_at, cycle.message, cycle.deadline_at) == (None, "", None)
    assert step_of(cycle, "flag").state == StepState.DONE
    assert step_of(cycle, "gate").state == StepState.PENDING


@pytest.mark.parametrize("state", ["queued", "running", "paused"])
def test_a_cycle_that_has_not_ended_can_t_be_retried(state: str) -> None:
    with pytest.raises(Conflict, match="only an ended cycle"):
        cycles.retry_cycle(in_state(CycleState(state)).pk, from_step="inspect", actor=ADA)


def test_a_retry_can_t_jump_over_a_step_without_result() -> None:
    cycle = in_state(CycleState.FAILED)
    with pytest.raises(Conflict, match="step inspect"):
        cycles.retry_cycle(cycle.pk, from_step="retrain", actor=ADA)


def test_a_retry_from_an_unknown_step_is_refused(finished: Cycle) -> None:
    with pytest.raises(InvalidInput, match="is no step"):
        cycles.retry_cycle(finished.pk, from_step="nonsense", actor=ADA)


def test_what_later_cycles_built_on_is_not_measured_again(finished: Cycle) -> None:
    later = queued(Engine.objects.get(pk=finished.engine_id))
    Cycle.objects.filter(pk=later.pk).update(roi_delta=1.0)
    with pytest.raises(Conflict, match="later cycle"):
        cycles.retry_cycle(finished.pk, from_step="retrain", actor=ADA)
    assert cycles.retry_cycle(finished.pk, from_step="learn", actor=ADA).state == "queued"
