"""Supervise one run: start its keeper, answer the kernel's notices, watch it, end it, report the facts.

A fork of the spawner, single-threaded, outside the run's namespaces. Whatever happens to it (killed, its
worker gone) the run ends: the keeper dies with its parent, and a namespace dies with its keeper.
"""

import json
import os
import resource
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

from orphans.sandbox import cell
from orphans.sandbox.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUTS,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_PDEATHSIG,
    clone,
    prctl,
)
from orphans.sandbox.notices import Notices

SPACES: Final = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
TICK: Final = 0.05
QUICK: Final = 0.01
"""Seconds between two looks at a run that uses more than half of its memory."""
PAGE: Final = resource.getpagesize()
CLOCK: Final = os.sysconf("SC_CLK_TCK")
LONG: Final = 1.0
"""Seconds after which a run gives way to the workers and the site."""
REPORT_BYTES: Final = 64 * 2**10


class Run:
    """One run as its supervisor sees it."""

    def __init__(self, order: dict[str, Any], ends: dict[str, int]) -> None:
        self._order = order
        self._limits = order["limits"]
        self._lifeline = ends["lifeline"]
        self._started = time.monotonic()
        self._notices: Notices | None = None
        self._poll = select.poll()
        self._tick = TICK
        self._cell = 0
        self._polite = False
        self._line = -1
        self.scratch = -1
        self.facts: dict[str, Any] = {"status": None, "cause": "", "survivors": None, "held": {}, "error": ""}

    def start(self, ends: dict[str, int]) -> None:
        """Start the keeper, in namespaces of its own where they are to be had."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._cell = clone(SPACES if self._order["spaces"] else 0)
        if self._cell == 0:
            mine.close()
            os.close(self._lifeline)
            cell.keep(self._order, its, ends)
        its.close()
        self._line = mine.detach()
        for each in (self._line, self._lifeline):
            self._poll.register(each, select.POLLIN)

    def follow(self) -> None:
        """Serve and watch until the run ended or has to."""
        looked = self._started
        while not self.facts["cause"] and not self.facts["error"] and self.facts["status"] is None:
            ready = [number for number, _ in self._poll.poll(self._tick * 1000)]
            for number in ready:
                self._serve(number)
            now = time.monotonic()
            if now - looked >= self._tick:
                looked = now
                self.facts["cause"] = self.facts["cause"] or self._overrun(now - self._started)

    def _serve(self, number: int) -> None:
        if number == self._lifeline:
            self.facts["cause"] = self.facts["cause"] or "lifeline"
        elif number == self._line:
            self._hear()
        elif self._notices is not None:
            self._notices.take()
            self.facts["cause"] = self.facts["cause"] or self._notices.cause

    def _hear(self) -> None:
        """Take the keeper's words: what holds, with descriptors; how it ended; or what went wrong."""
        line = socket.socket(fileno=self._line)
        words, fds, _, _ = socket.recv_fds(line, REPORT_BYTES, 4)
        line.detach()
        if not words:
            self._poll.unregister(self._line)
            if self.facts["status"] is None:
                self.facts["cause"] = self.facts["cause"] or "keeper"
            return
        self.facts.update(json.loads(words))
        if fds:
            self.scratch = fds[0]
        if len(fds) > 1:
            self._count(fds[1])

    def _count(self, listener: int) -> None:
        walls = self._order["spaces"]
        self._notices = Notices(listener, lambda: len(below(self._cell)), self._limits, walls)
        self._notices.first = self._order.get("first")
        self._poll.register(listener, select.POLLIN)

    def _overrun(self, wall: float) -> str:
        """Return the limit that the run as a whole is over, or an empty string."""
        limits = self._limits
        if wall > limits["wall_seconds"]:
            return "wall"
        pids = below(os.getpid())
        usage = [usage_of(pid) for pid in pids]
        if wall > LONG and not self._polite:
            self._polite = True
            be_polite(pids)
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        if sum(cpu for cpu, _, _ in usage) + reaped.ru_utime + reaped.ru_stime > limits["cpu_seconds"]:
            return "cpu"
        resident = sum(own for _, own, _ in usage) + max((shared for _, _, shared in usage), default=0)
        self._tick = QUICK if resident > limits["memory_bytes"] / 2 else TICK
        if resident > limits["memory_bytes"]:
            return "memory"
        return "processes" if len(usage) - 1 > limits["processes"] else self._over_disk()

    def _over_disk(self) -> str:
        """Without a file system of its own the scratch folder is added up from time to time."""
        if self._order["spaces"] or self.scratch < 0:
            return ""
        return "disk" if tree_bytes(self._order["scratch"]) > self._limits["disk_bytes"] else ""

    def end(self) -> None:
        """Kill everything and fill in what is known only then.

        The keeper goes last, so that it collects the others and their CPU time is known.
        """
        facts = self.facts
        used, outlived = facts.pop("used", None), 0
        if used is None:
            outlived = self._end_inside() + end_all()
            used = _used_by_children()
        # Else the keeper has collected everybody and is on its way out: nothing of the run is left.
        facts["survivors"] = outlived if facts["survivors"] is None else facts["survivors"]
        facts["wall"] = time.monotonic() - self._started
        facts.update(used)
        facts["held"]["subreaper"] = True
        if self._notices is not None:
            told = self._notices
            facts["attempts"] = {**told.counts, "examples": told.examples, "exact": told.seeing}

    def _end_inside(self) -> int:
        """Kill the run's processes but its keeper, which then ends by itself; return how many there were."""
        seen: set[int] = set()
        for _ in range(100):
            alive = below(self._cell)
            if os.waitpid(self._cell, os.WNOHANG)[0]:
                break
            seen |= set(alive)
            kill(alive)
            time.sleep(0.001 if alive else 0.005)
        return len(seen)


