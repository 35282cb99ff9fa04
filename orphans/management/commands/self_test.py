"""`manage.py self_test`: test modules of a checkout in the sandbox, and take in what passes."""

import contextlib
import json
import os
import sys
import threading
import uuid
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from orphans import panels
from orphans.domain.acting import CLI
from orphans.domain.documents import is_module_path
from orphans.domain.errors import InvalidInput
from orphans.domain.ingest import clean_text
from orphans.models import ModuleRun, SelfTestRun
from orphans.roots import repository_roots
from orphans.services import flags, flow, self_tests
from orphans.services.flow import Look, Task
from orphans.services.including import Included
from orphans.signals import run_finished

FAILED, STOPPED = 1, 130


class Command(BaseCommand):
    """Self-tests from the command line. Exit code 1: a module failed; 2: bad input; 130: Ctrl-C."""

    help = "Test modules in the sandbox, print a verdict for each, and take into the module map what passes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        run = commands.add_parser("run", help="test files, or whatever is open")
        run.add_argument(
            "files", nargs="*", metavar="FILE", help="relative to the checkout; none: what is open"
        )
        run.add_argument("--checkout", help="folder of the repository (default: the first configured root)")
        run.add_argument("--subject", help="whose modules they are (default: the folder's name)")
        run.add_argument("--workers", type=int, default=1, help="self-tests at the same time (default 1)")
        run.add_argument(
            "--refresh-orphans", action="store_true", help="test again what has a verdict for its content"
        )
        run.add_argument("--dry-run", action="store_true", help="test only: take nothing in, write no file")
        flags.add_flags(run)
        report = commands.add_parser("report", help="show a set of self-tests (default: the latest)")
        report.add_argument("batch", nargs="?", type=int, metavar="NUMBER")
        cancel = commands.add_parser("cancel", help="cancel a set of self-tests")
        cancel.add_argument("batch", type=int, metavar="NUMBER")
        for each in (run, report, cancel):
            each.add_argument("--json", action="store_true", help="print one JSON document, no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        getattr(self, f"_{options['command']}")(options)

    def _run(self, options: dict[str, Any]) -> None:
        if options["workers"] < 1:
            raise InvalidInput("--workers must be at least 1", field="workers")
        with flags.as_settings(options):
            task = _task(options)
            batch, included, found = self._carried_out(task, options)
        self._show(batch, included, found, as_json=options["json"])
        if ModuleRun.objects.filter(batch=batch, state="failed").exists():
            sys.exit(FAILED)

    def _carried_out(self, task: Task, options: dict[str, Any]) -> tuple[SelfTestRun, Included | None, Look]:
        stop = threading.Event()
        found = flow.look(task)
        batch = flow.begin(task, found.plan)
        if not options["json"]:
            run_finished.connect(self._tell)
        try:
            batch = self_tests.work_off(batch.pk, parallel=options["workers"], cancel=stop)
        except KeyboardInterrupt:
            stop.set()
            self_tests.cancel_batch(batch.pk, by="Ctrl-C")
            raise CommandError("stopped; the self-tests were cancelled", returncode=STOPPED) from None
        finally:
            run_finished.disconnect(self._tell)
        clean = bool(options["clean_orphans"])
        included = None if options["dry_run"] else flow.settle(task, taken=found.taken, clean=clean)
        return batch, included, found

    def _tell(self, *, run_id: int, path: str, state: str, **_: Any) -> None:
        reason = ModuleRun.objects.values_list("reason", flat=True).get(pk=run_id)
        self.stderr.write(f"{state:9} {clean_text(path, 300)}  {clean_text(reason, 300)}")

    def _show(self, batch: SelfTestRun, included: Included | None, found: Look, *, as_json: bool) -> None:
        added = [] if included is None else list(included.added)
        if as_json:
            told = {**_document(batch), "integrated": added, "conflicts": list(found.conflicts)}
            told["kept_out"] = {} if included is None else dict(included.refused)
            self.stdout.write(json.dumps(told, default=str))
            return
        for conflict in found.conflicts:
            self.stderr.write(f"note: {clean_text(conflict, 500)}")
        self.stdout.write(_line(batch))
        self.stdout.write(f"isolated module tests added={added}" if added else "nothing was taken in")

    def _report(self, options: dict[str, Any]) -> None:
        batches = SelfTestRun.objects.order_by("-id")
        batch = (batches if options["batch"] is None else batches.filter(pk=options["batch"])).first()
        if batch is None:
            raise InvalidInput("there is no such set of self-tests", field="batch")
        if options["json"]:
            self.stdout.write(json.dumps(_document(batch), default=str))
            return
        self.stdout.write(_line(batch))
        for run in batch.runs.order_by("path"):
            self.stdout.write(f"{run.state:9} {clean_text(run.path, 300)}  {clean_text(run.reason, 300)}")

    def _cancel(self, options: dict[str, Any]) -> None:
        if not SelfTestRun.objects.filter(pk=options["batch"]).exists():
            raise InvalidInput(f"there is no set of self-tests {options['batch']}", field="batch")
        done = self_tests.cancel_batch(options["batch"], by=CLI.label)
        self.stdout.write(json.dumps({"cancelled": done}) if options["json"] else f"cancelled: {done}")


def _task(options: dict[str, Any]) -> Task:
    checkout = _checkout(options["checkout"])
    return Task(
        subject=(options["subject"] or checkout.name)[:128],
        checkout=checkout,
        source=f"cli:{uuid.uuid4().hex[:16]}",
        switches=flow.switches_of_settings(),
        named=tuple(dict.fromkeys(_named(checkout, name) for name in options["files"])),
        again=options["refresh_orphans"],
        actor=CLI,
    )


def _checkout(given: str | None) -> Path:
    try:
        return repository_roots(root=given or None)[0]
    except FileNotFoundError as error:
        raise InvalidInput(str(error), field="checkout") from None


def _named(checkout: Path, name: str) -> str:
    """Return a file as a path relative to the checkout; names from the working directory are taken too."""
    places = (checkout / name, Path(os.path.abspath(name)))  # noqa: PTH100 - links stay as they are
    for place in places:
        with contextlib.suppress(OSError, RuntimeError):  # no right to look, or a loop of links
            if place.is_file() and place.resolve().is_relative_to(checkout.resolve()):
                path = place.resolve().relative_to(checkout.resolve()).as_posix()
                if is_module_path(path):
                    return path
    raise InvalidInput(f"{name} is no Python file of {checkout}", field="files")


def _document(batch: SelfTestRun) -> dict[str, Any]:
    runs = [panels.run_head(run) for run in batch.runs.order_by("path")]
    return {**panels.batch_progress(batch), "runs": runs}


def _line(batch: SelfTestRun) -> str:
    told = panels.batch_progress(batch)
    words = ", ".join(f"{count} {state}" for state, count in told["states"].items() if count)
    return f"self-tests {batch.pk} of {batch.subject}: {batch.state}, {words or 'nothing to test'}"
