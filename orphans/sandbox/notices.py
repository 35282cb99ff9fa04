"""What a run tries, told by the kernel call by call: counted, and then carried on.

The count is exact: the kernel stops the caller until it was counted, whichever language or library
made the call. Which calls are left out is decided by paths in the caller's memory, which it could
change meanwhile; all it can hide that way is a write into its own scratch, because nothing else is
writable anyway.

The first process's wish to end is told, too: while it waits for the answer, everything there is to know
of a run with one process is known.
"""

import errno
import os
import struct
from collections.abc import Callable
from contextlib import suppress
from fcntl import ioctl
from typing import Final

from orphans.sandbox.filters import WRITES
from orphans.sandbox.kernel import NUMBERS, read_memory

RECEIVE: Final = 0xC0502100
SEND: Final = 0xC0182101
CONTINUE: Final = 1
NOTICE: Final = struct.Struct("=QIIiIQ6Q")
ANSWER: Final = struct.Struct("=QqiI")
PAGE: Final = 4096
PATH_BYTES: Final = 4096
EXAMPLES: Final = 5
EXAMPLE_LENGTH: Final = 300

FORKS: Final = frozenset({"fork", "vfork", "clone"})
EXECS: Final = {"execve": 0, "execveat": 1}
#: where a path stands among the arguments
PATHS: Final = {
    **dict.fromkeys(("open", "creat", "unlink", "rename", "mkdir", "rmdir", "link", "mknod", "truncate"), 0),
    **dict.fromkeys(("openat", "openat2", "unlinkat", "mkdirat", "mknodat", "symlink"), 1),
    **dict.fromkeys(("renameat", "renameat2", "linkat"), 1),
    "symlinkat": 2,
}
NOBODYS_FILES: Final = (b"/dev/null", b"/dev/tty", b"/dev/zero", b"/dev/full")
SEMAPHORES: Final = b"/dev/shm/sem."  # how the C library names those of multiprocessing
NAME_SERVICE: Final = b"/var/run/nscd/socket"
UNSPECIFIED, UNIX, NETLINK = 0, 1, 16

_NAMES: Final = {number: name for name, number in NUMBERS.items()}


