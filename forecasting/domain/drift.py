"""When do watched metrics say that something changed?  A calibrated detector without thresholds to tune.

Per metric a Shiryaev-Roberts sum of likelihood ratios of pre-whitened residuals is kept, averaged over
shift sizes and metrics: such an average is again an e-detector (Shin, Ramdas & Rinaldo 2023), so one
number, the wished mean number of cycles between false alarms, sets the rate whatever the number of metrics.
See docs/algorithms/drift.md for the formula and the measured rates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecasting.domain.whitening import Array, Mask, Whitener, finite_array

SIZES = np.array([-2.0, -1.0, -0.5, 0.5, 1.0, 2.0])
"""Shifts that evidence is gathered for, in residual standard deviations."""
_CLIP = 2.9  # a single value is worth no more than this: heavy tails must not raise alarms by themselves
_OVERSHOOT = 2.5  # measured: quiet runs up to A/2.5 last about A cycles, for the sum jumps past its limit
# up to this correlation whitened evidence counts in full, then less by as much as it lies above
_TRUSTED_RHO = 0.1
_RESPONSIBLE = 0.05  # share of the evidence from which a metric learns its level anew after an alarm
_FEW = 5
_MAX_METRICS, _MAX_CYCLES = 10_000, 1e9


@dataclass(frozen=True)
class Contribution:
    """What one metric adds to the evidence.

    `share` of the score (0..1), `direction` "up" or "down", `shift` the estimated change of its mean in its
    own unit, `shift_in_sd` the same in standard deviations (None: it never varied), `since` the number of
    the update in which the change is thought to have begun (counting only those that measured the metric).
    """

    metric: str
    share: float
    direction: str
    shift: float
    shift_in_sd: float | None
    since: int


@dataclass(frozen=True)
class Alarm:
    """The evidence reached the threshold at update number `cycle` (0 is the first)."""

    cycle: int
    score: float
    threshold: float
    since: int
    contributions: tuple[Contribution, ...]

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the largest contributors, largest first."""
        return tuple(entry.metric for entry in self.contributions)


