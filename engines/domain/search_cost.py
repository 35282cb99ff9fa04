"""What a configuration will cost, guessed from those of the same kind that were tried."""

import math
from dataclasses import dataclass, field

from engines.domain.search_space import Params


@dataclass
class Costs:
    """CPU seconds per fold by configuration."""

    seen: list[tuple[Params, float]] = field(default_factory=list)

    def add(self, params: Params, seconds: float) -> None:
        """Remember what one fold cost."""
        self.seen.append((params, max(seconds, 0.0)))

    def predict(self, params: Params) -> float:
        """Return the expected CPU seconds of one fold.

        Of the configurations with the same choices the closest in size answers, its cost scaled with every
        whole number (trees, rounds, width …) that is larger here.  Nothing of the kind seen: the costliest
        so far; nothing at all: 0.
        """
        kin = [(growth(params, other), cost) for other, cost in self.seen if _kind(other) == _kind(params)]
        if not kin:
            return max((cost for _, cost in self.seen), default=0.0)
        least = min(times for times, _ in kin)
        return least * max(cost for times, cost in kin if times == least)


def growth(params: Params, other: Params) -> float:
    """Return how many times `params` is larger than `other`, whole numbers multiplied."""
    return math.prod(
        max(1.0, _size(value) / max(_size(other[name]), 1.0))
        for name, value in params.items()
        if type(value) is int and type(other.get(name)) is int
    )


def _size(value: object) -> float:
    return float(abs(value)) if isinstance(value, int) else 1.0


def _kind(params: Params) -> tuple[tuple[str, object], ...]:
    return tuple(sorted((name, value) for name, value in params.items() if isinstance(value, str)))
