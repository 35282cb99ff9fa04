#!/usr/bin/env python
"""Django's usual door to every command of the project."""

import os
import sys

from django.core.management import execute_from_command_line

from engines.domain.errors import Conflict, InvalidInput, MenaceError, NotConfigured
from menace_site.embedded.one_off import prepare

EXIT_CODES = {InvalidInput: 2, Conflict: 3, NotConfigured: 4}


def main() -> None:
    """Run the command given on the command line, with its servers running."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
    try:
        services = prepare(sys.argv)
        execute_from_command_line(sys.argv)
    except MenaceError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(next((code for kind, code in EXIT_CODES.items() if isinstance(error, kind)), 1))
    if services is not None:
        services.close()


if __name__ == "__main__":
    main()
