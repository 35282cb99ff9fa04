"""Cases that `collapse.py` measures with: replays cycle by cycle, and decisions inside real series."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from forecasting.domain.collapse_labels import HORIZON, IMMEDIATE, LABELS, LEVEL, some_below
from forecasting.domain.collapse_replay import moments, warnings
from forecasting.domain.collapse_simulate import Subject

Judge = Callable[[Any, Any], str]
HISTORY, STEADY = 24, 16


def online(items: Sequence[Subject], judge: Judge) -> dict[str, float]:
    """Replay subjects from cycle 8 on: warning time before collapses, and false warnings of calm ones.

    What the figures are stands in `collapse_replay.warnings`.
    """
    asked = moments(items)
    return warnings(asked, [judge(each.roi, each.entropy) == IMMEDIATE for each in asked])


def real_cases(series: Mapping[str, Any], seed: int, each: int = 3) -> list[Subject]:
    """Return decisions inside real series: 24 values are known, and the mean of the next 5 is the truth.

    Only series without a negative value count.  The reference is the median of the first 16 values, the noise
    what lies around a line through all 24.
    """
    rng = np.random.default_rng([seed, 3])
    found = []
    for values in series.values():
        if len(values) < HISTORY + HORIZON + 1 or values.min() < 0 or np.median(values) <= 0:
            continue
        places = np.arange(HISTORY, len(values) - HORIZON + 1)
        for place in rng.choice(places, min(each, len(places)), replace=False):
            known, future = values[place - HISTORY : place], values[place : place + HORIZON]
            if np.median(known[:STEADY]) > 0:
                found.append(_case(known, future))
    return found


def _case(known: Any, future: Any) -> Subject:
    reference, at = float(np.median(known[:STEADY])), np.arange(HISTORY)
    left = known - np.polyval(np.polyfit(at, known, 1), at)
    noise = 1.4826 * float(np.median(np.abs(left))) + 1e-9 * reference
    before, after = float(known[-HORIZON:].mean()), float(future.mean())
    if after <= LEVEL * reference:
        label = LABELS[3]
    elif some_below(np.full(HORIZON, after - LEVEL * reference), noise) >= 0.5:
        label = LABELS[2]
    else:
        falls = before - after > max(0.05 * reference, noise / math.sqrt(HORIZON))
        label = LABELS[1] if falls else LABELS[0]
    entropy = np.full(HISTORY, 0.1)
    return Subject(known, entropy, future, np.empty(0), label, False, "real", None)


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval of a share of `count` cases, nan for none."""
    if not count:
        return math.nan, math.nan
    z = 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half
