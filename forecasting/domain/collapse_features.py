"""What the learned part of a verdict reads: the posterior, and plain statistics of the cleaned history.

Cleaned: the posterior's answer to rises of entropy is added back, so that a passing loss that a rise explains
isn't taken for a decline.  Everything is in units of the reference, so no feature has a unit.
"""

import functools
import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from forecasting.domain.collapse_labels import HORIZON, LEVEL, Array, Mask
from forecasting.domain.collapse_posterior import Posterior, median, running_median

_WINDOWS: Final = (4, 6, 8, 12, 20)
_CURVED: Final = 10
_LOW: Final = 1.0  # noise deviations below the four values before
_LAST: Final = (1, 2, 3, 5)  # values
_SMALL, _STEP, _BIG = 0.008, 0.06, 0.01  # rises of entropy


def features(values: Array, entropy: Array, first: Posterior, second: Posterior) -> Array:
    """Return the features of `values` (n,), n >= 8, with their entropies and posteriors of both passes."""
    level = _level(values, second)
    seen = values / level
    eased = _eased(seen, entropy, second)
    parts: tuple[Array | list[float], ...] = (
        [float(len(values)), second.counted / len(values)],
        _of_posterior(first),
        _of_posterior(second),
        *_plain(seen, eased, entropy, second.left / level),
        _of_noise(second.left / level, eased, second),
    )
    return _bounded(parts)


def lone_dip(values: Array, entropy: Array, found: Posterior) -> bool:
    """Say whether the last value (n >= 8) is low for the noise, and the one before it wasn't.

    Such a value is the whole evidence of a collapse, and often only passes.
    """
    eased = _eased(values / _level(values, found), entropy, found)
    now, before = eased[-1] - median(eased[-5:-1]), eased[-2] - median(eased[-6:-2])
    return bool(now < -_LOW * found.noise and before > -2 * _LOW * found.noise)


def _level(values: Array, found: Posterior) -> float:
    return max(found.reference, 1e-6 * float(np.abs(values).max()) + 1e-12)


def _eased(seen: Array, entropy: Array, found: Posterior) -> Array:
    eased = seen.copy()
    eased[1:] += found.elasticity * np.minimum(np.maximum(entropy[1:] - entropy[:-1], 0.0), _STEP)
    return eased


def plain_features(seen: Array, eased: Array, entropy: Array, left: Array) -> Array:
    """Return the features that need no posterior, all arguments (n,), the first two in references.

    `left` is what a trend leaves of `seen`; `eased` is `seen` without the losses that entropy explains.
    """
    return _bounded(_plain(seen, eased, entropy, left))


def _plain(seen: Array, eased: Array, entropy: Array, left: Array) -> list[list[float]]:
    return [
        _of_course(eased, seen),
        _of_trends(eased),
        _of_shift(eased),
        _of_entropy(seen, entropy, entropy[1:] - entropy[:-1], left),
    ]


def _bounded(parts: Sequence[Array | list[float]]) -> Array:
    found = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
    bounded: Array = np.nan_to_num(np.clip(found, -1e6, 1e6), copy=False)
    return bounded


def _mean(values: Array) -> float:
    """Return the mean of a few values: as with medians, NumPy's own takes longer."""
    return float(np.add.reduce(values)) / len(values)


def _spread(values: Array) -> float:
    """Return the standard deviation of a few values."""
    off = values - _mean(values)
    return math.sqrt(float(off @ off) / len(values))


def _share(mask: Mask) -> float:
    return np.count_nonzero(mask) / len(mask)


def _of_posterior(found: Posterior) -> Array:
    return np.concatenate(
        [
            found.labels,
            [found.brittle, found.elasticity],
            found.families,
            found.future,
            found.deviation,
            [found.now, np.log(found.noise), found.wild_from],
        ]
    )


def _of_noise(left: Array, eased: Array, found: Posterior) -> list[float]:
    """Return how wide, heavy-tailed, dependent and even the noise is, and how far off the last values are."""
    sizes = np.abs(left)
    usual, power = median(sizes) / 0.6745 + 1e-6, float(left @ left) + 1e-12
    half = len(left) // 2
    recent, early = median(sizes[-8:]) / usual, median(sizes[:half]) / usual
    before = [median(eased[:-last]) for last in _LAST]
    ends = [_mean(eased[-last:]) for last in _LAST]
    scale, wild = found.noise + 1e-3, math.log(found.wild_from)
    return [
        math.log(usual) - wild,
        math.sqrt(power / len(left)) / usual,
        float(sizes.max()) / usual,
        _share(sizes > 3 * usual),
        float(left[1:] @ left[:-1]) / power,
        float(left[2:] @ left[:-2]) / power,
        recent,
        early,
        math.log(found.noise) - wild,
        (found.future[-1] - LEVEL) / (found.deviation[-1] + 0.01),
        *[(end - old) * math.sqrt(last) / scale for end, old, last in zip(ends, before, _LAST, strict=True)],
        *[(end - LEVEL) * math.sqrt(last) / scale for end, last in zip(ends, _LAST, strict=True)],
    ]


