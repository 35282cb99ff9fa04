"""Where a subject's ROI is going: a window of cycles, its trend, and a verdict with its evidence.

The verdict itself is `forecasting.domain.collapse`'s; this class keeps the cycles that it is made from, says
whether they are enough, and lends a template curve to a subject that has hardly any. A template is always
labelled as one and never changes the verdict.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise, takewhile
from statistics import fmean, median, stdev
from typing import Any, Final, NamedTuple, Self

from forecasting.domain.finite import is_finite
from forecasting.domain.gate import INSUFFICIENT, PROMOTABLE, UNSAFE
from forecasting.domain.series import slope

WINDOW: Final = 60
"""Cycles that are kept of each subject; verdicts were calibrated on 10 to 60 of them."""
COLD_CYCLES: Final = 3
"""With fewer measured cycles there is no verdict."""
ENOUGH_ADJUSTED: Final = 8
"""From so many latest cycles on, the risk-adjusted ROI is judged beside the ROI."""
SEVERITY: Final = (*PROMOTABLE, INSUFFICIENT, *UNSAFE)
"""Labels, the worst last."""
BLEND_CYCLES: Final = 5
"""From so many on, a template has no weight any more."""
HORIZON: Final = 5
FLAT: Final = ("no change", (1.0,) * HORIZON)
ALIASES: Final = {"roi_delta": "roi", "scenario_degradation": "entropy"}

Verdict = dict[str, Any]
Predict = Callable[..., Verdict]


class Trend(NamedTuple):
    """How a series runs; None where it is too short to say."""

    #: change a cycle, in the series' unit: the median over all pairs of cycles (Theil-Sen)
    slope: float | None
    #: change of the slope a cycle: slope of the later half - slope of the earlier, over half the length
    curvature: float | None
    #: 1 / (1 + standard deviation around the trend, in shares of the typical level); 1 is a straight line
    stability: float | None


@dataclass(frozen=True, slots=True)
class Template:
    """A curve for subjects without history of their own, in shares of their level."""

    name: str
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Window:
    """What `collapse.predict` gets of one subject, oldest first."""

    roi: tuple[float, ...]
    entropy: tuple[float, ...] | None = None
    raroi: tuple[float, ...] | None = None

    @property
    def is_cold(self) -> bool:
        """Whether there are too few cycles, or none of them brought anything."""
        return len(self.roi) < COLD_CYCLES or not any(self.roi)

    def as_items(self) -> list[dict[str, Any]]:
        """Return what `collapse.predict_batch` is asked: the ROI, then the risk-adjusted one if it counts."""
        items: list[dict[str, Any]] = [{"roi": self.roi, "entropy": self.entropy}]
        if self.raroi is not None:
            entropy = None if self.entropy is None else self.entropy[-len(self.raroi) :]
            items.append({"roi": self.raroi, "entropy": entropy})
        return items


def window_of(cycles: Sequence[Mapping[str, Any]]) -> Window:
    """Return the measured part of cycles (`roi`, `entropy`, `raroi`, None where not measured).

    Cycles without an ROI drop out. An entropy holds until it is measured anew, so that nothing rises where
    nothing was measured; with fewer than two measured ones it is left out. A risk-adjusted ROI counts where
    the latest `ENOUGH_ADJUSTED` cycles all have one, or every cycle has: the first ones never do, as the
    risk of a collapse isn't known yet. Those before the last gap are left out.
    """
    rows = [row for row in cycles if row.get("roi") is not None]
    backwards = takewhile(lambda row: row.get("raroi") is not None, reversed(rows))
    adjusted = [row["raroi"] for row in backwards][::-1]
    counts = bool(adjusted) and len(adjusted) >= min(len(rows), ENOUGH_ADJUSTED)
    return Window(
        roi=tuple(row["roi"] for row in rows),
        entropy=_held([row.get("entropy") for row in rows]),
        raroi=tuple(adjusted) if counts else None,
    )


def _held(values: list[float | None]) -> tuple[float, ...] | None:
    """Fill gaps with the value before, and the beginning with the first one there is."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    last, held = known[0], []
    for value in values:
        last = last if value is None else value
        held.append(last)
    return tuple(held)


