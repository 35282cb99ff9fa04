"""Hold a scan against a certificate of liveness: what booting a real Django project imports is no orphan.

    benchmarks/certificate.py CHECKOUT --settings pkg.settings [--root src] [--python PYTHON] [--json OUT]

Exit code 1 when the scan calls a module orphan, isolated, redundant or legacy that the booted project has
imported.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
BOOT_SECONDS, SCAN_SECONDS = 300, 300


def boot(python: str, root: Path, settings: str) -> dict[str, Any]:
    """Return what `harness/boot.py` printed.

    Raises SystemExit with the project's own words when it can't boot.
    """
    command = [python, str(HERE / "harness" / "boot.py"), str(root), settings]
    done = subprocess.run(command, capture_output=True, text=True, timeout=BOOT_SECONDS)
    if done.returncode:
        raise SystemExit(f"{root} does not boot:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def flagged(checkout: Path) -> set[str]:
    """Return the paths that the scan would offer for removal."""
    command = [
        sys.executable,
        str(HERE.parent / "manage.py"),
        *("orphans", "scan", "--paths", "--no-cache", str(checkout)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SCAN_SECONDS, check=True)
    return set(json.loads(done.stdout))


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--settings", required=True, help="settings module of the project")
    parser.add_argument("--root", default=".", help="folder that is imported from, below the checkout")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has the project's needs")
    parser.add_argument("--json", type=Path, help="write the figures here as well")
    return parser.parse_args()


def main() -> int:
    """Boot, scan, compare."""
    given = arguments()
    root = given.checkout / given.root
    booted = boot(given.python, root, given.settings)
    live = {(Path(given.root) / path).as_posix() for path in booted["live"]}
    found = flagged(given.checkout)
    wrong = sorted(live & found)
    print(
        f"{given.checkout.name}: {len(live)} files certainly live, {len(found)} flagged, {len(wrong)} wrong"
    )
    for path in wrong:
        print(f"  WRONG {path}")
    for failure in booted["not_booted"]:
        print(f"  not booted: {failure}")
    if given.json:
        figures = {
            "live": len(live),
            "flagged": sorted(found),
            "wrong": wrong,
            "not_booted": booted["not_booted"],
        }
        given.json.write_text(json.dumps(figures, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
