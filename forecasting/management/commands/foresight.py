"""`manage.py foresight`: verdicts on whether ROI is about to collapse."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from forecasting.management import classify, verdicts


class Command(BaseCommand):
    """Foresight from the command line. Exit code 2: a line was bad, or the file couldn't be read."""

    help = "Say of series of ROI, given or recorded, whether they are about to collapse."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        classify.add_options(commands.add_parser("classify", help="judge JSON lines; needs no database"))
        verdicts.add_options(commands.add_parser("verdicts", help="the latest verdicts on what was recorded"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand; `classify` as the plain command does, which needs no Django."""
        if options["command"] == "verdicts":
            for line in verdicts.lines(options):
                self.stdout.write(line)
            return
        words = [options["file"]] if options["file"] else []
        if code := classify.main([*words, *(["--json"] if options["json"] else [])]):
            sys.exit(code)