class Detector:
    """Watches metrics cycle by cycle; `update` answers an Alarm or None in O(metrics).

    `metrics`: their names, or how many (then named "0", "1", …).
    `cycles_between_false_alarms`: the wished mean; the score is compared with it.
    Scales, levels and autocorrelation are learned; multiplying a metric or adding to it changes nothing.
    A metric takes part after ten measured values.  After an alarm the evidence starts at nothing, and
    metrics that carried at least 5 % of it learn their level anew; the others keep theirs.

    >>> detector = Detector(metrics=["accuracy"], cycles_between_false_alarms=1000)
    >>> values = [0.90, 0.91, 0.89, 0.92, 0.90] * 6 + [0.75] * 9
    >>> alarms = [alarm for alarm in (detector.update([v]) for v in values) if alarm]
    >>> alarms[0].since, alarms[0].contributions[0].direction
    (30, 'down')
    """

    def __init__(self, metrics: int | Sequence[str], cycles_between_false_alarms: float = 1000.0) -> None:
        self.metrics = _names(metrics)
        self.threshold = _threshold(cycles_between_false_alarms)
        self.cycle = -1
        shape = (len(self.metrics), len(SIZES))
        self._baseline = Whitener(len(self.metrics))
        self._evidence = np.zeros(shape)  # Shiryaev-Roberts sums
        self._length = np.zeros(shape)  # the same, weighted with the values since each possible change
        self._moved = np.zeros(shape)  # and with the sum of those values

    @property
    def score(self) -> float:
        """Evidence for a change so far, on the scale of the threshold."""
        return float(_OVERSHOOT * self._weighed().sum() / self._evidence.size)

    def update(self, values: Sequence[float | None] | Mapping[str, float | None]) -> Alarm | None:
        """Take the metrics of one cycle; None, NaN and infinite mean "not measured".

        A metric that was not measured keeps its evidence.  Raises ValueError for a wrong number of values,
        an unknown name or something that is no number.
        """
        raw = self._row(values)
        seen = np.isfinite(raw)
        scores, internal, ready = self._baseline.step(np.where(seen, raw, 0.0), seen)
        self.cycle += 1
        self._gather(np.clip(scores, -_CLIP, _CLIP), internal, ready)
        return self._alarm(score) if (score := self.score) >= self.threshold else None

    def contributions(self, least: float = _RESPONSIBLE) -> tuple[Contribution, ...]:
        """Return who carries at least the share `least` of the evidence, largest first."""
        weighed = self._weighed()
        if weighed.sum() <= 0:
            return ()
        shares = weighed / weighed.sum()
        order = [int(i) for i in np.argsort(-shares, kind="stable") if shares[i] >= least and shares[i] > 0]
        return tuple(self._contribution(i, float(shares[i])) for i in order)

    def reset(self, names: Sequence[str] | None = None) -> None:
        """Forget the evidence, and the levels of `names` (default: all), as after a deployment."""
        chosen = set(self.metrics if names is None else names)
        self._require_known(chosen)
        self._restart(np.array([name in chosen for name in self.metrics]))

    def extended(self, names: Sequence[str]) -> "Detector":
        """Return a detector that goes on with what this one knows and watches `names` too."""
        fresh = [name for name in dict.fromkeys(names) if name not in self.metrics]
        if not fresh:
            return self
        mine, theirs = self.to_dict(), Detector(fresh, self.threshold).to_dict()
        for part in ("metrics", "evidence", "length", "moved"):
            mine[part] = mine[part] + theirs[part]
        mine["baseline"] = {name: mine["baseline"][name] + rest for name, rest in theirs["baseline"].items()}
        return Detector.from_dict(mine)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole state: JSON, finite, its size fixed by the number of metrics."""
        return {
            "version": 1,
            "metrics": list(self.metrics),
            "cycles_between_false_alarms": self.threshold,
            "cycle": self.cycle,
            "baseline": self._baseline.to_dict(),
            "evidence": self._evidence.tolist(),
            "length": self._length.tolist(),
            "moved": self._moved.tolist(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Detector":
        """Return the detector that `to_dict` described: it goes on exactly as the saved one would have.

        Raises ValueError when `data` isn't such a state.
        """
        if data.get("version") != 1 or not isinstance(data.get("metrics"), list):
            raise ValueError("not the state of a drift detector (version 1)")
        detector = cls(data["metrics"], data.get("cycles_between_false_alarms", math.nan))
        detector.cycle = int(finite_array(data.get("cycle"), (), "cycle"))
        detector._baseline = Whitener.from_dict(data.get("baseline") or {}, len(detector.metrics))
        for name in ("evidence", "length", "moved"):
            setattr(detector, f"_{name}", finite_array(data.get(name), detector._evidence.shape, name))
        return detector

    def _row(self, values: Sequence[float | None] | Mapping[str, float | None]) -> Array:
        if isinstance(values, Mapping):
            self._require_known(set(values))
            values = [values.get(name) for name in self.metrics]
        if len(values) != len(self.metrics):
            raise ValueError(f"expected {len(self.metrics)} values, got {len(values)}")
        return np.array([_number(n, v) for n, v in zip(self.metrics, values, strict=True)], dtype=np.float64)

    def _require_known(self, names: set[str]) -> None:
        unknown = sorted(str(name) for name in names - set(self.metrics))
        if unknown:
            raise ValueError(f"metrics not watched: {', '.join(unknown[:5])}")

    def _gather(self, scores: Array, values: Array, ready: Mask) -> None:
        ratio = np.exp(np.outer(scores, SIZES) - SIZES**2 / 2)
        on = ready[:, None]
        self._evidence = np.where(on, (self._evidence + 1) * ratio, self._evidence)
        self._length = np.where(on, self._length * ratio + self._evidence, self._length)
        moved = self._moved * ratio + self._evidence * values[:, None]
        self._moved = np.where(on, moved, self._moved)

    def _alarm(self, score: float) -> Alarm:
        found = self.contributions() or self.contributions(0.0)[:_FEW]  # many may carry a little each
        since = found[0].since
        alarm = Alarm(self.cycle, score, self.threshold, since, found)
        self._restart(np.array([name in alarm.metrics for name in self.metrics]))
        return alarm

    def _weighed(self) -> Array:
        """Return the evidence by metric; the more a metric depends on its past, the less is believed."""
        doubt = np.maximum(self._baseline.correlation() - _TRUSTED_RHO, 0.0)
        weighed: Array = self._evidence.sum(axis=1) * (1 - doubt)
        return weighed

    def _restart(self, which: Mask) -> None:
        self._baseline.forget(which)
        for sums in (self._evidence, self._length, self._moved):
            sums.fill(0.0)

    def _contribution(self, index: int, share: float) -> Contribution:
        likeliest = index, int(self._evidence[index].argmax())
        length = float(self._length[likeliest] / self._evidence[likeliest])
        since = float(self._moved[likeliest] / self._length[likeliest])
        shift, deviation = self._shift(index, length, since)
        in_sd = shift / deviation if deviation > 0 else None
        unit = float(self._baseline.unit[index])
        began = max(self.cycle - round(length) + 1, 0)
        down = self._evidence[index][SIZES < 0].sum() > self._evidence[index].sum() / 2
        return Contribution(
            self.metrics[index], share, "down" if down else "up", _finite(shift * unit), in_sd, began
        )

    def _shift(self, index: int, length: float, mean_since: float) -> tuple[float, float]:
        """Return mean after minus mean before, and the deviation of the series without that step."""
        count = float(self._baseline.count[index])
        before = max(count - length, 1.0)
        earlier = (count * float(self._baseline.level()[index]) - length * mean_since) / before
        shift = mean_since - earlier
        between = shift**2 * (length / count) * (before / count)
        variance = float(self._baseline.deviation()[index]) ** 2 - between
        return shift, math.sqrt(variance) if variance > 1e-9 * shift**2 else 0.0


def _names(metrics: int | Sequence[str]) -> tuple[str, ...]:
    names = tuple(str(i) for i in range(metrics)) if isinstance(metrics, int) else tuple(metrics)
    if not 1 <= len(names) <= _MAX_METRICS:
        raise ValueError(f"metrics: from 1 to {_MAX_METRICS} are watched, got {len(names)}")
    if len(set(names)) != len(names) or not all(isinstance(name, str) for name in names):
        raise ValueError("metrics: names must be different strings")
    return names


def _threshold(cycles: float) -> float:
    if not isinstance(cycles, int | float) or not 2 <= cycles <= _MAX_CYCLES:
        raise ValueError(f"cycles_between_false_alarms: from 2 to {_MAX_CYCLES:.0f}, got {cycles!r}")
    return float(cycles)


def _number(name: str, value: float | None) -> float:
    if value is None:
        return math.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{name}: not a number") from error


def _finite(value: float) -> float:
    return min(max(value, -1.7e308), 1.7e308)
