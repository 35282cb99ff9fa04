"""The heartbeat of a running cycle: a thread that lengthens the lease and hears what people ask for."""

import logging
import threading
import time

from django.conf import settings
from django.db import Error, connection

from engines.domain.errors import LeaseLost
from engines.domain.states import Control, StepState
from engines.models import CycleStep
from engines.services.leases import Lease, beat

log = logging.getLogger(__name__)

LISTEN_SECONDS = 1.0
GRACE_SECONDS = 15.0
JOIN_SECONDS = 5.0


class Closing:
    """Whether this process was asked to end: it takes no cycle any more and hands back what it has."""

    def __init__(self) -> None:
        self.asked = False
        #: how many cycles this process moves just now
        self.running = 0


closing = Closing()


class Heartbeat:
    """Beats while steps run; a step polls `is_set` and stops when it is.

    It stops beating once a step is long past its time, so that a step stuck for good loses its lease.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.asked = Control.NONE
        self.lost = False
        self.overdue = False
        self._step = lease.step
        self._give_up_at = time.monotonic() + GRACE_SECONDS
        self._stop = threading.Event()
        self._over = threading.Event()
        self._news: tuple[str, dict[str, float | str | None]] | None = None
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{lease.cycle_id}", daemon=True)

    def __enter__(self) -> "Heartbeat":
        closing.running += 1
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(JOIN_SECONDS)  # a database that hangs must not hold up the worker
        closing.running -= 1

    def begin(self, step: str, seconds: float) -> None:
        """Say that `step` starts and may take so many seconds."""
        self._step = step
        self._news = None
        self._give_up_at = time.monotonic() + seconds + GRACE_SECONDS

    def is_set(self) -> bool:
        """Return whether the step should stop now."""
        return self._stop.is_set() or closing.asked

    def report(self, fraction: float | None, message: str = "") -> None:
        """Keep how far the step is; the next beat writes it."""
        self._news = (self._step, {"progress": fraction, "note": message[:500]})

    def _beat(self) -> None:
        interval = min(LISTEN_SECONDS, settings.SANDBOX.lease_seconds / 4)
        try:
            while not self._over.wait(interval) and not self.lost:
                if time.monotonic() > self._give_up_at:
                    self.overdue = True
                    self._stop.set()
                    break
                self._once()
        finally:
            connection.close()

    def _once(self) -> None:
        try:
            self.asked = beat(self.lease)
            self._write_news()
        except LeaseLost:
            self.lost = True
        except Error as error:  # the lease may still hold; the next beat tells, or it runs out
            log.warning("cycle %s: no heartbeat was written: %s", self.lease.cycle_id, error)
            connection.close()
        if self.lost or self.asked:
            self._stop.set()

    def _write_news(self) -> None:
        news, self._news = self._news, None
        if news:
            # a step that ended meanwhile keeps what it said at its end
            CycleStep.objects.filter(
                cycle=self.lease.cycle_id,
                name=news[0],
                state=StepState.RUNNING,
                cycle__lease_token=self.lease.token,
            ).update(**news[1])
