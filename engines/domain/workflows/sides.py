"""The two sides of a benchmark as raw numbers of synergy: a workflow with a module in it, and without it.

What is taken was observed from outside of the runs; of what a run says itself only its success, the calls per
function and the digest of its output, which decide nothing. A number that was not measured is None.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from statistics import fmean, median
from typing import Any, Final

from engines.domain.roi import ValueModel, cycle_cost
from orphans.domain.presets import Preset

BASELINE: Final = "baseline"
PARTS: Final = ("wall_seconds", "max_rss_bytes", "side_effects")
"""Columns of a side that are medians over its runs, beside `cpu_seconds`."""

SCARCE: Final[Mapping[str, float]] = {"CPU_LIMIT": 1.0, "MEMORY_LIMIT": 512 * 2**20}
"""Limits that strain a run where they are below this: what the canonical presets allow."""
KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "stress": ("TIME_LIMIT", "DISK_LIMIT", "PROCESS_LIMIT", "OPEN_FILES", "BANDWIDTH_LIMIT"),
    "fault": ("PACKET_LOSS", "UPSTREAM_FAILURES"),
    "varied": ("THREAT_INTENSITY", "MISUSE_RATE", "SCHEMA_MISMATCHES"),
    "latency": ("NETWORK_LATENCY_MS", "API_LATENCY_MS"),
}
"""Kind of a scenario → keys of a preset that make it one, where they take effect and are not 0."""

Side = Mapping[str, Any]
Raws = dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One run of a workflow, as it was observed."""

    success: bool
    outcome: str
    cpu_seconds: float | None = None
    wall_seconds: float | None = None
    max_rss_bytes: float | None = None
    #: attempts at files, network and processes
    side_effects: float | None = None
    #: whether something that it tried was refused
    refused: bool | None = None


def side_of(runs: Sequence[Ran]) -> dict[str, Any]:
    """Return one side under one preset as plain JSON: medians over its runs; `course` is their order."""
    course = _column(runs, "success")
    return {
        "runs": len(runs),
        "successes": sum(course),
        "cpu_seconds": _median(_column(runs, "cpu_seconds")),
        "outcomes": sorted(set(_column(runs, "outcome"))),
        "course": course,
        "refused": _share(_column(runs, "refused")),
        **{name: _median(_column(runs, name)) for name in PARTS},
    }


def _column(runs: Sequence[Ran], name: str) -> list[Any]:
    return [getattr(ran, name) for ran in runs]


def _share(values: Iterable[bool | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None


def kinds_of(preset: Preset, idle: Iterable[str]) -> list[str]:
    """Return what a preset does to a run, by `KINDS`; `idle`: its keys that do nothing here."""
    held = {
        key: preset.number(key) for key in {*SCARCE, *chain(*KINDS.values())} & {*preset.values} - {*idle}
    }
    found = {kind for kind, keys in KINDS.items() if any(held.get(key) for key in keys)}
    strained = any(held[key] < least for key, least in SCARCE.items() if key in held)
    return sorted(found | ({"stress"} if strained else set()))


def raw_of(side: Side, prices: ValueModel | None) -> Raws:
    """Return the raw numbers of one side under one preset, by the names of `forecasting.domain.metrics`."""
    return {
        "success_rate": _rate([side]),
        "cpu_seconds": side["cpu_seconds"],
        **_priced(_rate([side]), side["cpu_seconds"], prices),
        "refused": side.get("refused"),
        **{name: side.get(name) for name in PARTS},
    }


def _priced(rate: float | None, cpu: float | None, prices: ValueModel | None) -> Raws:
    if prices is None or rate is None or cpu is None:
        return {"value": None, "cost": None}
    return {"value": prices.value_per_success * rate, "cost": cycle_cost(cpu, 0, prices)}


def raw_of_all(benchmark: Mapping[str, Any], word: str, prices: ValueModel | None) -> Raws:
    """Return the raw numbers of one side (`parent` or `candidate`) over all presets of a benchmark.

    Numbers of one preset become their mean over presets; the others compare presets with each other.
    """
    sides = {name: each[word] for name, each in benchmark["presets"].items()}
    single = [raw_of(side, prices) for side in sides.values()]
    kinds: Mapping[str, Sequence[str]] = benchmark.get("kinds", {})
    chosen = {kind: [side for name, side in sides.items() if kind in kinds.get(name, ())] for kind in KINDS}
    normal = sides.get(BASELINE)
    again = benchmark.get("again", {}).get(word) or {}
    return {
        **({name: _mean(raw[name] for raw in single) for name in single[0]} if single else {}),
        "baseline_success_rate": _rate([normal] if normal else []),
        "scenario_success_rate": _rate([side for name, side in sides.items() if kinds.get(name)]),
        **{f"{kind}_success_rate": _rate(chosen[kind]) for kind in ("stress", "fault", "varied")},
        "recovery_runs": recovery([side.get("course", ()) for side in chosen["fault"]]),
        "latency_seconds": _waited(chosen["latency"], normal),
        "calls_entropy": again.get("entropy"),
        "discrepancies": again.get("differed"),
        **(benchmark.get("source", {}).get(word) or {}),
    }


def _mean(values: Iterable[float | None]) -> float | None:
    """Return the mean, None where one of them is missing: another set of presets is no comparison."""
    known = list(values)
    return fmean(v for v in known if v is not None) if known and None not in known else None


def _rate(sides: Sequence[Side]) -> float | None:
    runs: int = sum(side["runs"] for side in sides)
    won: int = sum(side["successes"] for side in sides)
    return won / runs if runs else None


def recovery(courses: Iterable[Sequence[bool]]) -> float | None:
    """Return the mean number of runs from a failure to the next success; None where none was followed by one.

    >>> recovery([[True, False, False, True], [False, True, True]])
    1.5
    """
    found = [length for course in courses for length in _failures(course)]
    return fmean(found) if found else None


def _failures(course: Sequence[bool]) -> list[int]:
    """Return how many runs each stretch of failures has that a success ended."""
    turns = [place for place, (before, now) in enumerate(pairwise([True, *course])) if before != now]
    return [ended - began for began, ended in zip(turns[::2], turns[1::2], strict=False)]


def _waited(slow: Sequence[Side], normal: Side | None) -> float | None:
    """Return how much longer a run takes where what it calls answers late; None if that was not measured.

    A run that failed did not wait to the end, so presets in which any failed say nothing.
    """
    late, usual = _seconds(slow), _seconds([normal] if normal else [])
    return max(0.0, fmean(late) - usual[0]) if late and usual else None


def _seconds(sides: Sequence[Side]) -> list[float]:
    """Return the wall-clock seconds of the sides in which every run succeeded."""
    whole = [side.get("wall_seconds") for side in sides if side["successes"] == side["runs"]]
    return [seconds for seconds in whole if seconds is not None]
