"""How much of a forecast is the global model's and how much the combination's, by how each did on the series.

Both are asked what they would have said at five earlier points of the series, each time with nothing but what
lay before. From their mean pinball losses G and C there, n of them,

    weight of the model = 1 / (1 + exp(-(1/2 - 8 sqrt(n) 2 (G - C) / (G + C))))

so the model has .62 while nothing is known, and nearly all or nothing where one was clearly better. Quantiles
are averaged level by level, not their densities, so that two sharp forecasts stay one (Lichtendahl et al.,
*Is it better to average probabilities or quantiles?*, 2013); weights from recent losses are those of Bates
and Granger (*The combination of forecasts*, 1969), steeper.
"""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Final

import numpy as np

from forecasting.domain.forecast_features import features
from forecasting.domain.forecast_forest import Forest, stretched
from forecasting.domain.forecast_input import FLAT, Floats
from forecasting.domain.forecast_local import Local, combined, locals_at

BACK: Final = (1, 3, 5, 8, 11)
"""How many points before the end the two are asked."""
AHEAD: Final = 5
"""Steps that a loss is the mean over, as far as the series goes."""
LEAST: Final = 8
PRIOR: Final = 0.5
STEEPNESS: Final = 8.0
LEVELS: Final = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])
NORMALS: Final = np.array([-1.95996, -1.28155, -0.67449, 0.0, 0.67449, 1.28155, 1.95996])


def mixed(scaled: Floats, horizon: int, levels: Floats, normals: Floats, forest: Forest) -> Floats:
    """Return quantiles [horizon, levels] of a scaled series of at least 8 points; levels rise."""
    past = [end for back in BACK if (end := len(scaled) - back) >= LEAST and _moves(scaled[:end])]
    *earlier, now = locals_at(scaled, (*past, len(scaled)), max(horizon, AHEAD))
    known = stretched(forest.quantiles(features(scaled, now), levels), horizon)
    share = weight([_losses(scaled, end, own, forest) for end, own in zip(past, earlier, strict=True)])
    result: Floats = share * known + (1 - share) * combined(now, scaled, normals)[:horizon]
    return result


def weight(losses: Sequence[tuple[float, float]]) -> float:
    """Return the model's weight, 0 to 1, from the losses of the model and of the combination so far."""
    model, plain = (fmean(each) for each in zip(*losses, strict=True)) if losses else (0.0, 0.0)
    worse = 2 * (model - plain) / (model + plain) if model + plain > 0 else 0.0
    return 1 / (1 + math.exp(STEEPNESS * math.sqrt(len(losses)) * worse - PRIOR))


def _moves(values: Floats) -> bool:
    return float(np.abs(np.diff(values)).mean()) > FLAT * float(np.abs(values).max())


def _losses(scaled: Floats, end: int, own: Local, forest: Forest) -> tuple[float, float]:
    """Return the mean pinball losses of both from an earlier point."""
    before = scaled[:end] - scaled[end - 1]
    unit = float(np.abs(np.diff(before)).mean())
    came = (scaled[end : end + AHEAD] - scaled[end - 1]) / unit
    before /= unit
    steps = len(came)
    model = forest.quantiles(features(before, own), LEVELS, steps)
    return _pinball(model, came), _pinball(combined(own, before, NORMALS)[:steps], came)


def _pinball(paths: Floats, came: Floats) -> float:
    above = came[:, None] - paths
    return float(np.maximum(LEVELS * above, (LEVELS - 1) * above).mean())
