"""Random faults on a real stack, then the invariants: nothing lost, nothing twice.

python benchmarks/chaos.py --minutes 10 --faults 300 --seed 1 --json chaos.json
"""

import argparse
import json
import os
import random
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.stack import stack

from menace_site.embedded.addresses import broker_url

LEASE = 4.0
BRIEF = "patch,learn,flag,gate"
"""Steps without effects, which are written together."""


def problems(found: dict[str, Any]) -> list[str]:
    """Return which invariants do not hold."""
    zero = [
        "cycles not at an end",
        "fencing numbers that fell",
        "rows written twice",
        "files made twice",
        "steps of done cycles left out",
        "done steps without their row",
        "done steps without their file",
        "ledger minus metrics",
        "ended cycles minus tally",
        "acts without audit row",
        "orphaned scratch folders",
        "breaks of the audit chain",
    ]
    wrong = [name for name in zero if found[name]]
    slow = found["takeover seconds, longest"]
    return [*wrong, *(["takeover over lease + 15 s"] if slow is not None and slow > LEASE + 15 else [])]


def main() -> int:
    """Run, print a table, write JSON; 1 if an invariant is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--faults", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--no-anchor", action="store_true", help="leave plain Celery out")
    options = parser.parse_args()
    env = {
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "MENACE_LEASE_SECONDS": str(LEASE),
        "MENACE_SWEEP_SECONDS": "1",
        "MENACE_RETRY_BACKOFF": "0.2",
        "FAULTS_BRIEF": BRIEF,
    }
    with stack(env, durable=False) as made:
        made.env["FAULTS_DIR"] = os.environ["FAULTS_DIR"] = str(made.root)
        made.env["PLAIN_BROKER"] = os.environ["PLAIN_BROKER"] = broker_url(made.root, os.environ)
        storm = import_module("harness.storm")
        chaos = storm.Chaos(made, random.Random(options.seed))
        chaos.start()
        seconds = storm.run(chaos, minutes=options.minutes, faults=options.faults)
        left = storm.drain(chaos)
        anchor = None if options.no_anchor else storm.plain_celery(made)
        found = storm.report(chaos, seconds, left, anchor)
    return tell(found, options.json)


def tell(found: dict[str, Any], target: Path | None) -> int:
    """Print and write the report."""
    wrong = problems(found)
    for name, value in found.items():
        print(f"{name:36} {value}")
    print("broken: " + ", ".join(wrong) if wrong else "every invariant holds")
    if target:
        target.write_text(json.dumps({**found, "broken": wrong}, indent=2) + "\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
