"""Energy: how much compute a cycle may spend.  1.0 buys the engine's base budget, 2.0 twice of it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from engines.domain.errors import InvalidInput
from engines.domain.results import Budget
from forecasting.domain.series import momentum as _momentum

MAX_ENERGY = 100.0
FACTORS = (0.5, 2.0)
"""Limits of what averages and momentum may do to a scheduled cycle's energy, together."""


@dataclass(frozen=True, kw_only=True)
class Allocation:
    """The energy of a cycle and what made it differ from the one asked for, factor by factor."""

    energy: float
    requested: float
    factors: Mapping[str, float]


def momentum(success_history: tuple[bool, ...] | list[bool], window: int = 10) -> float | None:
    """Return the successes among the newest `window` cycles over `window`; None without history."""
    return _momentum(success_history, window)


def checked(energy: float) -> float:
    """Return the energy when it is a number above 0 and at most 100; InvalidInput otherwise."""
    fine = isinstance(energy, int | float) and not isinstance(energy, bool)
    if not fine or not 0 < energy <= MAX_ENERGY:
        raise InvalidInput(
            f"energy must be above 0 and at most {MAX_ENERGY:.0f}, not {energy!r}", field="energy"
        )
    return float(energy)


def budget(base: Budget, energy: float, *, scale: float = 1.0) -> Budget:
    """Return the budget that `energy` buys: CPU seconds and trials both `energy * scale` times the base.

    Trials are rounded to the nearest whole one, at least 1.  `scale` > 0 is the share of the cycle's
    energy that this search gets.
    """
    if not 0 < scale < math.inf:
        raise InvalidInput(f"scale must be a finite number above 0, not {scale!r}", field="scale")
    times = checked(energy) * scale
    return Budget(cpu_seconds=base.cpu_seconds * times, trials=max(1, math.floor(base.trials * times + 0.5)))


def allocate(
    requested: float,
    *,
    ema: float | None = None,
    short_mean: float | None = None,
    spread: float | None = None,
    momentum: float | None = None,
    momentum_filled: float = 1.0,
    scheduled: bool = True,
) -> Allocation:
    """Return the energy of a cycle.

    What a person or program asked for is given exactly.  A scheduled cycle is scaled by the product of
    2^(tanh(average / spread) / 2) for the moving and the short average of ROI deltas, and by
    2^(momentum - momentum_filled / 2), kept within [0.5, 2]: engines that pay get more.  `spread` is the
    deltas' own standard deviation, so the currency doesn't matter.  `momentum_filled` is the share of the
    momentum's window that was measured: cycles that never ran count neither as paying nor as failing.
    What is None doesn't count and isn't reported.
    """
    requested = checked(requested)
    if not scheduled:
        return Allocation(energy=requested, requested=requested, factors={})
    factors = {
        name: 2 ** (_relative(average, spread) / 2)
        for name, average in (("roi_delta_ema", ema), ("roi_short_mean", short_mean))
        if average is not None and spread is not None
    }
    if momentum is not None:
        factors["momentum"] = 2 ** (momentum - momentum_filled / 2)
    low, high = FACTORS
    times = min(max(math.prod(factors.values()), low), high)
    return Allocation(energy=min(requested * times, MAX_ENERGY), requested=requested, factors=factors)


def _relative(average: float, spread: float) -> float:
    """Return tanh(average / spread), the sign of the average when it never varied."""
    if spread > 0:
        return math.tanh(average / spread)
    return math.copysign(1.0, average) if average else 0.0
