"""`manage.py foresight`: verdicts on whether ROI is about to collapse."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from forecasting.management import classify


class Command(BaseCommand):
    """Foresight from the command line. Exit code 2: a line was bad, or the file couldn't be read."""

    help = "Say of series of ROI whether they are about to collapse."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        classify.add_options(commands.add_parser("classify", help="judge JSON lines; needs no database"))

    def handle(self, *args: Any, **options: Any) -> None:
        """Do as the plain command does, which `manage.py` starts without Django."""
        words = [options["file"]] if options["file"] else []
        if code := classify.main([*words, *(["--json"] if options["json"] else [])]):
            sys.exit(code)
