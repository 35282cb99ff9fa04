"""`manage.py sandbox`: run one file in the sandbox, or show which of its layers hold here.

`manage.py` starts both without Django (`menace_site.plain`); this is the same command for callers that
have Django already, and for `manage.py help`.
"""

import argparse
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orphans.sandbox import cli


class Command(BaseCommand):
    """The sandbox from the command line. The exit code tells how a run ended."""

    help = "Run one file in the sandbox, or show which layers of it hold on this machine."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        cli.add_run_options(commands.add_parser("run", help="run one file and print what was measured"))
        cli.add_probe_options(commands.add_parser("probe", help="show which layers hold on this machine"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand and leave with its exit code."""
        words = argparse.Namespace(**options)
        sys.exit(cli.carry_out(words) if options["command"] == "run" else cli.show_probe(words))
