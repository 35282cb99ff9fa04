"""Other rules for the verdict on collapse, that `collapse.py` is compared with.

Each takes subjects and returns label indices and brittle flags.  The rule of thumb is the one in use
elsewhere: slope, bend and spread of the last ten cycles against fixed thresholds in the unit of the ROI.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from forecasting.domain.collapse_features import plain_features
from forecasting.domain.collapse_labels import (
    HORIZON,
    LABELS,
    LEVEL,
    normal_cdf,
    reference_length,
    some_below,
)
from forecasting.domain.collapse_posterior import running_median
from forecasting.domain.collapse_simulate import Subject, subjects

Array = Any
Answer = tuple[Array, Array]
Rule = Callable[[Sequence[Subject]], Answer]
STABLE, SLOW, VOLATILE, IMMEDIATE = range(4)


def each(judge: Callable[[Array, Array], tuple[int, bool]]) -> Rule:
    """Return a rule that judges subjects one by one."""

    def rule(items: Sequence[Subject]) -> Answer:
        found = [judge(item.roi, item.entropy) for item in items]
        return np.array([label for label, _ in found]), np.array([brittle for _, brittle in found])

    return rule


def majority(_roi: Array, _entropy: Array) -> tuple[int, bool]:
    """Say "Stable", whatever comes."""
    return STABLE, False


def rule_of_thumb(roi: Array, entropy: Array) -> tuple[int, bool]:
    """Compare slope, bend and spread of the last ten cycles with fixed thresholds."""
    y, e = roi[-10:], entropy[-10:]
    mixed, at = (2 * y + e) / 3, np.arange(len(y))
    slope, bend = np.polyfit(at, mixed, 1)[0], 2 * np.polyfit(at, mixed, 2)[0]
    spread, rise = np.std(np.diff(y), ddof=1), e[-1] - e[-2]
    brittle = bool(0 < rise < 0.05 and (y[-2] - y[-1]) / (rise + 1e-6) > 10)
    ahead = y[-1] + (slope - e[-1]) / (1 + spread) * np.arange(1, HORIZON + 1)
    soon = y[-1] <= 0 or bool((ahead[:2] <= 0).any())
    if spread >= 1.0:
        return VOLATILE, brittle
    if slope >= 0:
        return STABLE, brittle
    return (IMMEDIATE if soon or slope < -1.0 or bend < -0.1 else SLOW), brittle


def theil_sen(roi: Array, entropy: Array) -> tuple[int, bool]:
    """Extrapolate the median slope of the last ten cycles, in units of the reference, with its error."""
    reference = float(np.median(roi[: reference_length(len(roi))]))
    if reference <= 0:
        return IMMEDIATE, _regressed(roi, entropy)
    z = roi / reference
    part = z[-10:]
    w, at = len(part), np.arange(len(part))
    i, j = np.triu_indices(w, 1)
    slope = float(np.median((part[j] - part[i]) / (j - i)))
    start = float(np.median(part - slope * at))
    steps = np.diff(z)
    noise = max(1.4826 * float(np.median(np.abs(steps - np.median(steps)))) / np.sqrt(2), 1e-3)
    error = noise * np.sqrt(12 / w**3)
    ahead = start + slope * (w - 1 + np.arange(1, HORIZON + 1))
    low = min(ahead[-1], float(np.median(part[-3:]))) - LEVEL
    collapse = float(normal_cdf(np.array(-low / (HORIZON * error + noise / np.sqrt(3)))))
    wild = float(some_below(np.maximum(ahead, LEVEL + 0.01) - LEVEL, noise)) >= 0.5 or noise > 0.26
    falling = slope * 2 * HORIZON < -0.10 and slope < -1.5 * error
    label = IMMEDIATE if collapse > 0.5 else VOLATILE if wild else SLOW if falling else STABLE
    return label, _regressed(roi, entropy)


def _regressed(roi: Array, entropy: Array) -> bool:
    """Say whether losses regress on rises of entropy, above 4 references a unit and 2 standard errors."""
    y, e = roi[-30:], entropy[-30:]
    reference, rises = abs(float(np.median(y))) or 1.0, np.diff(e)
    usual = rises < 0.06
    x, off = np.clip(rises, 0, 0.06)[usual], (y - running_median(y))[1:][usual]
    if (x > 0.008).sum() < 2:
        return False
    centred = x - x.mean()
    slope = float(centred @ off / (centred @ centred))
    left = off - off.mean() - slope * centred
    error = float(np.sqrt(left @ left / max(1, len(x) - 2) / (centred @ centred)))
    return -slope / reference > 4 and -slope > 2 * error


class Boosted:
    """Gradient boosting over plain features, without a posterior, trained on 6000 simulated subjects."""

    def __init__(self, seed: int, count: int = 6000) -> None:
        from sklearn.ensemble import HistGradientBoostingClassifier

        drawn = subjects(count, [seed, 99])
        inputs = np.array([self._features(item) for item in drawn])
        settings = {"max_iter": 250, "learning_rate": 0.05, "max_leaf_nodes": 16, "l2_regularization": 2.0}
        self._label = HistGradientBoostingClassifier(**settings, random_state=0)
        self._label.fit(inputs, [LABELS.index(item.label) for item in drawn])
        self._brittle = HistGradientBoostingClassifier(**settings, random_state=0)
        self._brittle.fit(inputs, [item.brittle for item in drawn])

    def __call__(self, items: Sequence[Subject]) -> Answer:
        """Judge subjects."""
        inputs = np.array([self._features(item) for item in items])
        return self._label.predict(inputs), self._brittle.predict(inputs)

    @staticmethod
    def _features(item: Subject) -> Array:
        middle = float(np.median(item.roi[: reference_length(len(item.roi))]))
        level = abs(middle) + 0.1 * float(np.mean(np.abs(item.roi))) + 1e-12
        seen = item.roi / level
        plain = plain_features(seen, seen, item.entropy, seen - running_median(seen))
        return np.concatenate([[np.sign(middle), len(seen)], plain])


FIXED: Final[dict[str, Rule]] = {
    "majority": each(majority),
    "rule of thumb, fixed thresholds": each(rule_of_thumb),
    "Theil-Sen and MAD": each(theil_sen),
}
