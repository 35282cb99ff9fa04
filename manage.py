#!/usr/bin/env python
"""Django's usual door to every command of the project."""

import os
import sys
from importlib import import_module


def main() -> int:
    """Run the command given on the command line; only the supervisor does without Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "menace_site.settings")
    supervises = sys.argv[1:2] == ["up"]
    door = import_module("menace_site.supervisor.command" if supervises else "menace_site.embedded.one_off")
    code: int = door.main(sys.argv)
    return code


if __name__ == "__main__":
    sys.exit(main())
