"""What the processes of a run use, told from outside by `/proc`, and their end."""

import os
import signal
import time
from contextlib import suppress
from typing import Final, NamedTuple

CLOCK: Final = os.sysconf("SC_CLK_TCK")
DEEPEST: Final = 200
"""Folders in folders of a run without a file system of its own: deeper ones could hide files."""
MEMORY: Final = ("RssAnon", "RssFile", "RssShmem", "VmHWM")


def below(root: int) -> list[int]:
    """Return the ids of all processes that descend from `root` (Linux)."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        children = _children(waiting.pop())
        found += children
        waiting += children
    return found


def _children(pid: int) -> list[int]:
    """Return the direct children of a process; none when it is gone."""
    try:
        tasks = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - asked many times a second
        return [int(word) for task in tasks for word in _read(f"/proc/{pid}/task/{task}/children").split()]
    except OSError:
        return []


def _read(place: str) -> str:
    descriptor = os.open(place, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, 2**16).decode()
    finally:
        os.close(descriptor)


class Usage(NamedTuple):
    """What one process takes: seconds and bytes."""

    #: CPU, and that of children it waited for
    cpu: float = 0.0
    waited: float = 0.0
    #: resident: nobody else's, of mapped files, of other shared memory; and the most it ever was
    own: int = 0
    files: int = 0
    shared: int = 0
    peak: int = 0


def usage_of(pid: int) -> Usage:
    """Return what a process takes; nothing when it is gone."""
    try:
        stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        told = _fields(pid)
    except OSError:
        return Usage()
    user, system, user_waited, system_waited = (int(each) / CLOCK for each in stat[11:15])
    memory = [int(told.get(name, "0").split()[0]) * 1024 for name in MEMORY]
    return Usage(user + system, user_waited + system_waited, *memory)


def _fields(pid: int) -> dict[str, str]:
    """Return the words of a process's status by their names."""
    lines = _read(f"/proc/{pid}/status").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)


def share_of(pid: int) -> int | None:
    """Return a process's proportional share of memory in bytes; None where the system doesn't tell."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it is gone
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def lone_usage(pid: int) -> dict[str, float] | None:
    """Return CPU seconds and most resident bytes of a process that waits and has one thread, else None."""
    try:
        found = _fields(pid)
        if int(found["Threads"]) != 1:
            return None
        return {"cpu": cpu_of(pid), "rss": int(found["VmHWM"].split()[0]) * 1024}
    except (OSError, KeyError):
        return None  # it was killed meanwhile


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process with all its threads, as exact as the kernel counts them.

    By the clock that `clock_getcpuclockid(3)` makes of a process's id.
    """
    return time.clock_gettime(~pid << 3 | 2)


def tree_bytes(folder: str) -> float:
    """Add up what files below a folder take, following no link; infinite for one that is too deep to tell."""
    total, waiting = 0, [(folder, 0)]
    while waiting:
        place, depth = waiting.pop()
        if depth > DEEPEST:
            return float("inf")
        with suppress(OSError), os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, depth + 1))
                else:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total


def be_polite(pids: list[int]) -> None:
    """Lower the priority of processes; what they start later inherits it."""
    for pid in pids:
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, pid, 5)


def kill(pids: list[int]) -> None:
    """End processes that may be gone already."""
    for pid in pids:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def end_all() -> set[int]:
    """Kill everything below this process until nothing is left; return what there was."""
    seen: set[int] = set()
    for _ in range(20_000):
        alive = below(os.getpid())
        seen |= set(alive)
        kill(alive)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            break
        time.sleep(0.001)
    return seen
