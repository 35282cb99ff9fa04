"""Leases: who may move a cycle, and who may not any more."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from engines.domain.errors import LeaseLost
from engines.domain.states import Control, CycleState
from engines.models import Cycle, Engine
from engines.services import leases
from tests.engines.moving import expire, queued
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine() -> Engine:
    return make_engine()


def test_claim_makes_a_waiting_cycle_running_under_a_higher_token(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    cycle.refresh_from_db()
    assert lease is not None
    assert (cycle.state, cycle.lease_owner, cycle.lease_token) == (CycleState.RUNNING, "a", lease.token)
    assert (lease.token, cycle.attempts, cycle.takeovers) == (1, 1, 0)
    assert 3590 < lease.left() <= 3600


def test_a_second_delivery_of_the_same_id_claims_nothing(engine: Engine) -> None:
    cycle = queued(engine)
    assert leases.claim(cycle.pk, owner="a")
    assert leases.claim(cycle.pk, owner="b") is None


def test_only_one_cycle_of_an_engine_runs(engine: Engine) -> None:
    first, second = queued(engine), queued(engine)
    assert leases.claim(first.pk, owner="a")
    assert leases.claim(second.pk, owner="b") is None


def test_cycles_of_two_engines_run_beside_each_other(engine: Engine) -> None:
    assert leases.claim(queued(engine).pk, owner="a")
    assert leases.claim(queued(make_engine()).pk, owner="b")


def test_an_expired_lease_is_taken_over_and_counted(engine: Engine) -> None:
    cycle = queued(engine)
    leases.claim(cycle.pk, owner="a")
    expire(cycle)
    lease = leases.claim(cycle.pk, owner="b")
    cycle.refresh_from_db()
    assert lease is not None
    assert (lease.token, cycle.takeovers, cycle.attempts, cycle.lease_owner) == (2, 1, 2, "b")


def test_a_cycle_that_killed_its_worker_too_often_is_not_claimed(engine: Engine) -> None:
    cycle = queued(engine)
    for owner in "abc":
        assert leases.claim(cycle.pk, owner=owner)
        expire(cycle)
    assert leases.claim(cycle.pk, owner="d") is None


def test_a_cycle_that_is_not_due_waits_unless_told_otherwise(engine: Engine) -> None:
    cycle = queued(engine)
    Cycle.objects.filter(pk=cycle.pk).update(run_after="2100-01-01T00:00:00Z")
    assert leases.claim(cycle.pk, owner="a") is None
    assert leases.claim(cycle.pk, owner="a", ignore_back_off=True)


@pytest.mark.parametrize("state", [s for s in CycleState if s not in ("queued", "running")])
def test_a_cycle_in_any_other_state_is_not_claimed(engine: Engine, state: CycleState) -> None:
    cycle = queued(engine)
    Cycle.objects.filter(pk=cycle.pk).update(state=state)
    assert leases.claim(cycle.pk, owner="a") is None


def test_a_cycle_of_an_engine_that_is_off_is_not_claimed(engine: Engine) -> None:
    cycle = queued(engine)
    Engine.objects.filter(pk=engine.pk).update(enabled=False)
    assert leases.claim(cycle.pk, owner="a") is None


def test_beat_lengthens_the_lease_and_hears_wishes(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    assert lease is not None
    expire(cycle)
    assert leases.beat(lease) == Control.NONE
    assert not Cycle.objects.stale().filter(pk=cycle.pk).exists()
    Cycle.objects.filter(pk=cycle.pk).update(control=Control.PAUSE)
    assert leases.beat(lease) == Control.PAUSE


def test_beat_refuses_whoever_was_overtaken(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    expire(cycle)
    leases.claim(cycle.pk, owner="b")
    assert lease is not None
    with pytest.raises(LeaseLost):
        leases.beat(lease)


def test_fence_lets_nothing_through_after_a_takeover(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    expire(cycle)
    leases.claim(cycle.pk, owner="b")
    assert lease is not None
    with pytest.raises(LeaseLost), leases.fenced(lease, step="patch", done=1):
        raise AssertionError("the body must not run")
    cycle.refresh_from_db()
    assert (cycle.step, cycle.steps_done) == ("inspect", 0)


def test_fence_moves_the_step_lengthens_the_lease_and_forgets_attempts(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    expire(cycle)
    assert lease is not None
    with leases.fenced(lease, step="patch", done=1, cpu_seconds=2.0) as asked:
        assert asked == Control.NONE
    cycle.refresh_from_db()
    assert (cycle.step, cycle.steps_done, cycle.attempts, cycle.cpu_seconds) == ("patch", 1, 1, 2.0)
    assert not Cycle.objects.stale().filter(pk=cycle.pk).exists()


def test_what_was_written_under_a_fence_goes_when_the_body_fails(engine: Engine) -> None:
    cycle = queued(engine)
    lease = leases.claim(cycle.pk, owner="a")
    assert lease is not None
    with pytest.raises(ValueError, match="broken"), leases.fenced(lease, step="patch", done=1):
        raise ValueError("broken")
    cycle.refresh_from_db()
    assert (cycle.step, cycle.steps_done) == ("inspect", 0)


def _race(pks: list[int], claimants: int) -> list[Any]:
    def grab(number: int) -> Any:
        try:
            return leases.claim(pks[number % len(pks)], owner=f"racer{number}")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        return [lease for lease in pool.map(grab, range(claimants)) if lease]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cycles", [1, 8])
def test_of_many_racing_workers_one_gets_the_engine(cycles: int) -> None:
    engine = make_engine()
    pks = [queued(engine).pk for _ in range(cycles)]
    assert len(_race(pks, 24)) == 1
    assert Cycle.objects.filter(state=CycleState.RUNNING).count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_takeover_waits_for_the_owner_s_open_transaction_and_then_finds_it_alive() -> None:
    cycle = queued(make_engine())
    lease = leases.claim(cycle.pk, owner="a")
    assert lease is not None
    expire(cycle)
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic(), leases.fenced(lease, step="patch", done=1):
            rival = pool.submit(_race, [cycle.pk], 1)
        assert rival.result(timeout=10) == []


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("on_the_way", "waits"), [(True, "off"), (False, "on")])
def test_only_steps_on_the_way_don_t_wait_for_the_disk(on_the_way: bool, waits: str) -> None:
    lease = leases.claim(queued(make_engine()).pk, owner="a")
    assert lease is not None
    with leases.fenced(lease, on_the_way=on_the_way), connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == (waits,)
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)
