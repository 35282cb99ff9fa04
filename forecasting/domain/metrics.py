"""The table of synergy metrics: what each says, its unit, which way is good, and what it is measured from.

A side of a comparison (the combined run, or one part run alone) is a mapping from the names of `RAW` to
what was measured of it. A metric whose raw numbers are not all there is None: nothing stands in for a
measurement.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from forecasting.domain.finite import is_finite

PREFIX: Final = "synergy_"
Raw = Mapping[str, float | None]

RAW: Final[Mapping[str, str]] = {
    "runs": "runs of this side",
    "success_rate": "share of its runs that succeeded, 0 to 1",
    "baseline_success_rate": "the same where nothing is limited and nothing fails",
    "scenario_success_rate": "the same in all scenarios that change something",
    "stress_success_rate": "the same where time, memory, disk or bandwidth are scarce",
    "fault_success_rate": "the same while what it depends on fails",
    "varied_success_rate": "the same with hostile, misused or drifted inputs",
    "cpu_seconds": "CPU seconds of a run, all its processes",
    "wall_seconds": "seconds of a run from start to end",
    "max_rss_bytes": "memory of its largest process",
    "gpu_seconds": "GPU seconds of a run, by a device's counter",
    "joules": "energy of a run, by the machine's counter",
    "value": "what a run is worth, in the currency of the value model",
    "cost": "what a run costs, in the same currency",
    "projected_roi": "mean ROI that is forecast for the next events",
    "long_term_roi": "slope of the ROI over the long window, per event",
    "calls_entropy": "Shannon entropy of the calls per function, bits",
    "latency_seconds": "seconds that a run takes longer where what it calls answers late",
    "recovery_runs": "runs from a failure to the next success, while what it depends on fails",
    "side_effects": "weighted attempts at files, network and processes of a run",
    "refused": "share of runs in which the sandbox refused a write or a system call, 0 to 1",
    "security_findings": "findings of the security linter per 100 lines",
    "lint_findings": "findings of the linter per 100 lines",
    "maintainability_index": "maintainability index of the source, 0 to 100",
    "discrepancies": "repeats with equal input and seed whose result differed, share 0 to 1",
    "forecast_reliability": "1 / (1 + scaled error) of the forecasts of its ROI",
}
"""What a sandbox run, a look at the source or the forecaster can tell of one side."""

_PRICES: Final = "a value model in the manifest"
_RUNS: Final = "a benchmark of a workflow with a module and without it"
_LINTER: Final = "a linter, and steps whose source can be parsed"
_HISTORY: Final = "eight measurements of synergy_roi in one scenario"
NEEDED: Final[Mapping[str, str]] = {
    **dict.fromkeys(RAW, _RUNS),
    "value": _PRICES,
    "cost": _PRICES,
    "scenario_success_rate": "a preset in SANDBOX_ENV_PRESETS that changes something",
    "stress_success_rate": "a preset that makes time, memory, disk or bandwidth scarce",
    "fault_success_rate": "a preset with PACKET_LOSS or UPSTREAM_FAILURES",
    "varied_success_rate": "a preset with THREAT_INTENSITY, MISUSE_RATE or SCHEMA_MISMATCHES",
    "recovery_runs": "a failure that was followed by a success, on both sides, under a preset with faults",
    "latency_seconds": "a preset with NETWORK_LATENCY_MS or API_LATENCY_MS in which every run succeeds",
    "side_effects": "a sandbox that counts attempts",
    "refused": "a sandbox that counts attempts",
    "security_findings": _LINTER,
    "lint_findings": _LINTER,
    "maintainability_index": "steps whose source can be parsed",
    "projected_roi": _HISTORY,
    "long_term_roi": _HISTORY,
    "forecast_reliability": "two measurements of synergy_roi in one scenario",
    "joules": "a counter of one run's energy; machines count the energy of all that they do",
    "gpu_seconds": "a graphics processor; the sandbox gives none to a run",
}
"""Raw number → what must be there for it to be measured."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table."""

    #: without the prefix `synergy_`
    name: str
    unit: str
    good: Literal["higher", "lower"]
    #: raw numbers it is made of, in the order of `formula`'s arguments
    needs: tuple[str, ...]
    formula: Callable[..., float]

    def of(self, raw: Raw) -> float | None:
        """Return the metric of one side; None where a raw number is missing or the result is not finite."""
        given = [raw.get(name) for name in self.needs]
        if not all(map(is_finite, given)):
            return None
        try:
            found = self.formula(*given)
        except (ZeroDivisionError, OverflowError):
            return None
        return found if math.isfinite(found) else None

    @property
    def source(self) -> str:
        """What it is measured from, in words."""
        return "; ".join(RAW[name] for name in self.needs)

    @property
    def needed(self) -> str:
        """What must be there for it to be measured, in words."""
        return "; ".join(dict.fromkeys(NEEDED[name] for name in self.needs))


