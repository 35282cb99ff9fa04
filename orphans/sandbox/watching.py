"""What the processes of a run use, told from outside by `/proc`, and their end."""

import os
import resource
import signal
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

PAGE: Final = resource.getpagesize()
CLOCK: Final = os.sysconf("SC_CLK_TCK")


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


def usage_of(pid: int) -> tuple[float, int, int]:
    """Return CPU seconds (children it waited for included), own and shared resident bytes."""
    try:
        stat = _read(f"/proc/{pid}/stat").rpartition(")")[2].split()
        pages = _read(f"/proc/{pid}/statm").split()
    except OSError:
        return 0.0, 0, 0
    resident, shared = int(pages[1]), int(pages[2])
    return sum(map(int, stat[11:15])) / CLOCK, (resident - shared) * PAGE, shared * PAGE


def share_of(pid: int) -> int | None:
    """Return a process's proportional share of memory in bytes; None where the system doesn't tell."""
    try:
        lines = _read(f"/proc/{pid}/smaps_rollup").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it is gone
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), None)


def tree_bytes(folder: str) -> int:
    """Add up what the files below a folder take, following no link."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(place) / name).lstat().st_blocks * 512
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


def end_all() -> int:
    """Kill everything below this process until nothing is left; return how many there were."""
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
    return len(seen)
