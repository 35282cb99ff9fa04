"""`manage.py up`: PostgreSQL, Valkey, web, worker and beat with one command."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from menace_site.supervisor.output import Console
from menace_site.supervisor.plan import NAMES
from menace_site.supervisor.run import Options, Supervisor


class Command(BaseCommand):
    """Runs the whole installation in the foreground until Ctrl-C."""

    help = "Run PostgreSQL, Valkey, web, worker and beat until Ctrl-C; state lives in SANDBOX_DATA_DIR."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument(
            "--port", type=int, help="port of the site (default: the first free one from 8000)"
        )
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--only", default=",".join(NAMES), help="processes to run (default: %(default)s)")
        parser.add_argument("--no-open", action="store_true", help="do not open the page in a browser")
        parser.add_argument("--no-demo", action="store_true", help="do not bring the demo bots")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal."""
        only = tuple(name.strip() for name in options["only"].split(",") if name.strip())
        if not only or not set(only) <= set(NAMES):
            raise CommandError(f"--only takes a list of {', '.join(NAMES)}", returncode=2)
        port = options["port"]
        if port is not None and not 0 < port < 65536:
            raise CommandError("--port must be between 1 and 65535", returncode=2)
        chosen = Options(
            host=options["host"],
            port=port,
            only=only,
            demo=not options["no_demo"],
            open_browser=not options["no_open"],
        )
        Supervisor(settings.DATA_DIR, chosen, Console()).run()
