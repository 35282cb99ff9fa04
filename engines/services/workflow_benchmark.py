"""Runs a workflow as it is and with a module's function put in, side by side in the sandbox."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any, Final

from engines.domain.cycle import Interrupted
from engines.domain.roi import ValueModel, cycle_cost
from engines.domain.workflows.sides import BASELINE, Ran, kinds_of, side_of
from engines.services.workflow_source import source_of
from forecasting.domain.entropy import of_calls
from orphans import sandbox
from orphans.domain.payloads import mixed
from orphans.domain.preset_effects import faults_of, without_effect
from orphans.domain.presets import BURSTS, Preset
from orphans.domain.schemas import Schema, infer
from orphans.sandbox import Cancel, Kind, Limits, Measurement, Network, Outcome, RunSpec
from orphans.services.presets import configured
from orphans.services.scenarios import SCENARIO_NAME, limited, probe

WORKFLOW: Final = "engines.domain.training_workflow:workflow"
REPEATS: Final = 3
SAVING_PAIRS: Final = 7
"""Pairs of runs that tell whether CPU time is saved: with all of one sign, p = 1/128."""
LEAST_SAVING: Final = 0.1
"""Smaller savings are within what a busy machine makes of equal runs; nobody looks after them."""
LIMITS: Final = Limits(cpu_seconds=60.0, wall_seconds=90.0, memory_bytes=2 * 2**30, processes=24)
EXAMPLE_BYTES: Final = 2**20
PARALLEL: Final = (*BURSTS, "CONCURRENCY_LEVEL")
MANY: Final = f"a benchmark makes {REPEATS} runs a side"

Run = Callable[..., Measurement]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What stays the same for both sides."""

    checkout: Path
    import_paths: tuple[str, ...]
    packages: Path | None = None
    input: str
    seed: int
    value: ValueModel | None = None
    cancel: Cancel | None = None
    run: Run = sandbox.run


def presets() -> list[Preset]:
    """Return the baseline and the presets that the settings name; InvalidInput for one that is refused."""
    return [_plain(), *configured()]


def _plain() -> Preset:
    return Preset({"SCENARIO_NAME": BASELINE})


def compare(
    bench: Bench,
    parent: Sequence[str],
    candidate: Sequence[str],
    conditions: Sequence[Preset] | None = None,
) -> dict[str, Any]:
    """Return both sides' runs by preset, and what the candidate adds for each run.

    `conditions`: presets beside the baseline; those that the settings name where none are given.

    Both get the same input, preset and seed, in turns, so that a busy machine slows both. `roi` is
    value_per_success x further successes - further cost, a mean over all runs; None without a value model.
    `worse`: the candidate failed where the parent did not. `idle` names the keys of each preset that changed
    nothing, with the reason, `kinds` what each preset does to a run (`sides.KINDS`). `again`: the first run
    of the baseline once more, which counts calls and shows whether the output differs. `source`: what a
    linter and measures say of the modules whose functions are steps. `savings`: the pairs of runs that tell
    whether a candidate that seems to save CPU time does; None where it doesn't seem so.
    """
    chosen = presets() if conditions is None else [_plain(), *conditions]
    steps = {"parent": parent, "candidate": candidate}
    sides = {preset.name: _in_turns(bench, steps, preset) for preset in chosen}
    idle = {preset.name: found for preset in chosen if (found := _idle(preset))}
    again = {word: _again(bench, own, sides[BASELINE][word][0]) for word, own in steps.items()}
    told = _told(bench, sides)
    savings = _savings(bench, steps) if _seems_to_save(sides) else None
    spent = [each["cpu_seconds"] for each in again.values()]
    spent += [*savings["parent"], *savings["candidate"]] if savings else []
    return told | {
        "cpu_seconds": told["cpu_seconds"] + sum(each or 0.0 for each in spent),
        "savings": savings,
        "idle": idle,
        "kinds": {preset.name: kinds_of(preset, idle.get(preset.name, ())) for preset in chosen},
        "again": again,
        "source": {word: source_of(bench.checkout, bench.import_paths, own) for word, own in steps.items()},
    }


