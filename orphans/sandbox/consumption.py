"""What one run takes, all its processes together, looked at from outside and held against its limits.

Processes can vanish from the system's own sums: whoever ignores the end of its children is never told what
they took. So what each one took was written down while it lived, and the larger number counts.
"""

import resource
import time
from typing import Final

from orphans.sandbox.watching import Usage, be_polite, cpu_of, share_of, tree_bytes, usage_of

TICK: Final = 0.05
QUICK: Final = 0.01
QUICKEST: Final = 0.002
"""Seconds between two looks at a run that uses more than half of its memory, or grows fast."""
DEAR: Final = 4
"""How much longer than a look at shares of memory the pause after it is."""
LONG: Final = 1.0
"""Seconds after which a run gives way to the workers and the site."""


class Consumption:
    """CPU, memory, processes and files of one run. `limits` stands before the first look."""

    def __init__(self) -> None:
        self.limits: dict[str, float] = {}
        #: resident bytes that its first process started with: libraries of a warm server
        self.base = 0
        #: folder to add up; empty: a file system of its own is the limit
        self.tree = ""
        #: seconds until the next look
        self.tick = TICK
        self._polite = False
        #: process → CPU seconds of its own when it was seen last
        self._spent: dict[int, float] = {}
        self._peak = 0
        #: when it was looked at last, and resident bytes then
        self._last = (0.0, 0)

    def ends(self, pid: int) -> None:
        """Write down what a process took that is about to end."""
        try:
            self._spent[pid] = cpu_of(pid)
        except OSError:
            return  # one of its other threads ends it: the last look at it counts

    def used(self, told: dict[str, float]) -> dict[str, float]:
        """Return what the run took: what the system summed up, or what was seen, whichever is more."""
        return {"cpu": max(told["cpu"], sum(self._spent.values())), "rss": max(told["rss"], self._peak)}

    def overrun(self, pids: list[int], wall: float) -> str:
        """Look at the run's processes, its keeper first; return the limit that they are over, or nothing."""
        limits = self.limits
        if wall > limits["wall_seconds"]:
            return "wall"
        if wall > LONG and not self._polite:
            self._polite = True
            be_polite(pids)
        seen = {pid: usage_of(pid) for pid in pids}
        if self._cpu(seen) > limits["cpu_seconds"]:
            return "cpu"
        self._peak = max([self._peak, *(each.peak for pid, each in seen.items() if pid != pids[0])])
        if self._over_memory(pids, self._resident(list(seen.values()))):
            return "memory"
        if len(pids) - 1 > limits["processes"]:
            return "processes"
        return "disk" if self.tree and tree_bytes(self.tree) > limits["disk_bytes"] else ""

    def _over_memory(self, pids: list[int], resident: int) -> bool:
        """Hold memory against its limit, and set when to look again: before it can be passed by far."""
        now, left = time.monotonic(), self.limits["memory_bytes"] - resident
        before, had = self._last
        self._last = now, resident
        self.tick = QUICK if resident > left else TICK
        if left <= 0:
            over = self._held(pids) > self.limits["memory_bytes"]
            self.tick = max(self.tick, DEAR * (time.monotonic() - now))
            return over
        if resident > had:
            self.tick = min(self.tick, max(QUICKEST, left * (now - before) / (resident - had) / 2))
        return False

    def _cpu(self, seen: dict[int, Usage]) -> float:
        self._spent.update({pid: max(each.cpu, self._spent.get(pid, 0.0)) for pid, each in seen.items()})
        reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
        summed = sum(each.cpu + each.waited for each in seen.values()) + reaped.ru_utime + reaped.ru_stime
        return max(summed, sum(self._spent.values()))

    def _resident(self, seen: list[Usage]) -> int:
        """Return resident bytes at most: mapped files are the same ones, other shared memory may differ."""
        own = sum(each.own + each.shared for each in seen)
        return own + max((each.files for each in seen), default=0) - self.base

    def _held(self, pids: list[int]) -> float:
        """Return resident bytes, what several share counted once: dear, so only asked near the limit."""
        shares = [share_of(pid) for pid in pids]
        if None in shares:
            return float("inf")  # it can't be told here: the sum of all counts
        return sum(each or 0 for each in shares) - self.base / 2
