"""What a cycle cost and what it was worth, in the currency of the engine's value model.

Amounts are plain floats in that currency and never rounded here; pages round what they show.
"""

import math
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from engines.domain.errors import InvalidInput
from engines.domain.results import Roi
from forecasting.domain.series import ema_step, momentum, rolling_mean, spread

HISTORY = 50
"""Cycles whose outcome an engine remembers."""
MOMENTUM_WINDOW = 10
SHORT_WINDOW = 3
_LARGEST = sys.float_info.max


@dataclass(frozen=True, kw_only=True)
class ValueModel:
    """Prices of an engine, all in one currency; InvalidInput for a negative or infinite one.

    `unit_value`: worth of +1.0 of the metric in the good direction; `value_per_success`: of one more
    successful workflow run.  CPU time is billed in *started* steps of `cpu_billing_seconds`, as clouds do
    (0 bills it exactly): a repeated run then costs the same although its CPU time jitters.
    """

    metric: str
    direction: Literal["max", "min"] = "max"
    unit_value: float = 0.0
    value_per_success: float = 0.0
    cpu_hour_cost: float = 0.0
    token_cost_per_1k: float = 0.0
    cpu_billing_seconds: float = 0.0

    def __post_init__(self) -> None:
        for name in (
            "unit_value",
            "value_per_success",
            "cpu_hour_cost",
            "token_cost_per_1k",
            "cpu_billing_seconds",
        ):
            _amount(getattr(self, name), name)
        if self.direction not in ("max", "min"):
            raise InvalidInput('direction is "max" or "min"', field="direction")


class Judged(Protocol):
    """What `roi_gain` needs to know of a significance test."""

    @property
    def significant(self) -> bool:
        """Whether the challenger is better."""

    @property
    def low(self) -> float | None:
        """Lower bound of the uplift, in the good direction."""

    @property
    def high(self) -> float | None:
        """Upper bound of it."""

    @property
    def confidence(self) -> float:
        """Confidence of the two bounds together."""


def uplift(champion: float, challenger: float, model: ValueModel) -> float:
    """Return how much better the challenger's metric is, positive in the good direction."""
    return challenger - champion if model.direction == "max" else champion - challenger


def worth(metric: float, naive: float, model: ValueModel) -> float:
    """Return what a model that scores `metric` is worth: unit_value x how much better it is than guessing.

    `naive` is the metric of the best constant answer on the same rows: measured from it, the worth of a model
    doesn't depend on where its metric has its zero.
    """
    return model.unit_value * uplift(naive, metric, model)


def billed_seconds(cpu_seconds: float, model: ValueModel) -> float:
    """Return the CPU seconds that are billed: the started steps, or exactly those used."""
    step = model.cpu_billing_seconds
    used = _amount(cpu_seconds, "cpu_seconds")
    steps = used / step if step > 0 else math.inf
    return math.ceil(steps) * step if math.isfinite(steps) else used  # countless steps bill exactly


def cycle_cost(cpu_seconds: float, tokens: float, model: ValueModel) -> float:
    """Return billed CPU hours x rate + thousands of tokens x rate."""
    return (
        billed_seconds(cpu_seconds, model) / 3600 * model.cpu_hour_cost
        + _amount(tokens, "tokens") / 1000 * model.token_cost_per_1k
    )


def roi_gain(
    gained: float,
    judged: Judged,
    model: ValueModel,
    *,
    cpu_seconds: float,
    tokens: float = 0,
    more_successes: float = 0.0,
) -> Roi:
    """Return what a candidate is worth: unit_value x `gained` (its uplift) where significant, minus cost.

    An uplift that is not significant is worth 0, a significant loss can't occur in a one-sided test.  The
    bounds are those of the measured uplift priced the same way, None when the test had none; they are
    reported also where the value is 0.  `more_successes`: significant further successes of workflow runs.
    """
    if not math.isfinite(gained):
        raise InvalidInput("the uplift must be a finite number", field="gained")
    cost = cycle_cost(cpu_seconds, tokens, model)
    extra = more_successes * model.value_per_success
    value = (model.unit_value * gained if judged.significant and gained > 0 else 0.0) + extra
    low, high = (_priced(bound, model.unit_value, extra - cost) for bound in (judged.low, judged.high))
    return Roi(
        roi_gain=value - cost,
        value=value,
        cost=cost,
        low=low,
        high=high,
        confidence=None if low is None else judged.confidence,
    )


def roi_delta(gains: Iterable[float], shared_cost: float) -> float:
    """Return a cycle's ROI delta: the sum over its candidates minus the cost they share."""
    return math.fsum(gains) - shared_cost


@dataclass(frozen=True, kw_only=True)
class RoiState:
    """An engine's memory of what its cycles were worth.

    The first delta is the average's first value: starting from 0 would invent a measurement.  `ema` is
    None before it.  `success_history`: whether a cycle paid (delta > 0), newest last, at most `HISTORY`.
    """

    ema: float | None = None
    alpha: float = 0.1
    success_history: tuple[bool, ...] = ()
    deltas: tuple[float, ...] = ()

    def updated(self, delta: float) -> "RoiState":
        """Return the state after a cycle of that ROI delta."""
        if not math.isfinite(delta):
            raise InvalidInput("a ROI delta must be a finite number", field="roi_delta")
        return replace(
            self,
            ema=ema_step(self.ema, delta, self.alpha),
            success_history=(*self.success_history, delta > 0)[-HISTORY:],
            deltas=(*self.deltas, delta)[-HISTORY:],
        )

    @property
    def momentum(self) -> float | None:
        """Successes among the last ten cycles, divided by ten; None before the first."""
        return momentum(self.success_history, MOMENTUM_WINDOW)

    @property
    def momentum_filled(self) -> float:
        """Share of the momentum's window for which there are cycles, 0 to 1."""
        return min(len(self.success_history), MOMENTUM_WINDOW) / MOMENTUM_WINDOW

    @property
    def short_mean(self) -> float | None:
        """Mean of the last three deltas."""
        return rolling_mean(self.deltas, SHORT_WINDOW)

    @property
    def spread(self) -> float | None:
        """Robust standard deviation of the deltas, the unit in which averages are compared."""
        return spread(self.deltas)


def _priced(bound: float | None, price: float, offset: float) -> float | None:
    return None if bound is None else price * bound + offset


def _amount(value: float, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST:
        raise InvalidInput(f"{name} must be a finite number, 0 or more, not {value!r}", field=name)
    return float(value)
