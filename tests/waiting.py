"""Wait for facts rather than for time: here tests wait for other processes and threads."""

import time
from collections.abc import Callable
from typing import TypeVar

import psutil

T = TypeVar("T")


def until(
    find: Callable[[], T],
    seconds: float = 60.0,
    explain: Callable[[], object] = lambda: "it never came true",
    *,
    pause: float = 0.05,
) -> T:
    """Return the first true answer of `find`.

    Raises AssertionError with the words of `explain` when the answer is still false after so many seconds.
    """
    deadline = time.monotonic() + seconds
    while not (found := find()):
        assert time.monotonic() < deadline, explain()
        time.sleep(pause)
    return found


def alive(pid: int) -> bool:
    """Tell whether a process lives; one that merely was not waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def gone(pid: int, seconds: float = 10.0) -> bool:
    """Tell whether a process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)
