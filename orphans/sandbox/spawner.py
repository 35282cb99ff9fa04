"""The resident process that starts the runs of one worker: `python -s -P -S -B spawner.py DESCRIPTOR AROUND`.

It has one thread and few modules, so that forking it costs little; it holds none of the worker's memory,
variables or descriptors. First it finds out, by trying, which walls this machine has, and says so; then
each message on its socket is one run, with the descriptors that belong to it. It ends with its worker, or
when nothing was asked of it for a while.
"""

import gc
import json
import os
import resource
import signal
import socket
import sys
import time
import types
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
for _name, _place in {"orphans": HERE.parent, "orphans.sandbox": HERE}.items():
    # Only the modules named below are wanted; the package's own front would bring the worker's half.
    if _name not in sys.modules:
        _package = types.ModuleType(_name)
        _package.__path__ = [str(_place)]
        sys.modules[_name] = _package

from orphans.sandbox import filters, layers, plans, zygote  # noqa: E402
from orphans.sandbox.cell import piece  # noqa: E402
from orphans.sandbox.launcher import Run, launch  # noqa: E402

IDLE_SECONDS: Final = 120.0
ORDER_BYTES: Final = 64 * 2**10
MAX_DESCRIPTORS: Final = 250
FUTURE: Final = 0x1000000
"""`annotations` of `__future__`, without the module."""
EAGER: Final = 2
"""Requests of one kind from which on things are made ready before they are asked for."""


@dataclass
class Server:
    """A warm server: where it takes requests, and whether it has loaded everything."""

    requests: socket.socket
    ready: bool = False
    #: when a run of its profile was asked for last
    asked: float = 0.0


