"""What the learned part of a verdict reads: the posterior, and plain statistics of the cleaned history.

Cleaned: the posterior's answer to rises of entropy is added back, so that a passing loss that a rise explains
isn't taken for a decline.  Everything is in units of the reference, so no feature has a unit.
"""

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np

from forecasting.domain.collapse_labels import HORIZON, LEVEL, Array
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
    parts = (
        [float(len(values)), second.counted / len(values)],
        _of_posterior(first),
        _of_posterior(second),
        plain_features(seen, eased, entropy, second.left / level),
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
    eased[1:] += found.elasticity * np.clip(np.diff(entropy), 0, _STEP)
    return eased


def plain_features(seen: Array, eased: Array, entropy: Array, left: Array) -> Array:
    """Return the features that need no posterior, all arguments (n,), the first two in references.

    `left` is what a trend leaves of `seen`; `eased` is `seen` without the losses that entropy explains.
    """
    parts = (
        _of_course(eased, seen),
        _of_trends(eased),
        _of_shift(eased),
        _of_entropy(seen, entropy, np.diff(entropy), left),
    )
    return _bounded(parts)


def _bounded(parts: Sequence[Array | list[float]]) -> Array:
    found = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts])
    bounded: Array = np.clip(np.nan_to_num(found), -1e6, 1e6)
    return bounded


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
    ends = [float(eased[-last:].mean()) for last in _LAST]
    scale = found.noise + 1e-3
    return [
        float(np.log(usual)) - float(np.log(found.wild_from)),
        float(np.sqrt(power / len(left))) / usual,
        float(sizes.max()) / usual,
        float((sizes > 3 * usual).mean()),
        float(left[1:] @ left[:-1]) / power,
        float(left[2:] @ left[:-2]) / power,
        recent,
        early,
        float(np.log(found.noise) - np.log(found.wild_from)),
        (found.future[-1] - LEVEL) / (found.deviation[-1] + 0.01),
        *[(end - old) * np.sqrt(last) / scale for end, old, last in zip(ends, before, _LAST, strict=True)],
        *[(end - LEVEL) * np.sqrt(last) / scale for end, last in zip(ends, _LAST, strict=True)],
    ]


def _of_course(eased: Array, seen: Array) -> list[float]:
    steps = np.diff(eased)
    calm = median(np.abs(steps))
    last = eased[-HORIZON:]
    return [
        calm,
        median(np.abs(steps[-8:])),
        float(steps.std()),
        *eased[-3:],
        seen[-1],
        float(eased[-3:].mean()),
        median(last),
        float(last.min()),
        float(last.std()),
        float(eased[-8:].mean()),
        float(eased.std()),
        float(eased.min()),
        float(eased.max()),
        eased[0],
        float(eased[:5].mean()),
        float((eased <= LEVEL).mean()),
        float((eased[-10:] <= LEVEL).mean()),
        (float(eased[-3:].mean()) - LEVEL) / (calm + 1e-3),
        _lag_one(steps),
    ]


def _lag_one(steps: Array) -> float:
    off = steps - steps.mean()
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
        slope, _, ahead = solve @ part
        off = rest @ part
        found += [slope, ahead, float(np.sqrt(off @ off / len(part)))]
    bend, _, _, ahead = (part := eased[-_CURVED:]) @ _fit(len(part), 2)[0].T
    return [*found, bend, ahead]


def _of_shift(eased: Array) -> list[float]:
    """Return size in standard errors, age and gap of the best single shift of the level."""
    n = len(eased)
    cuts = np.arange(3, n - 1)
    sums = np.cumsum(eased)
    gaps = sums[cuts - 1] / cuts - (sums[-1] - sums[cuts - 1]) / (n - cuts)
    sizes = gaps * np.sqrt(cuts * (n - cuts) / n)
    best = int(np.abs(sizes).argmax())
    spread = median(np.abs(np.diff(eased))) / 0.954 + 1e-3
    return [sizes[best] / spread, float(n - cuts[best]), gaps[best]]


def _of_entropy(seen: Array, entropy: Array, rises: Array, left: Array) -> list[float]:
    dips = (seen - running_median(seen))[1:]
    usual = rises < _STEP
    capped = np.clip(rises, 0, _STEP)
    big, recent = capped > _BIG, rises[-11:]
    mild = (rises > _BIG) & usual
    answers = dips[big]
    none = not len(answers)
    return [
        *_response(capped[usual], dips[usual]),
        *_response(capped, left[1:]),
        float((capped > _SMALL).sum()),
        float(((recent > 0.012) & (recent < 0.053)).sum()),
        float((rises > _STEP).sum()),
        0.0 if none else float(answers.mean()),
        0.0 if none else float(answers.min()),
        0.0 if none else median(answers),
        0.0 if none else float((answers < -0.1).mean()),
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
    off, gone = rises - rises.mean(), answers - answers.mean()
    spread = off @ off + 1e-9
    slope = float(off @ gone / spread)
    rest = gone - slope * off
    return slope, slope / (float(np.sqrt(rest @ rest / (len(rises) - 2) / spread)) + 1e-9)
