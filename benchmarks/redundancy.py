#!/usr/bin/env python3
"""Copies of real modules found again, and live siblings left in peace, beside simpler rules.

    .venv/bin/python benchmarks/redundancy.py [--copies 12] [--live 150] [--seeds 3] [--json FILE]

From every package a number of modules of 40 to 600 lines are copied and changed (`redundancy_cases.py`); each
copy stands in another folder, with the whole package as the live modules. *Found* is the share of copies that
are called redundant, *right* the share of those with the true original. *Live* are modules of the package as
they are: the share that is called a copy of another one. Real duplicates among them count against every rule.
Copies with hardly a statement left are not counted. Intervals are Wilson's 95 %; the last lines are CPU.
"""

import argparse
import difflib
import json
import math
import random
import resource
import subprocess
import sys
import sysconfig
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from redundancy_cases import KINDS

from orphans.domain.fingerprints import Fingerprint, fingerprint
from orphans.domain.redundancy import LEAST_WEIGHT, SHORTLIST, find_twins
from orphans.domain.sketches import Sketches, words_of

SITE: Final = Path(sysconfig.get_paths()["purelib"])
STDLIB: Final = Path(sysconfig.get_paths()["stdlib"])
_INSTALLED: Final = """
    django celery kombu sqlalchemy networkx pygments
    pip hypothesis rest_framework prompt_toolkit schemathesis mypy
"""
PACKAGES: Final = (
    *(SITE / name for name in _INSTALLED.split()),
    *(STDLIB / name for name in ("asyncio", "email", "idlelib")),
)
BATCH: Final = 10
COSTED: Final = ("django", "sympy")
AWAY: Final = frozenset({"tests", "test", "migrations", "_vendor", "__pycache__", "idle_test"})
Finder = Callable[[Mapping[str, str], Mapping[str, str]], Mapping[str, str]]


@dataclass
class Package:
    """The sources of one package."""

    name: str
    sources: dict[str, str]
    #: modules of a size that people copy
    usual: list[str] = field(default_factory=list)


def package(folder: Path) -> Package:
    """Read a package, tests and vendored code aside."""
    paths = [each for each in sorted(folder.rglob("*.py")) if not AWAY & set(each.parts[len(folder.parts) :])]
    sources = {each.relative_to(folder).as_posix(): each.read_text("utf-8", "replace") for each in paths}
    usual = [
        p for p, text in sources.items() if 40 <= text.count("\n") <= 600 and not p.endswith("__init__.py")
    ]
    return Package(folder.name, sources, usual)


@cache
def printed(text: str) -> Fingerprint | None:
    """Return a fingerprint, made once; what making one costs is measured by `cost`."""
    return fingerprint(text)


def ours(candidates: Mapping[str, str], others: Mapping[str, str]) -> Mapping[str, str]:
    """The rule of this project."""
    reads = {path: partial(others.__getitem__, path) for path in others}
    found = find_twins(candidates, reads, lambda _path, source: printed(str(source)))
    return {path: twin.path for path, twin in found.items() if twin.live}


def jaccard(candidates: Mapping[str, str], others: Mapping[str, str]) -> Mapping[str, str]:
    """Half of the statements of both together are shared; names don't count."""
    prints = {path: _shapes(text) for path, text in others.items()}
    mine = {path: _shapes(text) for path, text in candidates.items()}
    return _best(mine, prints, lambda one, other: len(one & other) / max(1, len(one | other)), 0.5)


@cache
def _shapes(text: str) -> frozenset[int]:
    found = printed(text)
    return frozenset(found.shapes) if found else frozenset()


def lines(candidates: Mapping[str, str], others: Mapping[str, str]) -> Mapping[str, str]:
    """Half of the lines of code are in the other file as they are, which is what line-based finders see."""
    theirs = {path: _lines(text) for path, text in others.items()}
    mine = {path: _lines(text) for path, text in candidates.items()}
    return _best(mine, theirs, lambda one, other: len(one & other) / max(1, len(one)), 0.5)


