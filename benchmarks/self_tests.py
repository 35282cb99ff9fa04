"""Self-tests of many modules, hangs, crashes, memory and fork bombs among them, with a worker killed midway.

python benchmarks/self_tests.py --size 1000 --json self_tests.json

Prints the verdicts by kind, how long the queue's page took meanwhile, and what was left behind.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psutil
from harness.stack import Stack, stack

KINDS = {
    "good": "def double(x=2):\n    return 2 * x\n",
    "own words": "VALUE = {number}\n\n\ndef words():\n    return 'w' * VALUE\n",
    "raises": "def run():\n    raise ValueError('no')\n",
    "no import": "import nowhere_at_all_{number}\n",
    "heavy": "def run(n=40):\n    while n := n - 1:\n        open(f'/tmp/{{n}}', 'w').close()\n",
    "hangs": "import time\n\n\ndef run():\n    while True:\n        time.sleep(60)\n",
    "spins": "def run():\n    while True:\n        pass\n",
    "crashes": "import os\n\n\ndef run():\n    os.abort()\n",
    "memory": "def run(kept=()):\n    while True:\n        kept += (bytearray(2**24),)\n",
    "forks": """import os


def run():
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
    "survives": """import os
import time


def run():
    if os.fork() == 0:
        os.setsid()
        time.sleep(600)
""",
    "floods": "def run():\n    while True:\n        print('x' * 10_000)\n",
}
"""What the modules are made of; the first two make up half of them."""

EXPECTED = {
    "good": {"passed"},
    "own words": {"passed"},
    "heavy": {"skipped", "failed"},
    "survives": {"passed", "failed", "skipped"},
}
"""Verdicts that are right; for every other kind only `failed` is, or `skipped` where it counted as heavy."""

LIMITS = {"wall_seconds": 4.0, "cpu_seconds": 2.0, "memory_bytes": 256 * 2**20, "processes": 16}
PAUSE = 0.5


