"""The next value of a series of synergy, by the method that the settings name, and what its history gives.

`ema`: exponential smoothing, weight 0.3. `arima`: the combination of `forecast_local`, whose smoothings are
the ARIMA(0, 1, 1) and, with a damped trend, ARIMA(1, 1, 2) processes (Hyndman et al., *Forecasting with
exponential smoothing*, 2008, ch. 11), averaged rather than chosen by their fit. `lstm`: the model that
learned from many series, which is the global forest here, no recurrent network.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from statistics import fmean
from typing import Any, Final

from forecasting.domain.synergy import Smoothed

METHODS: Final = ("ema", "arima", "lstm")
LONG: Final = 10
"""Values above which `SANDBOX_SYNERGY_MODEL` answers in place of `SYNERGY_FORECAST_METHOD`."""
LEAST: Final = {"ema": 1, "arima": 4, "lstm": 8}
"""Values that a method needs; with fewer, smoothing answers."""
HORIZON: Final = 5
LEAST_HISTORY: Final = 8
"""Values of `synergy_roi` from which its forecast and its slope are metrics of their own."""

Answer = Callable[..., Any]
"""`forecast.answer` or what stands in its place: (values, horizon) → a forecast with `mean`."""


def method_for(count: int, short: str, long: str) -> str:
    """Return who answers for a series of so many values: `long` over 10 of them, unless it says `ema`.

    A method that needs more values than there are leaves the answer to smoothing. ValueError: an unknown one.
    """
    for method in (short, long):
        if method not in METHODS:
            raise ValueError(f"{method[:40]!r} forecasts no synergy; known: {', '.join(METHODS)}")
    wanted = long if count > LONG and long != "ema" else short
    return wanted if count >= LEAST[wanted] else "ema"


def ahead(
    values: Sequence[float], answer: Answer, *, short: str = "ema", long: str = "ema"
) -> dict[str, Any]:
    """Return the next value of a series, how reliable such forecasts of it were, and who made it.

    Keys: `value`, `reliability` (of smoothing, 0 to 1, None before the second value), `count`, `by`. The
    values are finite, oldest first, at least one.
    """
    series = smoothed(values)
    by = method_for(len(values), short, long)
    return {"value": _next(values, series, by, answer), "reliability": series.reliability,
            "count": len(values), "by": by}  # fmt: skip


def smoothed(values: Sequence[float]) -> Smoothed:
    """Return a series that took all of these values."""
    series = Smoothed()
    for value in values:
        series.add(value)
    return series


def _next(values: Sequence[float], series: Smoothed, by: str, answer: Answer) -> float:
    if by == "ema":
        return series.level or 0.0
    if by == "lstm":
        return float(answer(values, 1).mean[0])
    return _combined(values)


def _combined(values: Sequence[float]) -> float:
    read = import_module("forecasting.domain.forecast_input").checked(values)
    if read.flat:
        return float(values[-1])
    path = import_module("forecasting.domain.forecast_local").combination(read.scaled, 1, (0.0,))
    return float(read.back(path)[0][0])


def of_history(values: Sequence[float], answer: Answer) -> dict[str, float]:
    """Return what a series of `synergy_roi` gives beyond its newest value, by the names of the metrics.

    `projected_lucrativity`: mean of the next five values as they are forecast; `long_term_lucrativity`: slope
    of a straight line by least squares, per event. Both speak of a difference, combined - alone.
    `reliability`: of its forecasts. What there is too little history for is absent.
    """
    found: dict[str, float] = {}
    reliable = smoothed(values).reliability
    if reliable is not None:
        found["reliability"] = reliable
    if len(values) >= LEAST_HISTORY:
        found["projected_lucrativity"] = fmean(map(float, answer(values, HORIZON).mean))
        found["long_term_lucrativity"] = slope(values)
    return found


def slope(values: Sequence[float]) -> float:
    """Return the least-squares slope of equally spaced values, per step.

    >>> slope([1.0, 3.0, 5.0])
    2.0
    """
    centre, mean = (len(values) - 1) / 2, fmean(values)
    spread = sum((place - centre) ** 2 for place in range(len(values)))
    return sum((place - centre) * (value - mean) for place, value in enumerate(values)) / spread


def ahead_of_all(
    rows: Sequence[Mapping[str, float]], answer: Answer, *, short: str = "ema", long: str = "ema"
) -> dict[str, dict[str, Any]]:
    """Return `ahead` of each metric that any of these samples has; samples are oldest first."""
    series: dict[str, list[float]] = {}
    for metrics in rows:
        for name, value in metrics.items():
            series.setdefault(name, []).append(value)
    return {name: ahead(values, answer, short=short, long=long) for name, values in series.items()}