@cache
def _lines(text: str) -> frozenset[str]:
    stripped = (line.strip() for line in text.split("\n"))
    return frozenset(
        line for line in stripped if len(line) > 10 and not line.startswith(("#", "import ", "from "))
    )


def ratio(candidates: Mapping[str, str], others: Mapping[str, str]) -> Mapping[str, str]:
    """`difflib` calls them 60 % alike; it is asked about our shortlist only, for all would take hours."""
    prints = {path: each for path, text in candidates.items() if (each := printed(text))}
    words = {path: words_of(each.names) for path, each in prints.items()}
    sketches = Sketches(words.values())
    for path in others.keys() - candidates.keys():
        sketches.add(path, others[path])
    split = {path: text.split("\n") for path, text in {**others, **candidates}.items()}
    near = {
        path: {other: split[other] for other in sketches.closest(words[path])[:SHORTLIST]} for path in prints
    }
    found: dict[str, str] = {}
    for path in prints:
        found |= _best({path: split[path]}, near[path], _alike, 0.6)
    return found


def _alike(one: list[str], other: list[str]) -> float:
    return difflib.SequenceMatcher(None, one, other, autojunk=False).ratio()


def _best(mine: Mapping[str, Any], theirs: Mapping[str, Any], score: Any, least: float) -> dict[str, str]:
    found = {}
    for path, one in mine.items():
        scored = ((score(one, other), name) for name, other in theirs.items() if name not in mine)
        best = max(scored, default=(0.0, ""))
        if best[0] >= least:
            found[path] = best[1]
    return found


RULES: Final[Mapping[str, Finder]] = {
    "equal lines": lines,
    "difflib": ratio,
    "Jaccard of shapes": jaccard,
    "ours": ours,
}


@dataclass
class Count:
    """Of so many, so many were found, and so many of these rightly."""

    of: int = 0
    found: int = 0
    right: int = 0

    def interval(self) -> tuple[float, float]:
        """Return Wilson's 95 % interval of the share found."""
        n, p, z = max(1, self.of), self.found / max(1, self.of), 1.96
        middle, half = p + z * z / 2 / n, z * math.sqrt(p * (1 - p) / n + z * z / 4 / n / n)
        return (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)

    def to_json(self) -> dict[str, Any]:
        """Return shares and interval."""
        share = round(self.found / max(1, self.of), 4)
        right = round(self.right / self.found, 4) if self.found else None
        return {
            "n": self.of,
            "found": share,
            "right": right,
            "interval": [round(x, 3) for x in self.interval()],
        }


def copies(of: Package, paths: Iterable[str], kind: str, seed: int) -> tuple[dict[str, str], dict[str, str]]:
    """Return the changed copies that have enough left in them, and the original of each."""
    made, origin = {}, {}
    for number, path in enumerate(paths):
        text = KINDS[kind](of.sources[path], random.Random(f"{seed} {path} {kind}"))
        left = fingerprint(text)
        if left is not None and left.weight >= LEAST_WEIGHT:
            made[f"attic/part_{number}.py"] = text
            origin[f"attic/part_{number}.py"] = path
    return made, origin


def count_copies(tables: Any, packages: list[Package], number: int, seed: int) -> None:
    """Let every rule look for changed copies."""
    rng = random.Random(seed)
    for each in packages:
        chosen = rng.sample(each.usual, min(number, len(each.usual)))
        for kind in KINDS:
            made, origin = copies(each, chosen, kind, seed)
            for name, rule in RULES.items():
                found = rule(made, each.sources)
                count = tables[name][kind]
                count.of += len(made)
                count.found += len(found)
                count.right += sum(found[path] == origin[path] for path in found)


def count_live(tables: Any, packages: list[Package], number: int, seed: int) -> None:
    """Let every rule judge modules as they are, a few at a time, the rest being live."""
    rng = random.Random(seed)
    for each in packages:
        chosen = rng.sample(each.usual, min(number, len(each.usual)))
        for start in range(0, len(chosen), BATCH):
            some = {path: each.sources[path] for path in chosen[start : start + BATCH]}
            for name, rule in RULES.items():
                tables[name]["live"].of += len(some)
                tables[name]["live"].found += len(rule(some, each.sources))


