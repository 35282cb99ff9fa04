#!/usr/bin/env python3
"""What the sandbox holds and what it costs.

    .venv/bin/python benchmarks/sandbox.py [--runs 40] [--kills 300] [--corpus FOLDER] [--json FILE]

Own attacks contained and side effects counted exactly; time from the wish to end a run until nothing of it
lives; wall-clock time of a cold run beside a bare interpreter, of one that imports much, of a warm one that
needs torch and scikit-learn, and of bubblewrap where that is installed. Runs and anchors alternate, so that
the machine's load falls on both, and the next run can get ready meanwhile; `in_a_row` is without that. Ratios
are of medians, and of the best beside them. `--corpus` names a folder with a `run_corpus.py` of attacks by
other hands. Exit code 1 when a bar is missed.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from orphans.sandbox import Kind, Limits, RunSpec, SubprocessRunner, probe  # noqa: E402
from tests.orphans.sandbox import suite  # noqa: E402

IMPORTS = "import django, celery, redis, networkx, numpy\n"
BARS = {"cold": 1.8, "imports": 1.15, "warm_ms": 10.0, "kill_s": 2.0}
TEMPLATE = (
    "{{py}} {root}/manage.py sandbox run {{prog}} --checkout {{repo}} --call selftest --expect true "
    "--wall 5 --json --verdict-line"
)
LIMITS = Limits(wall_seconds=120, cpu_seconds=60)
Timed = Callable[[], object]


def alternating(runs: int, **timed: Timed) -> dict[str, dict[str, float]]:
    """Time each in turn; return the best and the median in ms."""
    taken: dict[str, list[float]] = {name: [] for name in timed}
    for _ in range(runs):
        for name, each in timed.items():
            started = time.perf_counter()
            each()
            taken[name].append((time.perf_counter() - started) * 1000)
    return {name: {"best": min(times), "median": statistics.median(times)} for name, times in taken.items()}


def bare(place: Path, *flags: str) -> Timed:
    """Return what starts a plain interpreter."""
    return lambda: subprocess.run([sys.executable, *flags, str(place)], check=True)


def cost(folder: Path, runs: int) -> dict[str, Any]:
    """Return what a cold run costs beside a bare interpreter and bubblewrap."""
    runner = SubprocessRunner()
    (folder / "nothing.py").write_text("pass\n")
    (folder / "imports.py").write_text(IMPORTS)
    runs_of = {
        name: RunSpec(kind=Kind.FILE, target=f"{name}.py", checkout=folder, limits=LIMITS)
        for name in ("nothing", "imports")
    }
    for spec in runs_of.values():
        measured = runner.run(spec)
        assert measured.ok, measured.explain()
    timed: dict[str, Timed] = {
        "bare": lambda: subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True),
        "cold": lambda: runner.run(runs_of["nothing"]),
    }
    in_a_row = alternating(runs, cold_in_a_row=timed["cold"])
    if shutil.which("bwrap"):
        words = ["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev"]
        timed["bubblewrap"] = lambda: subprocess.run(
            [*words, sys.executable, "-I", "-S", "-c", "pass"], check=True
        )
    found = alternating(runs, **timed)
    many = alternating(
        max(5, runs // 4),
        bare_imports=bare(folder / "imports.py", "-I"),
        cold_imports=lambda: runner.run(runs_of["imports"]),
    )
    return found | many | in_a_row


def warm(folder: Path, runs: int) -> dict[str, Any]:
    """Return what a warm run costs that needs torch and scikit-learn; nothing without a server."""
    (folder / "learns.py").write_text("def go(_):\n    import torch, sklearn\n    return torch.__version__\n")
    runner = SubprocessRunner()
    spec = RunSpec(kind=Kind.CALL, target="learns:go", checkout=folder, profile="learning", limits=LIMITS)
    for _ in range(120):
        if runner.run(spec).warm:
            break
        time.sleep(0.5)
    else:
        return {}
    bare: Timed = lambda: subprocess.run([sys.executable, "-I", "-S", "-c", "pass"], check=True)  # noqa: E731
    found = alternating(runs, warm=lambda: runner.run(spec), pause=bare)
    return {"warm": found["warm"]} | alternating(runs, warm_in_a_row=lambda: runner.run(spec))


def kills(folder: Path, count: int) -> dict[str, float]:
    """Cancel runs that don't want to end; return the longest time until nothing lived, and the failures."""
    (folder / "deaf.py").write_text(
        "import os, signal, time\n"
        "for n in (1, 2, 14, 15): signal.signal(n, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n    os.setsid()\n    os.fork()\n"
        "print('up', flush=True)\ntime.sleep(1000)\n"
    )
    runner = SubprocessRunner()
    times, failed = [], 0
    for _ in range(count):
        wish = threading.Event()
        spec = RunSpec(kind=Kind.FILE, target="deaf.py", checkout=folder, limits=LIMITS)
        wished: list[float] = []
        timer = threading.Timer(0.15, lambda at=wished, w=wish: (at.append(time.monotonic()), w.set()))
        timer.start()
        runner.run(spec, cancel=wish)
        failed += bool(suite.alive(folder, BARS["kill_s"]))
        times.append(time.monotonic() - wished[0])
    return {"of": count, "failed": failed, "slowest_s": max(times), "median_s": statistics.median(times)}


def corpus(folder: Path) -> dict[str, str]:
    """Run a corpus of other hands; return its own totals."""
    command = [sys.executable, str(folder / "run_corpus.py"), "--name", "menace", "--half", "dev"]
    command += ["--py", sys.executable, "--cmd", TEMPLATE.format(root=ROOT)]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return dict(re.findall(r"(\w+)\s+TOTAL (hostile \d+/\d+ benign \d+/\d+)", told))


def misses(found: dict[str, Any]) -> list[str]:
    """Return the bars that were missed, in words."""
    times = found["times"]
    ratios = {
        "cold": times["cold"]["median"] / times["bare"]["median"],
        "imports": times["cold_imports"]["median"] / times["bare_imports"]["median"],
    }
    found["ratios"] = ratios | {
        "cold_best": times["cold"]["best"] / times["bare"]["best"],
        "cold_in_a_row": times["cold_in_a_row"]["median"] / times["bare"]["median"],
    }
    told = [
        f"{name}: {ratio:.2f} x, bar {BARS[name]}" for name, ratio in ratios.items() if ratio > BARS[name]
    ]
    if "warm" not in times or times["warm"]["median"] > BARS["warm_ms"]:
        told.append(f"warm: {times.get('warm')}, bar {BARS['warm_ms']} ms")
    told += [
        f"{name} failed: {found[name]}"
        for name in ("attacks", "effects", "libraries")
        if found[name]["failed"]
    ]
    return told + (["kill to clean"] if found["kills"]["failed"] else [])


def main() -> int:
    """Measure, print, compare with the bars."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        found: dict[str, Any] = {
            "user": os.geteuid(),
            "load": os.getloadavg()[0],
            "probe": probe().as_data(),
            "times": cost(folder, options.runs) | warm(folder, options.runs),
            "kills": kills(folder, options.kills),
        }
    sets = {"attacks": suite.ATTACKS, "effects": suite.EFFECTS, "libraries": suite.LIBRARY_EFFECTS}
    for what, names in sets.items():
        found[what] = {"of": len(names), "failed": suite.failures(what)}
    found["corpus"] = corpus(options.corpus) if options.corpus else None
    missed = misses(found)
    print(json.dumps(found, indent=1))
    print("\n".join(f"MISSED {each}" for each in missed) or "all bars kept")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
