"""The temporal stages: what a workflow may have to bear, from a normal day to several faults at once.

Each stage is a scenario preset. All run on the same input with the same seeds, so that they differ in
nothing but the conditions. What a stage costs is told in shares of what the normal one brings:

    throughput = successful runs / all runs / median seconds of a successful run
    degradation of a stage = 1 - min(1, throughput / throughput of the normal stage)

from 0 (borne as if nothing were) to 1 (nothing succeeds); not measured where the normal stage itself fails.
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

    `seconds` and `cpu_seconds` are medians of the successful runs that counted no calls, since counting
    takes time; of those that did where there are no others.
    """
    won = [trial for trial in trials if trial.success]
    plain = [trial for trial in won if trial.calls is None] or won
    counted = [
        each for trial in trials if trial.calls and (each := shannon(trial.calls.values())) is not None
    ]
    return {
        "runs": len(trials),
        "successes": len(won),
        "seconds": _median([trial.seconds for trial in plain]),
        "cpu_seconds": _median([trial.cpu_seconds for trial in plain]),
        "entropy": fmean(counted) if counted else None,
        "outcomes": sorted({trial.outcome for trial in trials}),
        "keys": list(won[0].keys) if won else [],
        "error": next((trial.error for trial in trials if not trial.success), "")[:500],
    }


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def throughput(stage: Mapping[str, Any]) -> float | None:
    """Return successes a second; 0 where none succeeded, None where nothing ran or no time was taken."""
    if not stage.get("runs"):
        return None
    if not stage["successes"]:
        return 0.0
    return stage["successes"] / stage["runs"] / stage["seconds"] if stage["seconds"] else None


def degradation(stage: Mapping[str, Any], normal: Mapping[str, Any]) -> float | None:
    """Return the share of the normal throughput that a stage loses, 0 to 1; see the module."""
    usual, here = throughput(normal), throughput(stage)
    return None if not usual or here is None else 1 - min(1.0, here / usual)


def summed(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, float | None]:
    """Return the means over the hard stages: `degradation` and `resilience`; and the normal `entropy`.

    None where no hard stage was measured, or the normal one brought nothing to lose.
    """
    hard = [stage for name, stage in stages.items() if name != NORMAL and stage.get("runs")]
    lost = [each for stage in hard if (each := stage.get("degradation")) is not None]
    runs = sum(stage["runs"] for stage in hard)
    usual = throughput(stages.get(NORMAL, {}))
    return {
        "degradation": fmean(lost) if lost else None,
        "resilience": sum(stage["successes"] for stage in hard) / runs if runs and usual else None,
        "entropy": stages.get(NORMAL, {}).get("entropy"),
    }
