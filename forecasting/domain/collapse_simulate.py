"""Simulated subjects whose true course is known: what verdicts on collapse are trained and measured on.

A subject is a course of `collapse_paths`, a level drawn over three decades, noise (independent,
autocorrelated, heavy-tailed, or residuals of real series), now and then a lone outlier, and a scenario
entropy that drifts, creeps up in small rises and seldom leaps.  To most subjects a rise does little; a
brittle one loses a quarter of its level or more in the cycle of the rise.  The truth is by the definitions
of `collapse_labels`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from forecasting.domain.collapse_labels import (
    HORIZON,
    LABELS,
    Array,
    collapsing,
    decaying,
    reference_length,
    some_below,
)
from forecasting.domain.collapse_paths import NAMES, PRIOR, trajectories

SHORTEST, LONGEST = 10, 60
_VOLATILE_SHARE: Final = 0.2
_BRITTLE_SHARE: Final = 0.15
_OUTLIER_SHARE: Final = 0.15
_SATURATION: Final = 0.06


@dataclass(frozen=True)
class Subject:
    """One simulated subject at a decision; `roi` and `entropy` are what is known, the rest is the truth."""

    roi: Array  # (n,)
    entropy: Array  # (n,)
    future: Array  # (HORIZON,), the values that will be observed
    latent: Array  # (n + HORIZON,), the level without noise
    label: str
    brittle: bool
    family: str
    collapses_at: int | None  # first cycle whose level is at half of the reference or below


def subjects(
    count: int, seed: int | Sequence[int], donors: Sequence[Array] = (), shortest: int = SHORTEST
) -> list[Subject]:
    """Return `count` subjects; where `donors` (unit residuals) are given the noise comes from them."""
    rng = np.random.default_rng(seed)
    return [_subject(rng, donors, shortest) for _ in range(count)]


def _subject(rng: np.random.Generator, donors: Sequence[Array], shortest: int) -> Subject:
    length = int(rng.integers(shortest, LONGEST + 1))
    family = int(rng.choice(len(NAMES), p=PRIOR / PRIOR.sum()))
    counts = np.zeros(len(NAMES), dtype=np.int64)
    counts[family] = 1
    course = trajectories(length, counts, rng)[0][0]
    level = float(np.exp(rng.uniform(np.log(0.05), np.log(20))))
    noise = _noise_size(rng)
    entropy, brittle = _entropy(rng, length)
    lost = _lost(rng, entropy, brittle)
    seen = course + noise * _noise(rng, length, donors) - lost
    reference = float(course[: reference_length(length)].mean())
    low = np.flatnonzero(course <= reference / 2)
    return Subject(
        roi=seen[:length] * level,
        entropy=entropy[:length],
        future=seen[length:] * level,
        latent=course * level,
        label=true_label(course, length, reference, noise),
        brittle=brittle,
        family=NAMES[family],
        collapses_at=int(low[0]) if len(low) else None,
    )


def true_label(course: Array, length: int, reference: float, noise: float) -> str:
    """Return the label of a course (length + HORIZON,) with the standard deviation of its noise."""
    one, level = course[None, :], np.array([reference])
    if collapsing(one, length, level)[0]:
        return LABELS[3]
    if some_below(course[length:] - reference / 2, noise) >= 0.5:
        return LABELS[2]
    return LABELS[1] if decaying(one, length, level)[0] else LABELS[0]


def _noise_size(rng: np.random.Generator) -> float:
    if rng.random() < _VOLATILE_SHARE:
        return float(rng.uniform(0.3, 0.8))
    return float(np.exp(rng.uniform(np.log(0.02), np.log(0.2))))


def _noise(rng: np.random.Generator, length: int, donors: Sequence[Array]) -> Array:
    total = length + HORIZON
    noise = _donated(rng, total, donors) if len(donors) else _made(rng, total)
    if rng.random() < _OUTLIER_SHARE:  # never the last value: that one may be a collapse
        noise[rng.integers(1, length - 1)] += rng.choice([-1, 1]) * rng.uniform(4, 8)
    return noise


def _donated(rng: np.random.Generator, total: int, donors: Sequence[Array]) -> Array:
    donor = donors[int(rng.integers(len(donors)))]
    start = int(rng.integers(0, max(1, len(donor) - total)))
    return np.resize(donor[start:], total)


def _made(rng: np.random.Generator, total: int) -> Array:
    rho = float(rng.choice([0.0, rng.uniform(0, 0.6)]))
    heavy = rng.random() < 0.3
    noise = rng.standard_t(4, total) / np.sqrt(2) if heavy else rng.standard_normal(total)
    for cycle in range(1, total):
        noise[cycle] = rho * noise[cycle - 1] + np.sqrt(1 - rho * rho) * noise[cycle]
    return noise


def _entropy(rng: np.random.Generator, length: int) -> tuple[Array, bool]:
    """Return the entropy of `length` + HORIZON cycles, and whether the subject is brittle."""
    total = length + HORIZON
    steps = np.clip(rng.normal(0, 0.006, total), -0.02, 0.02)
    steps += np.where(rng.random(total) < 0.15, rng.uniform(0.01, 0.05, total), 0.0)
    steps = np.where(rng.random(total) < 0.04, rng.uniform(0.08, 0.3, total), steps)
    entropy = np.clip(0.1 + np.cumsum(steps - 0.8 * steps.mean()), 0, 1)
    brittle = bool(rng.random() < _BRITTLE_SHARE)
    if brittle:  # without a rise nobody could know
        for start in rng.choice(np.arange(max(2, length - 12), length), 3, replace=False):
            entropy[start:] += rng.uniform(0.015, 0.05)
        entropy = np.clip(entropy, 0, 1.5)
    return entropy, brittle


def _lost(rng: np.random.Generator, entropy: Array, brittle: bool) -> Array:
    rises = np.clip(np.diff(entropy, prepend=entropy[0]), 0, _SATURATION if brittle else 1)
    elasticity = rng.uniform(6, 14) if brittle else float(rng.choice([0.0, rng.uniform(0, 1.2)]))
    return elasticity * rises


def donor_residuals(series: Sequence[Array], shortest: int = 45, reach: int = 4) -> list[Array]:
    """Return each series less its running mean of 2 `reach` + 1 values, in robust standard deviations."""
    found = []
    for values in series:
        if len(values) < shortest:
            continue
        width = 2 * reach + 1
        trend = np.convolve(np.pad(values, reach, mode="edge"), np.ones(width) / width, "valid")
        left = values - trend
        spread = 1.4826 * float(np.median(np.abs(left - np.median(left))))
        if spread > 0:
            found.append(np.clip(left / spread, -8, 8))
    return found