def kind_of(number: int) -> str:
    """Return the kind of the n-th module: one half plain, the other half of all bad kinds in turn."""
    names = list(KINDS)
    return names[number // 2 % 2] if number % 2 == 0 else names[2 + number // 2 % (len(names) - 2)]


def write_modules(root: Path, size: int) -> dict[str, str]:
    """Write the modules; return the kind of each path."""
    kinds = {}
    for number in range(size):
        kind = kind_of(number)
        path = f"pkg{number % 10}/m{number}.py"
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(KINDS[kind].format(number=number))
        kinds[path] = kind
    return kinds


def begin(checkout: Path, kinds: dict[str, str], *, wake: bool) -> Any:
    """Queue a self-test of every module."""
    self_tests = import_module("orphans.services.self_tests")
    planning = import_module("orphans.services.planning")
    models = import_module("orphans.models")
    plan = planning.plan_files(checkout, kinds)
    hashes = {each.path: each.content_hash for each in plan.wanted}
    rows = [
        models.OrphanModule(
            subject="bench", path=path, content_hash=hashes[path], classification="orphan",
            found_as="orphan", confidence=0.9, reason="nothing imports it",
        )
        for path in kinds
    ]  # fmt: skip
    models.OrphanModule.objects.bulk_create(rows)
    engines = import_module("engines.models").Engine.objects
    engines.create(name="bench", repository=str(checkout))
    options = {**plan.options, "limits": LIMITS}
    return self_tests.start_batch(
        "bench", plan.wanted, source="bench", checkout=checkout, options=options, wake=wake
    )


def viewer() -> Any:
    """Return a signed-in browser."""
    users = import_module("django.contrib.auth.models").User.objects
    client = import_module("django.test").Client(HTTP_HOST="127.0.0.1")
    client.force_login(users.get_or_create(username="bench", is_superuser=True)[0])
    return client


def page_seconds(browser: Any) -> float:
    """Return how long the queue's page takes."""
    began = time.perf_counter()
    answer = browser.get("/orphans/")
    assert answer.status_code == 200, (answer.status_code, answer.content[:300])
    return time.perf_counter() - began


def watch(made: Stack, batch: Any, workers: list[Any], patience: float) -> dict[str, Any]:
    """Look at the queue until every module has its verdict; kill a worker a third of the way."""
    panels = import_module("orphans.panels")
    pages: list[float] = []
    browser = viewer()
    page_seconds(browser)  # the first one compiles templates
    killed, began = False, time.monotonic()
    while time.monotonic() - began < patience:
        pages.append(page_seconds(browser))
        batch.refresh_from_db()
        progress = panels.batch_progress(batch)
        if not killed and progress["ended"] > batch.total / 3:
            os.killpg(workers[0].pid, signal.SIGKILL)
            workers[0] = made.worker("second")
            killed = True
        if not progress["open"]:
            break
        time.sleep(PAUSE)
    return {
        "seconds": round(time.monotonic() - began, 1),
        "worker killed": killed,
        "page, median ms": round(median(pages) * 1000, 1),
        "page, longest ms": round(max(pages) * 1000, 1),
    }


def verdicts(batch: Any, kinds: dict[str, str]) -> dict[str, Any]:
    """Return the verdicts by kind, and those that are wrong or missing."""
    by_kind: dict[str, Counter[str]] = {}
    wrong = []
    runs = batch.runs.values_list("path", "state", "reason", "cpu_seconds")
    for path, state, reason, _ in runs:
        by_kind.setdefault(kinds[path], Counter())[state] += 1
        if state not in EXPECTED.get(kinds[path], {"failed", "skipped"}):
            wrong.append(f"{kinds[path]}: {state} ({reason})")
    ended = sum(state not in ("queued", "running") for _, state, _, _ in runs)
    return {
        "modules": len(kinds),
        "with a verdict": ended,
        "cpu seconds": round(sum(cpu or 0.0 for *_, cpu in runs), 1),
        "verdicts": {kind: dict(counts) for kind, counts in sorted(by_kind.items())},
        "wrong verdicts": wrong[:20],
    }


def leftovers(root: Path, scratch: Path, mine: set[int]) -> dict[str, Any]:
    """Return what still names the folder of the run: processes, mounts, and files in the scratch folder."""
    mounts = [line for line in Path("/proc/self/mounts").read_text().splitlines() if str(root) in line]
    # a worker that is killed leaves an empty pymp-… folder of its pool behind, which no run made
    files = [str(path) for path in scratch.glob("*") if not path.name.startswith("pymp-")]
    left = [name for pid, name in _naming(str(root)) if pid not in mine]
    return {"processes left": left, "mounts left": mounts, "files left": files[:20]}


def _naming(text: str) -> Iterator[tuple[int, str]]:
    for process in psutil.process_iter():
        try:
            words = [*process.cmdline(), process.cwd(), *process.environ().values()]
        except (psutil.Error, OSError):
            continue
        if any(text in word for word in words):
            yield process.pid, " ".join(process.cmdline())[:200]


def problems(found: dict[str, Any]) -> list[str]:
    """Return which promises were broken."""
    wrong = [
        name for name in ("wrong verdicts", "processes left", "mounts left", "files left") if found[name]
    ]
    if found["with a verdict"] != found["modules"]:
        wrong.append("modules without a verdict")
    if found["page, longest ms"] > 2_000 or found["page, median ms"] > 500:
        wrong.append("the queue's page was slow")
    return wrong


def main() -> int:
    """Run, print, write JSON; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--patience", type=float, default=3600.0, help="seconds")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    env = {"DJANGO_SETTINGS_MODULE": "menace_site.settings", "MENACE_SWEEP_SECONDS": "1"}
    with stack(env, durable=False) as made:
        scratch = made.root / "tmp"
        scratch.mkdir()
        made.env["TMPDIR"] = str(scratch)
        checkout = made.root / "checkout"
        kinds = write_modules(checkout, options.size)
        workers = [made.worker("first"), made.beat()]
        batch = begin(checkout, kinds, wake=True)
        found = watch(made, batch, workers, options.patience)
        found |= verdicts(batch, kinds)
        for process in made.processes:
            process.terminate()
            process.wait(timeout=30)
        found |= leftovers(checkout, scratch, {os.getpid()})
    return tell(found, options.json)


def tell(found: dict[str, Any], target: Path | None) -> int:
    """Print and write the report."""
    wrong = problems(found)
    for name, value in found.items():
        print(f"{name:20} {value}")
    print("broken: " + ", ".join(wrong) if wrong else "every promise holds")
    if target:
        target.write_text(json.dumps({**found, "broken": wrong}, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
