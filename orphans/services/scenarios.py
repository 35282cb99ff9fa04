"""One workflow function under one preset: the runs that this takes, carried out and measured."""

import functools
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from orphans import sandbox
from orphans.domain.errors import InvalidInput, NotConfigured
from orphans.domain.payloads import Payload, mixed
from orphans.domain.preset_effects import DEFAULT_INPUTS, KeyEffect, effects, faults_of, limits_of
from orphans.domain.presets import BURSTS, Preset
from orphans.domain.scenario_report import ReportError, Told, read_told, summary
from orphans.domain.schemas import Schema
from orphans.sandbox import Kind, Limits, Measurement, Network, Outcome, Runner, RunSpec

JOB: Final = "orphans.domain.scenario_job:scenario"
SCENARIO_NAME: Final = "SANDBOX_SCENARIO_NAME"
BURST_INPUTS: Final = 20
LINUX: Final = sys.platform == "linux"

SEVERE: Final = tuple(Outcome)
LIMITED: Final = frozenset({Outcome.TIMEOUT, Outcome.KILLED, Outcome.OOM, Outcome.DENIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One run of a scenario."""

    #: "inputs": one call after the other; "burst": many at the same moment
    name: str
    spec: RunSpec
    inputs: tuple[Payload, ...]
    #: how many calls the run shall make
    calls: int


def plan(preset: Preset, spec: RunSpec, schema: Schema | None = None, *, seed: int = 0) -> list[Part]:
    """Return the runs that try one function under one preset.

    `spec` says which function (`Kind.CALL`), checkout and limits; the preset's limits take the place of
    its own. The first run calls with inputs made from `schema`, hostile and misused ones in the shares of
    the preset; a burst is a run of its own, with valid inputs.

    Raises:
        InvalidInput: the spec calls no function.
    """
    if spec.kind is not Kind.CALL:
        raise InvalidInput(f"a scenario calls a function, not a {spec.kind}", field="target")
    faults = faults_of(preset)
    base = replace(
        spec,
        kind=Kind.JOB,
        target=JOB,
        limits=limited(spec.limits, preset),
        network=Network.NONE if faults is None else Network.STUB,
        stub=None if faults is None else {"seed": seed, **faults},
        env={**spec.env, SCENARIO_NAME: preset.name},
    )
    count = preset.whole("INPUT_COUNT", DEFAULT_INPUTS)
    shares = {"hostile": preset.number("THREAT_INTENSITY"), "misuse": preset.number("MISUSE_RATE")}
    inputs = mixed(schema, count=count, seed=seed, **shares)
    parts = [_part("inputs", base, spec.target, inputs, len(inputs), {})]
    calls = sum(preset.whole(key) for key in BURSTS)
    if calls:
        valid = mixed(schema, hostile=0, misuse=0, count=min(calls, BURST_INPUTS), seed=seed)
        parts.append(_part("burst", base, spec.target, valid, calls, _burst(preset)))
    return parts


def _part(
    name: str, base: RunSpec, target: str, inputs: list[Payload], calls: int, more: Mapping[str, Any]
) -> Part:
    payload = {"target": target, "inputs": [each.value for each in inputs], **more}
    return Part(name=name, spec=replace(base, payload=payload), inputs=tuple(inputs), calls=calls)


def _burst(preset: Preset) -> dict[str, int | None]:
    return {
        "threads": preset.whole("THREAD_BURST"),
        "tasks": preset.whole("ASYNC_TASK_BURST"),
        "max_threads": preset.whole("MAX_THREADS") or None,
        "level": preset.whole("CONCURRENCY_LEVEL") or None,
    }


def limited(limits: Limits, preset: Preset) -> Limits:
    """Return `limits` with those of the preset in their place; bursts get the threads that they need."""
    wanted = limits_of(preset)
    wanted.setdefault("threads", limits.threads + sum(preset.whole(key) for key in BURSTS))
    if "disk_bytes" in wanted:
        wanted["file_bytes"] = min(limits.file_bytes, wanted["disk_bytes"])
    return replace(limits, **wanted)


@functools.cache
def probe() -> Mapping[str, bool]:
    """Return what this machine can do for a preset, by the words of `preset_effects.WORDS`.

    Asked once a process: walls don't come and go while it lives.
    """
    held = {layer.name for layer in sandbox.probe().layers if layer.held}
    watched = dict.fromkeys(("cpu_limit", "memory_limit", "process_limit", "disk_limit"), LINUX)
    return {**watched, "time_limit": True, "file_limit": True, "stub": "namespaces" in held, "gpu": False}


def run_scenario(
    preset: Preset,
    spec: RunSpec,
    schema: Schema | None = None,
    *,
    seed: int = 0,
    runner: Runner | None = None,
) -> dict[str, Any]:
    """Try one function under one preset and return what was measured, as plain JSON.

    `outcome` is the worst of the runs'; `limits_hit` the reasons of those that a limit ended; `calls`,
    `outcomes`, `errors`, `latency` (seconds), `threads` and `under_way` are what the runs told of their
    calls, None when none did; `effects` says of every key whether it did something on this machine.

    Raises:
        InvalidInput: the spec calls no function.
        NotConfigured: this machine lacks what `SANDBOX_REQUIRE` names.
    """
    try:
        parts = plan(preset, spec, schema, seed=seed)
        runs = [(part, (runner or sandbox).run(part.spec)) for part in parts]
    except sandbox.SandboxUnavailable as error:
        raise NotConfigured(str(error)) from None
    told = [_told(part, measured) for part, measured in runs]
    return {
        "scenario": preset.name,
        "severity": preset.values.get("SEVERITY"),
        "category": preset.category,
        "preset": preset.as_data(),
        "target": spec.target,
        "seed": seed,
        "outcome": worst([measured.outcome for _, measured in runs]),
        "limits_hit": [measured.reason for _, measured in runs if measured.outcome in LIMITED],
        **summary([each for each in told if isinstance(each, Told)]),
        "runs": [_row(part, each, words) for (part, each), words in zip(runs, told, strict=True)],
        "effects": [_effect(each) for each in effects(preset, probe())],
    }


def worst(outcomes: list[Outcome]) -> str:
    """Return the worst of several outcomes: the last in the order of `Outcome`."""
    return str(max(outcomes, key=SEVERE.index))


def _told(part: Part, measured: Measurement) -> Told | str:
    """Return what a run told of its calls, or why that isn't known."""
    if not measured.ok:
        return measured.explain()
    try:
        return read_told(measured.result, [each.kind for each in part.inputs], part.calls)
    except ReportError as error:
        return str(error)


def _row(part: Part, measured: Measurement, told: Told | str) -> dict[str, Any]:
    attempts = measured.attempts
    return {
        "part": part.name,
        "outcome": str(measured.outcome),
        "reason": told if isinstance(told, str) else "",
        "exit_code": measured.exit_code,
        "signal": measured.signal,
        "wall_seconds": measured.wall_seconds,
        "cpu_seconds": measured.cpu_seconds,
        "max_rss_bytes": measured.max_rss_bytes,
        "side_effects": None if attempts is None else attempts.total,
        "guarantees": dict(measured.guarantees),
    }


def _effect(effect: KeyEffect) -> dict[str, Any]:
    return {"key": effect.key, "how": effect.how, "held": effect.held, "reason": effect.reason}
