"""Celery's tasks for self-tests: an id in, one service. A lost message costs seconds only."""

import logging
import os
import socket
from typing import Any, Final

from celery import shared_task
from django.conf import settings
from django.db import transaction
from django.dispatch import receiver
from kombu.exceptions import OperationalError

from orphans.services import self_tests, sweeping
from orphans.signals import batch_queued

log = logging.getLogger(__name__)

SLICE_SECONDS: Final = 60.0
"""A worker that tested this long gives others a turn; a new message takes it up again."""


@shared_task(name="orphans.tasks.work_off_self_tests")
def work_off_self_tests(batch_id: int) -> None:
    """Test modules of a set until none is free, or for a slice of time."""
    owner = f"{socket.gethostname()}:{os.getpid()}"
    self_tests.work(batch_id, owner=owner, seconds=SLICE_SECONDS)
    if not self_tests.close(batch_id) and sweeping.is_claimable(batch_id):
        wake(batch_id)


@shared_task(name="orphans.tasks.sweep_self_tests")
def sweep_self_tests() -> None:
    """Send again what waits in the database but not in the broker, and clear up after dead workers."""
    for batch_id in sweeping.sweep():
        wake(batch_id)


def wake(batch_id: int, *, workers: int = 1) -> None:
    """Send workers the id of a set; a broker that is away is made good by the sweep."""
    try:
        for _ in range(workers):
            work_off_self_tests.apply_async((batch_id,), retry=False)
    except (OperationalError, OSError):
        log.warning("self-tests %s: broker away; the sweep will send them later", batch_id)


@receiver(batch_queued)
def wake_when_committed(*, batch_id: int, wake: bool, **_: Any) -> None:
    """Wake as many workers as may run at once, when the rows can be seen."""
    if wake:
        workers = settings.SANDBOX.discovery_workers or os.cpu_count() or 1
        transaction.on_commit(lambda: _wake(batch_id, workers))


def _wake(batch_id: int, workers: int) -> None:
    wake(batch_id, workers=workers)
