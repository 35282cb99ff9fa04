"""`manage.py run_autonomous`: run cycles in the terminal, with progress."""

import json
import sys
import time
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from engines.domain.errors import InvalidInput
from engines.domain.results import CLI
from engines.domain.states import CycleState, Trigger
from engines.models import Cycle, Engine
from engines.services import entropy_flags
from engines.services.inline import result_of, run_inline
from engines.signals import step_changed
from orphans.services import flags

FAILED, STOPPED = 1, 130
GOOD = {CycleState.DONE, CycleState.SKIPPED}


class Command(BaseCommand):
    """The same cycles as the workers', one by one. Exit code 1: a cycle failed; 130: stopped by Ctrl-C."""

    help = "Run improvement cycles here, in the terminal, and print what each was worth."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--runs", type=int, default=1, help="cycles of each engine (default 1)")
        parser.add_argument("--engine", action="append", dest="engines", metavar="NAME", help="default: all")
        parser.add_argument("--energy", type=float, default=1.0, help="1.0 = the engine's base budget")
        parser.add_argument("--seed", type=int, help="seed of the search (default: the engine's)")
        parser.add_argument(
            "--preset-file", metavar="FILE", help="JSON list of scenario presets (SANDBOX_ENV_PRESETS)"
        )
        flags.add_flags(parser)
        entropy_flags.add_flags(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON document, no progress")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the cycles."""
        if options["runs"] < 1:
            raise InvalidInput(f"--runs must be at least 1, not {options['runs']}", field="runs")
        engines = _chosen(options["engines"])
        if not options["json"]:
            step_changed.connect(self._tell)
        try:
            with flags.as_settings(options), entropy_flags.as_settings(options):
                rows = [self._run(engine, options) for _ in range(options["runs"]) for engine in engines]
        except KeyboardInterrupt:
            raise CommandError("stopped; the running cycle was cancelled", returncode=STOPPED) from None
        finally:
            step_changed.disconnect(self._tell)
        if options["json"]:
            self.stdout.write(json.dumps({"cycles": rows}))
        if any(row["state"] not in GOOD for row in rows):
            sys.exit(FAILED)

    def _run(self, engine: Engine, options: dict[str, Any]) -> dict[str, Any]:
        started = time.monotonic()
        cycle = run_inline(
            engine, energy=options["energy"], seed=options["seed"], actor=CLI, trigger=Trigger.CLI
        )
        row = _row(engine, cycle)
        if not options["json"]:
            self.stdout.write(_line(row, time.monotonic() - started))
        return row

    def _tell(self, *, cycle_id: int, engine: str, step: str, state: str, note: str, **_: Any) -> None:
        if state == "running":
            self.stderr.write(f"{engine} #{cycle_id} {step} …", ending="\r" if self.stderr.isatty() else "\n")
        else:
            self.stderr.write(f"{engine} #{cycle_id} {step}: {state.replace('_', ' ')}  {note}")


def _chosen(names: list[str] | None) -> list[Engine]:
    engines = Engine.objects.filter(enabled=True) if names is None else Engine.objects.filter(name__in=names)
    found = list(engines)
    if missing := set(names or ()) - {engine.name for engine in found}:
        raise InvalidInput(f"there is no engine {min(missing)!r}; `manage.py engines list` shows them")
    if not found:
        raise InvalidInput("there is no engine to run; add one with `manage.py engines add PATH`")
    return found


def _row(engine: Engine, cycle: Cycle) -> dict[str, Any]:
    result = result_of(cycle)
    return {
        "engine": engine.name,
        "cycle": cycle.pk,
        "state": str(cycle.state),
        "message": cycle.message,
        "decision": cycle.decision,
        "roi": None if result.roi is None else asdict(result.roi),
        "roi_delta": cycle.roi_delta,
        "roi_delta_ema": cycle.roi_delta_ema,
        "momentum": cycle.momentum,
        "verdict": result.verdict,
        "artifact": None if result.artifact is None else asdict(result.artifact),
        "cpu_seconds": cycle.cpu_seconds,
        "duration": cycle.duration,
    }


def _line(row: dict[str, Any], seconds: float) -> str:
    delta = "not measured" if row["roi_delta"] is None else f"{row['roi_delta']:+.4g}"
    name = f"{row['engine']} #{row['cycle']}"
    return f"{name}: {row['state']}, ROI delta {delta}, {row['verdict']} ({seconds:.1f} s)"
