"""Which courses explain a history: Bayesian model averaging over a library of them.

For a course x, noise s, elasticity k and correlation rho the history is y = R (x - k h + s e), where h is
what entropy rose by in each cycle and e an AR(1) of unit variance.  R has a flat prior in log R and is
integrated out around its least-squares value, s takes the value that explains the residuals and is weighed by
its prior; k and rho lie on grids.  Values far from a running median count less, so that a lone outlier moves
nothing.  All posterior quantities are weighted sums over the library.

Averaging as in Hoeting et al. (1999), weighing of residuals as in Lange, Little & Taylor (1989).
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import Array, normal_cdf
from forecasting.domain.collapse_paths import NAMES, Library, library

ELASTICITIES: Final[Array] = np.array([0.0, 0.6, 7.0, 9.5, 12.5])
"""Grid of k, in references per unit of entropy; from the third on the subject is brittle."""
_BRITTLE: Final = ELASTICITIES >= 5
_WHICH: Final = np.where(_BRITTLE, 2, 1)  # of the two answers to entropy
_LOG_ELASTICITY: Final = np.log(np.array([0.5, 0.35, 0.05, 0.05, 0.05]))
_CORRELATIONS: Final = {0.0: 0.75, 0.35: 0.25}  # and their prior probabilities
_STEP: Final = 0.06  # a brittle subject's answer to one rise of entropy is taken to saturate here
_NIL: Final = (
    1e-6  # of the likeliest course's: what is less likely in the first pass is left out of the second
)
_FINEST: Final = 0.01  # of the reference: between the courses of the library lies about this much
_STUDENT: Final = 6.0  # weight 6 / (4 + off^2), at most 1: Student's with 4 degrees, full up to 1.4 sd
_CUT: Final = 3.0  # running deviations from which on a value counts less


@dataclass(frozen=True)
class Posterior:
    """What a history says, all in units of its own reference level; L = 4 labels, F = families."""

    labels: Array  # (L,), probabilities in the order of LABELS
    brittle: float  # probability
    elasticity: float  # posterior mean of k, references per unit of entropy
    families: Array  # (F,), probabilities
    future: Array  # (HORIZON,), mean course
    deviation: Array  # (HORIZON,), its standard deviation, noise not included
    now: float  # mean level of the last cycle
    noise: float  # geometric mean of s
    wild_from: float  # mean noise from which the courses would be volatile
    reference: float  # mean reference level, in the history's unit
    left: Array  # (n,), what course and entropy leave unexplained, in the history's unit
    counted: float  # values, outliers counted less


@dataclass(frozen=True)
class _Weights:
    """Weights over (correlation, elasticity, course) and what goes with each cell."""

    weight: Array
    log_noise: Array
    scale: Array
    counted: float  # values, outliers counted less


def posterior(values: Array, entropy: Array) -> tuple[Posterior, Posterior]:
    """Return what `values` (n,), n >= 3, and as many entropies say.

    `values` are scaled so that most lie near 1 or -1, as `collapse_series` does.

    The second answer is that of a second pass, in which a value counts by its distance from the mean course
    of the first instead of by its distance from a running median.
    """
    lib = library(len(values))
    rises = np.diff(entropy, prepend=entropy[0])
    answers = np.stack([np.clip(rises, 0, 1), np.clip(rises, 0, _STEP)])
    first = _weigh(lib, values, answers, _outlier_weights(values), {0.0: 1.0})
    fit, spread = _fitted(lib, answers, first)
    off = (values - fit) / max(spread, 1e-12)
    chances = first.weight.sum(axis=(0, 1))
    near = lib.only(np.flatnonzero(chances > _NIL * chances.max()))
    second = _weigh(near, values, answers, np.minimum(1.0, _STUDENT / (4 + off * off)), _CORRELATIONS)
    again, spread = _fitted(near, answers, second)
    return _summary(lib, first, (values - fit)), _summary(near, second, (values - again))


def _fitted(lib: Library, answers: Array, found: _Weights) -> tuple[Array, float]:
    """Return the mean course with its answers to entropy (n,), and the noise, in the history's unit."""
    scaled = found.weight * found.scale
    by_grid, by_course = scaled.sum(axis=(0, 2)), scaled.sum(axis=(0, 1))
    lost = by_grid * ELASTICITIES
    fit = lib.past @ by_course - lost[~_BRITTLE].sum() * answers[0] - lost[_BRITTLE].sum() * answers[1]
    return fit, float((scaled * np.exp(found.log_noise)).sum())


def _weigh(
    lib: Library, values: Array, answers: Array, weights: Array, correlations: Mapping[float, float]
) -> _Weights:
    """Return the weight of every cell when value i counts `weights[i]`."""
    rho, counted = np.array(list(correlations)), float(weights.sum())
    along, size, power = _products(lib, np.vstack([values[None, :], answers]), weights, rho)
    scale = np.maximum(along / size, 1e-3)
    left = np.maximum(power - scale * (2 * along - scale * size), 0.0) / (scale * scale)
    log_noise = np.log(left / counted + _FINEST**2) / 2
    prior = np.log(list(correlations.values())) - (len(values) - 1) / 2 * np.log(1 - rho * rho)
    log = _looked_up(log_noise, _NOISE_PRIORS, *_NOISE_RANGE)
    log += prior[:, None, None] + (_LOG_ELASTICITY[:, None] + lib.log_prior)
    log -= (counted - 1) * log_noise + counted * np.log(scale) + np.log(size) / 2
    weight = np.exp(log - log.max())
    return _Weights(weight / weight.sum(), log_noise, scale, counted)


