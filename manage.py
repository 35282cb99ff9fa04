#!/usr/bin/env python
"""Django's usual door to every command of the project."""

import os
import sys
from importlib import import_module

from menace_site.plain import plain_command

READER_GONE = 141
"""128 + SIGPIPE, as a shell says of a program whose reader went away."""


def main() -> int:
    """Run the command; one whose reader has gone, as after `| head`, ends without a word."""
    try:
        code = run()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is still buffered
        return READER_GONE
    return code


def run() -> int:
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
