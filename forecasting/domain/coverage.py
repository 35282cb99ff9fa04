"""Intervals that keep their word: widened or narrowed by a subject's own past errors.

A forecast model is calibrated over many series; a single subject may be noisier or calmer. Its recorded
errors say so. `AdaptiveLevel` is adaptive conformal inference: the level asked of the past errors moves
after each hit and miss, so that the share of hits comes to the wished one even when the errors drift. What
the errors say and what the model says are mixed by the number of errors; a subject without any gets the
model's interval.

Source: Gibbs and Candès, *Adaptive conformal inference under distribution shift* (2021).
"""

import math
from collections.abc import Iterable, Sequence
from typing import Final

RATE: Final = 0.02
PRIOR: Final = 20
"""Errors after which the subject's own count as much as the model's interval."""

NEWEST: Final = 200
KEPT: Final = 0.8
"""Weight of an error over that of the one after it."""

OWN: Final = 1 / 3
"""Weight of the past errors in a forecast's confidence; the interval's width has the rest."""

NARROWEST, WIDEST = 1 / 3, 3.0


class AdaptiveLevel:
    """The level that has to be asked for so that `wished` is reached."""

    def __init__(self, wished: float, rate: float = RATE) -> None:
        """Begin at the wished share of hits, 0..1."""
        if not 0 < wished < 1:
            raise ValueError(f"wished: a share between 0 and 1, got {wished}")
        self.wished = wished
        self.level = wished
        self._rate = rate

    def note(self, *, hit: bool) -> None:
        """Ask for less after a hit, for more after a miss, within [wished / 2, 1 - (1 - wished) / 5]."""
        moved = self.level + self._rate * (self.wished - hit)
        self.level = min(max(moved, self.wished / 2), 1 - (1 - self.wished) / 5)


def level_after(errors: Sequence[float], wished: float) -> float:
    """Return the level to ask for after these absolute errors, oldest first, replayed one after the other."""
    adaptive = AdaptiveLevel(wished)
    for place in range(PRIOR, len(errors)):
        seen = errors[max(0, place - NEWEST) : place]
        adaptive.note(hit=errors[place] <= upper_quantile(seen, adaptive.level))
    return adaptive.level


def upper_quantile(errors: Sequence[float], level: float) -> float:
    """Return the ceil((n + 1) level)-th smallest error, the largest when there are too few."""
    if not errors:
        raise ValueError("errors: at least one is needed")
    return sorted(errors)[min(math.ceil((len(errors) + 1) * level), len(errors)) - 1]


def widening(errors: Iterable[float], half_width: float, wished: float) -> float:
    """Return what to multiply an interval's half-width by.

    `errors` are this subject's past one-step errors, oldest first, and `half_width` that of the first step
    of the forecast, in the same unit. 1.0 without errors or without a width; always within [1/3, 3].
    """
    past = [abs(error) for error in errors if math.isfinite(error)][-NEWEST:]
    if not past or half_width <= 0:
        return 1.0
    asked = upper_quantile(past, level_after(past, wished))
    ratio = min(max(asked / half_width, NARROWEST), WIDEST)
    own = len(past) / (len(past) + PRIOR)
    return float(ratio**own)


def reliability(errors: Iterable[float]) -> float | None:
    """Return how much the next forecast may be trusted, 0..1; None without errors.

    The weighted geometric mean of 1 / (1 + error) over the absolute scaled errors, newest last, each weighing
    0.8 of the next one: 1 means exact, 0.5 as far off as repeating the last value usually is. Logarithms keep
    one great miss from deciding for long.
    """
    total = weight = 0.0
    for error in filter(math.isfinite, errors):
        total = KEPT * total + math.log1p(abs(error))
        weight = KEPT * weight + 1
    return math.exp(-total / weight) if weight else None


def confidence(errors: Sequence[float], expected: float) -> float | None:
    """Return how exact the next forecast will be by its subject's errors and its own width, 0..1.

    1 / (1 + e), e one third the usual error of the past, which is 1 / reliability - 1, and two thirds
    `expected`: the absolute scaled error that the forecast's interval leads to expect. None without errors: a
    width that nothing came of yet is a promise, no evidence.
    """
    past = reliability(errors)
    return None if past is None else 1 / (1 + OWN * (1 / past - 1) + (1 - OWN) * max(0.0, expected))
