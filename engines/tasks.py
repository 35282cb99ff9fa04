"""Celery's tasks: an id in, one service, the next wake-up out. A lost message costs seconds only."""

import logging
import os
import socket
from functools import cache
from typing import Any

from celery import shared_task
from django.conf import settings
from django.core.cache import cache as shared
from django.db import transaction
from django.dispatch import receiver
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from engines.models import Cycle
from engines.services import cycles, sweeper
from engines.signals import cycle_finished, cycle_queued

log = logging.getLogger(__name__)

QUEUE = "celery"
BROKER_TIMEOUT = 0.5
REWAKE_SECONDS = 10


@shared_task(name="engines.tasks.run_cycle")
def run_cycle(cycle_id: int) -> None:
    """Move one cycle as far as it goes."""
    state = cycles.run_cycle(cycle_id, owner=f"{socket.gethostname()}:{os.getpid()}")
    log.debug("cycle %s: %s", cycle_id, state)


@shared_task(name="engines.tasks.sweep")
def sweep() -> None:
    """Send again what waits in the database but not in the broker."""
    waiting = sweeper.sweep()
    for cycle_id in waiting:
        if shared.add(f"woken:{cycle_id}", 1, REWAKE_SECONDS):
            wake(cycle_id)


@shared_task(name="engines.tasks.tick_schedules")
def tick_schedules() -> None:
    """Queue what the schedules owe."""
    sweeper.tick_schedules()


def wake(cycle_id: int) -> str:
    """Send a worker the id of a cycle; return "sent", or "away" when the broker doesn't answer soon."""
    try:
        _probe_broker()
        run_cycle.apply_async((cycle_id,), retry=False)
    except (OperationalError, RedisError, OSError):
        log.warning("cycle %s: broker away; the sweeper will send it later", cycle_id)
        return "away"
    return "sent"


def _probe_broker() -> None:
    """Raise soon when the broker hangs: a publish alone would block for its whole socket time-out."""
    _probe().ping()


@cache
def _probe() -> Redis:
    return Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=BROKER_TIMEOUT,
        socket_connect_timeout=BROKER_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )


@receiver(cycle_queued)
def wake_when_committed(cycle: Cycle, wake: bool, **_: Any) -> None:
    """Wake a worker for a queued cycle once its row can be seen."""
    if wake:
        transaction.on_commit(lambda: _note_wake(cycle))


def _note_wake(cycle: Cycle) -> None:
    cycle.wake = wake(cycle.pk)  # type: ignore[attr-defined]


@receiver(cycle_finished)
def wake_next(cycle: Cycle, **_: Any) -> None:
    """Wake a worker for the engine's next cycle once this one's end can be seen."""
    transaction.on_commit(lambda: _wake_next(cycle.engine_id))


def _wake_next(engine_id: int) -> None:
    following = sweeper.next_of(engine_id)
    if following is not None:
        wake(following)
