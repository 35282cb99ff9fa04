"""`manage.py benchmark_data --cycles N`: add made cycles, steps and metrics, or remove them."""

import json
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from menace_site import made

LARGEST = 5_000_000
LONGEST_DAYS = 36_500


class Command(BaseCommand):
    """Seed N ended cycles with ten steps and ten metrics each over the past months; for benchmarks."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--cycles", type=int, metavar="N", help="How many cycles to make.")
        parser.add_argument(
            "--engines", type=int, default=10, metavar="E", help="Spread over E engines (10)."
        )
        parser.add_argument("--days", type=int, default=180, help="Spread over so many past days (180).")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--remove", action="store_true", help="Remove what this command made, and end.")
        parser.add_argument("--json", action="store_true")

    def handle(self, *, cycles: int | None, remove: bool, **options: Any) -> None:
        """Do it."""
        began = time.perf_counter()
        if not remove and (
            cycles is None or not 1 <= cycles <= LARGEST or not 1 <= options["engines"] <= 500
        ):
            raise CommandError(f"--cycles takes 1 to {LARGEST}, --engines 1 to 500")
        if not 1 <= options["days"] <= LONGEST_DAYS:
            raise CommandError(f"--days takes 1 to {LONGEST_DAYS}")
        with connection.cursor() as cursor:
            if remove:
                done = made.remove(cursor)
            else:
                shape = {name: options[name] for name in ("engines", "days", "seed")}
                done = made.make(cursor, cycles=cycles or 0, **shape)
        done["seconds"] = round(time.perf_counter() - began, 1)
        self.stdout.write(
            json.dumps(done) if options["json"] else ", ".join(f"{k}: {v}" for k, v in done.items())
        )
