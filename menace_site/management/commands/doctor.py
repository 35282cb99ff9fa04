"""`manage.py doctor`: one line for each thing the project needs, and how to get what is missing."""

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from menace_site.supervisor.probes import Finding, examine, lacking, this_machine
from menace_site.supervisor.servers import EVERYTHING


class Command(BaseCommand):
    """Looks at the machine, starts and changes nothing; exit code 1 if something needed is missing."""

    help = "Say what this machine has and lacks for running Menace, and how to mend it."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look and tell."""
        findings = examine(this_machine(settings.DATA_DIR), EVERYTHING)
        findings.append(Finding("settings", True, "every variable is valid"))  # or this would not have begun
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_dict() for finding in findings], indent=2))
        else:
            for finding in findings:
                self._line(finding)
        if problems := lacking(findings):
            raise CommandError(f"{len(problems)} thing(s) missing", returncode=1)

    def _line(self, finding: Finding) -> None:
        style = {"ok": self.style.SUCCESS, "missing": self.style.ERROR, "absent": self.style.WARNING}
        word = style[finding.word](f"{finding.word:<8}")
        self.stdout.write(f"{word}{finding.name:<16}{finding.detail}")
        if not finding.ok:
            self.stdout.write(f"{'':8}{'':16}→ {finding.remedy}")
