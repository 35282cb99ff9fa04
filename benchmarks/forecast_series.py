"""Series of laws that the forecast model's training does not use, and how far off the best forecast would be.

Saturation, regimes, waves, fading shocks and counts. Noise is even, or it changes slowly by a factor of its
own; only then is there much to tell of which forecast will be the better one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Array = Any
LAWS: Final = ("saturating", "regimes", "wave", "fading", "counts")
BLOCK: Final = 7
"""Points that a regime lasts."""
KEPT, MOVED = 0.95, 0.25
"""Share of the logarithm of changing noise that stays, and the standard deviation of what is new of it."""


@dataclass(frozen=True)
class Made:
    """A series, and about the standard deviation of each value for who knows the law and all before."""

    values: Array
    spread: Array


def made(seed: int, count: int = 150) -> dict[str, list[float]]:
    """Return series of even noise by name, `LAW/NUMBER`."""
    return {name: each.values.tolist() for name, each in laws(seed, count)}


def laws(seed: int, count: int, *, changing: bool = False) -> Iterator[tuple[str, Made]]:
    """Yield the name and the series of each law in turns."""
    random, louder = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    for place in range(count):
        points = int(random.integers(25, 150))
        loud = _loudness(points, louder) if changing else np.ones(points)
        law = LAWS[place % len(LAWS)]
        yield f"{law}/{place}", _of(law, points, random, loud)


def _loudness(points: int, random: np.random.Generator) -> Array:
    """Return factors of noise whose logarithm is an autoregression around 0."""
    logs = np.zeros(points)
    logs[0] = random.normal(0, MOVED / np.sqrt(1 - KEPT**2))
    for place in range(1, points):
        logs[place] = KEPT * logs[place - 1] + random.normal(0, MOVED)
    return np.exp(logs)


def _of(law: str, points: int, random: np.random.Generator, loud: Array) -> Made:
    time = np.arange(points)
    if law == "saturating":
        mean = 1 / (1 + np.exp(-(time - points / 2) / random.uniform(3, 15)))
        return Made(mean + loud * random.normal(0, 0.02, points), 0.02 * loud)
    if law == "regimes":
        pace = np.repeat(random.normal(0, 1, points), BLOCK)[:points]
        steps = pace + loud * random.normal(0, 1, points)
        return Made(np.cumsum(steps), np.hypot(loud, 1 / np.sqrt(1 + time % BLOCK)))
    if law == "wave":
        mean = np.sin(time / random.uniform(4, 20))
        return Made(mean + loud * random.normal(0, 0.2, points), 0.2 * loud)
    if law == "fading":
        shocks = loud * random.standard_t(2.5, points)
        return Made(np.convolve(shocks, 0.7 ** np.arange(12))[:points] + 0.02 * time, loud)
    rate = np.exp(1 + 0.8 * np.sin(time / 25))
    counted = random.poisson(rate).astype(float)
    return Made(rate + loud * (counted - rate), loud * np.sqrt(rate))
