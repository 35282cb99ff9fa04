"""A throw-away stack: PostgreSQL, Valkey, workers and beat of its own in a temporary folder."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import django
import psutil
from django.core.management import call_command

from menace_site.embedded.keeper import start_together
from menace_site.embedded.leash import send
from menace_site.embedded.postgres import Postgres
from menace_site.embedded.processes import kill_group, spawn, stop
from menace_site.embedded.valkey import Valkey
from menace_site.testing.servers import Servers, test_environment

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Stack:
    """The servers, and every process that was started beside them."""

    servers: Servers
    env: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def root(self) -> Path:
        """Where everything of the stack lies."""
        return self.servers.root

    def celery(self, *words: str, app: str = "menace_site") -> subprocess.Popen[bytes]:
        """Start a worker or beat as a process group of its own."""
        log = self.root / f"{words[0]}-{len(self.processes)}.log"
        with log.open("ab") as output:
            process = spawn(
                [sys.executable, "-m", "celery", "-A", app, *words],
                output=output,
                environ={**os.environ, **self.env},
                cwd=REPOSITORY,
                orphaned=signal.SIGKILL,
            )
        self.processes.append(process)
        return process

    def worker(self, name: str, concurrency: int = 2, *, app: str = "menace_site") -> subprocess.Popen[bytes]:
        """Start a worker without waiting for it."""
        return self.celery("worker", "-c", str(concurrency), "-n", f"{name}@bench", "-l", "WARNING", app=app)

    def beat(self) -> subprocess.Popen[bytes]:
        """Start a beat."""
        return self.celery("beat", "-s", str(self.root / "beat"), "--pidfile=", "-l", "WARNING")

    def close(self) -> None:
        """End everything that was started."""
        for process in self.processes:
            send(process.pid, signal.SIGCONT)
            stop(process, signal.SIGTERM, patience=5)
        self.servers.close()


@contextmanager
def stack(env: Mapping[str, str], *, durable: bool) -> Iterator[Stack]:
    """Start the servers, set Django up on them and migrate; `durable`: wait for the disk as in production."""
    root = Path(tempfile.mkdtemp(prefix="menace-bench-"))
    options = {} if durable else {"fsync": "off", "full_page_writes": "off"}
    servers = Servers(root, Postgres(root, options), Valkey(root, None if durable else {"appendonly": "no"}))
    start_together([servers.postgres, servers.valkey])
    os.environ.update(test_environment(root))
    os.environ.update(env)
    made = Stack(servers, dict(env))
    try:
        django.setup()
        call_command("migrate", verbosity=0)
        yield made
    finally:
        made.close()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """Kill a process group at once."""
    kill_group(process)


def children(process: subprocess.Popen[bytes]) -> list[int]:
    """Return the pids of a worker's pool, none if it is gone."""
    try:
        return [child.pid for child in psutil.Process(process.pid).children()]
    except psutil.NoSuchProcess:
        return []
