"""`manage.py up` for Django's list of commands; `manage.py` itself goes straight to the supervisor."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from menace_site.supervisor.command import DESCRIPTION, add_options, run


class Command(BaseCommand):
    """Runs the whole installation in the foreground until Ctrl-C."""

    help = DESCRIPTION
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        add_options(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until a signal."""
        if code := run(options):
            raise CommandError("up failed; the lines above say why", returncode=code)