def _again(bench: Bench, steps: Sequence[str], first: Measurement) -> dict[str, float | None]:
    """Return the entropy of the calls in bits, and whether the output differs from the first run's, 1 or 0.

    Both are the run's own words. None: the run failed, counted nothing or told no digest.
    """
    ran = _run(bench, steps, _plain(), {"input": bench.input or None}, 0, count_calls=True)
    return {
        "entropy": of_calls(ran.calls) if ran.calls and _succeeded(ran) else None,
        "differed": _differed(first, ran),
        "cpu_seconds": ran.cpu_seconds,
    }


def _differed(*runs: Measurement) -> float | None:
    told = [run.result.get("digest") if _succeeded(run) else None for run in runs]
    return float(len(set(told)) > 1) if all(isinstance(digest, str) for digest in told) else None


def _payloads(bench: Bench, preset: Preset) -> list[dict[str, Any]]:
    """Return what the workflow gets in each repeat: its input, or inputs as bad as the preset asks for."""
    shares = {"hostile": preset.number("THREAT_INTENSITY"), "misuse": preset.number("MISUSE_RATE")}
    if not any(shares.values()):
        return [{"input": bench.input or None}] * REPEATS
    made = mixed(_schema(bench), count=REPEATS, seed=bench.seed, **shares)
    return [{"value": each.value} for each in made]


def _schema(bench: Bench) -> Schema | None:
    """Return the shape of the workflow's input; None where there is none to be read."""
    place = (bench.checkout / bench.input).resolve()
    inside = place.is_relative_to(bench.checkout.resolve()) and place.is_file()
    if not bench.input or not inside or place.stat().st_size > EXAMPLE_BYTES:
        return None
    try:
        return infer([json.loads(place.read_bytes())])
    except (ValueError, RecursionError):
        return None


def _idle(preset: Preset) -> dict[str, str]:
    """Return the keys that change nothing in a benchmark, with the reason."""
    here = {each.key: each.reason for each in without_effect(preset, probe())}
    alone = {key: "a benchmark calls the workflow once at a time" for key in PARALLEL if key in preset.values}
    count = {"INPUT_COUNT": MANY} if "INPUT_COUNT" in preset.values else {}
    return {**alone, **count, **here}


def _run(
    bench: Bench,
    steps: Sequence[str],
    preset: Preset,
    given: Mapping[str, Any],
    repeat: int,
    *,
    count_calls: bool = False,
) -> Measurement:
    faults = faults_of(preset)
    spec = RunSpec(
        kind=Kind.JOB,
        target=WORKFLOW,
        payload={"steps": list(steps), **given},
        checkout=bench.checkout,
        import_paths=bench.import_paths,
        packages=bench.packages,
        limits=limited(LIMITS, preset),
        network=Network.NONE if faults is None else Network.STUB,
        stub=None if faults is None else {"seed": bench.seed + repeat, **faults},
        env={SCENARIO_NAME: preset.name, "SANDBOX_SEED": str(bench.seed + repeat)},
        count_calls=count_calls,
    )
    measured = bench.run(spec, cancel=bench.cancel)
    if measured.outcome is Outcome.CANCELLED:
        raise Interrupted
    return measured


def _in_turns(
    bench: Bench, steps: Mapping[str, Sequence[str]], preset: Preset
) -> dict[str, list[Measurement]]:
    """Return each side's runs under one preset."""
    side: dict[str, list[Measurement]] = {word: [] for word in steps}
    for repeat, given in enumerate(_payloads(bench, preset)):
        for word, own in steps.items():
            side[word].append(_run(bench, own, preset, given, repeat))
    return side


def _told(bench: Bench, sides: Mapping[str, Mapping[str, list[Measurement]]]) -> dict[str, Any]:
    found = {
        name: {word: side_of([_ran(run) for run in runs]) for word, runs in side.items()}
        for name, side in sides.items()
    }
    parent = [run for side in sides.values() for run in side["parent"]]
    candidate = [run for side in sides.values() for run in side["candidate"]]
    more = sum(map(_succeeded, candidate)) - sum(map(_succeeded, parent))
    return {
        "presets": found,
        "repeats": REPEATS,
        "seed": bench.seed,
        "success_delta": more / len(parent),
        "cpu_delta": _cpu_delta(parent, candidate),
        "roi": _roi(bench.value, parent, candidate),
        "worse": more < 0,
        "error": next((_error(run) for run in candidate if not _succeeded(run)), ""),
        "cpu_seconds": sum(run.cpu_seconds or 0.0 for run in (*parent, *candidate)),
    }


