"""Start one untrusted process, watch it and all it starts, end them, report the facts.

A script of its own, started as `python -I -S -B launcher.py ORDER` and single-threaded, so that
forking, limits and sessions never happen in a worker with threads. ORDER is a JSON object:
`argv env cwd limits`, and the descriptors `channel` (belongs to the run), `report` (facts go here)
and `lifeline`: when its other end closes, because the worker cancels or died, everything ends.

On Linux it is the reaper of every process below it, whatever session they moved to, so none can
stay behind and all their CPU time is counted. Elsewhere the process group is what can be ended.
"""

import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_NO_NEW_PRIVS = 38
PR_SET_CHILD_SUBREAPER = 36
LINUX = sys.platform == "linux"
TICK = 0.05
PAGE = resource.getpagesize()
CLOCK = os.sysconf("SC_CLK_TCK")
ADDRESS_SPACE_SLACK = 2 * 2**30
"""Address space over the memory limit: libraries map far more than they ever touch."""


def main() -> None:
    """Carry out the order in argv, report, and leave nothing running."""
    order = json.loads(sys.argv[1])
    limits = order["limits"]
    held = {"subreaper": prctl(PR_SET_CHILD_SUBREAPER, 1)}
    started = time.monotonic()
    child, held["rlimits"] = start(order)
    os.close(order["channel"])
    os.close(0)
    status, cause = watch(child, order["lifeline"], limits, started)
    survivors = end_all(child)
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = {
        "status": status,
        "cause": cause,
        "survivors": survivors,
        "wall": time.monotonic() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "rss": usage.ru_maxrss * (1024 if LINUX else 1),
        "held": held,
    }
    with os.fdopen(order["report"], "w") as report:
        json.dump(facts, report)


def prctl(option: int, value: int) -> bool:
    """Set a process attribute of Linux; False where that doesn't exist."""
    if not LINUX:
        return False
    return bool(ctypes.CDLL(None).prctl(option, value, 0, 0, 0) == 0)


def start(order: dict[str, Any]) -> tuple[int, bool]:
    """Fork the run's first process; return its id and whether all limits could be set."""
    told, tells = os.pipe()
    mother = os.getpid()
    child = os.fork()
    if child:
        os.close(tells)
        held = os.read(told, 1) == b"1"
        os.close(told)
        return child, held
    try:
        become(order, mother, tells)
    finally:
        os._exit(127)


def become(order: dict[str, Any], mother: int, tells: int) -> None:
    """Give up what the launcher has and turn into the run's program."""
    os.setsid()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if os.getppid() != mother:
        return
    os.nice(5)
    os.umask(0o077)
    os.chdir(order["cwd"])
    held = set_limits(order["limits"])
    for descriptor in (order["report"], order["lifeline"]):
        os.set_inheritable(descriptor, False)
    os.write(tells, b"1" if held else b"0")
    os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606 - there must be no shell


def set_limits(limits: dict[str, Any]) -> bool:
    """Set the limits of one process; False when the system refused one of them."""
    seconds = int(limits["cpu_seconds"]) + 2
    memory = int(limits["memory_bytes"]) + ADDRESS_SPACE_SLACK
    wanted = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_AS: (memory, memory),
        resource.RLIMIT_FSIZE: (int(limits["file_bytes"]),) * 2,
        resource.RLIMIT_NOFILE: (int(limits["open_files"]),) * 2,
        resource.RLIMIT_CORE: (0, 0),
    }
    held = [set_limit(kind, pair) for kind, pair in wanted.items()]
    return all(held)


def set_limit(kind: int, pair: tuple[int, ...]) -> bool:
    """Lower one limit, never over what already holds."""
    hard = resource.getrlimit(kind)[1]
    soft, top = (value if hard == resource.RLIM_INFINITY else min(value, hard) for value in pair)
    try:
        resource.setrlimit(kind, (soft, top))
    except (ValueError, OSError):
        return False
    return True


def watch(child: int, lifeline: int, limits: dict[str, Any], started: float) -> tuple[int | None, str]:
    """Wait for the first process; return its status and why it was ended early, if it was."""
    ended = os.pidfd_open(child) if hasattr(os, "pidfd_open") else -1
    waited = [lifeline] if ended < 0 else [lifeline, ended]
    while True:
        status = reap(child)
        if status is not None:
            return status, ""
        cause = overrun(limits, time.monotonic() - started)
        if cause:
            return None, cause
        ready = select.select(waited, [], [], TICK)[0]
        if lifeline in ready:
            return None, "lifeline"


def reap(child: int) -> int | None:
    """Collect ended processes; return the status of `child` when it is among them."""
    found = None
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            if pid == child:
                found = status
    return found


def overrun(limits: dict[str, Any], wall: float) -> str:
    """Return the limit that the run as a whole is over, or an empty string."""
    if wall > limits["wall_seconds"]:
        return "wall"
    if not LINUX:
        return ""
    usage = [usage_of(pid) for pid in below(os.getpid())]
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    if sum(cpu for cpu, _, _ in usage) + reaped.ru_utime + reaped.ru_stime > limits["cpu_seconds"]:
        return "cpu"
    if sum(own for _, own, _ in usage) + max((s for _, _, s in usage), default=0) > limits["memory_bytes"]:
        return "memory"
    return "processes" if len(usage) > limits["processes"] else ""


def below(root: int) -> list[int]:
    """Return the ids of all processes that descend from `root` (Linux)."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        children = children_of(waiting.pop())
        found += children
        waiting += children
    return found


def children_of(pid: int) -> list[int]:
    """Return the direct children of a process; none when it is gone."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(word) for task in tasks for word in (task / "children").read_text().split()]
    except OSError:
        return []


def usage_of(pid: int) -> tuple[float, int, int]:
    """Return CPU seconds (children it waited for included), own and shared resident bytes."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        pages = Path(f"/proc/{pid}/statm").read_text().split()
    except OSError:
        return 0.0, 0, 0
    resident, shared = int(pages[1]), int(pages[2])
    return sum(map(int, stat[11:15])) / CLOCK, (resident - shared) * PAGE, shared * PAGE


def end_all(child: int) -> int:
    """Kill everything below until nothing is left; return how many outlived the first process."""
    outlived = 0
    seen: set[int] = set()
    for _ in range(20_000):
        alive = below(os.getpid()) if LINUX else []
        outlived += len(set(alive) - seen - {child})
        seen |= set(alive)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child, signal.SIGKILL)
        for pid in alive:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            break
        time.sleep(0.001)
    return outlived


if __name__ == "__main__":
    main()
