#!/usr/bin/env python3
"""Cost of lists and pages with 100,000 cycles, beside the same with 1,000 and a bare list of the same rows.

    .venv/bin/python benchmarks/lists.py [--cycles 100000] [--rounds 40] [--no-browser] [--json FILE]

Starts an embedded PostgreSQL and Valkey of its own in a temporary folder, makes the rows with
`manage.py benchmark_data`, and asks warm pages through Django's WSGI handler in this process (CPU of the web
side and of its database session apart, the best of three medians), over HTTP from the web process that
`manage.py up` runs, and in Chromium with an empty cache. It streams an export of all rows, too, and watches
the web process grow. The anchor is a bare Django view that reads 100 of the same rows in one statement and
dumps them as JSON. Exit code 1 when a bar is missed.
"""

import argparse
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.private import ended, private_servers

KIB = 1024
#: page -> what of it must not be over how much
BARS: dict[str, dict[str, float]] = {
    "api list of 100": {"cpu_ms": 25.0, "bytes": 40 * KIB},
    "overview": {"cpu_ms": 60.0, "loaded_bytes": 500_000, "content_ms": 1000.0, "queries": 12},
    "cycle list": {"cpu_ms": 60.0, "loaded_bytes": 500_000, "content_ms": 1000.0, "queries": 12},
    "engine page": {"queries": 12},
    "cycle page": {"queries": 12},
    "search, common": {"cpu_ms": 60.0, "queries": 12},
    "search, nothing": {"cpu_ms": 60.0, "queries": 12},
    "ROI figure": {"queries": 12},
    "metrics": {"queries": 8},
    "export of all": {"grown_mib": 30.0},
    "making the rows": {"seconds": 60.0},
}
Figures = dict[str, dict[str, Any]]


def main() -> int:
    """Measure, print and compare with the bars."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cycles", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with private_servers("lists", MENACE_API_RATE="100000/s"):
        report = import_module("lists_measure").run(options)
    report["missed"] = list(misses(report["pages"], options.no_browser))
    print_report(report, options.no_browser)
    return ended(report, options.json)


def judged(pages: Figures, without_browser: bool) -> Iterator[tuple[str, str, float, float]]:
    """Yield page, figure, value and bar of each bar."""
    for name, bars in BARS.items():
        for figure, bar in bars.items():
            if not (without_browser and figure in ("content_ms", "loaded_bytes")):
                yield name, figure, pages[name][figure], bar


def misses(pages: Figures, without_browser: bool) -> Iterator[str]:
    """Yield each bar that is missed."""
    for name, figure, value, bar in judged(pages, without_browser):
        if value > bar:
            yield f"{name}: {figure} {value:g} is over {bar:g}"


COLUMNS = (
    ("CPU ms", "cpu_ms", ".1f"),
    ("web", "web_cpu_ms", ".1f"),
    ("db", "database_cpu_ms", ".1f"),
    ("HTTP", "http_cpu_ms", ".1f"),
    ("x 1k", "growth", ".2f"),
    ("x bare", "to_anchor", ".1f"),
    ("queries", "queries", ""),
    ("buffers", "buffers", ""),
    ("bytes", "bytes", ""),
    ("gzip", "gzip_bytes", ""),
    ("content ms", "content_ms", ""),
    ("loaded", "loaded_bytes", ""),
)
SHOWN = tuple((key, form) for _, key, form in COLUMNS)


def print_report(report: dict[str, Any], without_browser: bool = False) -> None:
    """Print a table of the figures, one of the bars, and those that were missed."""
    print(f"{report['cycles']:,} cycles (made in {report['seeding']['seconds']} s), {report['machine']}")
    print(f"{'':<16}" + "".join(f"{title:>11}" for title, _, _ in COLUMNS))
    for name, figures in report["pages"].items():
        cells = (format(figures[key], form) if key in figures else "" for key, form in SHOWN)
        print(f"{name:<16}" + "".join(f"{cell:>11}" for cell in cells))
    print(f"\n{'bar':<32}{'measured':>12}{'at most':>12}")
    for name, figure, value, bar in judged(report["pages"], without_browser):
        print(f"{f'{name}: {figure}':<32}{value:>12,g}{bar:>12,g}  {'pass' if value <= bar else 'MISSED'}")
    print("\n".join(report["missed"]) or "every bar is met")


if __name__ == "__main__":
    raise SystemExit(main())
