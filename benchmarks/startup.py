#!/usr/bin/env python3
"""How long `manage.py up` takes to the first useful screen, on a folder that never ran and again.

    .venv/bin/python benchmarks/startup.py [--rounds 3] [--json FILE]

The clock runs from the command to three moments: the sign-in page answers, a signed-in person has the
overview page (the first useful screen), and `/health` finds web, database, broker, workers and beat ready.
Shown are medians over the rounds, the CPU seconds that all processes used, and the load of the machine when
it began: the bars (15 s cold, 5 s warm) are meant for an idle one. Exit code 1 when a bar is missed.
"""

import argparse
import json
import os
import statistics
import sys
from pathlib import Path

import psutil
from installation import Installation, fresh

BARS = {"cold": 15.0, "warm": 5.0}
MOMENTS = ("sign-in page", "first useful screen", "all ready", "CPU seconds")
Times = dict[str, float]


def measure(one: Installation) -> Times:
    """Start, walk to the overview, wait until everything is ready, stop; seconds since the command."""
    begun = one.start()
    page = one.wait_for("/login/")
    one.sign_in_when_possible()
    screen = one.wait_for("/")
    ready = one.wait_for("/health")
    cpu = sum(_cpu(process) for process in one.processes())
    one.stop()
    return dict(zip(MOMENTS, (page - begun, screen - begun, ready - begun, cpu), strict=True))


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def medians(rounds: list[Times]) -> Times:
    """Return the median of each moment."""
    return {moment: round(statistics.median(each[moment] for each in rounds), 2) for moment in MOMENTS}


def main() -> int:
    """Measure, print a table, write JSON, compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    load = os.getloadavg()[0]
    found: dict[str, list[Times]] = {"cold": [], "warm": []}
    for _ in range(options.rounds):
        with fresh() as one:
            for kind in found:
                found[kind].append(measure(one))
    result = {kind: medians(rounds) for kind, rounds in found.items()}
    print(f"{'':6}" + "".join(f"{moment:>21}" for moment in MOMENTS) + f"{'bar':>8}")
    for kind, times in result.items():
        print(f"{kind:6}" + "".join(f"{times[moment]:>21.2f}" for moment in MOMENTS) + f"{BARS[kind]:>8.0f}")
    missed = [kind for kind, times in result.items() if times["first useful screen"] > BARS[kind]]
    facts = {"load": load, "processors": os.cpu_count(), "medians": result, "rounds": found, "missed": missed}
    if options.json:
        options.json.write_text(json.dumps(facts, indent=2))
    print(json.dumps({"load": load, **result, "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