def cost(name: str) -> dict[str, float]:
    """Return CPU of the search when every 50th module is a candidate, beside ruff's import graph."""
    found = package(SITE / name)
    chosen = dict(list(found.sources.items())[::50])
    candidates = {f"attic/{path}": text for path, text in chosen.items()}
    reads = {path: partial(found.sources.__getitem__, path) for path in found.sources}
    best = min(_cpu(lambda: find_twins(candidates, reads)) for _ in range(3))
    prints = min(_cpu(lambda: _prints(candidates.values())) for _ in range(3))
    command = [
        str(Path(sys.executable).parent / "ruff"),
        "analyze",
        "graph",
        "-q",
        "--isolated",
        str(SITE / name),
    ]
    graph = min(_child_cpu(command) for _ in range(3))
    files = len(found.sources)
    return {
        "files": files,
        "candidates": len(candidates),
        "ms_per_file": best / files * 1e3,
        "ms_per_fingerprint": prints / len(candidates) * 1e3,
        "ratio_ruff": best / graph,
    }


def _prints(texts: Iterable[str]) -> list[Fingerprint | None]:
    return [fingerprint(text) for text in texts]


def _cpu(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def _child_cpu(command: list[str]) -> float:
    def used() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    started = used()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return used() - started


def measure(folders: Iterable[Path], copied: int, live: int, seeds: int) -> dict[str, Any]:
    """Return every rule's counts by kind."""
    tables: Any = defaultdict(lambda: defaultdict(Count))
    packages = [package(folder) for folder in folders]
    count_live(tables, packages, live, seed=0)
    for seed in range(seeds):
        count_copies(tables, packages, copied, seed)
    return {rule: {kind: count.to_json() for kind, count in kinds.items()} for rule, kinds in tables.items()}


def table(rules: Mapping[str, Any]) -> str:
    """Return the figures as a table in Markdown."""
    rows = ["| case | " + " | ".join(rules) + " |", "| --- |" + " --- |" * len(rules)]
    for kind in (*KINDS, "live"):
        cells = []
        for kinds in rules.values():
            found = kinds[kind]
            low, high = found["interval"]
            right = "" if kind == "live" or found["right"] is None else f", right {found['right']:.3f}"
            cells.append(f"{found['found']:.3f} [{low:.2f}, {high:.2f}]{right}")
        rows.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def main() -> int:
    """Measure, print, and say by the exit code whether the bars hold."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--copies", type=int, default=12, help="modules copied from each package and seed")
    parser.add_argument(
        "--live", type=int, default=150, help="live modules judged from each package, at most"
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    rules = measure(PACKAGES, options.copies, options.live, options.seeds)
    costs = {name: cost(name) for name in COSTED}
    print(table(rules))
    for name, figures in costs.items():
        print(name, ", ".join(f"{key} {value:.3g}" for key, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps({"rules": rules, "costs": costs}, indent=1))
    missed = misses(rules["ours"], costs)
    print("\n".join(missed) or "every bar holds")
    return 1 if missed else 0


def misses(mine: Mapping[str, Any], costs: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Return the bars that don't hold, in words."""
    bars = {
        "exact": 0.95,
        "renamed": 0.95,
        "renamed, shuffled": 0.95,
        "35 % dropped": 0.9,
        "35 % edited": 0.9,
    }
    found = [
        f"found {kind}: {mine[kind]['found']} < {bar}"
        for kind, bar in bars.items()
        if mine[kind]["found"] < bar
    ]
    found += [
        f"right {kind}: {mine[kind]['right']} < 0.98" for kind in bars if (mine[kind]["right"] or 0) < 0.98
    ]
    if mine["live"]["found"] > 0.03:
        found.append(f"live called redundant: {mine['live']['found']} > 0.03")
    times = ((name, each["ms_per_file"]) for name, each in costs.items())
    return found + [f"{name}: {value:.2f} ms CPU a file > 5" for name, value in times if value > 5]


if __name__ == "__main__":
    sys.exit(main())