class Notices:
    """Counts for one run. `alive` tells how many processes it has now, `ends` is told of each that goes."""

    def __init__(
        self, listener: int, alive: Callable[[], int], ends: Callable[[int], None], walls: bool
    ) -> None:
        self.listener = listener
        self._alive = alive
        self._ends = ends
        #: how many processes the run may have; unlimited before its order is known
        self.processes = float("inf")
        #: whether a network namespace holds the traffic; without one it is refused here
        self._walls = walls
        self._started = 0
        #: the first process of the run; its first exec is the launcher's own
        self.first: int | None = None
        self.counts = {"file_writes": 0, "network_connections": 0, "subprocesses": 0}
        self.examples: dict[str, list[str]] = {name: [] for name in self.counts}
        #: a limit that was passed
        self.cause = ""
        #: whether all paths could be read
        self.seeing = True
        #: the first process waits to leave with this exit code, and never had another beside it
        self.leaving: int | None = None
        self._waiting = 0
        self._replaced = False

    def take(self) -> None:
        """Receive one notice, count it and answer it."""
        room = bytearray(NOTICE.size)
        try:
            ioctl(self.listener, RECEIVE, room)
        except OSError:
            return  # the caller was killed meanwhile
        key, pid, _, number, _, _, *arguments = NOTICE.unpack(room)
        name = _NAMES.get(number, "")
        if name == "exit_group" and pid == self.first and not self._started and not self._replaced:
            self._waiting, self.leaving = key, arguments[0] & 0xFF
            return
        self._answer(key, self._judge(name, pid, arguments))

    def let_go(self) -> None:
        """Have the first process leave on its own way."""
        self.leaving = None
        self._answer(self._waiting, 0)

    def _answer(self, key: int, error: int) -> None:
        with suppress(OSError):  # the caller was killed meanwhile
            ioctl(self.listener, SEND, ANSWER.pack(key, 0, -error, 0 if error else CONTINUE))

    def _judge(self, name: str, pid: int, arguments: list[int]) -> int:
        """Count one call; return the error to answer with, or 0 to let the kernel go on."""
        if name in FORKS:
            return self._forked()
        if name in EXECS:
            return self._executed(pid, arguments[EXECS[name]])
        if name in PATHS:
            self._wrote(name, pid, arguments)
            return 0
        if name == "exit_group":
            self._ends(pid)
            return 0
        return self._connected(name, pid, arguments)

    def _forked(self) -> int:
        self._note("subprocesses", "a process forked")
        self._started += 1
        if self._started >= self.processes and self._alive() >= self.processes:
            self.cause = self.cause or "processes"
            return errno.EAGAIN
        return 0

    def _executed(self, pid: int, address: int) -> int:
        """A process made by a fork was counted then; the first one's first exec is our own."""
        if self.first is None:
            self.first = pid
        elif pid == self.first:
            self._replaced = True
            self._note("subprocesses", f"exec {self._shown(pid, address)}")
        elif len(self.examples["subprocesses"]) <= EXAMPLES:
            self._rename_fork(f"started {self._shown(pid, address)}")
        return 0

    def _rename_fork(self, words: str) -> None:
        """Say what became of the last fork, in place of the plain fact."""
        told = self.examples["subprocesses"]
        if "a process forked" in told:
            told[told.index("a process forked")] = words

    def _wrote(self, name: str, pid: int, arguments: list[int]) -> None:
        if name == "openat2" and not self._opens_for_writing(pid, arguments[2]):
            return
        path = self._text(pid, arguments[PATHS[name]])
        if path in NOBODYS_FILES or path.startswith(SEMAPHORES) or b"__pycache__" in path.split(b"/"):
            return
        self._note("file_writes", f"{name} {_display(path)}")

    def _opens_for_writing(self, pid: int, address: int) -> bool:
        head = self._memory(pid, address, 8)
        return len(head) < 8 or bool(int.from_bytes(head, "little") & WRITES)

    def _connected(self, name: str, pid: int, arguments: list[int]) -> int:
        """Count connections and datagrams that name a receiver; refuse them where no wall stands."""
        if name == "socket":
            return self._refused_socket(arguments)
        address = self._receiver(name, pid, arguments)
        if address is None:
            return 0
        family = int.from_bytes(address[:2], "little")
        local = family in (UNSPECIFIED, NETLINK) or (family == UNIX and address[2:].startswith(NAME_SERVICE))
        if not local:
            self._note("network_connections", f"{name} {_endpoint(address)}")
        return 0 if self._walls else errno.ENETUNREACH

    def _refused_socket(self, arguments: list[int]) -> int:
        """Without a namespace: only streams may be had, and connecting one is refused above."""
        if arguments[0] in (2, 10) and arguments[1] & 0xF == 1:
            return 0
        if arguments[0] in (2, 10):
            self._note("network_connections", "socket for datagrams")
        return errno.EACCES

    def _receiver(self, name: str, pid: int, arguments: list[int]) -> bytes | None:
        """Return the socket address that a call names; None when it names none."""
        if name == "connect":
            return self._memory(pid, arguments[1], min(arguments[2], 128))
        if name == "sendto":
            return self._memory(pid, arguments[4], min(arguments[5], 128))
        head = self._memory(pid, arguments[1], 12)
        place = int.from_bytes(head[:8], "little")
        return self._memory(pid, place, min(int.from_bytes(head[8:12], "little"), 128)) if place else None

    def _note(self, count: str, words: str) -> None:
        self.counts[count] += 1
        if len(self.examples[count]) < EXAMPLES:
            self.examples[count].append(words)

    def _shown(self, pid: int, address: int) -> str:
        return _display(self._text(pid, address))

    def _text(self, pid: int, address: int) -> bytes:
        """Return the zero-ended text at `address`, page by page: the next one may not be mapped."""
        found = b""
        while len(found) < PATH_BYTES:
            piece = self._memory(pid, address + len(found), PAGE - (address + len(found)) % PAGE)
            text, end, _ = piece.partition(b"\0")
            found += text
            if end or not piece:
                break
        return found

    def _memory(self, pid: int, address: int, size: int) -> bytes:
        try:
            return read_memory(pid, address, size) if size else b""
        except PermissionError:
            self.seeing = False
        except OSError:
            pass  # a wild pointer: the call itself will fail
        return b""


def _display(path: bytes) -> str:
    return os.fsdecode(path[:EXAMPLE_LENGTH]).encode("utf-8", "replace").decode()


def _endpoint(address: bytes) -> str:
    """Write a socket address for people."""
    family = int.from_bytes(address[:2], "little")
    port = int.from_bytes(address[2:4], "big")
    if family == UNIX:
        return "unix:" + _display(address[2:].replace(b"\0", b"@", 1).rstrip(b"\0"))
    if family == 2:  # AF_INET
        return ".".join(map(str, address[4:8])) + f":{port}"
    groups = [address[8 + at : 10 + at].hex() for at in range(0, 16, 2)]
    return f"[{':'.join(groups)}]:{port}" if len(address) >= 24 else f"family {family}"
