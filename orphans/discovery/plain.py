"""Plain import edges from `ruff analyze graph`: isolated, on the listed files alone, in bounded time.

ruff is a native program that reads the files and runs none. Only regular files are passed, by name: it
would wait for a pipe and follow a link. What it can't read is told apart and read by Python instead.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from typing import IO, Final

BATCH: Final = 600_000
"""Bytes of file names in one command line."""
SECONDS: Final = 300
MAX_GRAPH: Final = 400_000_000
_FAILED: Final = ("Failed to generate import map for ", "Failed to read source for ", "Failed to")


class NoRuffError(RuntimeError):
    """ruff isn't there, or failed as a whole."""


class Plain:
    """Edges as ruff sees them."""

    def __init__(self) -> None:
        self.edges: dict[str, list[str]] = {}
        #: files it complained about
        self.failed: set[str] = set()


def ruff_program() -> str | None:
    """Return where ruff is: beside this Python, else on the path."""
    folders = [sys.executable.rpartition("/")[0], *os.get_exec_path()]
    return next((f"{each}/ruff" for each in folders if os.access(f"{each}/ruff", os.X_OK)), None)


class Ruff:
    """Started at once, so that it works while this process reads the files itself; `result` waits for it."""

    def __init__(self, root: str, files: Iterable[str], sources: Sequence[str]) -> None:
        """Start ruff on `files`, paths below `root`, with imports looked up from the folders `sources`."""
        program = ruff_program()
        if program is None:
            raise NoRuffError("ruff is not installed")
        self.root = root
        self._command = [program, "analyze", "graph", "--isolated", "--config", _sources(root, sources), "--"]
        self._batches = list(_batches(each for each in files if _is_text(each)))
        self._running = self._start(self._batches[0]) if self._batches else None

    def result(self) -> Plain:
        """Return all edges. Raises NoRuffError."""
        found = Plain()
        for at in range(len(self._batches)):
            if self._running is None:
                self._running = self._start(self._batches[at])
            self._take(found, *self._running)
            self._running = None
        return found

    def close(self) -> None:
        """End what still runs."""
        if self._running is not None:
            self._running[0].kill()
            self._running[0].wait()

    def _start(self, files: Sequence[str]) -> tuple[subprocess.Popen[bytes], IO[bytes], IO[bytes]]:
        out, err = (os.fdopen(os.memfd_create(each), "w+b") for each in ("out", "err"))
        environ = {"PATH": os.defpath, "HOME": "/nonexistent", "NO_COLOR": "1"}
        process = subprocess.Popen(
            [*self._command, *files],
            cwd=self.root,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )
        return process, out, err

    def _take(self, found: Plain, process: subprocess.Popen[bytes], out: IO[bytes], err: IO[bytes]) -> None:
        with out, err:
            try:
                process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise NoRuffError(f"ruff took more than {SECONDS} s") from None
            out.seek(0)
            err.seek(0)
            try:
                found.edges.update(json.loads(out.read(MAX_GRAPH)))
            except ValueError:
                raise NoRuffError(f"ruff ended with {process.returncode}") from None
            found.failed.update(self._failures(err.read(10_000_000).decode("utf-8", "surrogateescape")))

    def _failures(self, text: str) -> Iterable[str]:
        """Yield the files that warnings begin with; each is checked by a parse of our own later."""
        for part in text.split("warning: ")[1:]:
            for start in _FAILED[:2]:
                if part.startswith(start):
                    rest = part[len(start) :].removeprefix(self.root + "/")
                    yield rest.rpartition(": ")[0] if rest.count(": ") == 1 else rest.partition(": ")[0]


def _is_text(path: str) -> bool:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _sources(root: str, sources: Sequence[str]) -> str:
    folders = [root if not each else f"{root}/{each}" for each in sources if _is_text(each)]
    return "src=" + json.dumps([each for each in folders if _is_text(each)])


def _batches(files: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    size = 0
    for each in files:
        batch.append(each)
        size += len(each) * 2 + 10
        if size > BATCH:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
