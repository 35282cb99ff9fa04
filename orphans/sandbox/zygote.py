"""A warm server: it has libraries loaded, and forks one run after the other into namespaces made for them.

A fork of the spawner with one thread. It loads installed libraries and never code of a checkout; what a
run does stays in the run's fork. It ends with its spawner, or after its last run when that retires it.
"""

import gc
import json
import marshal
import os
import random
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NoReturn

from orphans.sandbox import child, confining
from orphans.sandbox.kernel import (
    CLONE_FILES,
    CLONE_NEWIPC,
    CLONE_NEWNET,
    CLONE_NEWNS,
    CLONE_NEWPID,
    CLONE_NEWUSER,
    CLONE_NEWUTS,
    PR_SET_PDEATHSIG,
    call,
    clone,
    prctl,
)

MODULES: Final = {
    "learning": (
        "numpy", "torch", "sklearn.base", "sklearn.linear_model", "sklearn.ensemble", "sklearn.preprocessing",
        "sklearn.pipeline", "sklearn.model_selection", "sklearn.metrics", "sklearn.utils",
    ),
    "tests": (
        "pytest", "_pytest.assertion.rewrite", "_pytest.python", "_pytest.fixtures", "unittest.mock",
        "hypothesis.strategies", "hypothesis.configuration",
    ),
}  # fmt: skip
"""What each profile loads; what isn't installed is left out."""
RETIRE: Final = b"retire"
READY: Final = b"ready"
LARGE: Final = b"large"
"""What is said on the line to the spawner: by it, and back when everything has been loaded."""
LAST_SECONDS: Final = 2.0
"""What the runs get to end in when the spawner is gone: their keepers end them at once."""
HUGE: Final = 2**21
MADV_COLLAPSE: Final = 25
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
REQUEST_BYTES: Final = 64 * 2**10
ENDS: Final = ("keeper", "report", "go", "null", "output", "words", "channel")
INSIDE: Final = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
USER: Final = b"user"
APART: Final = b"apart"
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass
class Birth:
    """A fork that isn't a run yet: it confines itself, and says so line by line."""

    pid: int
    handle: int
    report: socket.socket
    plan: dict[str, Any]
    #: descriptors of it and of this side, to be closed once it has a table of its own
    ends: list[int]
    maps: int
    said: bytes = b""
    words: dict[str, Any] = field(default_factory=dict)


class Zygote:
    """Serves one profile. `requests` brings runs, each with the descriptors of `ENDS`."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(requests.fileno(), select.POLLIN)
        #: where a fork tells how far it is
        self._births: dict[int, Birth] = {}
        #: pidfd of a run → its id and where its end is told
        self._runs: dict[int, tuple[int, socket.socket]] = {}
        #: the spawner is there
        self._serving = True
        #: nothing more will be asked for
        self._retired = False

    def serve(self) -> None:
        """Fork runs until the spawner is gone or wants no more; then collect those that end with it.

        A namespace can't end before its last process was collected, which nobody would do after this one.
        """
        while self._serving and (self._runs or not self._retired):
            self._poll_once(None)
        end = time.monotonic() + LAST_SECONDS
        while self._runs and time.monotonic() < end:
            self._poll_once(LAST_SECONDS)

    def _poll_once(self, seconds: float | None) -> None:
        """Serve what is to be had within some seconds."""
        for number, _ in self._poll.poll(None if seconds is None else seconds * 1000):
            if number in self._births:
                self._hear(number)
            elif number in self._runs:
                self._tell_end(number)
            elif number == self._requests.fileno() and not self._take():
                self._poll.unregister(number)

    def _take(self) -> bool:
        """Carry out one request; False when it was the last: the spawner is gone, or wants no more."""
        try:
            words, fds, _, _ = socket.recv_fds(self._requests, REQUEST_BYTES, len(ENDS))
        except ConnectionError:
            words = b""  # it went before it had read that this server is ready
        if words in (b"", RETIRE):
            self._serving, self._retired = bool(words), True
            return False
        ends = dict(zip(ENDS, fds, strict=True))
        report = socket.socket(fileno=ends.pop("report"))
        try:
            self._start(marshal.loads(words), ends, report)  # noqa: S302 # nosec B302 - our launcher's
        except OSError as error:
            _fail(report, str(error))
            for each in ends.values():
                os.close(each)
        return True

    def _start(self, plan: dict[str, Any], ends: dict[str, int], report: socket.socket) -> None:
        """Fork into the keeper's namespaces; what comes next is told by the fork."""
        told, tells = os.pipe()
        mapped, maps = os.pipe()
        call("setns", ends["keeper"], CLONE_NEWPID)
        pid = clone(CLONE_FILES)
        if pid == 0:
            _enter(plan, ends, tells, mapped)
        call("setns", self._home, CLONE_NEWPID)
        handle = os.pidfd_open(pid)
        birth = Birth(pid, handle, report, plan, [*ends.values(), told, tells, mapped, maps], maps)
        self._births[told] = birth
        self._runs[handle] = (pid, report)
        for each in (told, handle):
            self._poll.register(each, select.POLLIN)

    def _hear(self, told: int) -> None:
        """Take lines of a fork: its user wants to be mapped, it is confined, it stands alone."""
        birth = self._births[told]
        birth.said += os.read(told, REQUEST_BYTES)
        *lines, birth.said = birth.said.split(b"\n")
        for line in lines:
            if line == USER:
                uid, gid = birth.plan["uid"], birth.plan["gid"]
                confining.map_user(birth.pid, uid, uid, gid, gid)
                os.write(birth.maps, b"m")
            elif line == APART:
                self._announce(told)
            else:
                birth.words = json.loads(line)
                if "error" in birth.words:
                    self._announce(told)

    def _announce(self, told: int) -> None:
        """Hand the filter's listener to the launcher: the fork waits for its order."""
        birth = self._births.pop(told)
        self._poll.unregister(told)
        listener = birth.words.pop("listener", -1)
        words = birth.words | {"first": birth.pid, "base": own_bytes()}
        given = [listener] if listener >= 0 else []
        with suppress(OSError):  # the launcher is gone, and so will be the fork
            socket.send_fds(birth.report, [json.dumps(words).encode()], given)
        for each in (*birth.ends, *given):
            os.close(each)

    def _tell_end(self, handle: int) -> None:
        """Collect a run's first process and tell its launcher how it ended."""
        pid, report = self._runs.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        _, status, usage = os.wait4(pid, 0)
        unborn = [told for told, birth in self._births.items() if birth.pid == pid]
        for told in unborn:
            birth = self._births.pop(told)
            self._poll.unregister(told)
            for each in birth.ends:
                os.close(each)
            _fail(report, "the run could not be confined")
        if not unborn:
            words = {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}
            with suppress(OSError):
                report.send(json.dumps(words).encode())
        report.close()


