"""How good forecasts were: errors, classes, calibration of intervals, and the same for each workflow.

Everything is computed from outcomes alone: a forecast's first step beside the number that came. What nothing
is known of is None or an empty list, never a zero; shares carry their interval and the count behind them.
"""

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean
from typing import Any

WINDOW = 20
"""Outcomes that a rolling figure looks back on."""
TAU = 0.5
"""Confidence below which a workflow is left to a person's review."""
LEVELS = (0.80, 0.95)
CONFIDENCE_OF_SHARES = 0.95
MIN_COURSE = 3
LEAST_RATE = 0.05

Panel = dict[str, Any]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Outcome:
    """One forecast's first step and what came.

    `error`: absolute error in units of what the naive forecast errs by, so it has no unit; None: not known.
    `bands`: interval of each level of `LEVELS`; None: the forecast had none. Empty classes: none was told.
    """

    predicted: float
    actual: float
    predicted_class: str = ""
    actual_class: str = ""
    workflow: str = ""
    scenario: str = ""
    error: float | None = None
    bands: tuple[Interval | None, ...] = (None, None)


def came_as(actual: Sequence[float], scale: float | None) -> str:
    """Return what course numbers took, in the words of forecasts: `exponential`, `linear` or `marginal`.

    `scale`: typical error of a naive forecast, in the unit of the numbers; it stands for their noise.
    `linear` where the least-squares line rises or falls by at least that much over them; `exponential` where
    furthermore a line through their logarithms fits better by two units of BIC and grows by 5 % or more;
    `marginal` otherwise. Empty with fewer than three numbers, or where the noise isn't known.
    """
    count = len(actual)
    if count < MIN_COURSE or scale is None or not all(map(math.isfinite, actual)):
        return ""
    start, slope = _line(actual)
    if abs(slope) * count < scale or slope == 0.0:
        return "marginal"
    if min(actual) <= 0:
        return "linear"
    base, rate = _line([math.log(value) for value in actual])
    straight = math.fsum((value - start - slope * at) ** 2 for at, value in enumerate(actual))
    bent = math.fsum((value - math.exp(base + rate * at)) ** 2 for at, value in enumerate(actual))
    better = bent < straight * math.exp(-2 / count)  # BIC: count * ln(error), equal numbers of parameters
    return "exponential" if better and abs(rate) * count >= LEAST_RATE else "linear"


def _line(values: Sequence[float]) -> tuple[float, float]:
    """Return start and slope of the least-squares line over 0, 1, 2, ..."""
    middle, mean = (len(values) - 1) / 2, fmean(values)
    rise = math.fsum((at - middle) * (value - mean) for at, value in enumerate(values))
    slope = rise / math.fsum((at - middle) ** 2 for at in range(len(values)))
    return mean - slope * middle, slope


def mean_absolute_error(outcomes: Sequence[Outcome]) -> float | None:
    """Return the mean of |predicted - actual| in the unit of the numbers; None without outcomes."""
    return fmean(_errors(outcomes)) if outcomes else None


def class_accuracy(outcomes: Iterable[Outcome]) -> float | None:
    """Return the share of outcomes whose class was foretold, of those that have both; None without any."""
    told = _told(outcomes)
    return sum(one.predicted_class == one.actual_class for one in told) / len(told) if told else None


