#!/usr/bin/env python3
"""Verdicts on 10,000 subjects made in one batch, among a million recorded cycles.

    .venv/bin/python benchmarks/verdicts.py [--subjects 10000] [--cycles 100] [--json FILE]

Starts an embedded PostgreSQL of its own in a temporary folder and fills it: each subject gets that many
cycles of a course drawn by lot (level, falling, jumping, broken off), in a unit of its own. Measured are the
batch (wall clock, CPU of this process and of its database session), the same windows judged by the plain rule
of slope and spread (the anchor), and the CPU of recording one more cycle in the empty and in the full table.
Exit code 1 when a bar is missed.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.private import ended, private_servers

BARS = {"batch, CPU s": 30.0, "record, full / empty": 1.5}
RECORDS = 500

FILL = """
INSERT INTO forecasting_cyclemetrics (subject, cycle, roi, entropy, more)
SELECT 'bot' || s, c, unit * (CASE s %% 4
        WHEN 0 THEN 1 WHEN 1 THEN 1 - 0.004 * c WHEN 2 THEN 1 + 1.5 * (c %% 2)
        ELSE CASE WHEN c > %(cycles)s - 3 THEN 0.1 ELSE 1 END END + 0.1 * (random() - 0.5)),
    0.1 + 0.02 * random(), '{}'
FROM (SELECT s, exp(random() * 6 - 3) AS unit FROM generate_series(1, %(subjects)s) AS s) AS subjects
CROSS JOIN generate_series(1, %(cycles)s) AS c
"""

MARK = """
INSERT INTO forecasting_verdict
    (subject, risk, brittle, curve, probabilities, reason, evidence, cycles, marks, due)
SELECT 'bot' || s, 'Insufficient data', false, '[]', '{}', '', 'none', 0, 1, true
FROM generate_series(1, %(subjects)s) AS s
"""


def main() -> int:
    """Measure, print and compare with the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--subjects", type=int, default=10_000)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with private_servers("verdicts"):
        report = measure(options.subjects, options.cycles)
    report["missed"] = [name for name, value, bar in judged(report) if value > bar]
    tell(report)
    return ended(report, options.json)


def measure(subjects: int, cycles: int) -> dict[str, Any]:
    """Return all figures."""
    empty = recording()
    fill(subjects, cycles)
    service = import_module("forecasting.services.foresight")
    names = [f"bot{number}" for number in range(1, subjects + 1)]
    wall, own, database = timed(lambda: service.recompute(names))
    verdicts = import_module("forecasting.models").Verdict.objects.filter(subject__in=names)
    full = recording()
    return {
        "subjects": subjects,
        "rows": subjects * cycles,
        "load": os.getloadavg()[0],
        "batch": {"wall_s": wall, "cpu_s": own, "database_cpu_s": database},
        "ms each": (own + database) / subjects * 1000,
        "anchor_ms_each": anchor(names[:1000]),
        "record_us": {"empty": empty * 1e6, "full": full * 1e6, "growth": full / empty},
        "risks": dict(Counter(verdicts.values_list("risk", flat=True))),
        "left_due": verdicts.filter(due=True).count(),
    }


def fill(subjects: int, cycles: int) -> None:
    """Make the rows."""
    connection = import_module("django.db").connection
    with connection.cursor() as cursor:
        for statement in (FILL, MARK, "ANALYZE forecasting_cyclemetrics", "ANALYZE forecasting_verdict"):
            given = {"subjects": subjects, "cycles": cycles}
            cursor.execute(statement, given if "%" in statement else None)


def timed(work: Callable[[], object]) -> tuple[float, float, float]:
    """Return wall-clock seconds, CPU seconds of this process, and of its database session."""
    connection = import_module("django.db").connection
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = psutil.Process(cursor.fetchone()[0])
    wall, own, database = time.perf_counter(), time.process_time(), cpu_of(session)
    work()
    return time.perf_counter() - wall, time.process_time() - own, cpu_of(session) - database


def cpu_of(process: psutil.Process) -> float:
    """Return the CPU seconds that a process has used."""
    used = process.cpu_times()
    return float(used.user + used.system)


def recording() -> float:
    """Return the CPU seconds of recording one more cycle of a subject, the database session's with them."""
    record = import_module("forecasting.services").record_cycle

    def all_of_them() -> None:
        for cycle in range(RECORDS):
            record("recorded", 1_000_000 + cycle, roi=1.0)

    _, own, database = timed(all_of_them)
    return (own + database) / RECORDS


def anchor(names: list[str]) -> float:
    """Return the CPU milliseconds of the plain rule of slope and spread, by verdict, windows at hand."""
    domain = import_module("forecasting.domain.foresight")
    windows = [
        domain.window_of(rows)
        for rows in import_module("forecasting.services.foresight")._read(names).values()
    ]
    began = time.process_time()
    for window in windows:
        domain.trend(window.roi)
        domain.volatility(window.roi)
    return (time.process_time() - began) / len(windows) * 1000


def judged(report: dict[str, Any]) -> Iterator[tuple[str, float, float]]:
    """Yield name, value and bar of each bar; the first grows with the number of subjects."""
    batch = report["batch"]
    scale = report["subjects"] / 10_000
    yield "batch, CPU s", batch["cpu_s"] + batch["database_cpu_s"], BARS["batch, CPU s"] * max(scale, 0.1)
    yield "record, full / empty", report["record_us"]["growth"], BARS["record, full / empty"]


def tell(report: dict[str, Any]) -> None:
    """Print the figures and the bars."""
    batch, record = report["batch"], report["record_us"]
    print(f"{report['subjects']:,} subjects, {report['rows']:,} cycles, load {report['load']:.1f}")
    used = f"CPU {batch['cpu_s']:.1f} s, database {batch['database_cpu_s']:.1f} s"
    print(f"batch: {batch['wall_s']:.1f} s, {used}")
    print(f"a verdict: {report['ms each']:.2f} ms CPU; plain rule {report['anchor_ms_each']:.2f} ms")
    print(
        f"recording a cycle: {record['empty']:.0f} µs in an empty table, {record['full']:.0f} µs in the full"
    )
    print(f"verdicts: {report['risks']}, still due: {report['left_due']}")
    for name, value, bar in judged(report):
        print(f"{name:<24}{value:>10.2f}{bar:>10.2f}  {'pass' if value <= bar else 'MISSED'}")


if __name__ == "__main__":
    raise SystemExit(main())
