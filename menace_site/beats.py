"""Signs of life: worker and beat processes keep a row that says they are there.

A thread in the parent process writes on a short-lived connection of its own, on the database's clock, and
goes on trying while the database is away. The row goes with an orderly end; after a crash its age tells.
"""

import atexit
import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import Any

from celery.signals import beat_init, worker_init, worker_ready, worker_shutdown
from django.conf import settings
from django.db import DatabaseError, connection

from menace_site import tables
from menace_site.models import ServiceBeat

log = logging.getLogger(__name__)

UPSERT = """
INSERT INTO menace_site_servicebeat (service, name, at, detail)
VALUES (%s, %s, clock_timestamp(), json_build_object('every', %s::float8, 'processes', %s::int))
ON CONFLICT (name) DO UPDATE SET at = EXCLUDED.at, service = EXCLUDED.service, detail = EXCLUDED.detail
"""
FORGET_OLD = "DELETE FROM menace_site_servicebeat WHERE at < clock_timestamp() - interval '1 hour'"


class Pulse:
    """The thread that says every few seconds that this process is there."""

    def __init__(self, service: str, *, every: float, processes: int = 1) -> None:
        self.service = service
        self.name = f"{socket.gethostname()}:{os.getpid()}"[:150]
        self._every = every
        self._processes = processes
        self._over = threading.Event()
        self._away = False
        self._thread = threading.Thread(target=self._run, name=f"pulse-{service}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and take the row away if the database answers."""
        self._over.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        self._try(self._beat)
        while not self._over.wait(self._every):
            self._try(self._beat)
        self._try(self._remove)

    def _beat(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(UPSERT, [self.service, self.name, self._every, self._processes])
            cursor.execute(FORGET_OLD)

    def _remove(self) -> None:
        ServiceBeat.objects.filter(name=self.name).delete()

    def _try(self, write: Callable[[], None]) -> None:
        """Write on a connection that is closed again; say once that the database is away."""
        try:
            write()
        except DatabaseError as error:
            if not self._away:
                log.warning("database away, no sign of life is written: %s", error)
            self._away = True
        else:
            self._away = False
        finally:
            connection.close()


_pulses: list[Pulse] = []


def begin(service: str, *, processes: int = 1) -> Pulse:
    """Start this process' signs of life; they end with the process."""
    pulse = Pulse(service, every=settings.SANDBOX.beat_seconds, processes=processes)
    pulse.start()
    _pulses.append(pulse)
    atexit.register(end)
    return pulse


def end(**_: Any) -> None:
    """Stop the signs of life of this process."""
    while _pulses:
        _pulses.pop().stop()


@worker_init.connect
def on_worker_init(**_: Any) -> None:
    """End a worker whose database is older than its code, with exit code 2: its steps would all fail."""
    try:
        tables.check()
    except tables.OtherTables as error:
        log.critical("%s", error)
        raise SystemExit(2) from None
    finally:
        connection.close()


@worker_ready.connect
def on_worker_ready(sender: Any = None, **_: Any) -> None:
    """A worker takes tasks from now on."""
    begin("worker", processes=getattr(getattr(sender, "pool", None), "num_processes", 1))


@beat_init.connect
def on_beat_init(**_: Any) -> None:
    """The schedule runs from now on."""
    begin("beat")


worker_shutdown.connect(end)