def class_counts(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Return how often each class was foretold and how often it came, both over the same classes."""
    told = _told(outcomes)
    names = _names(told)
    return {
        "predicted": {name: sum(one.predicted_class == name for one in told) for name in names},
        "actual": {name: sum(one.actual_class == name for one in told) for name in names},
    }


def confusion_matrix(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Return counts as matrix[actual][predicted], square over every class that was foretold or came."""
    told = _told(outcomes)
    names = _names(told)
    matrix = {actual: dict.fromkeys(names, 0) for actual in names}
    for one in told:
        matrix[one.actual_class][one.predicted_class] += 1
    return matrix


def rolling_means(values: Iterable[float], window: int = WINDOW) -> list[float]:
    """Return after each value the mean of the newest `window` ones.

    The sum of a window is taken anew, exactly: differences of running sums would leave rounding behind.
    """
    if window < 1:
        raise ValueError(f"window: at least 1, got {window}")
    newest: deque[float] = deque(maxlen=window)
    means = []
    for value in values:
        newest.append(value)
        means.append(math.fsum(newest) / len(newest))
    return means


def rolling_variances(values: Sequence[float], window: int = WINDOW) -> list[float]:
    """Return after each value the population variance of the newest `window` ones; 0 for a single one."""
    newest: deque[float] = deque(maxlen=window)
    found = []
    for value in values:
        newest.append(value)
        mean = math.fsum(newest) / len(newest)
        found.append(math.fsum((each - mean) ** 2 for each in newest) / len(newest))
    return found


def share_interval(hits: int, count: int, confidence: float = CONFIDENCE_OF_SHARES) -> Interval:
    """Return Wilson's score interval of a share (Wilson 1927): it stays inside 0 to 1 at any count."""
    if not 0 <= hits <= count or count < 1:
        raise ValueError(f"hits of count: got {hits} of {count}")
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, grown = hits / count, 1 + z * z / count
    middle = (share + z * z / (2 * count)) / grown
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / grown
    # at the ends the formula is exact and only its rounding is not
    return (0.0 if hits == 0 else middle - half, 1.0 if hits == count else middle + half)


def coverage(outcomes: Iterable[Outcome]) -> list[Panel]:
    """Return for each level of interval how often it held: level, count, inside, share, low, high, verdict.

    `verdict` compares the level with the share's interval: `holds` when it lies inside, `too narrow` when too
    few numbers fell into the band, `too wide` when too many did, `not measured` without any.
    """
    kept = list(outcomes)
    return [_covered(level, _inside(kept, position)) for position, level in enumerate(LEVELS)]


def _inside(outcomes: list[Outcome], position: int) -> list[bool]:
    found = [(one.bands[position], one.actual) for one in outcomes if len(one.bands) > position]
    return [band[0] <= actual <= band[1] for band, actual in found if band is not None]


def _covered(level: float, inside: list[bool]) -> Panel:
    count, hits = len(inside), sum(inside)
    if not count:
        nothing = dict.fromkeys(("share", "low", "high"))
        return {"level": level, "count": 0, "inside": 0, **nothing, "verdict": "not measured"}
    low, high = share_interval(hits, count)
    verdict = "holds" if low <= level <= high else ("too narrow" if high < level else "too wide")
    return {
        "level": level,
        "count": count,
        "inside": hits,
        "share": hits / count,
        "low": low,
        "high": high,
        "verdict": verdict,
    }


def workflow_figures(
    outcomes: Iterable[Outcome], window: int = WINDOW, tau: float = TAU
) -> dict[str, dict[str, Any]]:
    """Return for each workflow, by name, the rolling `mae`, `variance` and `confidence`, and `needs_review`.

    confidence = 1 / (1 + mae + variance). Where every outcome of a workflow knows its error in units of the
    naive forecast's, both figures are taken of those: then the unit of the ROI changes nothing (`scaled`).
    Otherwise they are taken in the unit of the numbers: errors, and variance of what came.
    """
    kept: dict[str, list[Outcome]] = {}
    for one in outcomes:
        kept.setdefault(one.workflow, []).append(one)
    return {name: _workflow(kept[name], window, tau) for name in sorted(kept)}


def _workflow(outcomes: list[Outcome], window: int, tau: float) -> Panel:
    scaled = [one.error for one in outcomes if one.error is not None]
    unitless = len(scaled) == len(outcomes)
    errors = scaled if unitless else _errors(outcomes)
    spread = rolling_variances(scaled if unitless else [one.actual for one in outcomes], window)
    mae = rolling_means(errors, window)
    trust = [1.0 / (1.0 + error + variance) for error, variance in zip(mae, spread, strict=True)]
    return {
        "count": len(outcomes),
        "mae": mae,
        "variance": spread,
        "confidence": trust,
        "needs_review": trust[-1] < tau,
        "scaled": unitless,
    }


def prediction_panel(outcomes: Sequence[Outcome], *, window: int = WINDOW, tau: float = TAU) -> Panel:
    """Return everything that the evaluation dashboard says of forecasts, as plain mappings and lists.

    Keys: `count`, `mae`, `scaled_mae` (in errors of the naive forecast: one unit for all subjects),
    `accuracy` (None: no class is known yet), `class_counts`, `confusion_matrix` (`[actual][predicted]`),
    `mae_trend` and `accuracy_trend` (rolling, oldest first), `calibration` (see `coverage`), `workflow_mae`,
    `workflow_variance`, `workflow_confidence` (rolling lists by workflow) and `workflows` (their newest).
    """
    figures = workflow_figures(outcomes, window, tau)
    right = [float(one.predicted_class == one.actual_class) for one in _told(outcomes)]
    return {
        "count": len(outcomes),
        "mae": mean_absolute_error(outcomes),
        "scaled_mae": _mean([one.error for one in outcomes if one.error is not None]),
        "accuracy": class_accuracy(outcomes),
        "class_counts": class_counts(outcomes),
        "confusion_matrix": confusion_matrix(outcomes),
        "mae_trend": rolling_means(_errors(outcomes), window),
        "accuracy_trend": rolling_means(right, window),
        "calibration": coverage(outcomes),
        **{f"workflow_{key}": _of_each(figures, key) for key in ("mae", "variance", "confidence")},
        "workflows": {name: _newest(found) for name, found in figures.items()},
    }


def _of_each(figures: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, list[float]]:
    return {name: found[key] for name, found in figures.items()}


def _newest(figures: Mapping[str, Any]) -> Panel:
    last = {key: figures[key][-1] for key in ("mae", "variance", "confidence")}
    return {**last, "needs_review": figures["needs_review"], "count": figures["count"]}


def _mean(values: Sequence[float]) -> float | None:
    return fmean(values) if values else None


def _errors(outcomes: Iterable[Outcome]) -> list[float]:
    return [abs(one.predicted - one.actual) for one in outcomes]


def _told(outcomes: Iterable[Outcome]) -> list[Outcome]:
    return [one for one in outcomes if one.predicted_class and one.actual_class]


def _names(told: Iterable[Outcome]) -> list[str]:
    return sorted({name for one in told for name in (one.predicted_class, one.actual_class)})
