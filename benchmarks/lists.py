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
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib import import_module
from pathlib import Path
from typing import Any

import django
from django.core.management import call_command

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from menace_site.embedded.services import ensure_services

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
    # what the servers still write while they end must not cost the figures
    private = tempfile.TemporaryDirectory(prefix="menace-lists-", ignore_cleanup_errors=True)
    with private as folder, ExitStack() as stack:
        prepare(Path(folder), stack)
        report = import_module("lists_measure").run(options)
    missed = list(misses(report["pages"], options.no_browser))
    report["missed"] = missed
    print_report(report, options.no_browser)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 1 if missed else 0


def prepare(folder: Path, stack: ExitStack) -> None:
    """Point the settings at a private data folder and bring up its servers."""
    os.environ.update(SANDBOX_DATA_DIR=str(folder), MENACE_API_RATE="100000/s", MENACE_LOG_LEVEL="ERROR")
    os.environ["DJANGO_SETTINGS_MODULE"] = "menace_site.settings"
    for name in ("DATABASE_URL", "REDIS_URL", "MENACE_DATA_DIR", "MENACE_PRODUCTION"):
        os.environ.pop(name, None)
    django.setup()
    stack.callback(ensure_services(folder).close_and_wait)
    call_command("migrate", verbosity=0)


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
