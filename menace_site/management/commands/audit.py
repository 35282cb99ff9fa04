"""`manage.py audit verify | head`: check the audit log's chain, or note its newest hash."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from menace_site import audit


class Command(BaseCommand):
    """Check the chain of the audit log (exit code 1 when it is broken), or print its head."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("action", choices=["verify", "head"])
        parser.add_argument(
            "--head", default="", metavar="SHA256", help="A hash noted earlier that must still be there."
        )

    def handle(self, *, action: str, head: str, **_: Any) -> None:
        """Do it."""
        if action == "verify":
            self._verify(head)
        elif newest := audit.head():
            number, at, sha256 = newest
            self.stdout.write(json.dumps({"id": number, "at": at.isoformat(), "sha256": sha256}))

    def _verify(self, head: str) -> None:
        try:
            broken = audit.verify(head=head)
        except LookupError as error:
            raise CommandError(str(error)) from None
        if broken is not None:
            raise CommandError(f"row {broken.pk} ({broken}) was altered, or a row before it is missing")
        self.stdout.write("the chain is whole")
