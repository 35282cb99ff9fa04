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
        #: the warm server's end of this run, what it said last, and the write end that lets the run go
        self._server: socket.socket | None = None
        self._go = -1
        self._first = 0
        self._base = 0
        self._ended: dict[str, Any] | None = None
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
        if self._order["warm"]:
            self._ask_server(ends)

    def _ask_server(self, ends: dict[str, int]) -> None:
        """Have the warm server fork into the keeper's namespaces, while the keeper builds the root."""
        self._server, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        go, self._go = os.pipe()
        keeper = os.pidfd_open(self._cell)
        words = {name: value for name, value in self._order.items() if name not in ("child", "view")}
        low = [ends[name] for name in ("null", "output", "order", "channel")]
        with socket.socket(fileno=os.dup(ends["server"])) as server:
            socket.send_fds(server, [json.dumps(words).encode()], [keeper, its.fileno(), go, *low])
        its.close()
        for each in (go, keeper):
            os.close(each)
        self._poll.register(self._server, select.POLLIN)

    def follow(self) -> None:
        """Serve and watch until the run ended or has to."""
        looked = self._started
        while not self.facts["cause"] and not self.facts["error"] and self.facts["status"] is None:
            for number, event in self._poll.poll(self._tick * 1000):
                self._serve(number, event)
            now = time.monotonic()
            if now - looked >= self._tick:
                looked = now
                self.facts["cause"] = self.facts["cause"] or self._overrun(now - self._started)

    def _serve(self, number: int, event: int) -> None:
        if number == self._lifeline:
            self.facts["cause"] = self.facts["cause"] or "lifeline"
        elif number == self._line:
            self._hear()
        elif self._server is not None and number == self._server.fileno():
            self._hear_server()
        elif not event & select.POLLIN:
            self._poll.unregister(number)  # the last process with the filter is gone
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
        told = json.loads(words)
        if fds:
            self.scratch = fds[0]
        if len(fds) > 1:
            self._count(fds[1])
        if told.pop("ready", False):
            os.write(self._go, b"g")
            os.close(self._go)
        if self._ended is not None and "used" in told:
            told["status"] = self._ended["status"]
            told["used"] = {
                "cpu": told["used"]["cpu"] + self._ended["cpu"],
                "rss": max(told["used"]["rss"], self._ended["rss"]),
            }
        self.facts.update(told)

    def _hear_server(self) -> None:
        """Take the warm server's words: the run began, with the filter's listener; or how it ended."""
        assert self._server is not None  # noqa: S101 - for the reader of types
        words, fds, _, _ = socket.recv_fds(self._server, REPORT_BYTES, 1)
        told = json.loads(words) if words else {"error": "the warm server ended"}
        if "status" in told:
            self._ended = told
            self._poll.unregister(self._server)
            os.write(self._line, b"end")
            return
        self._first, self._base = int(told.pop("first", 0)), int(told.pop("base", 0))
        self.facts.update(told)
        if fds:
            self._count(fds[0])
            assert self._notices is not None  # noqa: S101
            self._notices.first = self._first

    def _count(self, listener: int) -> None:
        walls = self._order["spaces"]
        self._notices = Notices(listener, lambda: len(self._inside()), self._limits, walls)
        self._poll.register(listener, select.POLLIN)

    def _inside(self) -> list[int]:
        """Return the processes of the run; those that a warm server forked are no children of the keeper."""
        found = below(self._cell)
        return [*found, self._first, *below(self._first)] if self._first and not self._ended else found

    def _overrun(self, wall: float) -> str:
        """Return the limit that the run as a whole is over, or an empty string."""
        limits = self._limits
        if wall > limits["wall_seconds"]:
            return "wall"
        pids = [self._cell, *self._inside()]
        usage = [usage_of(pid) for pid in pids]
        if wall > LONG and not self._polite:
            self._polite = True
            be_polite(pids)
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        if sum(cpu for cpu, _, _ in usage) + reaped.ru_utime + reaped.ru_stime > limits["cpu_seconds"]:
            return "cpu"
        resident = sum(own for _, own, _ in usage) + max((shared for _, _, shared in usage), default=0)
        resident -= self._base  # the libraries that were loaded before it began
        self._tick = QUICK if resident > limits["memory_bytes"] / 2 else TICK
        if resident > limits["memory_bytes"] and self._held_memory(pids) > limits["memory_bytes"]:
            return "memory"
        return "processes" if len(usage) - 1 > limits["processes"] else self._over_disk()

    def _held_memory(self, pids: list[int]) -> float:
        """Return resident bytes, what several share counted once: dear, so only asked near the limit."""
        shares = [share_of(pid) for pid in pids]
        if None in shares:
            return float("inf")  # it can't be told here: the sum of all counts
        return sum(each or 0 for each in shares) - self._base / 2

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
            used = self._used()
        # Else the keeper has collected everybody and is on its way out: nothing of the run is left.
        if facts["survivors"] is None:
            facts["survivors"] = outlived
        facts["wall"] = time.monotonic() - self._started
        facts.update(used)
        facts["held"]["subreaper"] = True
        facts["warm"] = self._server is not None
        if self._notices is not None:
            told = self._notices
            facts["attempts"] = {**told.counts, "examples": told.examples, "exact": told.seeing}

    def _used(self) -> dict[str, float]:
        """Return what the run took when its keeper had to be killed, too."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = {"cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}
        if self._server is not None and self._ended is None:
            self._server.settimeout(1.0)
            with suppress(OSError, ValueError):
                self._ended = json.loads(self._server.recv(REPORT_BYTES))
        if self._ended is not None:
            used = {
                "cpu": used["cpu"] + self._ended.get("cpu", 0),
                "rss": self._ended.get("rss", used["rss"]),
            }
        return used

    def _end_inside(self) -> int:
        """Kill the run's processes but its keeper, which then ends by itself; return how many there were."""
        seen: set[int] = set()
        for _ in range(100):
            alive = self._inside()
            if self._server is not None and self._ended is None and not alive:
                break
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
    except BaseException as error:  # noqa: BLE001 - told to the worker, which refuses the run
        code = 1
        words = f"{type(error).__name__}: {error}"
        with suppress(OSError):
            report.send(json.dumps({"status": None, "cause": "", "error": words, "held": {}}).encode())
    finally:
        end_all()
        os._exit(code)


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


def share_of(pid: int) -> int | None:
    """Return a process's proportional share of memory in bytes; None where the system doesn't tell."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it is gone
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


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
