"""`manage.py demo`: bring the demo bots alpha and beta."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from engines.domain.results import CLI
from engines.services.demo import BOTS, Brought, bring_demo


class Command(BaseCommand):
    """Makes the demo bots' repositories and registers their engines; running it again changes nothing."""

    help = "Make the demo bots' repositories and register their engines; what exists is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("names", nargs="*", choices=[*BOTS, []], help="which bots (default: all)")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring the bots and say what was done."""
        brought = bring_demo(CLI, names=tuple(options["names"]) or BOTS)
        if options["json"]:
            self.stdout.write(json.dumps([_data(each) for each in brought]))
        else:
            for each in brought:
                self.stdout.write(_line(each))


def _data(brought: Brought) -> dict[str, Any]:
    return {
        "engine": brought.name,
        "repository": str(brought.repository),
        "created": brought.created,
        "registered": brought.registered,
    }


def _line(brought: Brought) -> str:
    repository = "repository made" if brought.created else "repository kept"
    engine = "engine registered" if brought.registered else "engine kept"
    return f"{brought.name}: {repository}, {engine} ({brought.repository})"