def _fail(report: socket.socket, reason: str) -> None:
    with suppress(OSError):
        report.send(json.dumps({"error": reason}).encode())


def own_bytes() -> int:
    """Return the resident bytes that a fork of this process starts with."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - asked at every run
        pages = file.read().split()
    return (int(pages[1]) - int(pages[2])) * PAGE


def resident_bytes() -> int:
    """Return the resident bytes of this process, files that are mapped included."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def _enter(order: dict[str, Any], ends: dict[str, int], tells: int, mapped: int) -> NoReturn:
    """Rehearse while the keeper builds, join its namespaces, confine this process and be the run."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        reseed()
        child.rehearse()
        os.read(ends["go"], 1) or os._exit(127)
        call("setns", ends["keeper"], INSIDE)
        if order["own_user_space"]:
            call("unshare", CLONE_NEWUSER)
            os.write(tells, USER + b"\n")
            os.read(mapped, 1)
        held, listener = confining.confine(order)
        os.write(tells, json.dumps({"held": held, "listener": listener}).encode() + b"\n")
        call("close_range", 2**31, 2**31, confining.CLOSE_RANGE_UNSHARE)
        os.write(tells, APART + b"\n")
        confining.separate(ends, order)
        reopen()
        child.main(child.received())
    except BaseException as error:  # noqa: BLE001 - told to the launcher
        with suppress(OSError):
            os.write(tells, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
    finally:
        os._exit(127)


def reseed() -> None:
    """Give this fork randomness of its own."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(int.from_bytes(os.urandom(4)))


def reopen() -> None:
    """Give this fork streams of its own, over the descriptors that it was given."""
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", 1, encoding="utf-8", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace")


def be(profile: str, around: dict[str, Any], requests: socket.socket) -> NoReturn:
    """Become the server of a profile: load, say so, serve; one that is too large says that and ends."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        load(profile, around)
        gc.collect()
        gc.freeze()
        gc.disable()
        join()
        collapse()
        if resident_bytes() > around["warm"]["memory_bytes"]:
            requests.send(LARGE)
            os._exit(0)
        requests.send(READY)
        prctl(PR_SET_PDEATHSIG, 0)  # from here on it sees by its socket that the spawner is gone
        Zygote(requests).serve()
    except BaseException as error:  # noqa: BLE001 - runs go on without it
        os.write(2, f"warm server {profile}: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(0)


def collapse() -> None:
    """Move this process's memory to huge pages where it can be: forks and their ends cost by the page."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        words = line.split()
        if words[1] != "rw-p" or words[5:] not in ([], ["[heap]"]):
            continue
        start, end = (int(each, 16) for each in words[0].split("-"))
        for place in range(-(-start // HUGE) * HUGE, end - HUGE + 1, HUGE):
            with suppress(OSError):  # nothing is there, or the kernel is older than 6.1
                call("madvise", place, HUGE, MADV_COLLAPSE)


def join() -> None:
    """Give neighbouring parts of a library the same rights, so that the kernel keeps them as one mapping.

    Forks and their ends cost by the mapping, and libraries have five each. Afterwards their constants may be
    executed and the tables of their loader be written.
    """
    parts = [line.split(maxsplit=5) for line in Path("/proc/self/maps").read_text().splitlines()]
    for part, after in pairwise(parts):
        if part[1] == "r--p" and part[-1].startswith("/"):
            start, end = (int(each, 16) for each in part[0].split("-"))
            data = after[1] == "rw-p" and after[-1] == part[-1]
            with suppress(OSError):  # a file of a place that nothing may be executed from
                call("mprotect", start, end - start, PROT_READ | (PROT_WRITE if data else PROT_EXEC))


def load(profile: str, around: dict[str, Any]) -> None:
    """Import what the profile names, with the variables and the path that a run has."""
    os.environ.update(around["env"])
    sys.path[:] = around["path"]
    for name in MODULES[profile]:
        with suppress(ImportError):
            import_module(name)
