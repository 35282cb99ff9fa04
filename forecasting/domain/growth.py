"""What a forecast path looks like: growing by a rate, growing by an amount, or neither.

The words are `exponential`, `linear` and `marginal`. They are decided in units of the series' own noise, so
neither the unit nor the size of the numbers matters, and by a criterion that makes the simpler answer win
unless the data speak against it. A decline is `linear` too: the word says how sure and how straight the
change is; its sign is the forecast's.
"""

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

Growth = Literal["exponential", "linear", "marginal"]
CLASSES: Final[tuple[Growth, ...]] = ("exponential", "linear", "marginal")

LEAST_RATE: Final = 0.05  # an exponential path grows by at least this share over the horizon
WINDOW: Final = 40  # newest points that show the course


def classify(history: Sequence[float], path: Sequence[float]) -> Growth:
    """Return the growth class of the forecast `path` (steps 1..H) of a series with this `history`, oldest
    first.

    Exponential: all numbers have one sign, a log-linear curve through history and path has a smaller BIC
    than a straight line by 2, its rate makes at least 5 % and one standard deviation of the noise over H
    steps. Linear: the path moves by at least one standard deviation. Marginal: neither. Fewer than 4 points
    of history are marginal. Raises ValueError for an empty path.
    """
    if not len(path):
        raise ValueError("path: at least one step is needed to name a growth")
    newest = np.asarray(history, float)[-WINDOW:]
    if len(newest) < 4:
        return "marginal"
    ahead = np.asarray(path, float)
    unit = float(np.abs(np.concatenate([newest, ahead])).max()) or 1.0
    return _class(newest / unit, ahead / unit)


def _class(newest: NDArray[np.float64], ahead: NDArray[np.float64]) -> Growth:
    noise = _noise(newest)
    both = np.concatenate([newest, ahead])
    if (both.min() > 0 or both.max() < 0) and _is_exponential(np.abs(both), len(ahead), noise):
        return "exponential"
    moved = _slope(ahead) * len(ahead) if len(ahead) > 2 else float(ahead[-1] - newest[-1])
    return "linear" if abs(moved) >= max(noise, 1e-12) else "marginal"


def _is_exponential(both: NDArray[np.float64], steps: int, noise: float) -> bool:
    place = np.arange(len(both))
    rate, start = np.polyfit(place, np.log(both), 1)
    curve = np.exp(start + rate * place)
    line = np.polyval(np.polyfit(place, both, 1), place)
    floor = 1e-18 * len(both)
    gain = len(both) * np.log((((both - line) ** 2).sum() + floor) / (((both - curve) ** 2).sum() + floor))
    moved = abs(float(curve[-1] - curve[-1 - steps]))
    return bool(gain >= 2 and abs(rate) * steps >= LEAST_RATE and moved >= max(noise, 1e-12))


def _slope(values: NDArray[np.float64]) -> float:
    place = np.arange(len(values)) - (len(values) - 1) / 2
    return float(place @ values / (place @ place))


def _noise(values: NDArray[np.float64]) -> float:
    """Return the noise's standard deviation from second differences: a straight course leaves none."""
    return float(np.sqrt(np.mean(np.diff(values, n=2) ** 2) / 6))
