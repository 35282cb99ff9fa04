"""The tasks: wake-ups go out after the commit, and a broker that is away holds nobody up."""

import time
from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import transaction
from redis import Redis

from engines import tasks
from engines.domain.results import PYTHON
from engines.domain.states import CycleState, Trigger
from engines.models import Cycle, Engine
from engines.services.cycles import enqueue_cycle, run_cycle
from menace_site.testing.servers import Servers
from tests.engines.moving import expire, parts, queued
from tests.factories import make_engine

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(valkey_client: Redis) -> Callable[[], int]:
    """Return how many messages wait in the broker."""
    return lambda: int(valkey_client.llen(tasks.QUEUE))


def asked(engine: Engine) -> Cycle:
    return enqueue_cycle(engine, trigger=Trigger.PYTHON, energy=1.0, actor=PYTHON)


def test_a_queued_cycle_wakes_a_worker_once_its_row_can_be_seen(waiting: Callable[[], int]) -> None:
    with transaction.atomic():
        cycle = asked(make_engine())
        assert waiting() == 0
    assert waiting() == 1
    assert cycle.wake == "sent"  # type: ignore[attr-defined]


def test_a_rolled_back_cycle_wakes_nobody(waiting: Callable[[], int]) -> None:
    with transaction.atomic():
        asked(make_engine())
        transaction.set_rollback(True)
    assert waiting() == 0


def test_the_end_of_a_cycle_wakes_the_engine_s_next(waiting: Callable[[], int]) -> None:
    engine = make_engine()
    first, _ = queued(engine), queued(engine)
    run_cycle(first.pk, owner="w", parts=parts())
    assert waiting() == 1


def test_the_end_of_the_last_cycle_wakes_nobody(waiting: Callable[[], int]) -> None:
    run_cycle(queued(make_engine()).pk, owner="w", parts=parts())
    assert waiting() == 0


def test_the_sweep_sends_what_waits_again_but_not_at_every_look(waiting: Callable[[], int]) -> None:
    queued(make_engine())
    tasks.sweep()
    tasks.sweep()
    assert waiting() == 1


def test_the_tasks_move_a_cycle_that_lost_its_worker(waiting: Callable[[], int]) -> None:
    engine = make_engine()
    Engine.objects.filter(pk=engine.pk).update(enabled=True)
    cycle = queued(engine)
    Cycle.objects.filter(pk=cycle.pk).update(state=CycleState.RUNNING)
    expire(cycle)
    tasks.sweep()
    assert waiting() == 1


def test_wake_is_short_with_a_broker_that_is_down_and_works_once_it_is_back(
    private_servers: Servers, waiting: Callable[[], int]
) -> None:
    private_servers.valkey.kill9()
    begin = time.monotonic()
    assert tasks.wake(1) == "away"
    assert time.monotonic() - begin < 1
    private_servers.restart_fallen()
    assert tasks.wake(1) == "sent"
    assert waiting() == 1


def test_messages_carry_the_id_alone(valkey_client: Redis) -> None:
    tasks.wake(7)
    (message,) = valkey_client.lrange(tasks.QUEUE, 0, -1)
    assert b'"argsrepr": "(7,)"' in message
    assert settings.CELERY_ACCEPT_CONTENT == ["json"]