def trend(values: Sequence[float]) -> Trend:
    """Return slope, curvature and stability; see `Trend`. Multiplied values have the same stability."""
    if len(values) < COLD_CYCLES:
        return Trend(slope(values), None, None)
    rise = slope(values) or 0.0
    half = len(values) // 2
    early, late = slope(values[: half + 1]) or 0.0, slope(values[-half - 1 :]) or 0.0
    around = [value - rise * place for place, value in enumerate(values)]
    return Trend(rise, (late - early) / half, 1 / (1 + _share(stdev(around), values)))


def volatility(values: Sequence[float]) -> float | None:
    """Return the standard deviation of the changes from cycle to cycle, in shares of the typical level."""
    if len(values) < COLD_CYCLES:
        return None
    changes = [after - before for before, after in pairwise(values)]
    return _share(stdev(changes), values)


def _share(spread: float, values: Sequence[float]) -> float:
    """Return a spread in shares of the median size; infinite where there is a spread around nothing."""
    level = median(map(abs, values)) or fmean(map(abs, values))
    return spread / level if level else (math.inf if spread else 0.0)


def lend(template: Template, roi: Sequence[float]) -> dict[str, Any] | None:
    """Return a template's curve for a subject with so little history; None when it has enough of its own.

    From its last ROI on, own persistence and template mix with weight min(1, cycles / 5). Without any cycle
    there is no level, so the curve is None and only shares are told.
    """
    own = min(1.0, len(roi) / BLEND_CYCLES)
    if own >= 1.0:
        return None
    curve = [roi[-1] * (own + (1 - own) * share) for share in template.shares] if roi else None
    return {
        "name": template.name,
        "shares": list(template.shares),
        "weight": round(1 - own, 6),
        "curve": curve,
        "note": f"template, not measured: {template.name}",
    }


def template_from(histories: Iterable[Sequence[float]], *, horizon: int = HORIZON) -> Template:
    """Return the median course of others' beginnings, in shares of their first level.

    Takes the histories that have at least `horizon` cycles after their third and a positive beginning; with
    fewer than five of them, `FLAT`: no change.
    """
    shares = []
    for values in histories:
        level = median(values[:COLD_CYCLES]) if len(values) >= COLD_CYCLES + horizon else 0.0
        if level > 0:
            shares.append([value / level for value in values[COLD_CYCLES : COLD_CYCLES + horizon]])
    if len(shares) < BLEND_CYCLES:
        return Template(*FLAT)
    middle = tuple(median(column) for column in zip(*shares, strict=True))
    return Template(f"median course of {len(shares)} other subjects", middle)


def predict(window: Window) -> Verdict:
    """Return the verdict of `forecasting.domain.collapse`, which is loaded with the first one."""
    return worst(import_module("forecasting.domain.collapse").predict_batch(window.as_items()))


def worst(verdicts: Sequence[Verdict]) -> Verdict:
    """Return the verdict on the ROI, or that on the risk-adjusted ROI, its second, where it is worse."""
    plain, adjusted = verdicts[0], verdicts[-1]
    brittle = plain["brittle"] or adjusted["brittle"]
    if severity(adjusted) <= severity(plain):
        return {**plain, "brittle": brittle}
    return {**adjusted, "brittle": brittle, "reason": f"Of the risk-adjusted ROI: {adjusted['reason']}"}


def severity(verdict: Verdict) -> tuple[int, float]:
    """Return how bad a verdict is, to be compared: its label, then the probability of a collapse."""
    risk = verdict["risk"]
    return (SEVERITY.index(risk) if risk in SEVERITY else len(SEVERITY)), verdict["p_collapse"] or 0.0


