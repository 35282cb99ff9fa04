#!/usr/bin/env python3
"""Orphan modules: what a scan of whole projects costs beside `ruff` and `grimp`, and how often it is right.

    .venv/bin/python benchmarks/orphan_scans.py [CHECKOUT…] [--download NAME…] [--cases FOLDER…] [--json FILE]

Speed: for each checkout, and each source distribution that is downloaded (django, sympy and celery without
any), the least CPU seconds of the rounds, children included: `ruff analyze graph` alone, grimp if it is
installed, our scan with no memory, with nothing changed, and with 1 % of the files changed. Ratios are within
the run.

Accuracy: folders of labelled cases, each with `tree/` and `labels.json` (rows of `path`, `label`, `kind` and
`parents` under the key `labels`): recall, precision, live modules flagged, exact parents, `test_only`.
"""

import argparse
import json
import os
import random
import resource
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
DEFAULT: Final = ("django", "sympy", "celery")
PEER: Final = """
import json, os, sys, grimp
where, names = sys.argv[1], json.loads(sys.argv[2])
sys.path.insert(0, where)
for name in names:
    try:
        grimp.build_graph(name, cache_dir=None)
    except Exception:
        pass
"""
FLAGGED: Final = {"orphan", "isolated", "redundant", "legacy"}


def cpu(command: Sequence[str], folder: Path, environ: dict[str, str] | None = None) -> tuple[float, bytes]:
    """Run a command and return its CPU seconds, children included, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **(environ or {})}, capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def downloaded(name: str, folder: Path) -> Path:
    """Return the unpacked source distribution of a package from the index that pip is set up with."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--no-binary",
        ":all:",
    ]
    subprocess.run([*pip, "-d", str(folder), name], check=False, capture_output=True)
    archive = next(iter(sorted(folder.glob(f"{name}*.tar.gz"))), None)
    if archive is None:
        sys.exit(f"{name}: no source distribution to be had")
    with tarfile.open(archive) as packed:
        packed.extractall(folder / name, filter="data")
    return next(iter((folder / name).iterdir()))


def ours(checkout: Path, data: Path, *words: str) -> tuple[float, dict[str, Any]]:
    """Return the CPU seconds of one scan and what it found."""
    command = [sys.executable, str(ROOT / "manage.py"), "orphans", "scan", str(checkout), "--json", *words]
    seconds, printed = cpu(command, ROOT, {"SANDBOX_DATA_DIR": str(data)})
    found: dict[str, Any] = json.loads(printed)
    return seconds, found


def touched(checkout: Path, seed: int) -> None:
    """Change 1 % of the modules, and wait until the change is old enough to be remembered."""
    modules = sorted(checkout.rglob("*.py"))
    for place in random.Random(seed).sample(modules, max(1, len(modules) // 100)):
        with place.open("a") as file:
            file.write(f"\n_CHANGED = {seed}\n")
    time.sleep(2.2)


def grimp_seconds(checkout: Path, rounds: int) -> float | None:
    """Return what grimp's graph of the top packages costs; None when it isn't installed."""
    packages = sorted(each.parent.name for each in checkout.glob("*/__init__.py"))
    command = [sys.executable, "-I", "-c", PEER, str(checkout), json.dumps(packages)]
    if subprocess.run([sys.executable, "-c", "import grimp"], capture_output=True, check=False).returncode:
        return None
    return min(cpu(command, Path("/"))[0] for _ in range(rounds))


def speed(original: Path, rounds: int, work: Path) -> dict[str, Any]:
    """Return the CPU seconds of everything on a copy of one checkout, and ratios to ruff."""
    checkout, data = work / original.name, work / f"{original.name}-data"
    shutil.copytree(original, checkout, symlinks=True)
    time.sleep(2.2)
    ruff = [str(Path(sys.executable).with_name("ruff")), "analyze", "graph", "-q", "--isolated", "."]
    plain = min(cpu(ruff, checkout)[0] for _ in range(rounds))
    cold = [ours(checkout, data, "--no-cache") for _ in range(rounds)]
    ours(checkout, data)
    warm = min(ours(checkout, data)[0] for _ in range(rounds))
    changed = []
    for seed in range(rounds):
        touched(checkout, seed)
        changed.append(ours(checkout, data)[0])
    seconds = {"cold": min(each for each, _ in cold), "unchanged": warm, "1 % changed": min(changed)}
    ratios = {name: round(each / plain, 2) for name, each in seconds.items()}
    found = cold[0][1]
    sizes = {"modules": found["modules"], "found": len(found["orphans"])}
    return {"ruff": plain, "grimp": grimp_seconds(checkout, rounds), **seconds, "ratios": ratios, **sizes}


def judged(case: Path, counts: Counter[str]) -> None:
    """Count what a scan says of one labelled case."""
    labels = json.loads((case / "labels.json").read_text())["labels"]
    found = ours(case / "tree", case, "--no-cache")[1]["orphans"]
    for row in labels:
        finding = found.get(row["path"], {})
        kind = finding.get("classification")
        label = "natural" if row["kind"] == "natural" else row["label"]
        counts[f"{label} all"] += 1
        counts[f"{label} flagged"] += kind in FLAGGED
        if row["label"] == "orphan":
            counts["parents exact"] += sorted(row["parents"]) == finding.get("parents")
        counts["test_only named"] += row["label"] == kind == "test_only"


def accuracy(cases: Sequence[Path]) -> dict[str, Any]:
    """Return rates over all labelled cases."""
    counts: Counter[str] = Counter()
    for case in cases:
        judged(case, counts)
    right, wrong = counts["orphan flagged"], counts["live flagged"] + counts["natural flagged"]
    return {
        "cases": len(cases),
        "recall": _share(right, counts["orphan all"]),
        "precision": _share(right, right + wrong),
        "hard negatives flagged": _share(counts["live flagged"], counts["live all"]),
        "natural negatives flagged": _share(counts["natural flagged"], counts["natural all"]),
        "parents exact": _share(counts["parents exact"], counts["orphan all"]),
        "test_only named": _share(counts["test_only named"], counts["test_only all"]),
        "counts": dict(counts),
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def main(arguments: list[str] | None = None) -> int:
    """Measure, print and write what was asked for."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("checkouts", nargs="*", type=Path, metavar="CHECKOUT")
    parser.add_argument("--download", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--cases", nargs="*", default=[], type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    nothing = not (options.checkouts or options.download or options.cases)
    results: dict[str, Any] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names = DEFAULT if nothing else options.download
        for place in [*options.checkouts, *(downloaded(name, work / "packed") for name in names)]:
            results[place.name] = speed(place.resolve(), options.rounds, work)
            print(place.name, json.dumps(results[place.name]), flush=True)
    if options.cases:
        results["accuracy"] = accuracy(options.cases)
        print(json.dumps(results["accuracy"], indent=1))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