def supervise(order: dict[str, Any], ends: dict[str, int], report: socket.socket) -> NoReturn:
    """Carry out one run in this process, report on it, and leave."""
    code = 0
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        run = Run(order, ends)
        run.start(ends)
        for name in ("output", "channel", "order"):
            os.close(ends[name])
        run.follow()
        run.end()
        fds = [run.scratch] if run.scratch >= 0 and order["spaces"] else []
        socket.send_fds(report, [json.dumps(run.facts).encode()[:REPORT_BYTES]], fds)
    except BaseException:  # noqa: BLE001 - nobody above: the worker sees that no report came
        code = 1
    finally:
        end_all()
        os._exit(code)


def _used_by_children() -> dict[str, float]:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}


def below(root: int) -> list[int]:
    """Return the ids of all processes that descend from `root` (Linux)."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    """Return the direct children of a process; none when it is gone."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - asked many times a second
        return [int(word) for task in tasks for word in _read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        return []


def _read(place: str) -> str:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 2**16).decode()
    finally:
        os.close(descriptor)


def usage_of(pid: int) -> tuple[float, int, int]:
    """Return CPU seconds (children it waited for included), own and shared resident bytes."""
    try:
        stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        pages = _read(f"/proc/{pid}/statm").split()
    except OSError:
        return 0.0, 0, 0
    resident, shared = int(pages[1]), int(pages[2])
    return sum(map(int, stat[11:15])) / CLOCK, (resident - shared) * PAGE, shared * PAGE


def tree_bytes(folder: str) -> int:
    """Add up what the files below a folder take, following no link."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_blocks * 512
    return total


def be_polite(pids: list[int]) -> None:
    """Lower the priority of processes; what they start later inherits it."""
    for pid in pids:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, 5)


def kill(pids: list[int]) -> None:
    """End processes that may be gone already."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def end_all() -> int:
    """Kill everything below this process until nothing is left; return how many there were."""
    seen: set[int] = set()
    for _ in range(20_000):
        alive = below(os.getpid())
        seen |= set(alive)
        kill(alive)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.001)
    return len(seen)