def _seems_to_save(sides: Mapping[str, Mapping[str, Sequence[Measurement]]]) -> bool:
    """Tell whether all runs of both sides succeeded, and the candidate took a tenth less CPU time or more."""
    runs = {word: [run for side in sides.values() for run in side[word]] for word in ("parent", "candidate")}
    used = {word: [run.cpu_seconds for run in each] for word, each in runs.items()}
    if None in (*used["parent"], *used["candidate"]) or not all(
        map(_succeeded, (*runs["parent"], *runs["candidate"]))
    ):
        return False
    return sum(filter(None, used["candidate"])) <= (1 - LEAST_SAVING) * sum(filter(None, used["parent"]))


def _savings(bench: Bench, steps: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the CPU seconds of fresh pairs of runs: those that raised the question can't answer it.

    Both sides go first in turns. A pair of which a run failed or wasn't measured is left out.
    """
    baseline, kept = presets()[0], []
    for repeat in range(SAVING_PAIRS):
        order = sorted(steps, reverse=bool(repeat % 2))
        pair = {
            word: _run(bench, steps[word], baseline, {"input": bench.input or None}, repeat) for word in order
        }
        if all(_succeeded(run) and run.cpu_seconds is not None for run in pair.values()):
            kept.append(pair)
    sides = {word: [pair[word] for pair in kept] for word in steps}
    roi = _roi(bench.value, sides["parent"], sides["candidate"]) if kept else None
    return {**{word: [run.cpu_seconds for run in runs] for word, runs in sides.items()}, "roi": roi}


def _ran(run: Measurement) -> Ran:
    return Ran(
        success=_succeeded(run),
        outcome=run.outcome.value,
        cpu_seconds=run.cpu_seconds,
        wall_seconds=run.wall_seconds,
        max_rss_bytes=run.max_rss_bytes,
        side_effects=None if run.attempts is None else float(run.attempts.total),
        refused=_refused(run),
    )


def _refused(run: Measurement) -> bool | None:
    """Tell whether a run tried what no run may do; None where attempts weren't counted and it wasn't ended.

    Only writes outside of its own scratch are counted, and those are refused.
    """
    if run.outcome is Outcome.DENIED:
        return True
    return None if run.attempts is None else run.attempts.file_writes > 0


def _succeeded(run: Measurement) -> bool:
    return run.ok and isinstance(run.result, dict) and run.result.get("success") is True


def _error(run: Measurement) -> str:
    told = run.result.get("error") if run.ok and isinstance(run.result, dict) else None
    return str(told or run.explain())[:500]


def _cpu_delta(parent: list[Measurement], candidate: list[Measurement]) -> float | None:
    """Return how much more CPU time a median run of the candidate takes; None where it wasn't measured."""
    before = [run.cpu_seconds for run in parent if run.cpu_seconds is not None]
    after = [run.cpu_seconds for run in candidate if run.cpu_seconds is not None]
    return median(after) - median(before) if before and after else None


def _roi(prices: ValueModel | None, parent: list[Measurement], candidate: list[Measurement]) -> float | None:
    worths = [_worth(prices, runs) for runs in (parent, candidate)]
    before, after = worths
    return None if before is None or after is None else after - before


def _worth(prices: ValueModel | None, runs: list[Measurement]) -> float | None:
    """Return the mean worth of a run: what its success is worth - what its CPU time costs."""
    if prices is None or any(run.cpu_seconds is None for run in runs):
        return None
    costs = [cycle_cost(run.cpu_seconds or 0.0, 0, prices) for run in runs]
    gains = [prices.value_per_success * _succeeded(run) for run in runs]
    return (sum(gains) - sum(costs)) / len(runs)
