#!/usr/bin/env python3
"""Orphan modules: what a scan of whole projects costs beside `ruff` and `grimp`, and how often it is right.

    .venv/bin/python benchmarks/orphan_scans.py [CHECKOUT…] [--download NAME…] [--cases FOLDER…] [--json FILE]

Speed: for each checkout, and each source distribution that is downloaded (django, sympy and celery without
any), the least CPU seconds of the rounds, children included: `ruff analyze graph` alone, grimp if it is
installed, our scan with no memory, with nothing changed, and with 1 % of the files changed. Ratios are within
the run. grimp is given every top package of the checkout, each folder's together; it has no scripts and no
namespace folders in its graph. `--modules 20000` scans a generated tree for its peak of memory.

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
import json, sys, grimp
modules = 0
for where, names in json.loads(sys.argv[1]).items():
    sys.path.insert(0, where)
    try:
        modules += len(grimp.build_graph(*names, cache_dir=None).modules)
    except Exception:
        for name in names:
            try:
                modules += len(grimp.build_graph(name, cache_dir=None).modules)
            except Exception:
                pass
    sys.path.pop(0)
    for name in [each for each in sys.modules if each.partition(".")[0] in names]:
        sys.modules.pop(name)
print(modules)
"""
"""grimp's graph of all packages of one folder together; one by one where that fails."""
PEAK: Final = """
import json, os, resource, subprocess, sys
command = [sys.executable, sys.argv[1], "orphans", "scan", sys.argv[2], "--json", "--no-cache"]
process = subprocess.Popen(command, stdout=subprocess.PIPE)
found = json.loads(process.stdout.read())
usage = os.wait4(process.pid, 0)[2]
sizes = {"modules": found["modules"], "found": len(found["orphans"])}
print(json.dumps({**sizes, "peak MB": usage.ru_maxrss // 1024}))
"""
FLAGGED: Final = {"orphan", "isolated", "redundant", "legacy"}


PLAIN: Final = ("PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX")
"""Left out of the environment: an installed project has its bytecode."""


def cpu(command: Sequence[str], folder: Path, environ: dict[str, str] | None = None) -> tuple[float, bytes]:
    """Run a command and return its CPU seconds, children included, and what it printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, cwd=folder, env={**_environ(), **(environ or {})}, capture_output=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def _environ() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in PLAIN}


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


def top_packages(checkout: Path) -> dict[str, list[str]]:
    """Return the packages that no package is around, by the folder they are imported from."""
    found: dict[str, list[str]] = {}
    for folder, folders, names in os.walk(checkout):
        place = Path(folder)
        folders[:] = [each for each in folders if not each.startswith((".", "__"))]
        if "__init__.py" in names and place != checkout:
            if place.name.isidentifier() and place.name not in sys.stdlib_module_names:
                found.setdefault(str(place.parent), []).append(place.name)
            folders[:] = []
    return found


def grimp_seconds(checkout: Path, rounds: int) -> tuple[float, int] | None:
    """Return what grimp's graph of every top package costs, and its modules; None when it isn't installed."""
    if subprocess.run([sys.executable, "-c", "import grimp"], capture_output=True, check=False).returncode:
        return None
    command = [sys.executable, "-I", "-c", PEER, json.dumps(top_packages(checkout))]
    least, printed = min(cpu(command, Path("/")) for _ in range(rounds))
    return least, int(printed or 0)


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
    grimp = grimp_seconds(checkout, rounds)
    sizes = {"modules": found["modules"], "found": len(found["orphans"])}
    if grimp is not None:
        ratios["cold to grimp"] = round(seconds["cold"] / grimp[0], 2)
        sizes["modules of grimp"] = grimp[1]
    return {"ruff": plain, "grimp": grimp and grimp[0], **seconds, "ratios": ratios, **sizes}


def generated(folder: Path, modules: int, lines: int) -> Path:
    """Write a tree of so many modules, of about so many lines together, a tenth of which nothing imports."""
    each, packages = lines // modules, modules // 50
    body = "".join(
        f"def work_{n}(value, other):\n    total = value + {n}\n    return total * other.size\n\n\n"
        for n in range(max(1, each // 5))
    )
    (folder / "pkg").mkdir(parents=True)
    for number in range(packages):
        place = folder / "pkg" / f"part_{number}"
        place.mkdir()
        names = [f"module_{n}" for n in range(49)]
        (place / "__init__.py").write_text("".join(f"from . import {name}\n" for name in names[:44]))
        for name in names:
            (place / f"{name}.py").write_text(f"import pkg.part_{(number + 1) % packages}\n\n\n{body}")
    (folder / "pkg" / "__init__.py").write_text("")
    (folder / "run.py").write_text(
        "".join(f"import pkg.part_{n}\n" for n in range(packages))
        + "\nif __name__ == '__main__':\n    print(pkg)\n"
    )
    return folder


def memory(work: Path, modules: int, lines: int) -> dict[str, Any]:
    """Return seconds, and the peak of the scanning process and its ruff in MB, of a generated tree."""
    checkout = generated(work / "generated", modules, lines)
    command = [sys.executable, "-c", PEAK, str(ROOT / "manage.py"), str(checkout)]
    seconds, printed = cpu(command, ROOT, {"SANDBOX_DATA_DIR": str(work / "generated-data")})
    return {"cpu": round(seconds, 2), **json.loads(printed)}


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
    parser.add_argument(
        "--modules", type=int, default=0, help="also scan a generated tree of so many modules"
    )
    parser.add_argument("--lines", type=int, default=1_200_000, help="lines of the generated tree")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    nothing = not (options.checkouts or options.download or options.cases or options.modules)
    results: dict[str, Any] = {"load": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        names = DEFAULT if nothing else options.download
        for place in [*options.checkouts, *(downloaded(name, work / "packed") for name in names)]:
            results[place.name] = speed(place.resolve(), options.rounds, work)
            print(place.name, json.dumps(results[place.name]), flush=True)
        if options.modules:
            results["generated"] = memory(work, options.modules, options.lines)
            print("generated", json.dumps(results["generated"]), flush=True)
    if options.cases:
        results["accuracy"] = accuracy(options.cases)
        print(json.dumps(results["accuracy"], indent=1))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
