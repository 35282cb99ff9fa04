"""`manage.py engines`: take repositories under care, list engines, switch them on and off."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from engines.domain.errors import InvalidInput
from engines.domain.results import CLI
from engines.models import Engine
from engines.services.packages import install_packages, remove_packages
from engines.services.registry import refresh_manifest, register_engine, update_engine
from orphans.services.packages import names_in, packages_of


class Command(BaseCommand):
    """Engines from the command line. Exit code 2: bad input, 3: in another state."""

    help = "Add, list, enable, disable engines, read a manifest again, or install what a bot imports."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        add = commands.add_parser("add", help="take a repository under care")
        add.add_argument("path", help="a git checkout on this machine")
        add.add_argument("--name", help="name of the engine (default: the folder's)")
        add.add_argument("--energy", type=float, default=1.0, help="energy of a scheduled cycle")
        add.add_argument("--cpu-seconds", type=float, help="CPU seconds that energy 1 buys")
        add.add_argument("--trials", type=int, help="configurations that energy 1 may try")
        add.add_argument("--every", type=int, metavar="SECONDS", help="schedule; none: on demand only")
        add.add_argument("--seed", type=int, default=0)
        listing = commands.add_parser("list", help="list the engines")
        one = [
            commands.add_parser(word, help=f"{word} an engine") for word in ("enable", "disable", "refresh")
        ]
        for each in one:
            each.add_argument("name")
        packages = commands.add_parser("packages", help="install what the bot imports, for its runs alone")
        packages.add_argument("name")
        of = packages.add_mutually_exclusive_group()
        of.add_argument("--requirements", type=Path, metavar="FILE", help="default: what the repository says")
        of.add_argument("--remove", action="store_true", help="let its runs import none")
        of.add_argument("--show", action="store_true", help="list them, and change nothing")
        for each in (add, listing, packages, *one):
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        try:
            engines = getattr(self, f"_{options['command']}")(options)
        except Engine.DoesNotExist:
            raise InvalidInput(f"there is no engine {options['name']!r}; `engines list` shows them") from None
        if options["command"] == "packages":
            self._show_packages(engines[0], as_json=options["json"])
        else:
            self._show(engines, as_json=options["json"])

    def _add(self, options: dict[str, Any]) -> list[Engine]:
        return [
            register_engine(
                path=options["path"],
                name=options["name"],
                energy=options["energy"],
                base_cpu_seconds=options["cpu_seconds"],
                base_trials=options["trials"],
                schedule_seconds=options["every"],
                seed=options["seed"],
                actor=CLI,
            )
        ]

    def _list(self, options: dict[str, Any]) -> list[Engine]:
        return list(Engine.objects.all())

    def _enable(self, options: dict[str, Any]) -> list[Engine]:
        return [update_engine(Engine.objects.get(name=options["name"]).pk, actor=CLI, enabled=True)]

    def _disable(self, options: dict[str, Any]) -> list[Engine]:
        return [update_engine(Engine.objects.get(name=options["name"]).pk, actor=CLI, enabled=False)]

    def _refresh(self, options: dict[str, Any]) -> list[Engine]:
        return [refresh_manifest(Engine.objects.get(name=options["name"]), actor=CLI)]

    def _packages(self, options: dict[str, Any]) -> list[Engine]:
        engine = Engine.objects.get(name=options["name"])
        if options["remove"]:
            remove_packages(engine, actor=CLI)
        elif not options["show"]:
            install_packages(engine, file=options["requirements"], say=self.stderr.write, actor=CLI)
        return [engine]

    def _show_packages(self, engine: Engine, *, as_json: bool) -> None:
        place = packages_of(engine.name)
        names = names_in(place)
        if as_json:
            self.stdout.write(
                json.dumps({"name": engine.name, "folder": place and str(place), "packages": names})
            )
            return
        said = "\n".join(f"  {each}" for each in names) or "  none beside those of Menace"
        self.stdout.write(f"packages that runs of {engine.name} may import:\n{said}")

    def _show(self, engines: list[Engine], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps([_row(engine) for engine in engines]))
            return
        for row in map(_row, engines):
            state = "on" if row["enabled"] else "off"
            every = f"every {row['schedule_seconds']} s" if row["schedule_seconds"] else "on demand"
            self.stdout.write(f"{row['name']:20} {state:3} {every:14} {row['repository']}")


def _row(engine: Engine) -> dict[str, Any]:
    return {
        "name": engine.name,
        "repository": engine.repository,
        "enabled": engine.enabled,
        "schedule_seconds": engine.schedule_seconds,
        "base_cpu_seconds": engine.base_cpu_seconds,
        "base_trials": engine.base_trials,
        "pipeline": engine.manifest.get("pipeline"),
        "roi_delta_ema": engine.roi_delta_ema,
    }
