"""`manage.py environment`: make, list, show and check scenario presets, and try a function under one."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from orphans.domain.errors import InvalidInput
from orphans.domain.preset_effects import KeyEffect, effects
from orphans.domain.preset_profiles import ALIASES, NAMES, generate_presets
from orphans.domain.presets import Preset, PresetError
from orphans.domain.schemas import infer
from orphans.models import ScenarioPreset
from orphans.sandbox import Kind, RunSpec, SpecError
from orphans.services import presets as services
from orphans.services.scenarios import probe, run_scenario

BAD = 1
MAX_INPUT_BYTES = 4 * 2**20


class Command(BaseCommand):
    """Presets from the command line. Exit code 1: a key does nothing here, a run failed; 2: bad input."""

    help = "Make scenario presets from profiles, look at them, check files of them, try a function under one."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the subcommands."""
        commands = parser.add_subparsers(dest="command", required=True)
        make = commands.add_parser("generate", help="make presets from profiles")
        make.add_argument("--profiles", nargs="+", metavar="PROFILE", help=f"of {', '.join(NAMES)}")
        make.add_argument("--count", type=int, help="how many (default: one of each profile)")
        make.add_argument("--out", type=Path, metavar="FILE", help="write them there (default: stdout)")
        make.add_argument("--seed", type=int, default=0)
        listing = commands.add_parser("list", help="list the presets that have a name here")
        show = commands.add_parser("show", help="show a preset and what each key does on this machine")
        show.add_argument("name", help="a stored or canonical preset, or a file")
        check = commands.add_parser("check", help="check a file of presets")
        check.add_argument("file", type=Path)
        run = commands.add_parser("run", help="try a function under presets")
        run.add_argument("target", help="package.module:function")
        run.add_argument("--checkout", type=Path, default=Path(), help="the bot's files (default: here)")
        run.add_argument(
            "--preset", help="a stored or canonical preset (default: all of SANDBOX_ENV_PRESETS)"
        )
        run.add_argument("--preset-file", type=Path, metavar="FILE", help="all presets of a file")
        run.add_argument("--input", type=Path, metavar="FILE", help="JSON example of the function's input")
        run.add_argument("--seed", type=int, default=0)
        for each in (make, listing, show, check, run):
            each.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Carry out one subcommand."""
        try:
            code = getattr(self, f"_{options['command']}")(options)
        except (PresetError, SpecError) as error:
            raise InvalidInput(str(error)) from None
        if code:
            sys.exit(code)

    def _generate(self, options: dict[str, Any]) -> int:
        given = options["profiles"]
        profiles = None if given is None else [name for word in given for name in word.split(",") if name]
        made = generate_presets(options["count"], profiles, seed=options["seed"])
        if options["out"] is not None:
            services.write_file(options["out"], made)
            self.stderr.write(f"{_presets(len(made))} written to {options['out']}")
        if options["out"] is None or options["json"]:
            self.stdout.write(json.dumps(made, indent=None if options["json"] else 2))
        return 0

    def _list(self, options: dict[str, Any]) -> int:
        stored = ScenarioPreset.objects.order_by("name").values_list("name", "category", "keys")
        rows = [_row(name, "stored", category, keys) for name, category, keys in stored]
        rows += [
            _row(each.name, "SANDBOX_ENV_PRESETS", each.category, each.as_data())
            for each in services.configured()
        ]
        rows += [
            _row(name, "canonical", each.category, each.as_data())
            for name, each in services.canonical().items()
        ]
        if options["json"]:
            self.stdout.write(json.dumps(rows))
        else:
            self.stdout.write("\n".join(f"{r['name']:28} {r['category']:12} {r['source']}" for r in rows))
            known = ", ".join(f"{alias} = {name}" for alias, name in ALIASES.items())
            self.stderr.write(f"profiles: {', '.join(NAMES)}; {known}")
        return 0

    def _show(self, options: dict[str, Any]) -> int:
        name = options["name"]
        if name.endswith(".json") or "/" in name:
            return self._told(services.read_file(Path(name)), options)
        return self._told([services.find(name)], options)

    def _check(self, options: dict[str, Any]) -> int:
        return self._told(services.read_file(options["file"]), options)

    def _told(self, presets: list[Preset], options: dict[str, Any]) -> int:
        """Print what each key of the presets does here; 1 when one does nothing."""
        told = [(preset, effects(preset, probe())) for preset in presets]
        idle = sum(not effect.held for _, each in told for effect in each)
        if options["json"]:
            self.stdout.write(json.dumps([_as_data(preset, each) for preset, each in told]))
        else:
            self._say(told, idle)
        return BAD if idle else 0

    def _say(self, told: Sequence[tuple[Preset, Sequence[KeyEffect]]], idle: int) -> None:
        for preset, each in told:
            self.stdout.write(f"{preset.name} ({preset.category})")
            self.stdout.write("\n".join(map(_line, each)))
        if idle:
            self.stderr.write(f"{idle} {'key does' if idle == 1 else 'keys do'} nothing on this machine")

    def _run(self, options: dict[str, Any]) -> int:
        checkout = options["checkout"].resolve()
        if not checkout.is_dir():
            raise InvalidInput(f"{checkout} is no folder", field="checkout")
        schema = None if options["input"] is None else infer([_example(options["input"])])
        spec = RunSpec(kind=Kind.CALL, target=options["target"], checkout=checkout)
        rows = []
        for preset in _chosen(options):
            row = run_scenario(preset, spec, schema, seed=options["seed"])
            rows.append(row)
            if not options["json"]:
                self.stdout.write(_result(row))
        if options["json"]:
            self.stdout.write(json.dumps(rows))
        return BAD if any(row["outcome"] != "ok" for row in rows) else 0


def _chosen(options: dict[str, Any]) -> list[Preset]:
    if options["preset"] and options["preset_file"]:
        raise InvalidInput("give --preset or --preset-file, not both", field="preset")
    if options["preset_file"]:
        return services.read_file(options["preset_file"])
    return [services.find(options["preset"])] if options["preset"] else services.for_runs()


def _example(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_INPUT_BYTES:
            raise InvalidInput(f"{path} is larger than {MAX_INPUT_BYTES} bytes", field="input")
        return json.loads(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}", field="input") from None
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} holds no JSON", field="input") from None


def _row(name: str, source: str, category: str, keys: Any) -> dict[str, Any]:
    return {"name": name, "source": source, "category": category, "keys": keys}


def _presets(count: int) -> str:
    return f"{count} {'preset' if count == 1 else 'presets'}"


def _as_data(preset: Preset, found: Sequence[KeyEffect]) -> dict[str, Any]:
    effects_of = [asdict(each) for each in found]
    return {"preset": preset.as_data(), "category": preset.category, "effects": effects_of}


def _line(effect: KeyEffect) -> str:
    return f"  {effect.key:20} {effect.how if effect.held else f'NO EFFECT: {effect.reason}'}"


def _result(row: dict[str, Any]) -> str:
    name = " ".join(filter(None, (row["scenario"], row["severity"])))
    if row["calls"] is None:
        return f"{name}: {row['outcome']} ({'; '.join(row['limits_hit']) or row['runs'][0]['reason']})"
    counts = ", ".join(f"{kind} {each['ok']}/{sum(each.values())}" for kind, each in row["outcomes"].items())
    errors = ", ".join(f"{name} {number}" for name, number in row["errors"].items()) or "none"
    return f"{name}: {row['outcome']}, {counts} returned, p90 {row['latency']['p90']:.3g} s, errors: {errors}"
