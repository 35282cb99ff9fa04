"""The command that measures forecasts: its figures are what they say, and a missed bar is said."""

import importlib
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from django.conf import settings

from scripts import fit_forecast


@pytest.fixture
def forecasts(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("forecasts")


def test_relatives_share_a_fold(forecasts: ModuleType) -> None:
    names = ["r/pack.set.a", "r/pack.set.b", "lcdb/7.svm.0.0", "lcdb/7.tree.0.1", "m1y/T1", "m1y/T2"]
    folds = forecasts.folds_of(names)
    assert folds["r/pack.set.a"] == folds["r/pack.set.b"]
    assert folds["lcdb/7.svm.0.0"] == folds["lcdb/7.tree.0.1"]
    assert fit_forecast.source_of("m1y/T1") != fit_forecast.source_of("m1y/T2")


def test_made_series_are_the_same_for_a_seed(forecasts: ModuleType) -> None:
    assert forecasts.made(3, 10) == forecasts.made(3, 10) != forecasts.made(4, 10)
    assert all(np.isfinite(values).all() and len(values) >= 25 for values in forecasts.made(3, 10).values())


def test_the_true_spread_of_made_series_is_known_and_may_change(forecasts: ModuleType) -> None:
    even, uneven = (dict(forecasts.laws(3, 5, changing=changing)) for changing in (False, True))
    assert {name: each.values.tolist() for name, each in even.items()} == forecasts.made(3, 5)
    assert even.keys() == uneven.keys()
    for name, each in uneven.items():
        assert each.values.shape == each.spread.shape == even[name].values.shape
        assert each.spread.min() > 0
        assert np.ptp(each.spread / even[name].spread) > 0.1


def test_reliability_is_asked_for_no_more_than_the_true_spread_gives(forecasts: ModuleType) -> None:
    assert [forecasts.least_rank(known) for known in (None, 0.5)] == [0.3, 0.3]
    assert forecasts.least_rank(0.2) == pytest.approx(0.15)
    found = forecasts.uneven(1, 1)
    assert -1 <= found["reliability"] <= 1
    assert found["known"] is not None


def test_a_ratio_has_an_interval_around_it(forecasts: ModuleType) -> None:
    random = np.random.default_rng(0)
    pairs = np.abs(random.normal(1, 0.1, (2, 60))) * np.array([[0.8], [1.0]])
    found = forecasts.spread(pairs, [f"m1y/{place}" for place in range(60)], seed=1)
    assert found["low"] < found["ratio"] < found["high"]
    assert found["ratio"] == pytest.approx(0.8, abs=0.05)


def test_rank_correlation_is_of_trust_with_exactness(forecasts: ModuleType) -> None:
    missed = [float(value) for value in range(20)]
    assert forecasts.rank_correlation([1 / (1 + value) for value in missed], missed) == pytest.approx(1.0)
    assert forecasts.rank_correlation(missed, missed) == pytest.approx(-1.0)
    assert forecasts.rank_correlation([1.0], [1.0]) is None


def test_f1_counts_both_kinds_of_mistakes(forecasts: ModuleType) -> None:
    assert forecasts.one_f1(["linear", "linear"], ["linear", "marginal"], "linear") == pytest.approx(2 / 3)
    assert forecasts.one_f1(["linear"], ["linear"], "marginal") == 0.0


def report(**changed: Any) -> dict[str, Any]:
    ratios = {field: {"ratio": 0.95, "low": 0.9, "high": 1.0, "best": "drift"} for field in ("crps", "mase")}
    walked = {"inside80": 0.8, "inside95": 0.95, "reliability": 0.4, "known": None, "steps": 100}
    growth = {"macro_f1": 0.9, "majority": 0.2, "by_class": {}}
    families = {"r": {"mase": 0.9, "crps": 0.9}}
    made = {"ours over best": ratios, "walked": walked, "growth": growth, "families": families, "ms": 3.0}
    return {**made, "uneven": walked, "methods": {}, **changed}


def test_bars_are_met_and_missed(forecasts: ModuleType) -> None:
    assert all(bar["ok"] for bar in forecasts.bars_of(report()))
    worse = forecasts.bars_of(report(families={"r": {"mase": 1.06, "crps": 0.9}}, ms=21.0))
    assert [bar["bar"] for bar in worse if not bar["ok"]] == [
        "worst family over the last value",
        "CPU ms a forecast",
    ]


def test_what_was_not_measured_is_said_and_not_met(
    forecasts: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    walked = {"inside80": None, "inside95": 0.95, "reliability": 0.4, "known": None, "steps": 0}
    found = report(walked=walked)
    forecasts.show({**found, "bars": forecasts.bars_of(found)})
    assert "MISS 80 % coverage after 20 errors: not measured" in capsys.readouterr().out


def test_the_script_tells_what_it_was_given(forecasts: ModuleType) -> None:
    corpus = {f"m1y/{name}": values[:24] for name, values in forecasts.made(1, 6).items()}
    data = fit_forecast.data_of(corpus)
    assert (data["series"], data["points"], data["families"]) == (6, 144, {"m1y": 6})
    assert set(fit_forecast.sources_of(corpus)) == set(corpus)
    rows = fit_forecast.repeated(np.array([1.0, 2.0, 4.0]))
    assert rows.shape == (5, 7)
    assert (rows[:, 3] == 4.0).all()
