"""`manage.py prepare`: what an installation needs after its first start and after every upgrade."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from menace_site.supervisor import first_run
from menace_site.supervisor.preparation import TABLES_READY
from menace_site.supervisor.probes import examine, lacking, this_machine
from menace_site.supervisor.servers import SERVERS


class Command(BaseCommand):
    """Brings tables, the first administrator and the demo; running it again changes nothing."""

    help = "Bring the tables up to date and make the first administrator; with --demo, bring the demo bots."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--demo", action="store_true", help="bring the demo bots alpha and beta")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it step by step; the supervisor listens for the line after the tables."""
        if problems := lacking(examine(this_machine(settings.DATA_DIR), SERVERS)):
            raise CommandError("\n".join(problems), returncode=4)
        (settings.DATA_DIR / "run").mkdir(parents=True, exist_ok=True)  # beat keeps its schedule there
        first_run.migrate()
        self.stdout.write(TABLES_READY)
        self.stdout.flush()
        if first_run.create_admin(settings.DATA_DIR):
            self.stdout.write(f"made the administrator {first_run.ADMIN}")
        if options["demo"]:
            first_run.load_demo()
