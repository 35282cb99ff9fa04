"""How runs leave: the exit code is the kernel's, and what they took is right however they go."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orphans.sandbox import Attempts, Kind, Limits, Measurement, Outcome, RunSpec, SubprocessRunner
from orphans.sandbox.nursery import Nursery
from orphans.sandbox.watching import lone_usage, usage_of
from tests.orphans.sandbox import suite

THREAD = "import os, time; from threading import Thread; "
LIMITS = Limits(wall_seconds=60, cpu_seconds=20, memory_bytes=512 * 2**20)


def left(folder: Path, body: str, nursery: Nursery | None = None) -> Measurement:
    (folder / "it.py").write_text(body)
    spec = RunSpec(kind=Kind.FILE, target="it.py", checkout=folder, limits=LIMITS)
    return SubprocessRunner(nursery=nursery).run(spec)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("pass", 0),
        ("raise SystemExit(7)", 7),
        ("import os; os._exit(256 + 9)", 9),
        ("import os; os._exit(-1)", 255),
        ("import ctypes; ctypes.CDLL(None)._exit(3)", 3),
        (f"{THREAD}Thread(target=os._exit, args=(5,)).start(); [0 for _ in iter(int, 1)]", 5),
        (f"{THREAD}Thread(target=time.sleep, args=(9,), daemon=True).start(); os._exit(2)", 2),
        ("import os; os.fork() and os.wait(); os._exit(4)", 4),
        ("import os; os.execv('/bin/sh', ['sh', '-c', 'exit 6'])", 6),
    ],
)  # fmt: skip
def test_the_exit_code_is_known_however_a_run_leaves(tmp_path: Path, body: str, code: int) -> None:
    measured = left(tmp_path, body)
    assert (measured.exit_code, measured.signal, measured.survivors) == (code, None, 0), measured.explain()
    assert (measured.cpu_seconds or 0) > 0 < (measured.max_rss_bytes or 0)
    assert suite.alive(tmp_path) == []


@pytest.mark.parametrize("ends", ["", "import os; os.fork() and os.wait()\n"])
def test_what_a_run_took_is_the_same_on_both_ways_out(tmp_path: Path, ends: str) -> None:
    body = "import time\nroom = bytearray(b'x') * (64 << 20)\nwhile time.process_time() < 0.3: pass\n"
    measured = left(tmp_path, body + ends)
    assert 0.29 < (measured.cpu_seconds or 0) < 1.0
    assert 64 * 2**20 < (measured.max_rss_bytes or 0) < 128 * 2**20


def test_time_of_children_that_nobody_waits_for_counts(tmp_path: Path) -> None:
    body = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n"
        "for _ in range(6):\n"
        "    ready, done = os.pipe()\n"
        "    if os.fork() == 0:\n"
        "        while time.process_time() < 0.1: pass\n"
        "        os._exit(0)\n"
        "    os.close(done); os.read(ready, 1); os.close(ready)\n"
    )
    assert (left(tmp_path, body).cpu_seconds or 0) > 0.6


def test_a_signal_that_comes_while_a_run_leaves_changes_nothing(tmp_path: Path) -> None:
    """Whoever waits to leave is woken by nothing but its end: no handler runs after the last word."""
    body = (
        "import os, signal, time\n"
        "signal.signal(signal.SIGALRM, lambda *_: open('late', 'w'))\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)\n"
        "os._exit(0)\n"
    )
    assert left(tmp_path, body).exit_code == 0


def test_a_process_with_threads_or_none_at_all_has_no_lone_usage() -> None:
    go = threading.Event()
    thread = threading.Thread(target=go.wait)
    thread.start()
    assert lone_usage(os.getpid()) is None
    go.set()
    thread.join()
    assert lone_usage(2**22 + 1) is None
    assert usage_of(2**22 + 1) == (0.0, 0.0, 0, 0, 0, 0)


@pytest.fixture
def sleeper() -> Iterator[int]:
    """A process that has started and now waits for words that don't come."""
    code = "import sys; print('up', flush=True); sys.stdin.read()"
    command, pipe = [sys.executable, "-I", "-S", "-c", code], subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        while psutil.Process(process.pid).status() != psutil.STATUS_SLEEPING:
            assert process.poll() is None
        yield process.pid
        process.kill()


def test_a_lone_process_is_measured(sleeper: int) -> None:
    told, seen = lone_usage(sleeper), usage_of(sleeper)
    assert told is not None
    assert 0 < told["cpu"] < 5
    assert told["rss"] == seen.peak > 2**20
    assert seen.own > 0 < seen.files
    assert seen.shared == 0


@pytest.mark.parametrize(
    ("measured", "claims"),
    [
        (Measurement(outcome=Outcome.OK, exit_code=0, cpu_seconds=1.0), ()),
        (Measurement(outcome=Outcome.OK, result=0, calls={}), ("result", "calls")),
        (Measurement(outcome=Outcome.OK, attempts=Attempts(exact=True), output_tail="x"), ("output_tail",)),
        (Measurement(outcome=Outcome.FAILED, exception="no", attempts=Attempts()), ("exception", "attempts")),
    ],
)
def test_what_a_run_tells_of_itself_is_named(measured: Measurement, claims: tuple[str, ...]) -> None:
    assert measured.claims == claims


def test_a_run_killed_by_itself_is_no_clean_end(tmp_path: Path) -> None:
    assert left(tmp_path, "import os; os.kill(os.getpid(), 9)").outcome is Outcome.CRASHED
