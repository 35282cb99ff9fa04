"""Celery's tasks: an id in, one service, the next wake-up out. A lost message costs seconds only."""

import logging
import os
import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from billiard import active_children
from celery import shared_task
from celery.signals import worker_process_init, worker_shutting_down
from django.conf import settings
from django.core.cache import cache as shared
from django.db import transaction
from django.dispatch import receiver
from kombu.exceptions import OperationalError
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from engines.domain.promotion import PromotionState
from engines.models import Cycle, Promotion
from engines.services import (
    cycles,
    orphan_work,
    promotions,
    stage_orders,
    sweeper,
    temporal_stages,
    workflow_graph,
)
from engines.services.pulse import closing
from engines.signals import (
    cycle_queued,
    engine_freed,
    orphan_work_asked,
    promotion_changed,
    stages_asked,
)

log = logging.getLogger(__name__)

QUEUE = "celery"
BROKER_TIMEOUT = 0.5
SETTLE_SECONDS = 1.0
BUSY_SECONDS = 15.0
"""Stages that were asked for while others run are tried again after so long."""


@shared_task(name="engines.tasks.run_cycle")
def run_cycle(cycle_id: int) -> None:
    """Move one cycle as far as it goes."""
    if _process.forked:
        signal.signal(signal.SIGTERM, _asked_to_end)
    state = cycles.run_cycle(cycle_id, owner=f"{socket.gethostname()}:{os.getpid()}")
    log.debug("cycle %s: %s", cycle_id, state)
    if closing.asked:
        threading.Timer(SETTLE_SECONDS, _end_process).start()


class _Process:
    """What kind of process this is."""

    #: a child of a worker's pool; set there, since the pool puts its own handlers in place afterwards
    forked = False


_process = _Process()


@worker_process_init.connect
def note_fork(**_: Any) -> None:
    """Let a worker process hand its cycle back when it is asked to end."""
    _process.forked = True


def _asked_to_end(*_: Any) -> None:
    """Stop the running step, which hands the cycle back; an idle process ends at once.

    Told twice (by its worker and by whoever told the whole group) it still hands back in order.
    """
    closing.asked = True
    if not closing.running:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _end_process()


def _end_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@worker_shutting_down.connect
def pass_on_the_end(**_: Any) -> None:
    """Ask the worker's processes to end as soon as the worker is: none waits for the end of a long step."""
    for child in active_children():
        child.terminate()


@shared_task(name="engines.tasks.sweep")
def sweep() -> None:
    """Send again what waits in the database but not in the broker, and clear up after dead workers."""
    sweeper.sweep_scratch()
    for cycle_id in sweeper.sweep():
        if shared.add(f"woken:{cycle_id}", 1, settings.SANDBOX.sweep_seconds):
            wake(cycle_id)
    for promotion_id in promotions.left_over():
        if shared.add(f"apply:{promotion_id}", 1, settings.SANDBOX.sweep_seconds):
            send_promotion(promotion_id)


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


@receiver(engine_freed)
def wake_next(engine_id: int, **_: Any) -> None:
    """Wake a worker for the engine's next cycle once it can be seen that its turn is free."""
    transaction.on_commit(lambda: _wake_next(engine_id))


def _wake_next(engine_id: int) -> None:
    following = sweeper.next_of(engine_id)
    if following is not None:
        wake(following)


@shared_task(name="engines.tasks.work_on_orphans")
def work_on_orphans(order: dict[str, Any]) -> None:
    """Scan, test or try an engine's orphan modules, as a person asked."""
    orphan_work.carry_out(order)


@receiver(orphan_work_asked)
def send_orphan_work(order: dict[str, Any], **_: Any) -> None:
    """Send a worker what a person asked for, once the act is written down."""
    transaction.on_commit(lambda: _send_orphan_work(order))


def _send_orphan_work(order: dict[str, Any]) -> None:
    try:
        _probe_broker()
        work_on_orphans.apply_async((order,), retry=False)
    except (OperationalError, RedisError, OSError):
        log.warning("orphan work %s: broker away", order["token"])
        orphan_work.failed(order, "the broker is away, so no worker heard of it; ask again when it is back")


@shared_task(name="engines.tasks.apply_promotion")
def apply_promotion(promotion_id: int) -> None:
    """Make an approved candidate live; a message about any other promotion changes nothing."""
    state = promotions.apply(promotion_id)
    log.debug("promotion %s: %s", promotion_id, state)


@receiver(promotion_changed)
def apply_when_approved(promotion: Promotion, **_: Any) -> None:
    """Send an approved promotion to a worker once its approval can be seen."""
    if promotion.state == PromotionState.APPROVED:
        transaction.on_commit(lambda: send_promotion(promotion.pk))


def send_promotion(promotion_id: int) -> None:
    """Send a worker the id of a promotion; with the broker away, the sweeper does it later."""
    try:
        _probe_broker()
        apply_promotion.apply_async((promotion_id,), retry=False)
    except (OperationalError, RedisError, OSError):
        log.warning("promotion %s: broker away; the sweeper will send it later", promotion_id)


@shared_task(name="engines.tasks.refresh_workflow_graphs")
def refresh_workflow_graphs() -> None:
    """Measure the graphs of workflows of which something changed."""
    workflow_graph.refresh_due()


@shared_task(name="engines.tasks.measure_stages")
def measure_stages() -> None:
    """Run the workflow that waits longest through the hard stages; stopped at once when this process ends."""
    if _process.forked:
        signal.signal(signal.SIGTERM, _asked_to_end)
    with _stoppable():
        row = temporal_stages.measure_due()
        if row is not None:
            promotions.renew(row.engine_id, row.workflow)


@shared_task(name="engines.tasks.run_stages")
def run_stages(order: dict[str, Any]) -> None:
    """Run the stages that a person asked for; while others run, later."""
    if _process.forked:
        signal.signal(signal.SIGTERM, _asked_to_end)
    with _stoppable():
        busy = stage_orders.carry_out(order) == "busy"
    if busy:
        run_stages.apply_async((order,), countdown=BUSY_SECONDS)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let what runs be stopped when this process is asked to end, and end it then."""
    closing.running += 1
    try:
        yield
    finally:
        closing.running -= 1
    if closing.asked:
        threading.Timer(SETTLE_SECONDS, _end_process).start()


@receiver(stages_asked)
def send_stages(order: dict[str, Any], **_: Any) -> None:
    """Send a worker the stages that a person asked for, once the act is written down."""
    transaction.on_commit(lambda: _send_stages(order))


def _send_stages(order: dict[str, Any]) -> None:
    try:
        _probe_broker()
        run_stages.apply_async((order,), retry=False)
    except (OperationalError, RedisError, OSError):
        log.warning("stages %s: broker away", order["token"])
        stage_orders.failed(order, "the broker is away, so no worker heard of it; ask again when it is back")
