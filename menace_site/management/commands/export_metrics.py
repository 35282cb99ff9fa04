"""`manage.py export_metrics`: serve the metrics on a port of their own, or print them once."""

import contextlib
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from prometheus_client import generate_latest

from menace_site.metrics import DEFAULT_PORT, registry, start_metrics_server


class Command(BaseCommand):
    """Serve what `/metrics` shows until Ctrl-C; for monitoring that must not reach the site."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="default: %(default)s")
        parser.add_argument("--addr", default="127.0.0.1", help="address to listen on (default: %(default)s)")
        parser.add_argument("--once", action="store_true", help="print the metrics and end")

    def handle(self, *, port: int, addr: str, once: bool, **_: Any) -> None:
        """Do it."""
        if once:
            self.stdout.write(generate_latest(registry()).decode(), ending="")
            return
        try:
            server = start_metrics_server(port, addr)
        except (OSError, OverflowError) as error:
            raise CommandError(f"can't listen on {addr}:{port}: {error}") from None
        self.stdout.write(f"metrics on http://{addr}:{server.server_port}/metrics")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
