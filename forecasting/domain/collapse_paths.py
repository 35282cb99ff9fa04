"""Courses that a return on investment can take: what a verdict on collapse compares a history with.

A course is the noise-free ROI of `length` past cycles and `HORIZON` coming ones, in units of its early level.
The families are those by which a forecaster would describe a history: level, growth, ageing, waves, steps,
dips, and declines of every speed.  Each family is spread evenly over its parameters, so that few
hundred courses cover the space; the seed is fixed, so that the same history always gets the same verdict.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import (
    HORIZON,
    collapsing,
    decaying,
    normal_cdf,
    reference_length,
)

Array = NDArray[np.float64]
Draw = Callable[[float, float], Array]

_SEED: Final = 20


@dataclass(frozen=True)
class Span:
    """The cycles of a course and when its change begins; all columns are (courses, 1)."""

    length: int
    cycles: Array  # (1, length + HORIZON)
    recent: Array  # a change one to six cycles ago
    old: Array  # a change at any time but the last eight cycles
    dip: Array  # a passing dip's first cycle
    wear: Array  # a decline that began eight cycles ago up to half the history and nine


def _since(span: Span, start: Array) -> Array:
    return np.maximum(0.0, span.cycles - start)


def _flat(span: Span, draw: Draw) -> Array:
    return np.ones((len(span.recent), span.cycles.shape[1]))


def _growth(span: Span, draw: Draw) -> Array:
    return 1 + draw(0.002, 0.03) * span.cycles


def _plateau(span: Span, draw: Draw) -> Array:
    rising = 1 - draw(0.2, 0.8) * np.exp(-span.cycles / draw(3, 10))
    level: Array = rising[:, : reference_length(span.length)].mean(axis=1, keepdims=True)
    return rising / level


def _wave(span: Span, draw: Draw) -> Array:
    angle = 2 * np.pi * span.cycles / draw(5, 15) + draw(0, 2 * np.pi)
    swing: Array = 1 + draw(0.05, 0.2) * np.sin(angle)
    return swing


def _step_up(span: Span, draw: Draw) -> Array:
    return 1 + (span.cycles >= span.recent) * draw(0.1, 0.8)


def _dip(span: Span, draw: Draw) -> Array:
    inside = (span.cycles >= span.dip) & (span.cycles < span.dip + np.floor(draw(2, 5)))
    return 1 - inside * draw(0.3, 0.8)


def _small_step(span: Span, draw: Draw) -> Array:
    return 1 - (span.cycles >= span.recent) * draw(0.03, 0.12)


def _linear_decay(span: Span, draw: Draw) -> Array:
    return 1 - draw(0.012, 0.035) * _since(span, span.old)


def _exponential_decay(span: Span, draw: Draw) -> Array:
    decay: Array = np.exp(-draw(0.012, 0.04) * _since(span, span.old))
    return decay


def _step_decay(span: Span, draw: Draw) -> Array:
    return 1 - (span.cycles >= span.recent) * draw(0.12, 0.25) - 0.015 * _since(span, span.recent)


def _drop(span: Span, draw: Draw) -> Array:
    return np.where(span.cycles >= span.recent, draw(-0.5, 0.4), 1.0)


def _steep(span: Span, draw: Draw) -> Array:
    return 1 - draw(0.06, 0.25) * _since(span, span.recent)


def _accelerating(span: Span, draw: Draw) -> Array:
    return 1 - draw(0.006, 0.03) * _since(span, span.recent) ** 2


def _erosion(span: Span, draw: Draw) -> Array:
    return 1 - draw(0.03, 0.05) * _since(span, span.wear)


@dataclass(frozen=True)
class Family:
    """A family of courses."""

    share: float  # prior probability, not normalised
    courses: int  # in a library: more for more parameters
    make: Callable[[Span, Draw], Array]


FAMILIES: Final[dict[str, Family]] = {
    "level": Family(0.16, 1, _flat),
    "growth": Family(0.06, 24, _growth),
    "plateau": Family(0.06, 45, _plateau),
    "wave": Family(0.06, 90, _wave),
    "step up": Family(0.05, 45, _step_up),
    "passing dip": Family(0.06, 60, _dip),
    "small step down": Family(0.04, 30, _small_step),
    "linear decline": Family(0.10, 55, _linear_decay),
    "exponential decline": Family(0.08, 45, _exponential_decay),
    "step down and decline": Family(0.06, 45, _step_decay),
    "drop": Family(0.08, 50, _drop),
    "steep decline": Family(0.07, 50, _steep),
    "accelerating decline": Family(0.06, 50, _accelerating),
    "erosion": Family(0.06, 40, _erosion),
}
NAMES: Final = tuple(FAMILIES)
PRIOR: Final[Array] = np.array([family.share for family in FAMILIES.values()])
_COURSES: Final = np.array([family.courses for family in FAMILIES.values()])


def trajectories(
    length: int, counts: NDArray[np.int64], rng: np.random.Generator
) -> tuple[Array, NDArray[np.int64]]:
    """Return `counts[f]` courses of each family f, (sum of counts, length + HORIZON), and their families."""
    parts = []
    for count, family in zip(counts.tolist(), FAMILIES.values(), strict=True):
        if count:
            even = _Even(count, rng)
            parts.append(family.make(_span(length, even), even.draw))
    return np.concatenate(parts), np.repeat(np.arange(len(counts)), counts)


class _Even:
    """Parameters spread evenly over their joint ranges: a shifted additive recurrence (Roberts 2018)."""

    _STEPS: Final = (0.8191725134, 0.6710436067, 0.5497004779, 0.7548776662)

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self._places = np.arange(float(count))[:, None]
        self._rng = rng
        self._drawn = 0

    def _next(self, dimension: int) -> Array:
        spread: Array = (self._places * self._STEPS[dimension] + self._rng.random()) % 1
        return spread

    def whole(self, low: int, high: int) -> Array:
        """Return whole numbers of [low, high), the first dimension of a course, (count, 1)."""
        return low + np.floor((max(low + 1, high) - low) * self._next(0))

    def draw(self, low: float, high: float) -> Array:
        """Return numbers of [low, high), each call another dimension, (count, 1)."""
        self._drawn += 1
        return low + (high - low) * self._next(self._drawn)


def _span(length: int, even: _Even) -> Span:
    return Span(
        length=length,
        cycles=np.arange(length + HORIZON, dtype=np.float64)[None, :],
        recent=length - even.whole(1, 7),
        old=even.whole(0, length - 8),
        dip=even.whole(2, length - 9),
        wear=length - even.whole(8, length // 2 + 9),
    )


@dataclass(frozen=True)
class Library:
    """Courses of one length with what follows from each; n courses, `length` past cycles."""

    past: Array  # (length, n): by cycle, as products are sums over cycles
    squares: Array  # (length, n)
    products: Array  # (length - 1, n), of neighbouring cycles
    future: Array  # (HORIZON, n), in units of the course's reference level
    last: Array  # (n,), the last past value in that unit
    reference: Array  # (n,), the reference level in units of the early level
    collapsing: NDArray[np.bool_]  # (n,)
    decaying: NDArray[np.bool_]  # (n,)
    wild_from: Array  # (n,), noise from which the course counts as volatile; inf for collapsing ones
    log_wild_from: Array  # (n,), 99 for collapsing ones
    family: NDArray[np.int64]  # (n,)
    log_prior: Array  # (n,)

    def only(self, courses: NDArray[np.intp]) -> "Library":
        """Return the library of these courses, given by their places."""
        return Library(**{name: each.take(courses, axis=each.ndim - 1) for name, each in vars(self).items()})


@functools.lru_cache(maxsize=64)
def library(length: int) -> Library:
    """Return the library for histories of `length` cycles (at least 3)."""
    paths, family = trajectories(length, _COURSES, np.random.default_rng([_SEED, length]))
    past, reference = (
        np.ascontiguousarray(paths[:, :length].T),
        paths[:, : reference_length(length)].mean(axis=1),
    )
    falls = collapsing(paths, length, reference)
    wild_from = np.where(falls, np.inf, _wild_from(paths[:, length:] - reference[:, None] / 2))
    return Library(
        past=past,
        squares=past**2,
        products=past[1:] * past[:-1],
        future=np.ascontiguousarray((paths[:, length:] / reference[:, None]).T),
        last=paths[:, length - 1] / reference,
        reference=reference,
        collapsing=falls,
        decaying=decaying(paths, length, reference) & ~falls,
        wild_from=wild_from,
        log_wild_from=np.minimum(np.log(wild_from), 99.0),
        family=family,
        log_prior=np.log((PRIOR / _COURSES)[family]),
    )


def _wild_from(margins: Array) -> Array:
    """Return the noise at which some coming value is as likely as not below the level, by bisection."""
    low, high = np.full(len(margins), 0.005), np.full(len(margins), 20.0)
    for _ in range(25):
        middle = np.sqrt(low * high)
        some = 1 - np.prod(1 - normal_cdf(-margins / middle[:, None]), axis=1)
        low, high = np.where(some < 0.5, middle, low), np.where(some < 0.5, high, middle)
    found: Array = np.sqrt(low * high)
    return found
