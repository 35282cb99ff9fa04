"""The faults of `chaos.py`, and what is watched meanwhile. Import it once Django is set up."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection

from engines.models import Cycle, Engine
from harness.acts import (
    cancel_one,
    deliver,
    enqueue_missing,
    figures,
    pause_or_resume,
    resume_all,
    unfinished,
)
from harness.stack import Stack, children, kill_all
from menace_site.embedded.keeper import start_together
from menace_site.embedded.leash import send
from menace_site.models import ServiceBeat
from tests.faults import plain

LEASE = settings.SANDBOX.lease_seconds
ENGINES = 8
WORKERS = 3
DRAIN_SECONDS = 150.0
WEIGHTS = {
    "kill a pool process": 30,
    "kill a worker": 6,
    "freeze a worker past its lease": 6,
    "cut database connections": 14,
    "restart the database": 4,
    "kill the broker": 5,
    "freeze the broker": 4,
    "deliver twenty times": 14,
    "cancel": 7,
    "pause and resume": 10,
}


@dataclass
class Chaos:
    """One run: the stack, what was done to it, and what was seen meanwhile."""

    stack: Stack
    random: random.Random
    done: Counter[str] = field(default_factory=Counter)
    acts: Counter[str] = field(default_factory=Counter)
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    #: when to wake a frozen process: (time, pid)
    frozen: list[tuple[float, int]] = field(default_factory=list)
    #: cycles whose worker was killed: id -> (token then, time)
    orphaned: dict[int, tuple[int, float]] = field(default_factory=dict)
    takeovers: list[float] = field(default_factory=list)
    tokens: dict[int, int] = field(default_factory=dict)
    fallen_tokens: int = 0

    def start(self) -> None:
        """Bring workers and beat up and register the engines."""

        for number in range(ENGINES):
            script = {"*": {"do": "work", "seconds": 0.03 + 0.01 * number}}
            Engine.objects.create(name=f"bot{number}", repository="/nowhere", manifest=script)
        self.workers = [self.stack.worker(f"w{number}") for number in range(WORKERS)]
        self.stack.beat()
        while ServiceBeat.objects.filter(service="worker").count() < WORKERS:
            time.sleep(0.1)

    def feed(self) -> None:
        """Keep two cycles of each engine in the queue, as people would."""

        self.acts["cycle.trigger"] += enqueue_missing()

    def fault(self) -> None:
        """Do one random thing."""
        kind = self.random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        FAULTS[kind](self)
        self.done[kind] += 1

    def look(self) -> None:
        """Wake the frozen, replace the dead, note takeovers and tokens."""
        now = time.monotonic()
        for due, pid in [one for one in self.frozen if one[0] <= now]:
            send(pid, signal.SIGCONT)
            self.frozen.remove((due, pid))
        for number, worker in enumerate(self.workers):
            if worker.poll() is not None:
                self.workers[number] = self.stack.worker(f"w{number}x{len(self.stack.processes)}")
        self._observe()

    def _observe(self) -> None:

        for pk, token, state in Cycle.objects.order_by("-id").values_list("id", "lease_token", "state")[:200]:
            self.fallen_tokens += token < self.tokens.get(pk, 0)
            self.tokens[pk] = token
            if pk in self.orphaned and (token > self.orphaned[pk][0] or state != "running"):
                self.takeovers.append(time.monotonic() - self.orphaned.pop(pk)[1])

    def orphan(self, pids: list[int]) -> None:
        """Note which cycles lose their worker now."""

        rows = Cycle.objects.filter(state="running").values_list("id", "lease_token", "lease_owner")
        for pk, token, owner in rows:
            if owner.endswith(tuple(f":{pid}" for pid in pids)):
                self.orphaned[pk] = (token, time.monotonic())


def kill_child(chaos: Chaos) -> None:
    """Kill one process of a pool, rather one that holds a cycle."""
    pids = [pid for worker in chaos.workers for pid in children(worker)]
    if pids:
        pid = chaos.random.choice(pids)
        chaos.orphan([pid])
        os.kill(pid, signal.SIGKILL)


def kill_worker(chaos: Chaos) -> None:
    """Kill a whole worker."""
    worker = chaos.random.choice(chaos.workers)
    chaos.orphan(children(worker))
    kill_all(worker)


def freeze_worker(chaos: Chaos) -> None:
    """Stop a worker where it stands, for one and a half leases."""
    worker = chaos.random.choice(chaos.workers)
    send(worker.pid, signal.SIGSTOP)
    chaos.frozen.append((time.monotonic() + 1.5 * LEASE, worker.pid))


def cut_connections(chaos: Chaos) -> None:
    """Have the database end every connection but ours."""

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )


def restart_database(chaos: Chaos) -> None:
    """Stop the database at once and start it again."""

    postgres = chaos.stack.servers.postgres
    postgres.stop(signal.SIGQUIT)
    start_together([postgres])
    connection.close()


def kill_broker(chaos: Chaos) -> None:
    """Kill the broker and start an empty one."""
    chaos.stack.servers.valkey.kill9()
    start_together([chaos.stack.servers.valkey])


def freeze_broker(chaos: Chaos) -> None:
    """Stop the broker for a second and a half."""
    process = chaos.stack.servers.valkey.process
    if process is not None:
        send(process.pid, signal.SIGSTOP)
        chaos.frozen.append((time.monotonic() + 1.5, process.pid))


def deliver_often(chaos: Chaos) -> None:
    """Deliver the same ids again and again."""

    deliver(chaos.random)


def cancel(chaos: Chaos) -> None:
    """A person cancels a cycle."""

    chaos.acts["cycle.cancel"] += cancel_one(chaos.random)


def pause_and_resume(chaos: Chaos) -> None:
    """A person resumes what is paused, else pauses something."""

    chaos.acts.update(pause_or_resume(chaos.random))


FAULTS: dict[str, Callable[[Chaos], None]] = dict(
    zip(
        WEIGHTS,
        (
            kill_child,
            kill_worker,
            freeze_worker,
            cut_connections,
            restart_database,
            kill_broker,
            freeze_broker,
            deliver_often,
            cancel,
            pause_and_resume,
        ),
        strict=True,
    )
)


def run(chaos: Chaos, *, minutes: float, faults: int) -> float:
    """Do the faults, evenly spread over the time; return the seconds it took."""
    begin = time.monotonic()
    pause = minutes * 60 / faults
    for number in range(faults):
        chaos.fault()
        chaos.feed()
        chaos.look()
        while time.monotonic() < begin + (number + 1) * pause:
            time.sleep(0.1)
            chaos.look()
    for due, pid in chaos.frozen:
        chaos.frozen[chaos.frozen.index((due, pid))] = (0.0, pid)
    return time.monotonic() - begin


def drain(chaos: Chaos) -> int:
    """Let everything end, resuming what is paused; return how many cycles did not."""

    give_up = time.monotonic() + DRAIN_SECONDS
    while (left := unfinished()) and time.monotonic() < give_up:
        chaos.look()
        chaos.acts["cycle.resume"] += resume_all()
        time.sleep(0.2)
    return left


def plain_celery(made: Stack, tasks: int = 20) -> dict[str, int]:
    """Kill a plain Celery worker once with -9 while it works on 20 tasks, and start another: what is lost?"""

    folder = made.root / "plain"
    folder.mkdir()
    for number in range(tasks):
        plain.nap.apply_async((number, 1.0, str(folder)), queue="plain")
    first = made.celery("worker", "-c", "2", "-Q", "plain", "-l", "WARNING", app="tests.faults.plain")
    while not list(folder.glob("started-*")):
        time.sleep(0.05)
    kill_all(first)
    made.celery("worker", "-c", "2", "-Q", "plain", "-l", "WARNING", app="tests.faults.plain")
    done, quiet_since = -1, time.monotonic()
    while time.monotonic() - quiet_since < 20:
        if (now := len(list(folder.glob("done-*")))) != done:
            done, quiet_since = now, time.monotonic()
        time.sleep(0.2)
    return {"tasks": tasks, "lost": tasks - done}


def report(chaos: Chaos, seconds: float, left: int, anchor: dict[str, int] | None) -> dict[str, Any]:
    """Put the figures together."""

    times = sorted(chaos.takeovers)
    return {
        "faults": sum(chaos.done.values()),
        "by kind": dict(chaos.done),
        "seconds": round(seconds, 1),
        "cycles not at an end": left,
        "fencing numbers that fell": chaos.fallen_tokens,
        "takeovers measured": len(times),
        "takeover seconds, median": round(times[len(times) // 2], 1) if times else None,
        "takeover seconds, longest": round(times[-1], 1) if times else None,
        "lease seconds": LEASE,
        **figures(chaos.acts, chaos.stack.root / "faults", chaos.stack.root / "data-main" / "scratch"),
        "plain Celery": anchor,
    }
