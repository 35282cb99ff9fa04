"""The command line of `manage.py up`, read without loading Django."""

import argparse
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.domain.errors import InvalidInput, MenaceError
from menace_site.embedded.services import exit_code
from menace_site.sandbox_settings import SandboxSettings, or_stop
from menace_site.supervisor.output import Console
from menace_site.supervisor.plan import NAMES
from menace_site.supervisor.run import Options, Supervisor

ROOT = Path(__file__).resolve().parents[2]
DESCRIPTION = "Run PostgreSQL, Valkey, web, worker and beat until Ctrl-C; state lives in SANDBOX_DATA_DIR."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--port", type=int, help="port of the site (default: the first free one from 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--only", default=",".join(NAMES), help="processes to run (default: %(default)s)")
    parser.add_argument("--no-open", action="store_true", help="do not open the page in a browser")
    parser.add_argument("--no-demo", action="store_true", help="do not bring the demo bots")


def chosen(values: Mapping[str, Any], allowed_hosts: list[str]) -> Options:
    """Return the checked options. Raises InvalidInput."""
    only = tuple(name.strip() for name in values["only"].split(",") if name.strip())
    if not only or not set(only) <= set(NAMES):
        raise InvalidInput(f"--only takes a list of {', '.join(NAMES)}", field="only")
    port = values["port"]
    if port is not None and not 0 < port < 65536:
        raise InvalidInput("--port must be between 1 and 65535", field="port")
    names = [name.lstrip(".") for name in allowed_hosts]
    return Options(
        host=values["host"],
        port=port,
        only=only,
        demo=not values["no_demo"],
        open_browser=not values["no_open"],
        site_name="localhost" if not names or {"localhost", "*"} & set(names) else names[0],
    )


def run(values: Mapping[str, Any]) -> int:
    """Run until a signal and return the exit code."""
    settings = or_stop(lambda: SandboxSettings.from_environ(os.environ))
    try:
        options = chosen(values, settings.allowed_hosts)
        return Supervisor(ROOT, ROOT / settings.data_dir, options, Console()).run()
    except MenaceError as error:
        sys.stderr.write(f"{error}\n")
        return exit_code(error)


def main(arguments: list[str]) -> int:
    """Run `manage.py up` with the words of the command line."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=DESCRIPTION)
    add_options(parser)
    return run(vars(parser.parse_args(arguments[2:])))