def _products(lib: Library, columns: Array, weights: Array, rho: Array) -> tuple[Array, Array, Array]:
    """Return history times course and course times itself, (R, k, courses), and history times itself.

    `columns` (3, n) are the values and what a rise of entropy costs, mildly and at most.  Products are those
    under which the noise is white: of an AR(1) with each correlation of `rho` (R,).
    """
    inner = 1 / (1 - rho * rho)[:, None]
    diagonal = np.repeat((1 + rho * rho)[:, None] * inner, len(weights), axis=1)
    diagonal[:, [0, -1]] = inner
    diagonal *= weights
    beside = -rho[:, None] * inner * np.sqrt(weights[1:] * weights[:-1])
    weighed = columns * diagonal[:, None]
    weighed[:, :, 1:] += columns[:, :-1] * beside[:, None]
    weighed[:, :, :-1] += columns[:, 1:] * beside[:, None]
    gram = weighed @ columns.T  # (R, 3, 3)
    cross = (weighed.reshape(-1, len(weights)) @ lib.past).reshape(*gram.shape[:2], -1)
    own = diagonal @ lib.squares
    if rho.any():
        own += 2 * beside @ lib.products
    lost = gram[:, _WHICH, _WHICH] * ELASTICITIES**2
    along = cross[:, :1] - (gram[:, 0, _WHICH] * ELASTICITIES)[:, :, None]
    size = own[:, None] - 2 * ELASTICITIES[:, None] * cross[:, _WHICH] + lost[:, :, None]
    return along, size, gram[:, :1, :1]


def _noise_prior(log: Array) -> Array:
    """Return the log density of log s: mostly even from .02 to .2 of the reference, a fifth from .3 to .8."""
    calm = normal_cdf((log - np.log(0.02)) / 0.15) * normal_cdf((np.log(0.2) - log) / 0.15)
    wild = normal_cdf((log - np.log(0.3)) / 0.1) * normal_cdf((np.log(0.8) - log) / 0.1)
    density: Array = np.log(0.35 * calm + 0.4 * np.exp(log) * wild + 1e-3)
    return density


_NOISE_RANGE: Final = (-5.5, 1.5)
_SCORES: Final = (-5.0, 5.0)
_NOISE_PRIORS: Final[Array] = _noise_prior(np.linspace(*_NOISE_RANGE, 2000))
_CHANCES: Final[Array] = normal_cdf(np.linspace(*_SCORES, 2000))


def _looked_up(x: Array, table: Array, low: float, high: float) -> Array:
    """Return the value at `x` of a function tabled evenly from `low` to `high`, and constant beyond."""
    place = np.clip((x - low) * ((len(table) - 1) / (high - low)) + 0.5, 0, len(table) - 1)
    return table[place.astype(np.intp)]


def median(values: Array) -> float:
    """Return the median of a few values (n,), n >= 1: for these NumPy's own takes ten times as long."""
    ordered, middle = np.sort(values), len(values) // 2
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def running_median(values: Array) -> Array:
    """Return the median of each value (n,) and its two neighbours on either side, the ends repeated."""
    windows = values[_neighbours(len(values))]
    windows.sort(axis=1)
    return windows[:, 2]


@functools.lru_cache(maxsize=64)
def _neighbours(length: int) -> NDArray[np.intp]:
    """Return the places of each value (length, 5) and its two neighbours on either side."""
    places: NDArray[np.intp] = np.clip(np.arange(length)[:, None] + np.arange(-2, 3), 0, length - 1)
    return places


def _outlier_weights(values: Array) -> Array:
    """Return a weight up to 1 for each value; the last two always count in full, for they may be a change."""
    off = np.abs(values - running_median(values))
    spread = 1.4826 * 1.25 * median(off) + 1e-9 * np.abs(values).max() + 1e-300
    weights: Array = np.minimum(1.0, _CUT * spread / np.maximum(off, 1e-300)) ** 2
    weights[-2:] = 1.0
    return weights


def _summary(lib: Library, found: _Weights, left: Array) -> Posterior:
    certainty = np.sqrt(2 * found.counted)  # log s is known to about 1 / sqrt(2 n)
    wild = _looked_up((found.log_noise - lib.log_wild_from) * certainty, _CHANCES, *_SCORES)
    course = found.weight.sum(axis=(0, 1))
    volatile = (found.weight * wild).sum(axis=(0, 1))
    immediate, some = course[lib.collapsing].sum(), volatile[~lib.collapsing].sum()
    slow = (course - volatile)[lib.decaying].sum()
    labels = np.array([max(0.0, 1 - immediate - some - slow), slow, some, immediate])
    grid = found.weight.sum(axis=(0, 2))
    mean = lib.future @ course
    spread = np.sqrt(np.maximum(lib.future**2 @ course - mean**2, 0.0))
    return Posterior(
        labels=labels,
        brittle=float(grid[_BRITTLE].sum()),
        elasticity=float(grid @ ELASTICITIES),
        families=np.bincount(lib.family, course, len(NAMES)).astype(np.float64),
        future=mean,
        deviation=spread,
        now=float(course @ lib.last),
        noise=float(np.exp((found.weight * found.log_noise).sum())),
        wild_from=float(course @ np.minimum(lib.wild_from, 3.0)),
        reference=float((found.weight * found.scale).sum(axis=(0, 1)) @ lib.reference),
        left=left,
        counted=found.counted,
    )
