"""`manage.py orphans`: scan a checkout, look at the queue, decide about modules, write the JSON files."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orphans import panels
from orphans.discovery import cli
from orphans.domain.acting import CLI
from orphans.domain.errors import Conflict, InvalidInput
from orphans.domain.findings import Classification
from orphans.domain.ingest import clean_text
from orphans.domain.states import ModuleState
from orphans.models import OrphanModule, OrphanModuleQuerySet
from orphans.services import decisions, documents, including
from orphans.services.decisions import Decided

MAX_ROWS = 10_000


class Command(BaseCommand):
    """Orphan modules from the command line. Exit code 2: bad input; 3: in a state that doesn't allow it."""

    help = "Scan a checkout for orphan modules, list and show them, retire, restore and include them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        cli.add_options(commands.add_parser("scan", help="list what nothing live reaches; needs no database"))
        listing = commands.add_parser("list", help="list the modules that scans found")
        listing.add_argument("--state", choices=[str(each) for each in ModuleState])
        listing.add_argument("--class", dest="classification", choices=[str(each) for each in Classification])
        show = commands.add_parser("show", help="show all that is known of a module")
        retire = commands.add_parser("retire", help="settle modules as not wanted; no file is touched")
        retire.add_argument("--reason", default="", help="why")
        restore = commands.add_parser("restore", help="take back: from retirement, or out of the module map")
        include = commands.add_parser("include", help="take modules that passed into the module map")
        export = commands.add_parser("export", help="write the three JSON files from the rows")
        export.add_argument("--clean-orphans", action="store_true", help="leave out what was taken in")
        for each in (show, retire, restore, include):
            each.add_argument("paths", nargs="+" if each is not show else 1, metavar="PATH")
        for each in (listing, show, retire, restore, include, export):
            each.add_argument("--subject", required=each is not listing, help="whose modules they are")
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        getattr(self, f"_{options['command']}")(options)

    def _scan(self, options: dict[str, Any]) -> None:
        """Do as the plain command does, which `manage.py` starts without Django."""
        words = [f"--{name}" for name in ("json", "paths", "no-cache") if options[name.replace("-", "_")]]
        reading = str(options["reading"])
        words += [f"--{reading}"] if reading != "auto" else []
        words += ["--explain", options["explain"]] if options["explain"] else []
        if code := cli.main([options["path"], *words]):
            sys.exit(code)

    def _list(self, options: dict[str, Any]) -> None:
        wanted = {name: options[name] for name in ("subject", "state", "classification") if options[name]}
        rows = OrphanModule.objects.filter(**wanted).order_by("subject", "path")[:MAX_ROWS]
        told = [panels.module_row(row) for row in rows]
        if options["json"]:
            self.stdout.write(json.dumps(told, default=str))
            return
        for row in told:
            path = clean_text(row["path"], 300)
            self.stdout.write(f"{row['classification']:19} {row['state']:10} {row['subject']}:{path}")

    def _show(self, options: dict[str, Any]) -> None:
        module = _chosen(options).get()
        told = {**panels.module_head(module), "runs": panels.module_runs(module)}
        if options["json"]:
            self.stdout.write(json.dumps(told, default=str))
            return
        for name in ("path", "classification", "state", "state_reason", "reason", "confidence", "twin"):
            self.stdout.write(f"{name:15} {clean_text(str(told[name] or '-'), 500)}")
        for run in told["runs"]:
            self.stdout.write(f"run {run['id']:<11} {run['state']}: {clean_text(run['reason'], 500)}")

    def _retire(self, options: dict[str, Any]) -> None:
        self._decided(decisions.retire(_ids(options), actor=CLI, reason=options["reason"]), options)

    def _restore(self, options: dict[str, Any]) -> None:
        self._decided(decisions.restore(_ids(options), actor=CLI), options)

    def _include(self, options: dict[str, Any]) -> None:
        subject = options["subject"]
        found = including.include(subject, _paths(options), by=CLI.label, source="cli")
        documents.export(subject)
        told = {"integrated": list(found.added), "kept_out": dict(found.refused)}
        self._say(options, told, f"integrated: {', '.join(found.added) or 'none'}")
        if found.refused:
            raise Conflict("; ".join(f"{path}: {reason}" for path, reason in found.refused.items()))

    def _export(self, options: dict[str, Any]) -> None:
        folder = documents.export(options["subject"], clean=options["clean_orphans"])
        self._say(options, {"folder": str(folder)}, f"written to {folder}")

    def _decided(self, decided: Decided, options: dict[str, Any]) -> None:
        told = {"changed": list(decided.changed), "refused": decided.refused}
        documents.export(options["subject"])
        self._say(options, told, f"{len(decided.changed)} modules changed")
        if decided.refused:
            raise Conflict("; ".join(decided.refused.values()))

    def _say(self, options: dict[str, Any], told: dict[str, Any], words: str) -> None:
        self.stdout.write(json.dumps(told) if options["json"] else words)


def _chosen(options: dict[str, Any]) -> OrphanModuleQuerySet:
    """Return the modules that were named; InvalidInput when one isn't known."""
    rows = OrphanModule.objects.of(options["subject"]).filter(path__in=options["paths"])
    if missing := set(options["paths"]) - set(rows.values_list("path", flat=True)):
        raise InvalidInput(f"no scan of {options['subject']} found {min(missing)}", field="paths")
    return rows


def _ids(options: dict[str, Any]) -> list[int]:
    return list(_chosen(options).values_list("pk", flat=True))


def _paths(options: dict[str, Any]) -> list[str]:
    return list(_chosen(options).values_list("path", flat=True))
