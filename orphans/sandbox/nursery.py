"""The worker's end of its spawner: started at the first run, once per process, replaced when it is gone."""

import atexit
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from orphans.sandbox.order import surroundings
from orphans.sandbox.policy import SandboxUnavailable

SCRIPT: Final = Path(__file__).resolve().parent / "spawner.py"
HELLO_SECONDS: Final = 30.0
HELLO_BYTES: Final = 16 * 2**10
END_SECONDS: Final = 2.0
"""How long a spawner may take to end once nobody holds the other end of its line."""


class Nursery:
    """Hands runs to a resident spawner. Safe to use from several threads and after a fork."""

    def __init__(self, without: Sequence[str] = ()) -> None:
        #: layers that are left out although the machine has them
        self._without = tuple(without)
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._spawner: subprocess.Popen[bytes] | None = None
        self._missing: dict[str, str] = {}

    def missing(self) -> dict[str, str]:
        """Return why each layer that this machine lacks isn't there."""
        with self._lock:
            self._connected()
            return dict(self._missing)

    def start(self, descriptors: Sequence[int], profile: str = "") -> None:
        """Start one run: its order comes first, then what it is connected to.

        `profile` names the warm server to fork from; while there is none the run gets an interpreter of its
        own.
        """
        wish = profile.encode() or b"-"
        with self._lock:
            for last in (False, True):
                control = self._connected()
                try:
                    socket.send_fds(control, [wish], list(descriptors))
                except OSError:
                    self._forget()
                    if last:
                        raise
                else:
                    return

    def pid(self) -> int | None:
        """Return the id of the spawner; None while there is none."""
        return self._spawner.pid if self._spawner is not None else None

    def close(self) -> None:
        """End the spawner, and with it whatever it started."""
        with self._lock:
            self._forget()

    def _connected(self) -> socket.socket:
        if self._control is not None and self._owner == os.getpid() and not _silent(self._control):
            return self._control
        self._forget()
        words = (json.dumps(surroundings()), *self._without)
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            self._spawner = subprocess.Popen(
                [sys.executable, "-s", "-P", "-S", "-B", str(SCRIPT), str(its.fileno()), *words],
                pass_fds=(its.fileno(),),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # The seed is that of every run, because warm servers are its forks.
                env={"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"},
                cwd="/",
                start_new_session=True,
            )
        mine.settimeout(HELLO_SECONDS)
        try:
            told = json.loads(mine.recv(HELLO_BYTES))
        except (OSError, ValueError):
            mine.close()
            raise SandboxUnavailable(
                "the process that starts runs did not come up; see its words above"
            ) from None
        mine.settimeout(None)
        self._missing = {name: reason for name, reason in told.items() if reason}
        self._control, self._owner = mine, os.getpid()
        return mine

    def _forget(self) -> None:
        """Let go of the spawner; one that a parent process started is the parent's."""
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._spawner is not None and self._owner == os.getpid():
            try:
                self._spawner.wait(timeout=END_SECONDS)
            except subprocess.TimeoutExpired:
                self._spawner.kill()
                self._spawner.wait()
        self._spawner = None


def _silent(control: socket.socket) -> bool:
    """Whether the other end is gone: a spawner says nothing after its greeting."""
    try:
        return control.recv(1, socket.MSG_DONTWAIT) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


_shared = Nursery()
atexit.register(_shared.close)


def shared() -> Nursery:
    """Return the nursery of this process."""
    return _shared