def _of_course(eased: Array, seen: Array) -> list[float]:
    steps = eased[1:] - eased[:-1]
    calm = median(np.abs(steps))
    last = eased[-HORIZON:]
    return [
        calm,
        median(np.abs(steps[-8:])),
        _spread(steps),
        *eased[-3:].tolist(),
        float(seen[-1]),
        _mean(eased[-3:]),
        median(last),
        min(last.tolist()),
        _spread(last),
        _mean(eased[-8:]),
        _spread(eased),
        float(eased.min()),
        float(eased.max()),
        float(eased[0]),
        _mean(eased[:5]),
        _share(eased <= LEVEL),
        _share(eased[-10:] <= LEVEL),
        (_mean(eased[-3:]) - LEVEL) / (calm + 1e-3),
        _lag_one(steps),
    ]


def _lag_one(steps: Array) -> float:
    off = steps - _mean(steps)
    return float(off[1:] @ off[:-1] / (off @ off + 1e-12))


@functools.lru_cache(maxsize=32)
def _fit(window: int, degree: int) -> tuple[Array, Array]:
    """Return what makes coefficients (highest first) and forecast of `window` values, and what residuals."""
    design = np.vander(np.arange(float(window)), degree + 1)
    solve = np.linalg.pinv(design)
    ahead = np.vander([window - 1.0 + HORIZON], degree + 1)
    return np.vstack([solve, ahead @ solve]), np.eye(window) - design @ solve


def _of_trends(eased: Array) -> list[float]:
    found: list[float] = []
    for window in _WINDOWS:
        part = eased[-window:]
        solve, rest = _fit(len(part), 1)
        slope, _, ahead = (solve @ part).tolist()
        off = rest @ part
        found += [slope, ahead, math.sqrt(float(off @ off) / len(part))]
    part = eased[-_CURVED:]
    bend, _, _, ahead = (_fit(len(part), 2)[0] @ part).tolist()
    return [*found, bend, ahead]


def _of_shift(eased: Array) -> list[float]:
    """Return size in standard errors, age and gap of the best single shift of the level."""
    n = len(eased)
    cuts, weights = _cuts(n)
    sums = np.cumsum(eased)
    before = sums[2:-2]
    gaps = before / cuts - (sums[-1] - before) / (n - cuts)
    sizes = gaps * weights
    best = int(np.abs(sizes).argmax())
    spread = median(np.abs(eased[1:] - eased[:-1])) / 0.954 + 1e-3
    return [float(sizes[best]) / spread, float(n - cuts[best]), float(gaps[best])]


@functools.lru_cache(maxsize=64)
def _cuts(length: int) -> tuple[Array, Array]:
    """Return where a history can be cut in two, and what turns a gap there into standard errors."""
    cuts = np.arange(3.0, length - 1)
    return cuts, np.sqrt(cuts * (length - cuts) / length)


def _of_entropy(seen: Array, entropy: Array, rises: Array, left: Array) -> list[float]:
    dips = (seen - running_median(seen))[1:]
    usual = rises < _STEP
    capped = np.minimum(np.maximum(rises, 0.0), _STEP)
    big, recent = capped > _BIG, rises[-11:]
    mild = (rises > _BIG) & usual
    answers = dips[big]
    none = not len(answers)
    return [
        *_response(capped[usual], dips[usual]),
        *_response(capped, left[1:]),
        float(np.count_nonzero(capped > _SMALL)),
        float(np.count_nonzero((recent > 0.012) & (recent < 0.053))),
        float(np.count_nonzero(rises > _STEP)),
        0.0 if none else _mean(answers),
        0.0 if none else min(answers.tolist()),
        0.0 if none else median(answers),
        0.0 if none else _share(answers < -0.1),
        float(dips[mild].sum() / (capped[mild].sum() + 1e-9)),
        float(entropy[-1] - entropy[0]),
        float(entropy[-1]),
        float(rises[-1]),
        float(rises[-6:].sum()),
    ]


def _response(rises: Array, answers: Array) -> tuple[float, float]:
    """Return the slope of `answers` on `rises`, and the slope in standard errors."""
    if len(rises) < 3:
        return 0.0, 0.0
    off, gone = rises - _mean(rises), answers - _mean(answers)
    spread = float(off @ off) + 1e-9
    slope = float(off @ gone) / spread
    rest = gone - slope * off
    return slope, slope / (math.sqrt(float(rest @ rest) / (len(rises) - 2) / spread) + 1e-9)
