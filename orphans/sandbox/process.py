"""One started run as its worker sees it: its order, its pipes, its report, and how to end it."""

import json
import os
import selectors
import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from orphans.sandbox.nursery import Nursery
from orphans.sandbox.order import written_order
from orphans.sandbox.spec import RunSpec, SpecError

READ_BYTES = 64 * 2**10
REPORT_BYTES = 64 * 2**10
ENDS = b"ends"
"""The launcher's word that comes with the read ends of output and channel."""


def nameless_file() -> int:
    """Open a file that has no name: in memory where the system has that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("order", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


Sinks = Mapping[str, Callable[[bytes], None]]


class Process:
    """Starts one spec; a context manager that leaves nothing open or running."""

    def __init__(self, spec: RunSpec, scratch: Path | None, nursery: Nursery, key: str) -> None:
        self._spec = spec
        self._scratch = scratch
        self._nursery = nursery
        self._key = key
        self._open: set[int] = set()
        self._sources: dict[int, str] = {}
        self._selector = selectors.DefaultSelector()
        self._facts: dict[str, Any] | None = None
        #: the launcher has reported, or is gone
        self.reported = False
        #: the run's scratch folder, held open; None: it lies where the caller made it
        self.folder: int | None = None

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._close_all()
            raise
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.end()
        self._report.settimeout(10.0)
        while not self.reported:  # also after an exception: nothing goes on that nobody waits for
            self._hear()
        self._close_all()

    def _start(self) -> None:
        lifeline, self._lifeline = os.pipe()
        self._open.update((lifeline, self._lifeline))
        order = self._parcel()
        inputs = [self._input(name, place) for name, place in self._spec.inputs.items()]
        self._report, report = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with report:
            ends = [order, report.fileno(), lifeline, *inputs]
            self._nursery.start(ends, self._spec.profile)
        for descriptor in {*ends} - {ends[1]}:
            self._close(descriptor)
        self._selector.register(self._report, selectors.EVENT_READ)

    def _parcel(self) -> int:
        """Put the order into a file without a name; return its descriptor."""
        words = written_order(self._spec, self._scratch, self._key)
        place = nameless_file()
        self._open.add(place)
        while words:
            words = words[os.write(place, words) :]
        os.lseek(place, 0, os.SEEK_SET)
        return place

    def _input(self, name: str, place: Path) -> int:
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            raise SpecError(f"input {name}: {error.strerror}") from None
        self._open.add(descriptor)
        return descriptor

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.remove(descriptor)
            os.close(descriptor)

    def _close_all(self) -> None:
        self._selector.close()
        for descriptor in list(self._open):
            self._close(descriptor)
        if hasattr(self, "_report"):
            self._report.close()

    def read(self, timeout: float, sinks: Sinks) -> None:
        """Wait up to `timeout` seconds for words and hand them to the sinks `output` and `channel`."""
        for key, _ in self._selector.select(timeout):
            if key.fd in self._sources:
                self._read(key.fd, sinks)
            else:
                self._hear()

    def _read(self, descriptor: int, sinks: Sinks) -> None:
        with suppress(BlockingIOError):
            data = os.read(descriptor, READ_BYTES)
            if data:
                sinks[self._sources[descriptor]](data)
            else:
                self._selector.unregister(descriptor)

    def _hear(self) -> None:
        """Take what the launcher sends: first where the run's words can be read, then its report."""
        words, fds = b"", list[int]()
        with suppress(OSError):
            words, fds, _, _ = socket.recv_fds(self._report, REPORT_BYTES, 2)
        self._open.update(fds)
        if words == ENDS:
            self._listen(fds)
            return
        self.reported = True
        if fds:
            self.folder = fds[0]
        with suppress(ValueError):
            facts = json.loads(words) if words else None
            self._facts = facts if isinstance(facts, dict) else None

    def _listen(self, fds: list[int]) -> None:
        self._sources = dict(zip(fds, ("output", "channel"), strict=True))
        for descriptor in fds:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ)

    def drain(self, sinks: Sinks) -> None:
        """Hand over what still lies in the pipes after everything ended."""
        for descriptor, name in self._sources.items():
            with suppress(BlockingIOError):
                while data := os.read(descriptor, READ_BYTES):
                    sinks[name](data)

    def end(self) -> None:
        """Ask the launcher to end the run and all it started, at once."""
        self._close(self._lifeline)

    def facts(self) -> dict[str, Any] | None:
        """Return the launcher's report; None when it died before it could send one."""
        return self._facts
