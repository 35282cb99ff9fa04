"""Supervise one run: start its keeper, answer the kernel's notices, watch it, end it, report the facts.

A fork of the spawner, single-threaded, outside the run's namespaces. Whatever happens to it (killed, its
worker gone) the run ends: the keeper dies with its parent, and a namespace dies with its keeper.
"""

import json
import marshal
import os
import resource
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, NoReturn

from orphans.sandbox import cell, plans, view
from orphans.sandbox.confining import set_limits
from orphans.sandbox.consumption import Consumption
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
from orphans.sandbox.plans import Owners
from orphans.sandbox.watching import below, cpu_of, end_all, kill, lone_usage

SPACES: Final = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
REPORT_BYTES: Final = 64 * 2**10
MAX_DESCRIPTORS: Final = 250
QUIET: Final = 0.02
"""Seconds without an order after which there is time for what only some of them need."""


class Run:
    """One run as its supervisor sees it: made ready by `prepare`, given its order by `begin`."""

    def __init__(self, plan: dict[str, Any], null: int, server: int) -> None:
        self._plan = plan
        self._null = null
        self._requests = server
        self._takes = Consumption()
        self._lifeline = -1
        self._started = time.monotonic()
        self._notices: Notices | None = None
        self._poll = select.poll()
        self._cell = 0
        self._line = -1
        #: the keeper waits for a warm server, that one's end of this run, and what it said last
        self._built = False
        self._server: socket.socket | None = None
        self._first = 0
        self._ended: dict[str, Any] | None = None
        self._leaves = 0
        self.scratch = -1
        #: where the run's output and words can be read
        self.gives: list[int] = []
        self.facts: dict[str, Any] = {"status": None, "cause": "", "survivors": None, "held": {}, "error": ""}

    def prepare(self) -> None:
        """Start the keeper, in namespaces where they are to be had, up to where it needs an order."""
        pipes = {name: os.pipe() for name in ("output", "channel", "words")}
        self.gives = [pipes["output"][0], pipes["channel"][0]]
        ends = {"null": self._null, "words": pipes["words"][0], "order": pipes["words"][1]}
        ends |= {name: pipes[name][1] for name in ("output", "channel")}
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._cell = clone(SPACES if self._plan["spaces"] else 0)
        if self._cell == 0:
            for each in (mine.detach(), *self.gives):
                os.close(each)
            cell.keep(self._plan, its, ends)
        its.close()
        self._line = mine.detach()
        self._poll.register(self._line, select.POLLIN)
        if self._plan["warm"]:
            self._ask_server(ends)
        for name in ("output", "channel", "words", "order"):
            os.close(ends[name])
        while self._plan["ahead"] and self.lives and not self._waits():
            self._look(None)

    @property
    def lives(self) -> bool:
        """Whether nothing has ended it so far."""
        facts = self.facts
        return not facts["cause"] and not facts["error"] and facts["status"] is None

    def _waits(self) -> bool:
        """Whether the first process has been confined and waits for its order."""
        if self._plan["warm"]:
            return bool(self._first)
        return self._notices is not None and self._notices.first is not None

    def _ask_server(self, ends: dict[str, int]) -> None:
        """Have the warm server fork into the keeper's namespaces, and go on once these are built."""
        go, goes = os.pipe()
        self._server, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        keeper = os.pidfd_open(self._cell)
        words = {name: value for name, value in self._plan.items() if name not in ("code", "view")}
        low = [ends[name] for name in ("null", "output", "words", "channel")]
        with socket.socket(fileno=os.dup(self._requests)) as server:
            socket.send_fds(server, [marshal.dumps(words)], [keeper, its.fileno(), go, *low])
        its.close()
        self._poll.register(self._server, select.POLLIN)
        while self.lives and not self._built:
            self._look(None)
        if self.lives:
            with suppress(BrokenPipeError):  # it was killed: its server tells
                os.write(goes, b"g")
        for each in (keeper, go, goes):
            os.close(each)

    def wait(self, control: socket.socket) -> bool:
        """Serve what is ready until an order can be taken from `control`; False when it ended before."""
        self._poll.register(control, select.POLLIN)
        while self.lives and not self._ended:
            if control.fileno() in self._look(None):
                self._poll.unregister(control)
                return True
        return False

    def begin(
        self, order: dict[str, Any], lifeline: int, parcel: int, inputs: list[int], owners: Owners
    ) -> None:
        """Have the order carried out from now on."""
        self._started = time.monotonic()
        self._lifeline, self._takes.limits = lifeline, order["limits"]
        self._takes.tree = "" if self._plan["spaces"] else order["scratch"]
        self._poll.register(lifeline, select.POLLIN)
        if self._plan["ahead"]:
            assert self._notices is not None  # noqa: S101 - for the reader of types
            self._notices.processes = order["limits"]["processes"]
            with seeming(self._plan):
                held = set_limits(
                    order["limits"], self._plan["count_tasks"], self._plan["warm"], self._notices.first or 0
                )
            self.facts["held"]["rlimits"] = held
        elif os.geteuid() == 0 and not self._plan["spaces"]:
            os.chown(order["scratch"], self._plan["uid"], self._plan["gid"])
        taken = plans.trees(self._plan, order, owners)
        written = plans.for_keeper(order, self._plan, taken)
        line = socket.socket(fileno=self._line)
        with suppress(BrokenPipeError):  # it was killed: its line tells
            socket.send_fds(line, [b"o"], [written, parcel, *taken.values(), *inputs])
        line.detach()
        for each in (written, parcel, *taken.values(), *inputs):
            os.close(each)

    def follow(self) -> None:
        """Serve and watch until the run ended or has to."""
        looked = self._started
        while self.lives:
            self._look(self._takes.tick)
            now = time.monotonic()
            if now - looked >= self._takes.tick and self.lives:
                self.facts["cause"] = self._takes.overrun([self._cell, *self._inside()], now - self._started)
                looked = time.monotonic()

    def _look(self, seconds: float | None) -> list[int]:
        """Serve what is to be had within some seconds; return which descriptors had something."""
        ready = self._poll.poll(None if seconds is None else seconds * 1000)
        for number, event in ready:
            self._serve(number, event)
        return [number for number, _ in ready]

    def _serve(self, number: int, event: int) -> None:
        if number == self._lifeline:
            self.facts["cause"] = self.facts["cause"] or "lifeline"
        elif number == self._line:
            self._hear()
        elif self._server is not None and number == self._server.fileno():
            self._hear_server()
        elif self._notices is not None and number == self._notices.listener:
            if not event & select.POLLIN:
                self._poll.unregister(number)  # the last process with the filter is gone
                return
            self._notices.take()
            self.facts["cause"] = self.facts["cause"] or self._notices.cause
            if self._notices.leaving is not None:
                self._take_leave(self._notices, self._notices.leaving)

    def _take_leave(self, notices: Notices, code: int) -> None:
        """Note the end of a run whose only process waits to leave: nothing of it will move again.

        Taking its memory apart may take longer than the run, and nobody has to wait for that.
        """
        first = notices.first or 0
        used = lone_usage(first) if self._inside() == [first] else None
        if used is None or not self._takes.limits:
            notices.let_go()
            return
        self._leaves = first
        used["cpu"] += cpu_of(self._cell)
        self.facts.update(status=code << 8, survivors=0, used=used)

    def dismiss(self) -> None:
        """End the process that waits to leave, and its keeper, and wait for both."""
        if self._leaves:
            kill([self._leaves, self._cell])
            os.waitpid(self._cell, 0)

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
        if told.pop("counts", False):
            self._count(fds.pop())
        if fds:
            self.scratch = fds[0]
        self._built = told.pop("ready", self._built)
        if self._ended is not None and "used" in told:
            told["status"] = self._ended["status"]
            told["used"] = {
                "cpu": told["used"]["cpu"] + self._ended["cpu"],
                "rss": max(told["used"]["rss"], self._ended["rss"]),
            }
        self.facts["held"].update(told.pop("held", {}))
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
        if fds:
            self._count(fds[0])
            assert self._notices is not None  # noqa: S101
            self._notices.first = int(told["first"])
        self._first, self._takes.base = int(told.pop("first", 0)), int(told.pop("base", 0))
        self.facts["held"].update(told.pop("held", {}))
        self.facts.update(told)

    def _count(self, listener: int) -> None:
        alive = lambda: len(self._inside())  # noqa: E731
        self._notices = Notices(listener, alive, self._takes.ends, self._plan["spaces"])
        self._notices.processes = self._takes.limits.get("processes", self._notices.processes)
        self._poll.register(listener, select.POLLIN)

    def _inside(self) -> list[int]:
        """Return the processes of the run; those that a warm server forked are no children of the keeper."""
        found = below(self._cell)
        return [*found, self._first, *below(self._first)] if self._first and not self._ended else found

    def end(self) -> None:
        """Kill everything and fill in what is known only then.

        The keeper goes last, so that it collects the others and their CPU time is known.
        """
        facts = self.facts
        used, outlived = facts.pop("used", None), set[int]()
        if used is None:
            outlived = (self._end_inside() | end_all()) - {self._cell}
            used = self._used()
        # Else the keeper has collected everybody and is on its way out: nothing of the run is left.
        if facts["survivors"] is None:
            facts["survivors"] = len(outlived)
        facts["wall"] = time.monotonic() - self._started
        facts.update(self._takes.used(used))
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

    def _end_inside(self) -> set[int]:
        """Kill the run's processes but its keeper, which then ends by itself; return which there were."""
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
        return seen


