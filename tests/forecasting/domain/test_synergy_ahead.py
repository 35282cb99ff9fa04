"""Who foretells the next value of a synergy series, and what its history gives."""

import math
import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from forecasting.domain.forecast import answer
from forecasting.domain.synergy_ahead import LEAST_HISTORY, ahead, ahead_of_all, method_for, of_history, slope

RISING = [float(place) for place in range(12)]


def never(values: Sequence[float], horizon: int) -> Any:
    """Stand for a forecaster that must not be asked."""
    raise AssertionError("nobody asks")


@pytest.mark.parametrize(
    ("count", "short", "long", "by"),
    [
        (1, "ema", "ema", "ema"), (3, "arima", "ema", "ema"), (4, "arima", "ema", "arima"),
        (10, "ema", "lstm", "ema"), (11, "ema", "lstm", "lstm"), (11, "arima", "ema", "arima"),
        (7, "lstm", "ema", "ema"), (8, "lstm", "ema", "lstm"),
    ],
)  # fmt: skip
def test_who_answers(count: int, short: str, long: str, by: str) -> None:
    assert method_for(count, short, long) == by


@pytest.mark.parametrize("names", [("sarima", "ema"), ("ema", ""), ("ema", "LSTM")])
def test_an_unknown_method_is_refused_by_name(names: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="known: ema, arima, lstm"):
        method_for(5, *names)


def test_smoothing_asks_no_forecaster_and_says_how_reliable_it_was() -> None:
    told = ahead([1.0, 2.0], never)
    assert told == {"value": pytest.approx(1.3), "reliability": 0.5, "count": 2, "by": "ema"}
    assert ahead([1.0], never)["reliability"] is None


def test_methods_that_see_a_trend_go_on_with_it_and_smoothing_lags() -> None:
    smooth, combined, learned = (
        ahead(RISING, answer, short=name)["value"] for name in ("ema", "arima", "lstm")
    )
    assert smooth < 11.0 < combined
    assert abs(learned - 12.0) < abs(smooth - 12.0)


def test_a_series_that_never_moved_stays() -> None:
    assert ahead([2.0] * 9, answer, short="arima")["value"] == 2.0
    assert ahead([2.0] * 9, answer, short="lstm")["value"] == 2.0


def test_too_short_a_history_gives_no_projection() -> None:
    assert of_history([1.0], never) == {}
    assert set(of_history(RISING[: LEAST_HISTORY - 1], never)) == {"reliability"}


def test_the_history_of_a_rise_projects_more_and_a_slope_of_one() -> None:
    def on(values: Sequence[float], horizon: int) -> Any:
        return SimpleNamespace(mean=[values[-1] + step for step in range(1, horizon + 1)])

    found = of_history(RISING, on)
    assert found["long_term_lucrativity"] == pytest.approx(1.0)
    assert found["projected_lucrativity"] == pytest.approx(14.0)
    assert 0.0 < found["reliability"] <= 1.0


def test_a_slope_of_a_difference_is_the_difference_of_slopes() -> None:
    rng = random.Random(3)
    both, alone = ([rng.gauss(place / 9, 1) for place in range(20)] for _ in range(2))
    difference = [a - b for a, b in zip(both, alone, strict=True)]
    assert slope(difference) == pytest.approx(slope(both) - slope(alone))


def test_metrics_that_some_samples_lack_are_foretold_from_the_others() -> None:
    found = ahead_of_all([{"a": 1.0}, {"b": 5.0}, {"a": 2.0}], never)
    assert (found["a"]["count"], found["b"]["count"]) == (2, 1)
    assert found["b"]["value"] == 5.0
    assert all(math.isfinite(each["value"]) for each in found.values())
