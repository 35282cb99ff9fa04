"""`manage.py sandbox run FILE` and `sandbox probe`: no database, no Django, standard library only."""

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from types import FrameType
from typing import Any, Final

from orphans.sandbox import judge, probe, run
from orphans.sandbox.policy import SandboxUnavailable
from orphans.sandbox.spec import Kind, Limits, Measurement, Network, Outcome, RunSpec, SpecError

EXIT: Final = {
    Outcome.OK: 0,
    Outcome.FAILED: 1,
    Outcome.TIMEOUT: 4,
    Outcome.KILLED: 5,
    Outcome.OOM: 6,
    Outcome.DENIED: 7,
    Outcome.CRASHED: 8,
    Outcome.CANCELLED: 9,
}
USAGE: Final = 2
REFUSED: Final = 3
MIB: Final = 2**20
DEFAULTS: Final = Limits(
    cpu_seconds=30, wall_seconds=60, memory_bytes=384 * MIB, disk_bytes=64 * MIB, file_bytes=64 * MIB
)


class Stop:
    """A wish to end the run, set by SIGINT or SIGTERM."""

    def __init__(self) -> None:
        self._wanted = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._hear)

    def _hear(self, _number: int, _frame: FrameType | None) -> None:
        self._wanted = True

    def is_set(self) -> bool:
        """Whether the run shall end now."""
        return self._wanted


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise argparse.ArgumentTypeError(f"that is no JSON: {error}") from None


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sandbox run`."""
    add = parser.add_argument
    add(
        "file",
        type=Path,
        metavar="FILE",
        help="the script; one outside of the checkout is copied into scratch",
    )
    add("arguments", nargs="*", metavar="ARG", help="what the script finds in sys.argv")
    add("--checkout", type=Path, metavar="DIR", help="a folder to read and import from")
    add("--packages", type=Path, metavar="DIR", help="a folder of installed packages to import from, too")
    add("--call", metavar="NAME", help="import the file and call this function instead")
    add(
        "--input",
        type=_json,
        metavar="JSON",
        help="the function's one argument; without it it gets none",
    )
    add("--expect", type=_json, metavar="JSON", help="fail unless the function returned exactly this")
    add("--preset", metavar="FILE", help="limits and network of a scenario preset: a JSON file")
    add("--wall", type=float, metavar="SECONDS", help="wall-clock limit")
    add("--memory", type=int, metavar="MIB", help="resident memory of all its processes")
    add("--count-calls", action="store_true", help="count calls per function of the checkout")
    add("--json", action="store_true", help="print the measurement as JSON")
    add("--verdict-line", action="store_true", help="end with one line that says whether it passed")


def add_probe_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `sandbox probe`."""
    parser.add_argument("--json", action="store_true", help="print the layers as JSON")


def run_main(words: Sequence[str]) -> int:
    """Take the words after `sandbox run`; return the exit code that tells the outcome."""
    parser = argparse.ArgumentParser(prog="manage.py sandbox run", description="Run one file in the sandbox.")
    add_run_options(parser)
    return carry_out(parser.parse_args(list(words)))


def carry_out(options: argparse.Namespace) -> int:
    """Carry out `sandbox run`."""
    try:
        spec = spec_of(options)
        measured = run(spec, cancel=Stop())
        if options.expect is not None and measured.ok:
            measured = judge.compared(measured, options.expect)
    except (SpecError, OSError) as error:
        print(f"sandbox run: {error}", file=sys.stderr)  # noqa: T201 - a command's words
        return USAGE
    except SandboxUnavailable as error:
        print(f"sandbox run: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    told = json.dumps(as_json(measured), indent=1) if options.json else as_text(measured)
    print(told)  # noqa: T201
    if options.verdict_line:
        print("RESULT " + json.dumps({"passed": measured.ok, "outcome": measured.outcome}))  # noqa: T201
    return EXIT[measured.outcome]


def spec_of(options: argparse.Namespace) -> RunSpec:
    """Return the run that the words ask for."""
    file = options.file.resolve()
    if not file.is_file():
        raise SpecError(f"there is no file {options.file}")
    checkout = options.checkout.resolve() if options.checkout else None
    inside = checkout is not None and file.is_relative_to(checkout)
    limits, network, stub = _preset(options)
    name = str(file.relative_to(checkout)) if inside and checkout else file.name
    fields: dict[str, Any] = {"kind": Kind.FILE, "target": name}
    if options.call:
        fields = {"kind": Kind.CALL, "target": f"{name.removesuffix('.py').replace('/', '.')}:{options.call}"}
        fields |= {"payload": options.input, "bare": options.input is None}
    return RunSpec(
        **fields,
        arguments=tuple(options.arguments),
        checkout=checkout,
        packages=options.packages,
        inputs={} if inside else {file.name: file},
        limits=limits,
        network=network,
        stub=stub,
        count_calls=options.count_calls,
    )


def _preset(options: argparse.Namespace) -> tuple[Limits, Network, Any]:
    """Return limits, network and API of the preset, with the words of the command line on top."""
    limits, stub = DEFAULTS, None
    if options.preset:
        from orphans.domain import preset_effects, presets  # their checks cost more than most runs

        try:
            found = presets.read_presets(Path(options.preset).read_text("utf-8", "replace"))
        except presets.PresetError as error:
            raise SpecError(f"{options.preset}: {error}") from None
        except OSError as error:
            raise SpecError(f"the preset {options.preset} can't be read: {error.strerror}") from None
        if len(found) != 1:
            raise SpecError(f"{options.preset} holds {len(found)} presets; a run takes one")
        preset = found[0]
        limits = replace(limits, **preset_effects.limits_of(preset))
        stub = preset_effects.faults_of(preset)
    if options.wall is not None:
        limits = replace(limits, wall_seconds=options.wall)
    if options.memory is not None:
        limits = replace(limits, memory_bytes=options.memory * MIB)
    return limits, Network.NONE if stub is None else Network.STUB, stub


def as_json(measured: Measurement) -> dict[str, Any]:
    """Return a measurement as plain JSON."""
    told = asdict(measured)
    told["claims"] = list(measured.claims)
    told["artifacts"] = [{**each, "path": str(each["path"])} for each in told["artifacts"]]
    return told


def as_text(measured: Measurement) -> str:
    """Return a measurement for people."""
    lines = [measured.explain()]
    for name in ("wall_seconds", "cpu_seconds"):
        value = getattr(measured, name)
        lines.append(f"{name.replace('_', ' ')}: {'not measured' if value is None else f'{value:.3f}'}")
    if measured.attempts is not None:
        lines.append(f"counted {'exactly' if measured.attempts.exact else 'by a hook inside the run'}:")
        for name, examples in measured.attempts.examples.items():
            shown = f" ({'; '.join(examples)})" if examples else ""
            lines.append(f"  {name.replace('_', ' ')}: {getattr(measured.attempts, name)}{shown}")
    missing = [name for name, held in measured.guarantees.items() if not held]
    lines.append(f"did not hold: {', '.join(missing)}" if missing else "all guarantees held")
    if measured.output_tail:
        lines += ["output:", measured.output_tail.rstrip("\n")]
    return "\n".join(lines)


def probe_main(words: Sequence[str]) -> int:
    """Take the words after `sandbox probe`; exit code 0: runs may start here, 3: none may."""
    parser = argparse.ArgumentParser(
        prog="manage.py sandbox probe", description="Show which layers of the sandbox hold on this machine."
    )
    add_probe_options(parser)
    return show_probe(parser.parse_args(list(words)))


def show_probe(options: argparse.Namespace) -> int:
    """Print which layers hold."""
    try:
        found = probe()
    except SandboxUnavailable as error:
        print(f"sandbox probe: {error}", file=sys.stderr)  # noqa: T201
        return REFUSED
    print(json.dumps(found.as_data(), indent=1) if options.json else found.as_text())  # noqa: T201
    return 0 if found.allowed else REFUSED
