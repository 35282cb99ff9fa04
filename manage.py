#!/usr/bin/env python
"""Django's usual door to every command of the project."""

import os
import sys
from importlib import import_module

from menace_site.plain import plain_command


def main() -> int:
    """Run the command given on the command line; the supervisor and the plain ones do without Django."""
    plain = plain_command(sys.argv)
    if plain is not None:
        return plain(sys.argv[3:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
    supervises = sys.argv[1:2] == ["up"]
    door = import_module("menace_site.supervisor.command" if supervises else "menace_site.embedded.one_off")
    code: int = door.main(sys.argv)
    return code


if __name__ == "__main__":
    sys.exit(main())
