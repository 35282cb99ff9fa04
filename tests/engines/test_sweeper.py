"""The sweeper: what it wakes, what it settles, what the schedule owes."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from engines.domain.states import Control, CycleState, StepState
from engines.models import Cycle, Engine
from engines.services import runner, sweeper
from engines.services.leases import claim
from tests.engines.moving import expire, queued, step_of
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


def dead(attempts: int = 1, **fields: object) -> Cycle:
    """A running cycle whose worker is gone."""
    cycle = queued(make_engine())
    assert claim(cycle.pk, owner="dead")
    Cycle.objects.filter(pk=cycle.pk).update(attempts=attempts, **fields)
    expire(cycle)
    return cycle


def state(cycle: Cycle) -> str:
    return str(Cycle.objects.values_list("state", flat=True).get(pk=cycle.pk))


def test_it_wakes_what_waits_and_what_lost_its_worker_but_not_what_runs() -> None:
    waiting, lost, running = queued(make_engine()), dead(), queued(make_engine())
    claim(running.pk, owner="alive")
    assert set(sweeper.sweep()) == {waiting.pk, lost.pk}


def test_it_wakes_only_the_oldest_cycle_of_an_engine() -> None:
    engine = make_engine()
    oldest = queued(engine)
    queued(engine)
    assert sweeper.sweep() == [oldest.pk]


def test_the_lost_cycle_comes_before_those_that_wait_behind_it() -> None:
    lost = dead()
    queued(lost.engine)
    assert sweeper.sweep() == [lost.pk]


def test_it_leaves_what_is_not_due_and_engines_that_are_off() -> None:
    later, off = queued(make_engine()), queued(make_engine())
    Cycle.objects.filter(pk=later.pk).update(run_after="2100-01-01T00:00:00Z")
    Engine.objects.filter(pk=off.engine_id).update(enabled=False)
    assert sweeper.sweep() == []


def test_a_cycle_whose_step_kills_its_workers_is_quarantined_with_the_step_s_name() -> None:
    poison, unlucky = dead(attempts=3), dead(attempts=2)
    assert sweeper.sweep() == [unlucky.pk]
    poison.refresh_from_db()
    assert poison.state == CycleState.QUARANTINED
    assert "died 3 times in a row at step inspect" in poison.message
    assert step_of(poison, "inspect").state == StepState.SKIPPED


@pytest.mark.parametrize(
    ("asked", "ends"), [(Control.CANCEL, CycleState.CANCELLED), (Control.PAUSE, CycleState.PAUSED)]
)
@pytest.mark.parametrize("attempts", [1, 3])
def test_a_wish_for_a_cycle_without_worker_is_fulfilled_at_once(
    asked: Control, ends: CycleState, attempts: int
) -> None:
    cycle = dead(attempts, control=asked)
    assert sweeper.sweep() == []
    assert state(cycle) == ends


def test_a_cycle_without_worker_of_an_engine_that_is_off_waits_in_the_queue() -> None:
    cycle = dead()
    Engine.objects.filter(pk=cycle.engine_id).update(enabled=False)
    assert sweeper.sweep() == []
    assert state(cycle) == CycleState.QUEUED


def test_the_next_of_an_engine_is_its_oldest() -> None:
    engine = make_engine()
    oldest = queued(engine)
    queued(engine)
    assert sweeper.next_of(engine.pk) == oldest.pk
    assert sweeper.next_of(make_engine().pk) is None


def test_scratch_of_dead_workers_is_removed_and_that_of_living_ones_kept(tmp_path: Path) -> None:
    cycle = queued(make_engine())
    lease = claim(cycle.pk, owner="alive")
    assert lease is not None
    names = [f"{cycle.pk}-retrain-{lease.token}", f"{cycle.pk}-retrain-0", "999999-inspect-1", "notes"]
    root = runner.scratch_root()
    for name in names:
        (root / name / "deep").mkdir(parents=True, exist_ok=True)
    assert sweeper.sweep_scratch() == 2
    assert sorted(path.name for path in root.iterdir()) == sorted([names[0], "notes"])


def due(*, enabled: bool = True) -> Engine:
    return make_engine(schedule_seconds=60, next_due_at="2001-01-01T00:00:00Z", enabled=enabled)


def test_a_due_engine_gets_one_cycle_and_its_next_slot() -> None:
    engine = due()
    assert sweeper.tick_schedules() == 1
    assert sweeper.tick_schedules() == 0
    engine.refresh_from_db()
    cycle = Cycle.objects.get(engine=engine)
    assert (cycle.trigger, cycle.requested_label) == ("schedule", "system")
    assert cycle.slot is not None
    assert engine.next_due_at is not None
    assert engine.next_due_at.timestamp() == (cycle.slot + 1) * 60


def test_slots_missed_while_a_scheduled_cycle_waits_don_t_pile_up() -> None:
    engine = due()
    sweeper.tick_schedules()
    Engine.objects.filter(pk=engine.pk).update(next_due_at="2001-01-01T00:00:00Z")
    assert sweeper.tick_schedules() == 0
    assert Cycle.objects.filter(engine=engine).count() == 1


def test_the_same_slot_is_never_queued_twice() -> None:
    engine = due()
    sweeper.tick_schedules()
    Cycle.objects.filter(engine=engine).update(state=CycleState.DONE)
    Engine.objects.filter(pk=engine.pk).update(next_due_at="2001-01-01T00:00:00Z")
    assert sweeper.tick_schedules() == 0


def test_an_engine_that_is_off_gets_nothing() -> None:
    due(enabled=False)
    assert sweeper.tick_schedules() == 0


@pytest.mark.django_db(transaction=True)
def test_two_tickers_and_sweepers_at_once_queue_each_slot_once() -> None:
    engines = [due() for _ in range(5)]
    poison = dead(attempts=3)

    def tick(_: int) -> int:
        try:
            sweeper.sweep()
            return sweeper.tick_schedules()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        made = sum(pool.map(tick, range(16)))
    assert made == Cycle.objects.filter(engine__in=engines).count() == 5
    assert Engine.objects.get(pk=poison.engine_id).tallies.get().count == 1
