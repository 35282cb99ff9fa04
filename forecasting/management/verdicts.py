"""`manage.py foresight verdicts`: the latest verdicts on recorded subjects, brought up to date first."""

import argparse
import json
from collections.abc import Iterator
from typing import Any

from forecasting.panels.foresight import all_verdicts, verdicts
from forecasting.services import foresight


def add_options(made: argparse.ArgumentParser) -> None:
    """Declare the options."""
    made.add_argument("subject", nargs="?", help="such as alpha, with its workflows; default: all subjects")
    made.add_argument("--all", action="store_true", help="make all anew, not only those that are due")
    made.add_argument("--json", action="store_true", help="print a JSON line for each subject")


def lines(options: dict[str, Any]) -> Iterator[str]:
    """Bring the verdicts up to date and yield a line for each."""
    if options["all"]:
        foresight.recompute()
    else:
        foresight.recompute_due()
    subject = options["subject"]
    for row in all_verdicts() if subject is None else verdicts(subject):
        yield json.dumps(row, default=str, allow_nan=False) if options["json"] else _words(row)


def _words(row: dict[str, Any]) -> str:
    brittle = ", brittle" if row["brittle"] else ""
    return f"{row['subject']:32} {row['risk']}{brittle}: {row['reason']}"
