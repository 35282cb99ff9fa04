"""The stage of a fault test: real workers, cycles with a script, and what to wait for."""

import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import Error, connection

from engines import tasks
from engines.domain.results import PYTHON
from engines.domain.states import STEPS, TERMINAL, Trigger
from engines.models import Cycle, Engine
from engines.services.cycles import enqueue_cycle
from forecasting.models import MetricPoint
from menace_site.embedded.keeper import start_together
from menace_site.testing.servers import Servers
from menace_site.testing.workers import CeleryProcess, WorkerFactory
from tests.factories import make_engine
from tests.waiting import until

LEASE = 2.0
TAKEOVER = LEASE + 15.0
PATIENCE = 60.0
ONCE = dict.fromkeys(STEPS, 1)
Script = Mapping[str, Mapping[str, Any]]


@dataclass
class Stage:
    """Everything that one test of a fault needs."""

    root: Path
    factory: WorkerFactory
    servers: Servers
    env: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.gate = self.root / "gate"
        self.env = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "FAULTS_DIR": str(self.root),
            "MENACE_LEASE_SECONDS": str(LEASE),
            "MENACE_SWEEP_SECONDS": "0.5",
            "MENACE_RETRY_BACKOFF": "0.1",
        }

    def worker(self, *, env: Mapping[str, str] | None = None, **options: Any) -> CeleryProcess:
        """Start a worker with short leases and scripted steps."""
        return self.factory(env={**self.env, **(env or {})}, **options)

    def cycle(
        self, script: Script | None = None, *, engine: Engine | None = None, wake: bool = True
    ) -> Cycle:
        """Queue a cycle of an engine whose steps follow the script."""
        engine = engine or make_engine(manifest=dict(script or {}))
        return enqueue_cycle(engine, trigger=Trigger.PYTHON, energy=1.0, actor=PYTHON, wake=wake)

    def held(self, step: str = "retrain") -> Cycle:
        """Queue a cycle whose step lasts until the gate opens."""
        return self.cycle({step: {"do": "wait", "until": str(self.gate)}})

    def open_gate(self) -> None:
        """Let the steps that wait go on."""
        self.gate.touch()

    def starts(self, cycle: Cycle, step: str) -> list[tuple[int, int]]:
        """Return attempt and pid of each start of the step."""
        log = self.root / "faults" / "starts.log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [(int(n), int(pid)) for who, what, n, pid, _ in lines if (who, what) == (str(cycle.pk), step)]

    def started(self, cycle: Cycle, step: str = "retrain", times: int = 1) -> int:
        """Wait until the step was started so often; return the pid of the latest."""
        until(lambda: len(self.starts(cycle, step)) >= times)
        return self.starts(cycle, step)[-1][1]

    def finish(self, *cycles: Cycle, seconds: float = PATIENCE) -> list[str]:
        """Sweep until all have ended; return their states."""
        until(lambda: swept() and all(state_of(cycle) in TERMINAL for cycle in cycles), seconds)
        return [state_of(cycle) for cycle in cycles]

    def restart_broker(self) -> None:
        """Kill the broker and start an empty one."""
        self.servers.valkey.kill9()
        start_together([self.servers.valkey])

    def restart_database(self) -> None:
        """Stop the database at once, cutting every connection, and start it again."""
        self.servers.postgres.stop(signal.SIGQUIT)
        start_together([self.servers.postgres])
        connection.close()


def swept() -> bool:
    """Look for what was lost, as beat would have a worker do, about twice a second."""
    time.sleep(0.4)
    try:
        tasks.sweep()
    except Error:
        connection.close()
    return True


def state_of(cycle: Cycle) -> str:
    """Return the state, or nothing while the database is away."""
    try:
        return str(Cycle.objects.values_list("state", flat=True).get(pk=cycle.pk))
    except Error:
        connection.close()
        return ""


def effects(cycle: Cycle) -> dict[str, int]:
    """Return how often each step wrote its row."""
    names = list(MetricPoint.objects.filter(subject=f"cycle:{cycle.pk}").values_list("name", flat=True))
    return {name: names.count(name) for name in names}


def kill(pid: int) -> None:
    """End one process as the kernel would when memory runs out."""
    os.kill(pid, signal.SIGKILL)


def row(cycle: Cycle) -> Cycle:
    """Return the row as it is now."""
    return Cycle.objects.get(pk=cycle.pk)