def _same(value: float) -> float:
    return value


def _share_kept(findings: float) -> float:
    return 1.0 / (1.0 + findings)


def _minus(first: float, second: float) -> float:
    return first - second


def _ratio(first: float, second: float) -> float:
    return first / second


def _safe(refused: float) -> float:
    return 1.0 - refused


_ROWS: Final = (
    Metric("roi", "currency a run", "higher", ("value", "cost"), _minus),
    Metric("efficiency", "successes a CPU second", "higher", ("success_rate", "cpu_seconds"), _ratio),
    Metric("adaptability", "share", "higher", ("scenario_success_rate",), _same),
    Metric("antifragility", "share", "higher", ("stress_success_rate", "baseline_success_rate"), _minus),
    Metric("resilience", "share", "higher", ("fault_success_rate",), _same),
    Metric("safety_rating", "share", "higher", ("refused",), _safe),
    Metric("risk_index", "attempts a run", "lower", ("side_effects",), _same),
    Metric("security_score", "share", "higher", ("security_findings",), _share_kept),
    Metric("recovery_time", "runs", "lower", ("recovery_runs",), _same),
    Metric("shannon_entropy", "bits", "higher", ("calls_entropy",), _same),
    Metric("flexibility", "share", "higher", ("varied_success_rate",), _same),
    Metric("energy_consumption", "J a run", "lower", ("joules",), _same),
    Metric("profitability", "share of the value", "higher", ("value", "cost"), lambda v, c: (v - c) / v),
    Metric("revenue", "currency a run", "higher", ("value",), _same),
    Metric("projected_lucrativity", "currency an event", "higher", ("projected_roi",), _same),
    Metric("maintainability", "index", "higher", ("maintainability_index",), _same),
    Metric("code_quality", "share", "higher", ("lint_findings",), _share_kept),
    Metric("network_latency", "s a run", "lower", ("latency_seconds",), _same),
    Metric("throughput", "runs a second", "higher", ("success_rate", "wall_seconds"), _ratio),
    Metric("discrepancy_count", "share of repeats", "lower", ("discrepancies",), _same),
    Metric("gpu_usage", "GPU s a run", "lower", ("gpu_seconds",), _same),
    Metric("cpu_usage", "CPU s a run", "lower", ("cpu_seconds",), _same),
    Metric("memory_usage", "bytes", "lower", ("max_rss_bytes",), _same),
    Metric("long_term_lucrativity", "currency an event", "higher", ("long_term_roi",), _same),
    Metric("reliability", "share", "higher", ("forecast_reliability",), _same),
)

METRICS: Final[Mapping[str, Metric]] = {row.name: row for row in _ROWS}
"""The 24 synergy metrics and `reliability`, by their names without the prefix."""


def short(name: str) -> str:
    """Return a metric's name without the prefix; raises ValueError for one that the table doesn't have.

    >>> short("synergy_roi"), short("efficiency")
    ('roi', 'efficiency')
    """
    plain = name.removeprefix(PREFIX)
    if plain not in METRICS:
        raise ValueError(f"{name[:80]!r} is no synergy metric; known: {', '.join(METRICS)}")
    return plain


def measured(raw: Raw) -> dict[str, float]:
    """Return every metric that the raw numbers of one side give, by its short name."""
    found = {name: metric.of(raw) for name, metric in METRICS.items()}
    return {name: value for name, value in found.items() if value is not None}
