"""What the durable cycle costs: cycles whose ten steps do nothing against Celery chains of ten empty tasks.

    python benchmarks/overhead.py --rounds 5 --cycles 60 --json overhead.json

Both run on the same servers with `-c 2`, in turns; the disk is waited for as in production. `--written`:
steps that do nothing either, but whose starts and ends are written one by one, as if they did something.
"""

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.stack import stack

from menace_site.embedded.addresses import broker_url


def main() -> int:
    """Measure, print, write JSON; 1 if a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cycles", type=int, default=60)
    parser.add_argument("--written", action="store_true", help="write each step on its own")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    env = {"DJANGO_SETTINGS_MODULE": "tests.faults.idle_settings"}
    env["IDLE_PARTS"] = "written_parts" if options.written else "idle_parts"
    with stack(env, durable=True) as made:
        made.env["PLAIN_BROKER"] = os.environ["PLAIN_BROKER"] = broker_url(made.root, os.environ)
        made.worker("cycles")
        made.celery("worker", "-c", "2", "-Q", "plain", "-l", "WARNING", app="tests.faults.plain")
        found = import_module("harness.load").measure(made, options.rounds, options.cycles)
    for name, value in found.items():
        print(f"{name:28} {value}")
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")
    return int(missed(found))


def missed(found: dict[str, Any]) -> bool:
    """Return whether a bar is missed: at most twice the chain, at least 20 cycles a second."""
    ratios = [found[f"{kind}: ratio"]["median"] for kind in ("many at once", "one at a time")]
    return bool(max(ratios) > 2.0 or found["cycles a second"]["median"] < 20)


if __name__ == "__main__":
    sys.exit(main())
