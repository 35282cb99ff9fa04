"""A warm server: it has libraries loaded, and forks one run after the other into namespaces made for them.

A fork of the spawner with one thread. It loads installed libraries and never code of a checkout; what a
run does stays in the run's fork. It ends with its spawner, or when nothing was asked of it for a while.
"""

import gc
import json
import os
import random
import select
import signal
import socket
import sys
from contextlib import suppress
from importlib import import_module
from typing import Any, Final, NoReturn

from orphans.sandbox import cell, child
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
    "tests": ("pytest", "_pytest.assertion.rewrite", "_pytest.python", "_pytest.fixtures", "unittest.mock"),
}  # fmt: skip
"""What each profile loads; what isn't installed is left out."""
IDLE_SECONDS: Final = 300.0
REQUEST_BYTES: Final = 64 * 2**10
ENDS: Final = ("keeper", "report", "go", "null", "output", "order", "channel")
INSIDE: Final = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Zygote:
    """Serves one profile. `requests` brings runs, each with the descriptors of `ENDS`."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
        self._poll = select.poll()
        self._poll.register(requests.fileno(), select.POLLIN)
        #: pidfd of a run → its id and where its end is told
        self._runs: dict[int, tuple[int, socket.socket]] = {}

    def serve(self) -> None:
        """Fork runs until the spawner is gone or nobody asks."""
        while True:
            ready = self._poll.poll(IDLE_SECONDS * 1000)
            if not ready and not self._runs:
                return
            for number, _ in ready:
                if number in self._runs:
                    self._tell_end(number)
                elif not self._take():
                    return

    def _take(self) -> bool:
        """Carry out one request; False when the spawner is gone."""
        words, fds, _, _ = socket.recv_fds(self._requests, REQUEST_BYTES, len(ENDS))
        if not words:
            return False
        ends = dict(zip(ENDS, fds, strict=True))
        report = socket.socket(fileno=ends.pop("report"))
        try:
            self._start(json.loads(words), ends, report)
        except OSError as error:
            with suppress(OSError):
                report.send(json.dumps({"error": str(error)}).encode())
            report.close()
        for each in ends.values():
            os.close(each)
        return True

    def _start(self, order: dict[str, Any], ends: dict[str, int], report: socket.socket) -> None:
        """Fork into the keeper's namespaces and hand the filter's listener to the launcher."""
        told, tells = os.pipe()
        mapped, maps = os.pipe()
        call("setns", ends["keeper"], CLONE_NEWPID)
        pid = clone(CLONE_FILES)
        if pid == 0:
            _enter(order, ends, tells, mapped)
        call("setns", self._home, CLONE_NEWPID)
        handle = os.pidfd_open(pid)
        self._runs[handle] = (pid, report)
        self._poll.register(handle, select.POLLIN)
        if order["own_user_space"] and _heard(told, handle):
            cell.map_user(pid, order["uid"], order["uid"], order["gid"], order["gid"])
            os.write(maps, b"m")
        words = json.loads(_heard(told, handle) or '{"error": "the run could not be confined"}')
        _heard(told, handle)  # it has a table of its own now, so that ours may be closed
        listener = words.pop("listener", -1)
        words |= {"first": pid, "base": own_bytes()}
        socket.send_fds(report, [json.dumps(words).encode()], [listener] if listener >= 0 else [])
        for each in (told, tells, mapped, maps, *([listener] if listener >= 0 else [])):
            os.close(each)

    def _tell_end(self, handle: int) -> None:
        """Collect a run's first process and tell its launcher how it ended."""
        pid, report = self._runs.pop(handle)
        self._poll.unregister(handle)
        os.close(handle)
        _, status, usage = os.wait4(pid, 0)
        words = {"status": status, "cpu": usage.ru_utime + usage.ru_stime, "rss": usage.ru_maxrss * 1024}
        with suppress(OSError):
            report.send(json.dumps(words).encode())
        report.close()


def _heard(told: int, handle: int) -> str:
    """Return one line of the new process; empty when it ended without one."""
    waiting = select.poll()
    for each in (told, handle):
        waiting.register(each, select.POLLIN)
    line = b""
    while not line.endswith(b"\n"):
        ready = [number for number, _ in waiting.poll()]
        if told not in ready:
            return ""
        line += os.read(told, 1)
    return line.decode()


def own_bytes() -> int:
    """Return the resident bytes that a fork of this process starts with."""
    with open("/proc/self/statm") as file:  # noqa: PTH123 - asked at every run
        pages = file.read().split()
    return (int(pages[1]) - int(pages[2])) * PAGE


def _enter(order: dict[str, Any], ends: dict[str, int], tells: int, mapped: int) -> NoReturn:
    """Join the keeper's namespaces, confine this process and be the run."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.read(ends["go"], 1)  # the keeper has built the private root
        call("setns", ends["keeper"], INSIDE)
        if order["own_user_space"]:
            call("unshare", CLONE_NEWUSER)
            os.write(tells, b"user\n")
            os.read(mapped, 1)
        held, listener = cell.confine(order)
        os.write(tells, json.dumps({"held": held, "listener": listener}).encode() + b"\n")
        call("close_range", 2**31, 2**31, cell.CLOSE_RANGE_UNSHARE)
        os.write(tells, b"apart\n")
        cell.separate(ends, order)
        refresh(order["env"])
        child.main(child.received())
    except BaseException as error:  # noqa: BLE001 - told to the launcher
        with suppress(OSError):
            os.write(tells, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
    finally:
        os._exit(127)


def refresh(environment: dict[str, str]) -> None:
    """Make this fork what a new interpreter would be: its own variables, streams and randomness."""
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin = os.fdopen(0, encoding="utf-8", errors="surrogateescape")
    sys.stdout = os.fdopen(1, "w", 1, encoding="utf-8", errors="surrogateescape")
    sys.stderr = os.fdopen(2, "w", 1, encoding="utf-8", errors="backslashreplace")
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()


def be(profile: str, path: list[str], requests: socket.socket) -> NoReturn:
    """Become the server of a profile: load, say so with one byte, serve."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        load(profile, path)
        gc.collect()
        gc.freeze()
        gc.disable()
        requests.send(b"ready")
        Zygote(requests).serve()
    except BaseException as error:  # noqa: BLE001 - runs go on without it
        os.write(2, f"warm server {profile}: {type(error).__name__}: {error}\n".encode())
    finally:
        os._exit(0)


def load(profile: str, path: list[str]) -> None:
    """Import what the profile names, with the environment that a run has."""
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "PYTHONHASHSEED": "0"})
    os.environ.update({f"{each}_NUM_THREADS": "1" for each in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")})
    sys.path[:] = path
    for name in MODULES[profile]:
        with suppress(ImportError):
            import_module(name)
