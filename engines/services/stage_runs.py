"""Runs of a workflow in every temporal stage, in the sandbox: the same input and seeds, other conditions.

Bounded: a stage may take ten times as long as the normal one did, all together what the caller allows.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from engines.domain.cycle import Interrupted
from engines.domain.errors import NotConfigured
from engines.domain.workflows.stages import (
    NORMAL,
    STAGES,
    Trial,
    degradation,
    drift_share,
    measured,
    preset_of,
)
from engines.services.workflow_benchmark import LIMITS, WORKFLOW, Bench
from orphans.domain.preset_effects import faults_of, without_effect
from orphans.sandbox import Kind, Limits, Measurement, Network, Outcome, RunSpec, SandboxUnavailable
from orphans.services.scenarios import limited, probe

REPEATS: Final = 3
SECONDS: Final = 600.0
LEAST_SECONDS: Final = 5.0
TIMES_NORMAL: Final = 10.0
Clock = Callable[[], float]
Stages = dict[str, dict[str, Any]]


def run_stages(
    bench: Bench,
    steps: Sequence[str],
    *,
    stages: Sequence[str] = STAGES,
    repeats: int = REPEATS,
    seconds: float = SECONDS,
    clock: Clock = time.monotonic,
) -> Stages:
    """Return what each stage measured, the normal one first; see `stages.measured` for the keys.

    Beside them: `degradation`, `preset`, `idle` (keys of the preset that do nothing on this machine, with the
    reason) and `note`. A stage for which no time was left, or before which the normal one failed in every
    run, has fewer runs or none and says why.

    Raises Interrupted when the bench is cancelled.
    """
    until = clock() + seconds
    normal: list[Trial] = []
    hard: dict[str, list[Trial]] = {name: [] for name in stages if name != NORMAL}
    notes: dict[str, str] = {}
    for repeat in range(repeats):  # in turns, so that a busy machine slows all stages
        normal.append(_trial(bench, steps, NORMAL, repeat, LIMITS))
        row = measured(normal)
        for name, trials in hard.items():
            notes[name] = _hindrance(name, row, until - clock())
            if not notes[name]:
                trials.append(_trial(bench, steps, name, repeat, _limits(name, row)))
    return {
        NORMAL: {**measured(normal), "degradation": None, "note": "", **_about(NORMAL)},
        **{name: _stage_row(name, trials, normal, notes[name]) for name, trials in hard.items()},
    }


def _stage_row(stage: str, trials: list[Trial], normal: list[Trial], note: str) -> dict[str, Any]:
    if trials and note:
        note = note.replace("not measured", f"only {len(trials)} runs", 1)
    row = {**measured(trials), "degradation": degradation(stage, trials, normal), "note": note}
    return {**row, **_about(stage)}


def _hindrance(stage: str, normal: Mapping[str, Any], left: float) -> str:
    """Return why a stage isn't run; empty when it is."""
    if not normal["successes"]:
        return "not measured: every run of the normal stage failed, so there is nothing to lose"
    if left <= 0:
        return "not measured: the time for all stages was over"
    if preset_of(stage).uses_network and not probe().get("stub", False):
        return "not measured: runs get no loopback of their own on this machine"
    return ""


def _limits(stage: str, normal: Mapping[str, Any]) -> Limits:
    """Return the limits of a stage's runs: the preset's, and time in proportion to the normal stage's."""
    limits = limited(LIMITS, preset_of(stage))
    usual = normal["seconds"]
    if usual is None:
        return limits
    wall = min(LIMITS.wall_seconds, max(LEAST_SECONDS, TIMES_NORMAL * usual))
    cores = preset_of(stage).number("CPU_LIMIT")
    cpu = min(limits.cpu_seconds, cores * wall) if cores else limits.cpu_seconds
    return replace(limits, wall_seconds=wall, cpu_seconds=max(0.5, cpu))


def _about(stage: str) -> dict[str, Any]:
    preset = preset_of(stage)
    idle = {effect.key: effect.reason for effect in without_effect(preset, probe())}
    return {"preset": preset.as_data(), "idle": idle}


def _trial(bench: Bench, steps: Sequence[str], stage: str, repeat: int, limits: Limits) -> Trial:
    """Run the workflow once; the first run of a stage counts calls, too."""
    preset, seed, share = preset_of(stage), bench.seed + repeat, drift_share(stage)
    faults = faults_of(preset)
    spec = RunSpec(
        kind=Kind.JOB,
        target=WORKFLOW,
        payload={
            "steps": list(steps),
            "input": bench.input or None,
            "drift": None if share is None else {"seed": seed, "share": share},
        },
        checkout=bench.checkout,
        import_paths=bench.import_paths,
        packages=bench.packages,
        limits=limits,
        network=Network.NONE if faults is None else Network.STUB,
        stub=None if faults is None else {"seed": seed, **faults},
        env={"SANDBOX_SCENARIO_NAME": stage, "SANDBOX_SEED": str(seed)},
        count_calls=repeat == 0,
    )
    try:
        ran = bench.run(spec, cancel=bench.cancel)
    except SandboxUnavailable as error:
        raise NotConfigured(str(error)) from None
    if ran.outcome is Outcome.CANCELLED:
        raise Interrupted
    return _told(ran, counted=repeat == 0)


def _told(ran: Measurement, *, counted: bool) -> Trial:
    """Return what was observed; of what the run says itself only its success and its keys are taken."""
    said = ran.result if ran.ok and isinstance(ran.result, dict) else {}
    success = said.get("success") is True
    keys = said.get("keys")
    return Trial(
        success=success,
        outcome=ran.outcome.value,
        seconds=ran.wall_seconds,
        cpu_seconds=ran.cpu_seconds,
        calls=(ran.calls or {}) if counted else None,
        keys=tuple(filter(_is_text, keys)) if isinstance(keys, list) else (),
        error="" if success else str(said.get("error") or ran.explain())[:500],
    )


def _is_text(value: object) -> bool:
    return isinstance(value, str)
