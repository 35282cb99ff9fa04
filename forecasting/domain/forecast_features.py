"""What the global model sees of a series: its newest steps and its course, all in the series' own unit.

No number depends on the unit, on what zero means, or on anything after the last point. Everything is measured
from the last value, which is 0, in mean absolute steps, which are 1 (`forecast_input.Series`).
"""

from typing import Final

import numpy as np

from forecasting.domain.forecast_input import Floats
from forecasting.domain.forecast_local import Local, local

LAGS: Final = 9
FAR: Final = 40.0
"""Distances are cut here: further away is simply far."""

AHEAD: Final = 5  # smoothing and Theta are asked for this many steps
SLOPES: Final = (4, 6, 12, 30, 200)
RECENT: Final = (3, 5, 12)

NAMES: Final = (
    *(f"lag_{lag}" for lag in range(LAGS, 0, -1)),
    "mean",
    "median_of_5",
    "mean_of_10",
    *(f"slope_{points}" for points in SLOPES),
    "root_of_length",
    "spread_of_steps",
    "highest",
    "lowest",
    *(f"step_of_{points}" for points in RECENT),
    "median_step",
    "mean_change",
    "median_change",
    "share_up",
    "share_up_of_8",
    "share_still",
    "share_above",
    "smoothed_1",
    "smoothed_5",
    "smoothed_trend",
    "theta_1",
    "theta_5",
    "largest_step",
    "largest_step_of_5",
)


def features(scaled: Floats, own: Local | None = None) -> Floats:
    """Return the numbers named by NAMES of one scaled series of at least 8 points.

    `own`: what `local` says of it for five steps or more, where that is known.
    """
    steps = np.diff(scaled)
    sizes = np.abs(steps)
    own = own or local(scaled, AHEAD)
    last = AHEAD - 1
    parts = (
        scaled[-LAGS - 1 : -1] if len(scaled) > LAGS else _padded(scaled),
        [scaled.mean(), np.median(scaled[-5:]), scaled[-10:].mean()],
        [_slope(scaled[-points:]) for points in SLOPES],
        [np.sqrt(len(scaled)), steps.std(), scaled.max(), -scaled.min()],
        [sizes[-points:].mean() for points in RECENT],
        [np.median(sizes), steps.mean(), np.median(steps)],
        [(steps > 0).mean(), (steps[-8:] > 0).mean(), (steps == 0).mean(), (scaled > 0).mean()],
        [own.smooth[0], own.smooth[last], own.smooth[last] - own.smooth[0]],
        [own.theta[0], own.theta[last], sizes.max(), sizes[-5:].max()],
    )
    return np.clip(np.concatenate(parts), -FAR, FAR)


def _padded(scaled: Floats) -> Floats:
    """Return the lags of a series that is too short for all of them; before its begin it stands still."""
    return np.concatenate([np.full(LAGS + 1 - len(scaled), scaled[0]), scaled[:-1]])


def _slope(values: Floats) -> float:
    """Return the least-squares slope a step."""
    place = np.arange(len(values)) - (len(values) - 1) / 2
    return float(place @ values / (place @ place))
