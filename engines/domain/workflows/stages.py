"""The temporal stages: what a workflow may have to bear, from a normal day to several faults at once.

Each stage is a scenario preset. All run on the same input with the same seeds, so that they differ in
nothing but the conditions. What a stage costs is told in shares of what the normal one brings:

    degradation of a stage = 1 - min(1, successes / successes of the normal stage) / slowdown

from 0 (borne as if nothing were) to 1 (nothing succeeds); not measured where the normal stage itself fails.
The slowdown is the ratio of median times, and 1 unless every run of the stage was slower than all normal
ones: a busy machine makes runs differ that have nothing to bear. It is taken from the wall clock where the
stage makes runs wait for an API, else from CPU time, which other processes hardly touch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Final

from forecasting.domain.entropy import shannon
from orphans.domain.preset_keys import Value
from orphans.domain.preset_profiles import at_end
from orphans.domain.presets import Preset, read_preset

STAGES: Final = ("normal", "high_latency", "resource_strain", "schema_drift", "chaotic_failure")
NORMAL: Final = STAGES[0]
MOST_FILES: Final = 300
STRAIN: Final[Mapping[str, Value]] = {
    "CPU_LIMIT": 0.5,
    "MEMORY_LIMIT": "256Mi",
    "DISK_LIMIT": "16Mi",
    "PROCESS_LIMIT": 4,
    "OPEN_FILES": 64,
}
KEYS: Final[Mapping[str, Mapping[str, Value]]] = {
    "high_latency": at_end("high_latency_api", "high"),
    "resource_strain": STRAIN,
    "schema_drift": at_end("schema_drift", "high"),
    "chaotic_failure": {
        **at_end("high_latency_api", "high"),
        **at_end("schema_drift", "high"),
        **at_end("flaky_upstream", "high"),
        **STRAIN,
    },
}
"""Stage → what its preset says beside the name; the normal stage says nothing."""

DRIFTING: Final = ("schema_drift", "chaotic_failure")
"""Stages whose input has another shape than it had, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One run of a stage, as it was observed."""

    success: bool
    outcome: str
    #: wall clock
    seconds: float | None = None
    cpu_seconds: float | None = None
    #: calls per function; None where nobody counted
    calls: Mapping[str, int] | None = None
    #: keys of the output, as the run told them
    keys: tuple[str, ...] = ()
    error: str = ""


def preset_of(stage: str) -> Preset:
    """Return the preset of a stage; KeyError for an unknown one."""
    if stage == NORMAL:
        return Preset({"SCENARIO_NAME": NORMAL})
    return read_preset({"SCENARIO_NAME": stage, **KEYS[stage]})


def drift_share(stage: str) -> float | None:
    """Return the share of records that get another shape in a stage; None: none do."""
    if stage not in DRIFTING:
        return None
    preset = preset_of(stage)
    return preset.whole("SCHEMA_MISMATCHES") / preset.whole("SCHEMA_CHECKS")


def measured(trials: Sequence[Trial]) -> dict[str, Any]:
    """Return what the runs of one stage amount to, as plain JSON; None is not measured.

    `seconds` and `cpu_seconds` are medians of the runs of `_timed`.
    """
    won = [trial for trial in trials if trial.success]
    counted = [
        each for trial in trials if trial.calls and (each := shannon(trial.calls.values())) is not None
    ]
    return {
        "runs": len(trials),
        "successes": len(won),
        "seconds": _median(_timed(trials, "seconds")),
        "cpu_seconds": _median(_timed(trials, "cpu_seconds")),
        "entropy": fmean(counted) if counted else None,
        "called": _called(trials),
        "outcomes": sorted({trial.outcome for trial in trials}),
        "keys": list(won[0].keys) if won else [],
        "error": next((trial.error for trial in trials if not trial.success), "")[:500],
    }


def _called(trials: Sequence[Trial]) -> list[str] | None:
    """Return the files of which a function was called; None where nobody counted."""
    names = {name for trial in trials if trial.calls for name in trial.calls}
    files = {path for path, _, function in (name.rpartition(":") for name in names) if function != "<module>"}
    return sorted(files)[:MOST_FILES] if names else None


def _timed(trials: Sequence[Trial], clock: str) -> list[float]:
    """Return the times of the successful runs that counted no calls, as counting takes time, else of all."""
    won = [trial for trial in trials if trial.success]
    plain = [trial for trial in won if trial.calls is None] or won
    return [seconds for trial in plain if (seconds := getattr(trial, clock)) is not None]


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def slowdown(stage: str, hard: Sequence[Trial], normal: Sequence[Trial]) -> float:
    """Return how many times as long a stage's runs took, at least 1; see the module for when it counts."""
    clock = "seconds" if preset_of(stage).uses_network else "cpu_seconds"
    here, usual = _timed(hard, clock), _timed(normal, clock)
    if not here or not usual or min(here) <= max(usual):
        return 1.0
    return median(here) / median(usual)


def degradation(stage: str, hard: Sequence[Trial], normal: Sequence[Trial]) -> float | None:
    """Return the share of what the normal stage brings that a stage loses, 0 to 1; see the module."""
    won, usual = (sum(trial.success for trial in trials) for trials in (hard, normal))
    if not hard or not usual:
        return None
    return 1 - min(1.0, won / len(hard) * len(normal) / usual) / slowdown(stage, hard, normal)


def summed(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the means over the hard stages: `degradation` and `resilience`; and the normal `entropy`.

    None where no hard stage was measured, or the normal one brought nothing to lose.
    """
    hard = [stage for name, stage in stages.items() if name != NORMAL and stage.get("runs")]
    lost = [each for stage in hard if (each := stage.get("degradation")) is not None]
    runs = sum(stage["runs"] for stage in hard)
    usual = stages.get(NORMAL, {}).get("successes")
    return {
        "degradation": fmean(lost) if lost else None,
        "resilience": sum(stage["successes"] for stage in hard) / runs if runs and usual else None,
        "entropy": stages.get(NORMAL, {}).get("entropy"),
    }
