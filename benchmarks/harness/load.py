"""The two loads of `overhead.py`: cycles and chains. Import it once Django and PLAIN_BROKER are set."""

import statistics
import time
from collections.abc import Callable
from typing import Any

from celery import chain

from engines.domain.results import CLI
from engines.domain.states import Trigger
from engines.models import Cycle, Engine
from engines.services.cycles import enqueue_cycle
from harness.stack import Stack
from tests.faults.plain import mark, nothing

ENGINES = 12
ALONE = 8
PATIENCE = 300.0


def wait_until(condition: Callable[[], bool], pause: float) -> None:
    """Wait until something is true, looking after each pause. Raises TimeoutError when it takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it never came true")
        time.sleep(pause)


class Cycles:
    """Cycles of several engines, woken like any other."""

    def __init__(self) -> None:

        self.engines = [Engine.objects.create(name=f"idle{n}", repository="/nowhere") for n in range(ENGINES)]

    def send(self, count: int) -> None:
        """Queue so many cycles."""

        for number in range(count):
            enqueue_cycle(self.engines[number % ENGINES], trigger=Trigger.CLI, energy=1.0, actor=CLI)

    def left(self) -> int:
        """Return how many have not ended."""

        return Cycle.objects.unfinished().count()


class Chains:
    """Chains of ten empty tasks; the last one leaves a mark."""

    def __init__(self, made: Stack) -> None:
        self.marks = made.root / "marks"
        self.sent = 0

    def send(self, count: int) -> None:
        """Send so many chains."""

        for number in range(count):
            links = [nothing.si().set(queue="plain") for _ in range(9)]
            last = mark.si(str(self.marks), str(self.sent + number)).set(queue="plain")
            chain(*links, last).apply_async()
        self.sent += count

    def left(self) -> int:
        """Return how many have not ended."""
        done = len(self.marks.read_text().splitlines()) if self.marks.exists() else 0
        return self.sent - done


def seconds_each(kind: Cycles | Chains, count: int) -> float:
    """Send `count` at once and return the wall seconds of each until all have ended."""
    begin = time.perf_counter()
    kind.send(count)
    # looking often would take the processor from the workers
    wait_until(lambda: kind.left() == 0, 0.05 if count > 1 else 0.005)
    return (time.perf_counter() - begin) / count


def measure(made: Stack, rounds: int, count: int) -> dict[str, Any]:
    """Run both in turns, so that what else the machine does meets both; return times, ratios and the rate."""
    cycles, chains = Cycles(), Chains(made)
    seconds_each(cycles, ENGINES)
    seconds_each(chains, ENGINES)
    many, alone = [], []
    for number in range(rounds):
        many.append(pair(cycles, chains, count, number))
        singles = [pair(cycles, chains, 1, turn) for turn in range(ALONE)]
        alone.append((statistics.median(c for c, _ in singles), statistics.median(c for _, c in singles)))
    return summary(many, alone)


def pair(cycles: Cycles, chains: Chains, count: int, number: int) -> tuple[float, float]:
    """Return the seconds of a cycle and of a chain, measured one after the other; odd ones chains first."""
    kinds: list[Cycles | Chains] = [cycles, chains]
    times = {kind: seconds_each(kind, count) for kind in (kinds if number % 2 == 0 else kinds[::-1])}
    return times[cycles], times[chains]


def summary(many: list[tuple[float, float]], alone: list[tuple[float, float]]) -> dict[str, Any]:
    """Return the spread of times, ratios and the rate over the rounds: pairs of (cycle, chain) seconds."""
    found: dict[str, Any] = {}
    for name, times in (("many at once", many), ("one at a time", alone)):
        found[f"{name}: ms a cycle"] = spread([1000 * cycle for cycle, _ in times])
        found[f"{name}: ms a chain"] = spread([1000 * chain for _, chain in times])
        found[f"{name}: ratio"] = spread([cycle / chain for cycle, chain in times])
    found["cycles a second"] = spread([1 / cycle for cycle, _ in many])
    return found


def spread(values: list[float]) -> dict[str, float]:
    """Return least, median and most."""
    return {
        "least": round(min(values), 2),
        "median": round(statistics.median(values), 2),
        "most": round(max(values), 2),
    }
