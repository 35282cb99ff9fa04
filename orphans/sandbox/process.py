"""One started run as its worker sees it: the launcher, its pipes, and how to end it."""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from orphans.sandbox.spec import PROJECT_ROOT, Kind, RunSpec, SpecError

HERE = Path(__file__).resolve().parent
MARK = "SANDBOX_RUN_MARK"
READ_BYTES = 64 * 2**10
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
FACTS_BYTES = 64 * 2**10


class Process:
    """Starts the launcher for one spec; a context manager that leaves nothing open or running."""

    def __init__(self, spec: RunSpec, scratch: Path) -> None:
        self._mark = uuid.uuid4().hex
        self._spec = spec
        self._scratch = scratch
        self._open: set[int] = set()
        self._selector = selectors.DefaultSelector()
        self._facts = bytearray()
        self.reported = False

    def __enter__(self) -> Self:
        output, output_end = self._pipe()
        channel, channel_end = self._pipe()
        report, report_end = self._pipe()
        lifeline_end, self._lifeline = self._pipe()
        self._sources = {output: "output", channel: "channel", report: "report"}
        ends = {"channel": channel_end, "report": report_end, "lifeline": lifeline_end}
        self._launcher = self._start(ends, output_end)
        for descriptor in (output_end, *ends.values()):
            self._close(descriptor)
        for descriptor in self._sources:
            os.set_blocking(descriptor, False)
            self._selector.register(descriptor, selectors.EVENT_READ)
        return self

    def __exit__(
        self, _t: type[BaseException] | None, _e: BaseException | None, _tb: TracebackType | None
    ) -> None:
        self.end()
        try:
            self._launcher.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.kill()
            self._launcher.wait()
        if self.facts() is None:
            self.kill()
        self._selector.close()
        for descriptor in list(self._open):
            self._close(descriptor)

    def _pipe(self) -> tuple[int, int]:
        pair = os.pipe()
        self._open.update(pair)
        return pair

    def _close(self, descriptor: int) -> None:
        if descriptor in self._open:
            self._open.discard(descriptor)
            os.close(descriptor)

    def _start(self, ends: Mapping[str, int], output: int) -> subprocess.Popen[bytes]:
        order = {
            "argv": [sys.executable, "-s", "-P", "-B", str(HERE / "child.py")],
            "env": environment(self._spec, self._scratch, self._mark),
            "cwd": str(self._scratch if self._spec.checkout is None else self._spec.checkout.resolve()),
            "limits": asdict(self._spec.limits),
            **ends,
        }
        with tempfile.TemporaryFile() as words:
            words.write(child_order(self._spec, self._scratch, ends["channel"]))
            words.seek(0)
            return subprocess.Popen(
                [sys.executable, "-I", "-S", "-B", str(HERE / "launcher.py"), json.dumps(order)],
                stdin=words,
                stdout=output,
                stderr=output,
                pass_fds=tuple(ends.values()),
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
                cwd=self._scratch,
                start_new_session=True,
            )

    def read(self, timeout: float, sinks: Mapping[str, Callable[[bytes], None]]) -> None:
        """Wait up to `timeout` seconds for words and hand them to the sinks `output` and `channel`."""
        for key, _ in self._selector.select(timeout):
            data = self._read(key.fd)
            name = self._sources[key.fd]
            if name != "report":
                sinks[name](data)
            elif data:
                self._facts += data[: FACTS_BYTES - len(self._facts)]
            else:
                self.reported = True

    def _read(self, descriptor: int) -> bytes:
        try:
            data = os.read(descriptor, READ_BYTES)
        except BlockingIOError:
            return b""
        if not data:
            self._selector.unregister(descriptor)
        return data

    def drain(self, sinks: Mapping[str, Callable[[bytes], None]]) -> None:
        """Hand over what still lies in the pipes after everything ended."""
        for descriptor, name in self._sources.items():
            if name != "report":
                with contextlib.suppress(BlockingIOError):
                    while data := os.read(descriptor, READ_BYTES):
                        sinks[name](data)

    def end(self) -> None:
        """Ask the launcher to end the run and all it started, at once."""
        self._close(self._lifeline)

    def kill(self) -> None:
        """End a run whose launcher doesn't answer or is gone: by session, then by mark."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._launcher.pid, signal.SIGKILL)
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(MARK) == self._mark:
                    process.kill()

    def facts(self) -> dict[str, Any] | None:
        """Return the launcher's report; None when it died before it could write one."""
        try:
            facts = json.loads(self._facts)
        except ValueError:
            return None
        return facts if isinstance(facts, dict) else None


def environment(spec: RunSpec, scratch: Path, mark: str) -> dict[str, str]:
    """Return the whole environment of a run: nothing of the worker's own but the time zone."""
    return {
        "PATH": os.defpath,
        "LANG": "C.UTF-8",
        "HOME": str(scratch),
        "TMPDIR": str(scratch),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "CUDA_VISIBLE_DEVICES": "",
        **dict.fromkeys(THREAD_VARIABLES, "1"),
        **spec.env,
        MARK: mark,
    }


def child_order(spec: RunSpec, scratch: Path, channel: int) -> bytes:
    """Return the JSON order that the run's first process reads on stdin."""
    root = spec.checkout.resolve() if spec.checkout is not None else None
    order = {
        "kind": spec.kind.value,
        "target": str(root / spec.target) if root is not None and spec.kind is Kind.FILE else spec.target,
        "payload": spec.payload,
        "code_path": str(PROJECT_ROOT),
        "import_paths": [str(root / path) for path in spec.import_paths] if root is not None else [],
        "checkout": None if root is None else str(root),
        "scratch": str(scratch),
        "channel": channel,
    }
    try:
        return json.dumps(order, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"the payload can't be written as JSON: {error}") from None
