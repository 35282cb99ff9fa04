"""Real Celery workers and a real beat as processes of their own, on the test's database and broker."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from menace_site.embedded.leash import send
from menace_site.embedded.processes import kill_group, spawn, stop
from menace_site.testing.servers import database_url

READY_SECONDS = 60.0
STOP_SECONDS = 30.0


@dataclass
class CeleryProcess:
    """One running `celery` process group and its log."""

    name: str
    process: subprocess.Popen[bytes]
    log_file: Path

    @property
    def pid(self) -> int:
        """The main process; also the number of its group."""
        return self.process.pid

    @property
    def log(self) -> str:
        """Everything it has printed so far."""
        return self.log_file.read_text(errors="replace")

    def children(self) -> list[int]:
        """Return the pids of its direct children: for a worker, the pool."""
        return [child.pid for child in psutil.Process(self.pid).children()]

    def running(self) -> bool:
        """Tell whether the main process lives."""
        return self.process.poll() is None

    def kill9(self) -> None:
        """Kill the whole group, as a power cut would."""
        kill_group(self.process)

    def term(self, *, group: bool = False) -> None:
        """Ask the main process (or the whole group) to stop, without waiting."""
        if group:
            send(self.pid, signal.SIGTERM)
        else:
            self.process.terminate()

    def freeze(self) -> None:
        """Stop the whole group where it stands (SIGSTOP)."""
        send(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen group go on."""
        send(self.pid, signal.SIGCONT)

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until the main process ends and return its exit code."""
        return self.process.wait(seconds)

    def stop(self, seconds: float = STOP_SECONDS) -> None:
        """Stop it warmly, then kill what is left."""
        self.thaw()
        stop(self.process, signal.SIGTERM, patience=seconds)

    def wait_for(self, text: str, seconds: float = READY_SECONDS) -> None:
        """Wait until its log holds `text`. Raises AssertionError if it ends or takes too long."""
        deadline = time.monotonic() + seconds
        while text not in self.log:
            if not self.running() or time.monotonic() > deadline:
                raise AssertionError(f"{self.name} never said {text!r}:\n{self.log}")
            time.sleep(0.05)


class WorkerFactory(Protocol):
    """What the fixture `celery_workers` gives."""

    def __call__(
        self,
        *,
        concurrency: int = 2,
        env: Mapping[str, str] | None = None,
        wait: bool = True,
        arguments: tuple[str, ...] = (),
    ) -> CeleryProcess:
        """Start one more worker; with `wait`, return once it takes tasks."""
        ...


class BeatFactory(Protocol):
    """What the fixture `beat_process` gives."""

    def __call__(self, *, env: Mapping[str, str] | None = None) -> CeleryProcess:
        """Start one more beat and return once it ticks."""
        ...


def process_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a process of the project that shall use this test's database."""
    facts = connection.settings_dict
    url = database_url(str(facts["NAME"]), str(facts["PASSWORD"]), Path(str(facts["HOST"])))
    return {**os.environ, "DATABASE_URL": url, **(extra or {})}


def _start(name: str, words: list[str], log_file: Path, env: Mapping[str, str] | None) -> CeleryProcess:
    command = [sys.executable, "-m", "celery", "-A", "menace_site", "--skip-checks", *words, "-l", "INFO"]
    with log_file.open("ab") as output:
        process = spawn(
            command,
            output=output,
            environ=process_environment(env),
            cwd=Path(settings.BASE_DIR),
            orphaned=signal.SIGKILL,
        )
    return CeleryProcess(name, process, log_file)


def _end(started: list[CeleryProcess]) -> None:
    for one in started:
        one.stop(seconds=5)
        print(f"--- log of {one.name} ---\n{one.log}")  # noqa: T201 - pytest shows it if the test failed


@pytest.fixture
def celery_workers(transactional_db: Any, tmp_path: Path) -> Iterator[WorkerFactory]:
    """A factory of real workers on the test's database and an emptied broker; they end with the test."""
    with Redis.from_url(os.environ["REDIS_URL"]) as broker:
        broker.flushdb()
    started: list[CeleryProcess] = []

    def start(
        *,
        concurrency: int = 2,
        env: Mapping[str, str] | None = None,
        wait: bool = True,
        arguments: tuple[str, ...] = (),
    ) -> CeleryProcess:
        name = f"worker{len(started)}"
        alone = ("--without-gossip", "--without-mingle")  # as the supervisor starts them
        words = ["worker", "-c", str(concurrency), "-n", f"{name}@test", *alone, *arguments]
        one = _start(name, words, tmp_path / f"{name}.log", env)
        started.append(one)
        if wait:
            one.wait_for("ready.")
        return one

    yield start
    _end(started)


@pytest.fixture
def beat_process(transactional_db: Any, tmp_path: Path) -> Iterator[BeatFactory]:
    """A factory of real beats; they end with the test."""
    started: list[CeleryProcess] = []

    def start(*, env: Mapping[str, str] | None = None) -> CeleryProcess:
        name = f"beat{len(started)}"
        words = ["beat", "-s", str(tmp_path / f"{name}-schedule"), "--pidfile="]
        one = _start(name, words, tmp_path / f"{name}.log", env)
        started.append(one)
        one.wait_for("beat: Starting...")
        return one

    yield start
    _end(started)
