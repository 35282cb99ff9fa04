"""`manage.py orphans scan PATH`: needs no database, and starts no Django."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from orphans.discovery.scan import scan
from orphans.domain.findings import Classification, Reading, Scan
from orphans.roots import DATA_VARIABLES

if TYPE_CHECKING:
    from orphans.discovery.explain import Explanation

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
    made.add_argument("--explain", metavar="MODULE", help="say why this module is alive, or why it isn't")
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
        told = _explained(options, cache) if options.explain else _scanned(options, cache)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(told)
    return 0


def _scanned(options: argparse.Namespace, cache: Path | None) -> str:
    return _shown(scan(Path(options.path), reading=options.reading, cache=cache, skip=skipped()), options)


def _explained(options: argparse.Namespace, cache: Path | None) -> str:
    explain = import_module("orphans.discovery.explain").explain  # a scan doesn't pay for it
    found = explain(Path(options.path), options.explain, reading=options.reading, cache=cache, skip=skipped())
    return json.dumps(found.to_json()) + "\n" if options.json else _told(found)


def _told(found: "Explanation") -> str:
    """Return an explanation for people: state and reason, then the chain, then what git knows."""
    rows = [f"{_plain(found.path)}: {found.state}", f"  {_plain(found.reason)}"]
    for depth, step in enumerate(found.chain):
        line = f" (line {step.line})" if step.line else ""
        rows.append(f"{'  ' * depth}  {_plain(step.path)}  {_plain(step.why)}{line}")
    if found.finding is not None:
        rows += [f"  {each.kind}: {_plain(each.detail)}" for each in found.finding.evidence]
    rows += [f"  git: {_plain(each.detail)}" for each in found.past]
    return "\n".join(rows) + "\n"


def program(arguments: Sequence[str]) -> int:
    """Scan and print as a process of its own, which ends at once: nothing is taken down object by object."""
    code = main(arguments)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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
