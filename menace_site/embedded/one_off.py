"""What `manage.py` does before a command: bring up the servers that the command will ask."""

import os
import sys
from collections.abc import Sequence
from functools import cache

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from engines.domain.errors import MenaceError
from menace_site import tables
from menace_site.embedded.addresses import uses_embedded_database
from menace_site.embedded.services import Services, ensure_services, exit_code

WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "doctor",
    "findstatic",
    "help",
    "makemessages",
    "spectacular",
    "startapp",
    "up",  # brings up its own
    "version",
}

ABOUT_TABLES = {"dbshell", "makemigrations", "migrate", "prepare", "showmigrations", "sqlmigrate", "test"}
"""Commands that mend tables or look at them as they are."""
WITHOUT_TABLES = ABOUT_TABLES | {"events"}
"""Commands that run whatever the tables look like: `events` asks the broker alone."""


def main(arguments: list[str]) -> int:
    """Run one of Django's commands, with its servers running."""
    try:
        services = prepare(arguments)
        execute_from_command_line(arguments)
    except MenaceError as error:
        sys.stderr.write(f"{error}\n")
        return exit_code(error)
    except DatabaseError as error:
        if not (said := tables.explained(error)):
            raise
        sys.stderr.write(f"{said}\n")
        return 2
    if services is not None:
        services.close()
    return 0


def needs_services(arguments: Sequence[str]) -> bool:
    """Tell from `sys.argv` whether the command asks the database or the broker."""
    command = arguments[1] if len(arguments) > 1 else "help"
    only_asks = {"--help", "-h", "--version"} & set(arguments)
    only_compares = command == "makemigrations" and "--check" in arguments
    return not (command.startswith("-") or command in WITHOUT_SERVICES or only_asks or only_compares)


def prepare(arguments: Sequence[str]) -> Services | None:
    """Start what isn't running and, in a database that has no tables yet, make them.

    The share lasts as long as this process: the servers go when nobody needs them any more.
    """
    if not needs_services(arguments):
        return None
    services = ensure_services(settings.DATA_DIR)
    if arguments[1] not in WITHOUT_TABLES:
        django.setup()
        _make_tables()
        tables.check()
    return services


@cache
def prepare_process() -> Services:
    """Do the same for plain Python, once a process; what is running already is shared."""
    services = ensure_services(settings.DATA_DIR)
    _make_tables()
    tables.check()
    return services


def _make_tables() -> None:
    if uses_embedded_database(os.environ) and not MigrationRecorder(connection).has_table():
        call_command("migrate", verbosity=0)