class ForesightTracker:
    """The latest cycles of each subject, and what they foretell."""

    def __init__(
        self,
        max_cycles: int = WINDOW,
        *,
        window: int | None = None,
        N: int | None = None,  # noqa: N803 - the name that callers know
        volatility_threshold: float = 1.0,
        template: Template | None = None,
        predict: Predict = predict,
    ) -> None:
        """Keep `max_cycles` (also `window` or `N`) cycles of each subject.

        `volatility_threshold` is a spread of the changes in shares of the level, used by `is_stable` alone.
        """
        self.max_cycles = next(each for each in (window, N, max_cycles) if each is not None)
        if self.max_cycles < 1:
            raise ValueError(f"max_cycles: at least 1, got {self.max_cycles}")
        self.volatility_threshold = volatility_threshold
        self.template = template or Template(*FLAT)
        self._predict = predict
        self._history: dict[str, dict[int, dict[str, float]]] = {}

    def record_cycle_metrics(
        self, subject: str, metrics: Mapping[str, float | None], *, cycle: int | None = None
    ) -> None:
        """Keep what a cycle measured: `roi` (or `roi_delta`), `entropy` (or `scenario_degradation`), others.

        None is not measured and not kept. The same cycle again replaces what it said; without a number it is
        the next one. Raises ValueError for what is no finite number.
        """
        numbers = {ALIASES.get(name, name): _number(name, value) for name, value in metrics.items()}
        kept = self._history.setdefault(subject, {})
        number = max(kept, default=0) + 1 if cycle is None else cycle
        kept[number] = {name: value for name, value in numbers.items() if value is not None}
        newest = sorted(kept)[-self.max_cycles :]
        self._history[subject] = {each: kept[each] for each in newest}

    def cycles(self, subject: str) -> list[dict[str, float]]:
        """Return what is kept of a subject, oldest first."""
        return [dict(metrics) for metrics in self._history.get(subject, {}).values()]

    def window(self, subject: str) -> Window:
        """Return the subject's measured window."""
        return window_of(self.cycles(subject))

    def is_cold_start(self, subject: str) -> bool:
        """Tell whether fewer than three cycles measured an ROI, or all of them nothing but zero."""
        return self.window(subject).is_cold

    def get_trend_curve(self, subject: str) -> Trend:
        """Return slope, curvature and stability of the ROI alone; unlike metrics are never averaged."""
        return trend(self.window(subject).roi)

    def is_stable(self, subject: str) -> bool:
        """Tell whether the ROI, known from enough cycles, holds: it doesn't fall and hardly jumps.

        A fall over the window that is smaller than the spread around the trend is none.
        """
        roi = self.window(subject).roi
        found, jumps = trend(roi), volatility(roi)
        if self.is_cold_start(subject) or found.slope is None or jumps is None:
            return False
        around = stdev(value - found.slope * place for place, value in enumerate(roi))
        return found.slope * (len(roi) - 1) >= -around and jumps < self.volatility_threshold

    def predict_roi_collapse(self, workflow_id: str) -> Verdict:
        """Return `risk`, `collapse_in`, `brittle`, `curve`, `probabilities`, `reason`, `evidence` and more.

        `risk` is Stable, Slow decay, Volatile, Immediate collapse risk or, with fewer than three cycles,
        Insufficient data. `template` is None, or the curve that a cold start is shown beside it; see `lend`.
        """
        window = self.window(workflow_id)
        template = lend(self.template, window.roi) if window.is_cold else None
        return {**self._predict(window), "template": template, "cycles": len(window.roi)}

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON."""
        return {
            "version": 1,
            "window": self.max_cycles,
            "volatility_threshold": self.volatility_threshold,
            "template": {"name": self.template.name, "shares": list(self.template.shares)},
            "history": {
                subject: [{"cycle": cycle, "metrics": dict(metrics)} for cycle, metrics in kept.items()]
                for subject, kept in self._history.items()
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], *, predict: Predict = predict) -> Self:
        """Return the tracker that `to_dict` wrote; ValueError when it is none."""
        try:
            shape = data.get("template") or {"name": FLAT[0], "shares": FLAT[1]}
            tracker = cls(
                max_cycles=int(data["window"]),
                volatility_threshold=float(data["volatility_threshold"]),
                template=Template(str(shape["name"]), tuple(map(float, shape["shares"]))),
                predict=predict,
            )
            for subject, entries in data["history"].items():
                for entry in entries:
                    tracker.record_cycle_metrics(subject, entry["metrics"], cycle=entry["cycle"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"no foresight tracker: {error!r}") from None
        return tracker


def _number(name: str, value: float | None) -> float | None:
    if value is None:
        return None
    if not is_finite(value):
        raise ValueError(f"{name} must be a finite number or None, not {value!r:.40}")
    return float(value)