def launch(
    run: Run, plan: dict[str, Any], control: socket.socket, code: dict[str, Any], now: bool
) -> NoReturn:
    """Carry out the one run that `control` will bring, report on it, and leave.

    `now`: make everything ready before it comes.
    """
    report: socket.socket | None = None
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        owners = Owners(plan["uid"])
        if now:
            plans.show_owners(plan, owners)
            run.prepare()
            if not select.select([control], [], [], QUIET)[0]:
                owners.foresee()
        words, fds = b"", list[int]()
        if run.wait(control):
            words, fds, _, _ = socket.recv_fds(control, 1, MAX_DESCRIPTORS)
        if words:
            report = socket.socket(fileno=fds[1])
            if not now:
                plans.show_owners(plan, owners)
                run.prepare()
            _carry_out(run, plan, report, code, [fds[0], *fds[2:]], owners)
    except BaseException as error:  # noqa: BLE001 - told to the worker, which refuses the run
        told: dict[str, Any] = {
            "status": None,
            "cause": "",
            "error": f"{type(error).__name__}: {error}",
            "held": {},
        }
        with suppress(OSError, AttributeError):
            report.send(json.dumps(told).encode())  # type: ignore[union-attr]
    finally:
        end_all()
        os._exit(0)


def _carry_out(
    run: Run,
    plan: dict[str, Any],
    report: socket.socket,
    code: dict[str, Any],
    fds: list[int],
    owners: Owners,
) -> None:
    """Follow one order from its first word to its report."""
    socket.send_fds(report, [b"ends"], run.gives)
    for each in run.gives:
        os.close(each)
    with open(fds[0], "rb") as file:  # noqa: PTH123 - a descriptor
        order = json.loads(file.read())
    if plan["spaces"]:
        order["scratch"] = view.SCRATCH
    if run.lives:
        run.begin(order, fds[1], plans.parcel(order, plan, code), fds[2:], owners)
    run.follow()
    run.end()
    given = [run.scratch] if run.scratch >= 0 and plan["spaces"] else []
    socket.send_fds(report, [json.dumps(run.facts).encode()[:REPORT_BYTES]], given)
    run.dismiss()


@contextmanager
def seeming(plan: dict[str, Any]) -> Iterator[None]:
    """Be the run's user where limits are set: not every root may set those of others."""
    if os.geteuid() != 0:
        yield
        return
    os.setresgid(plan["gid"], 0, 0)
    os.setresuid(plan["uid"], 0, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)
        os.setresgid(0, 0, 0)
