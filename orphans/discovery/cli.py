"""`manage.py orphans scan PATH`: needs no database, and starts no Django."""

import argparse
import gc
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from orphans.discovery.scan import scan
from orphans.discovery.verdicts import Reading
from orphans.discovery.walk import TooLargeError
from orphans.domain.findings import Classification, Scan
from orphans.roots import DATA_VARIABLES

HOME = Path(__file__).resolve().parents[2]

JUDGED = (Classification.ORPHAN, Classification.ISOLATED, Classification.REDUNDANT, Classification.LEGACY)
"""What `--paths` lists: no `test_only`, no `public_unreferenced`."""


def parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    made = argparse.ArgumentParser(
        "manage.py orphans scan",
        description="List the modules of a checkout that nothing live reaches.",
        formatter_class=_help,
    )
    add_options(made)
    return made


def _help(prog: str) -> argparse.HelpFormatter:
    """Return what formats the help; without a width it loads `shutil` and all its codecs, help or none."""
    return argparse.HelpFormatter(prog, width=int(os.environ.get("COLUMNS") or 100))


def add_options(made: argparse.ArgumentParser) -> None:
    """Declare the options."""
    made.add_argument("path", help="folder of the checkout")
    shape = made.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print everything as JSON")
    shape.add_argument("--paths", action="store_true", help="print a JSON list of the paths judged dead")
    reading = made.add_mutually_exclusive_group()
    for each in (Reading.LIBRARY, Reading.APPLICATION):
        reading.add_argument(
            f"--{each}", dest="reading", action="store_const", const=each, help=f"read it as {each}"
        )
    made.add_argument("--no-cache", action="store_true", help="read every file anew, and keep nothing")
    made.set_defaults(reading=Reading.AUTO)


def main(arguments: Sequence[str]) -> int:
    """Scan and print; 0 when done, 2 when the folder can't be scanned."""
    options = parser().parse_args(arguments)
    try:
        cache = None if options.no_cache else default_cache()
        found = scan(Path(options.path), reading=options.reading, cache=cache, skip=skipped())
    except (OSError, TooLargeError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(_shown(found, options))
    return 0


def program(arguments: Sequence[str]) -> int:
    """Scan and print as a process of its own, which ends after it: what is left isn't searched for cycles."""
    code = main(arguments)
    gc.freeze()
    return code


def skipped() -> list[str]:
    """Return the folders that `SANDBOX_SKIP_DIRS` leaves out, names separated by commas."""
    names = (each.strip() for each in os.environ.get("SANDBOX_SKIP_DIRS", "").split(","))
    return [each for each in names if each]


def default_cache() -> Path:
    """Return the folder below the data folder that scans remember checkouts in."""
    named = next((os.environ[each] for each in DATA_VARIABLES if os.environ.get(each)), "sandbox_data")
    return HOME / named / "cache" / "orphans"


def _shown(found: Scan, options: argparse.Namespace) -> str:
    if options.json:
        return json.dumps(found.to_json()) + "\n"
    if options.paths:
        return json.dumps(judged(found)) + "\n"
    return table(found)


def judged(found: Scan) -> list[str]:
    """Return the paths judged orphan, isolated, redundant or legacy."""
    return sorted(path for path, each in found.findings.items() if each.classification in JUDGED)


def table(found: Scan) -> str:
    """Return the findings for people, control characters of names made visible."""
    rows = [
        f"{found.modules} modules, {found.edges} imports, {len(found.findings)} findings, "
        f"{found.seconds:.2f} s"
    ]
    for path, each in sorted(found.findings.items()):
        rows.append(
            f"{each.classification.value:<20} {each.confidence:.2f}  {_plain(path)}  {_plain(each.reason)}"
        )
    rows += [
        f"{'unreadable':<20}       {_plain(path)}  {_plain(why)}"
        for path, why in sorted(found.unreadable.items())
    ]
    return "\n".join(rows) + "\n"


def _plain(text: str) -> str:
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)
