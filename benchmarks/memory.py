#!/usr/bin/env python3
"""What an idle installation takes of the memory, and that nothing of it ever loaded torch.

    .venv/bin/python benchmarks/memory.py [--settle 20] [--json FILE]

Proportional set size (PSS: shared pages are split between those who share them) of every process that
`manage.py up` runs, after each page was asked once and everything has settled; on systems without PSS the
unique set size. Bars: web 150 MiB; web, worker with two children, beat and Valkey together 450 MiB.
PostgreSQL and the supervisor are shown beside. Exit code 1 when a bar is missed.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import psutil
from installation import fresh

BARS = {"web": 150.0, "web, worker, beat, valkey": 450.0}
COUNTED = ("web", "worker", "beat", "valkey")
PAGES = ("/", "/cycles/", "/health", "/metrics", "/api/")
MIB = 1024 * 1024


def role(process: psutil.Process) -> str:
    """Return which part of the installation a process belongs to."""
    words = " ".join(process.cmdline())
    marks = {"granian": "web", " worker ": "worker", " beat ": "beat", "valkey-server": "valkey"}
    marks |= {"postgres: ": "postgres", "/postgres ": "postgres"}
    return next(
        (name for mark, name in marks.items() if mark in words and "keeper.py" not in words), "supervisor"
    )


def memory(process: psutil.Process) -> float:
    """Return a process's share of the memory in MiB."""
    facts = process.memory_full_info()
    return float(getattr(facts, "pss", 0) or facts.uss) / MIB


def has_torch(process: psutil.Process) -> bool:
    """Tell whether a process has torch's library mapped."""
    return any("libtorch" in mapped.path for mapped in process.memory_maps())


def look(processes: list[psutil.Process]) -> tuple[dict[str, float], list[str]]:
    """Return the memory of each part in MiB, and the parts in which torch is loaded."""
    parts: dict[str, float] = {}
    with_torch: list[str] = []
    for process in processes:
        name = role(process)
        parts[name] = round(parts.get(name, 0.0) + memory(process), 1)
        if has_torch(process):
            with_torch.append(f"{name} ({process.pid})")
    return parts, with_torch


def main() -> int:
    """Measure, print a table, write JSON, compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--settle", type=float, default=20.0, help="seconds to wait before looking")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with fresh() as one:
        one.start()
        one.wait_for("/health")
        one.sign_in_when_possible()
        answers = {page: one.get(page) for page in PAGES}
        time.sleep(options.settle)
        parts, with_torch = look(one.processes())
    sums = {"web": parts["web"], "web, worker, beat, valkey": round(sum(parts[name] for name in COUNTED), 1)}
    for name, mib in [*sorted(parts.items()), ("everything", round(sum(parts.values()), 1))]:
        print(f"{name:<28}{mib:>8.1f} MiB")
    for name, mib in sums.items():
        print(f"{name:<28}{mib:>8.1f} MiB of {BARS[name]:.0f}")
    print(f"torch loaded in: {', '.join(with_torch) or 'none'}")
    missed = [name for name, mib in sums.items() if mib > BARS[name]] + with_torch
    facts = {"parts": parts, "sums": sums, "torch": with_torch, "pages": answers, "missed": missed}
    if options.json:
        options.json.write_text(json.dumps(facts, indent=2))
    print(json.dumps(facts))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
