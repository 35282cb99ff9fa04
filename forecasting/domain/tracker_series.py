"""One subject in one scenario, as `ROITracker` keeps it: sums, the newest numbers, and the forecasts made."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

from forecasting.domain import entropy as entropies
from forecasting.domain.accuracy import Outcome, came_as
from forecasting.domain.entropy import Sample
from forecasting.domain.synergy import Smoothed

KEEP: Final = 256
"""Newest numbers of each series that are kept; forecasts are made from these."""
ENTROPY: Final = "shannon_entropy"


class Foretold(Protocol):
    """What a forecast consists of (`forecast.Forecast`): one number a step, the next first."""

    @property
    def mean(self) -> Sequence[float]:
        """As likely too high as too low."""

    @property
    def lower80(self) -> Sequence[float]:
        """With `upper80`, four of five outcomes lie between."""

    @property
    def upper80(self) -> Sequence[float]:
        """Upper bounds to those."""

    @property
    def lower95(self) -> Sequence[float]:
        """With `upper95`, 19 of 20 outcomes lie between."""

    @property
    def upper95(self) -> Sequence[float]:
        """Upper bounds to those."""

    @property
    def model(self) -> str:
        """Which model answered."""

    @property
    def growth(self) -> str:
        """What the path looks like: exponential, linear or marginal."""

    @property
    def confidence(self) -> float | None:
        """How exact it will be, 0 to 1; None without past errors."""


@dataclass(slots=True)
class Issued:
    """A forecast, and what came of it so far."""

    mean: list[float]
    growth: str
    #: intervals of the first step, 80 % and 95 %
    bands: list[list[float]]
    #: mean absolute step of the history it was made from
    scale: float | None
    actual: list[float] = field(default_factory=list)
    error: float | None = None
    confidence: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether numbers of its horizon are to come."""
        return len(self.actual) < len(self.mean)

    def outcome(self, subject: str, scenario: str) -> Outcome:
        """Return its first step beside what came; the class that came is known when the horizon is over."""
        return Outcome(
            predicted=self.mean[0],
            actual=self.actual[0],
            predicted_class=self.growth,
            actual_class="" if self.is_open else came_as(self.actual, self.scale),
            workflow=subject,
            scenario=scenario,
            error=self.error,
            bands=tuple((low, high) for low, high in self.bands),
        )


class Series:
    """One subject in one scenario."""

    def __init__(self, keep: int = KEEP) -> None:
        self.roi = Smoothed()
        self.deltas: deque[float] = deque(maxlen=keep)
        #: sum of |delta|, for the usual size of one
        self.sizes = 0.0
        self.metrics: dict[str, Smoothed] = {}
        self.samples: deque[Sample] = deque(maxlen=keep)
        self.resources: dict[str, float] = {}
        self.issued: deque[Issued] = deque(maxlen=keep)
        #: those of them whose numbers are to come, at most one an update of a horizon
        self._open: list[Issued] = []

    def add(
        self, delta: float | None, metrics: Mapping[str, float], resources: Mapping[str, float]
    ) -> tuple[float | None, float | None]:
        """Take one update; return the scaled error and the change of the entropy."""
        before = self.metrics[ENTROPY].last if ENTROPY in self.metrics else None
        moved = entropies.change(before, metrics.get(ENTROPY))
        for name, value in metrics.items():
            self.metrics.setdefault(name, Smoothed()).add(value)
        for name, value in resources.items():
            self.resources[name] = self.resources.get(name, 0.0) + value
        if delta is not None or moved is not None:
            self.samples.append(Sample(roi=delta, entropy=moved))
        return (None if delta is None else self._add_delta(delta)), moved

    def _add_delta(self, delta: float) -> float | None:
        fresh = self._fresh()
        error = self.roi.add(delta, fresh.mean[0] if fresh else None)
        if fresh:
            fresh.error = error
        for each in self._open:
            each.actual.append(delta)
        self._open = [each for each in self._open if each.is_open]
        self.deltas.append(delta)
        self.sizes += abs(delta)
        return error

    def _fresh(self) -> Issued | None:
        """Return the forecast that was made since the latest delta."""
        return self._open[-1] if self._open and not self._open[-1].actual else None

    def issue(self, found: Foretold) -> None:
        """Keep a forecast until its numbers came; a second one before the next delta replaces the first."""
        if self._fresh():
            self._open.pop()
            self.issued.pop()
        bands = [[found.lower80[0], found.upper80[0]], [found.lower95[0], found.upper95[0]]]
        path = list(map(float, found.mean))
        made = Issued(path, found.growth, bands, self.roi.scale, confidence=found.confidence)
        self._open.append(made)
        self.issued.append(made)

    @property
    def reliability(self) -> float | None:
        """How exact the next forecast will be: what it says itself where it was made, else by past errors."""
        fresh = self._fresh()
        told = fresh.confidence if fresh else None
        return self.roi.reliability if told is None else told

    @property
    def size(self) -> float:
        """Usual size of a ROI delta: the mean of all, regardless of sign."""
        return self.sizes / self.roi.count if self.roi.count else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON."""
        return {
            "roi": self.roi.to_dict(),
            "deltas": list(self.deltas),
            "sizes": self.sizes,
            "metrics": {name: each.to_dict() for name, each in self.metrics.items()},
            "samples": [[each.roi, each.entropy] for each in self.samples],
            "resources": dict(self.resources),
            "issued": [asdict(each) for each in self.issued],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], keep: int) -> "Series":
        """Return what `to_dict` wrote."""
        made = cls(keep)
        made.roi = Smoothed.from_dict(data["roi"])
        made.deltas.extend(data["deltas"])
        made.sizes = data["sizes"]
        made.metrics = {name: Smoothed.from_dict(each) for name, each in data["metrics"].items()}
        made.samples.extend(Sample(roi=roi, entropy=moved) for roi, moved in data["samples"])
        made.resources = dict(data["resources"])
        made.issued.extend(Issued(**each) for each in data["issued"])
        made._open = [each for each in made.issued if each.is_open]
        return made