class Spawner:
    """Starts runs, one forked launcher each.

    Launchers wait for their order. Once a kind of run (cold, or of one profile) was asked for often enough
    the next one of it has everything ready but what its order adds.
    """

    def __init__(self, control: socket.socket, around: dict[str, Any], without: list[str]) -> None:
        self._control = control
        self._around = around
        self._held = {**layers.trial(), **dict.fromkeys(without, "left out on demand")}
        if self._held["seccomp"]:
            self._held["notify"] = self._held["notify"] or "there is no seccomp filter to tell of anything"
        self._servers: dict[str, Server] = {}
        #: profiles whose server was larger than it may be
        self._too_large: set[str] = set()
        self._asked: Counter[str] = Counter()
        #: profile ("": cold) → where the launcher of its next run waits
        self._next: dict[str, socket.socket] = {}
        self._null = os.open(os.devnull, os.O_RDONLY)
        notify = not self._held["notify"]
        filters.packed_program(notify, not self._held["namespaces"], leaving=notify)
        if os.geteuid() == 0:
            plans.known_users()
        self._code = {name: compiled(name) for name in ("child", "hook", "testing")}
        self._first_piece = piece(self._code["child"])

    def serve(self) -> None:
        """Say which layers hold, then start runs until the worker is gone or silent."""
        self._control.send(json.dumps(self._held).encode())
        self._control.settimeout(min(IDLE_SECONDS, self._around["warm"]["idle_seconds"]))
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        gc.freeze()
        gc.disable()  # a collection in a fork would copy every page it looks at
        self._next[""] = self._standby("", now=False)
        served = time.monotonic()
        while time.monotonic() - served < IDLE_SECONDS:
            self._retire_idle()
            with suppress(TimeoutError):
                words, fds, _, _ = socket.recv_fds(self._control, ORDER_BYTES, MAX_DESCRIPTORS)
                if not words:
                    return
                self._give(words.decode().strip("-"), fds)
                served = time.monotonic()

    def _give(self, profile: str, fds: list[int]) -> None:
        """Hand one order to a launcher of its kind, and have the next one of it get ready.

        Nothing is forked while the order's descriptors are open here, but its own launcher: whoever else
        held them would keep the worker from seeing their ends.
        """
        self._asked[profile] += 1
        kind = profile if self._is_warm(profile) else ""
        waits = self._next.pop(kind, None)
        if waits is None or _gone(waits):
            waits = self._standby(kind, now=False, shut=fds)
        with suppress(OSError):  # it was killed: the worker sees that no report comes
            socket.send_fds(waits, [b"o"], fds)
        for each in (waits.detach(), *fds):
            os.close(each)
        self._warm_up(profile)
        self._next[kind] = self._standby(kind, now=self._asked[kind] >= EAGER)

    def _standby(self, kind: str, now: bool, shut: Sequence[int] = ()) -> socket.socket:
        """Fork the launcher of a run before it is asked for, without what is to be shut; return its line."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork():
            its.close()
            return mine
        try:
            for each in (mine, self._control, *self._next.values()):
                each.close()
            for number in shut:
                os.close(number)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            plan = plans.general(self._held, self._around, self._first_piece, bool(kind))
            server = self._servers[kind].requests.fileno() if kind else -1
            launch(Run(plan, self._null, server), plan, its, self._code, now and plan["ahead"])
        finally:
            os._exit(1)

    def _is_warm(self, profile: str) -> bool:
        """Whether the warm server of a profile is ready."""
        if not profile or any(self._held.values()):
            return False
        if profile in self._servers and not self._lives(profile, self._servers[profile]):
            self._drop(profile)
        return profile in self._servers and self._servers[profile].ready

    def _warm_up(self, profile: str) -> None:
        """Make the warm server of a profile once it was asked for often enough."""
        wanted = profile and not any(self._held.values()) and self._asked[profile] >= EAGER
        allowed = self._around["warm"]["memory_bytes"] > 0 and profile not in self._too_large
        if wanted and allowed and profile not in self._servers:
            self._servers[profile] = Server(self._new_server(profile))
        if profile in self._servers:
            self._servers[profile].asked = time.monotonic()

    def _retire_idle(self) -> None:
        """Have servers end that nobody asked for long enough; runs that they forked go on to their end."""
        now = time.monotonic()
        for profile, server in list(self._servers.items()):
            lives = self._lives(profile, server)
            if lives and (not server.ready or now - server.asked < self._around["warm"]["idle_seconds"]):
                continue
            if lives:
                with suppress(OSError):  # it died meanwhile
                    server.requests.send(zygote.RETIRE)
                self._asked[profile] = 0
            self._drop(profile)

    def _drop(self, profile: str) -> None:
        """Forget a server, and the launcher whose run it has forked ahead."""
        self._servers.pop(profile).requests.close()
        if profile in self._next:
            self._next.pop(profile).close()

    def _lives(self, profile: str, server: Server) -> bool:
        """Hear whether a warm server has got ready; False when it is gone, or too large and about to go."""
        try:
            said = server.requests.recv(16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if said == zygote.LARGE:
            self._too_large.add(profile)
        if said == zygote.READY:
            server.ready, server.asked = True, time.monotonic()
        return said == zygote.READY

    def _new_server(self, profile: str) -> socket.socket:
        """Fork a warm server; return where it takes requests."""
        requests, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self._control.close()
            requests.close()
            for each in self._next.values():
                each.close()
            zygote.be(profile, self._around, its)
        its.close()
        return requests


def _gone(line: socket.socket) -> bool:
    """Whether a launcher that waited is no more: it says nothing before it is asked."""
    try:
        return line.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def compiled(name: str) -> types.CodeType:
    """Compile a script that is shipped into runs, so that it needs no file there and imports nothing."""
    text = (HERE / f"{name}.py").read_text().replace("from __future__ import annotations\n", "")
    code: types.CodeType = compile(text, f"<{name}>", "exec", flags=FUTURE, dont_inherit=True)
    return code


def main() -> None:
    """Serve the socket named on the command line."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run may send it to its keeper, which then must not care
    os.set_inheritable(control.fileno(), False)
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    with suppress(ConnectionError):
        Spawner(control, json.loads(sys.argv[2]), sys.argv[3:]).serve()


if __name__ == "__main__":
    main()
