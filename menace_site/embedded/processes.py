"""Processes that end with us: started apart from the terminal, tied by the kernel and by a leash."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from menace_site.embedded.leash import Leash, send

LAUNCHER = Path(__file__).with_name("launch.py")

_leashes: dict[int, Leash] = {}


def leash() -> Leash:
    """Return this process's leash; a forked child gets one of its own."""
    if os.getpid() not in _leashes:
        _leashes.clear()
        _leashes[os.getpid()] = Leash()
    return _leashes[os.getpid()]


def launcher(*, orphaned: signal.Signals = signal.SIGTERM, as_user: bool = False) -> list[str]:
    """Return the words before a command that let it die with its parent (see `launch`)."""
    flag = ["--as-user"] if as_user else []
    return [sys.executable, "-I", "-S", str(LAUNCHER), *flag, str(int(orphaned))]


def spawn(
    command: Sequence[str],
    *,
    output: int | IO[bytes],
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    orphaned: signal.Signals = signal.SIGTERM,
    as_user: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program in a process group of its own that ends when this process does.

    Call it from a thread that lives as long as the program should: Linux watches the thread, not the process.
    """
    process = subprocess.Popen(
        [*launcher(orphaned=orphaned, as_user=as_user), *command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(environ) if environ is not None else None,
        cwd=cwd,
        start_new_session=True,
    )
    leash().hold(process.pid, orphaned)
    return process


def stop(process: subprocess.Popen[bytes], number: signal.Signals, patience: float) -> None:
    """Signal the main process, give it `patience` seconds, then kill its whole group."""
    if process.poll() is None:
        process.send_signal(number)
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            send(process.pid, signal.SIGKILL)
    process.wait()
    kill_rest(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill the process and everything in its group at once."""
    send(process.pid, signal.SIGKILL)
    process.wait()
    leash().release(process.pid)


def kill_rest(process: subprocess.Popen[bytes]) -> None:
    """Kill what an ended process left behind in its group."""
    send(process.pid, signal.SIGKILL)
    leash().release(process.pid)
