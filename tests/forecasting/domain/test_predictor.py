"""`AdaptiveROIPredictor`: learns from history only what is better, and never from the future."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from forecasting.domain import forecast, forecast_rows, forecast_shipped, predictor
from forecasting.domain.forecast import answer
from forecasting.domain.forecast_forest import BadModel
from forecasting.domain.predictor import (
    LEAST_ROWS,
    OWN_TREES,
    SHIPPED,
    AdaptiveROIPredictor,
    Training,
    _choice,
    _tested,
)
from forecasting.domain.predictor_context import History
from tests.forecasting.forests import few_trees

WALK = np.cumsum(np.random.default_rng(3).normal(0.4, 1.0, 60)).tolist()


def teeth(seed: int, points: int = 56) -> list[float]:
    """A course that no shipped row shows: up by three, down by seven, with a little noise."""
    random = np.random.default_rng(seed)
    steps = np.tile([3.0, 3.0, -7.0], points)[seed % 3 : seed % 3 + points]
    return [float(value) for value in np.cumsum(steps) + random.normal(0, 0.1, points)]


@pytest.fixture(scope="module", autouse=True)
def _few_trees() -> Iterator[None]:
    """Train on top of few trees: that is quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forecast_shipped, "usable", lambda: (few_trees(), "global 1"))
        yield


@pytest.fixture(scope="module")
def learned() -> tuple[AdaptiveROIPredictor, Training]:
    found = AdaptiveROIPredictor()
    return found, found.refresh({f"bot{seed}": teeth(seed) for seed in range(5)})


def test_a_new_one_is_the_shipped_model() -> None:
    found = AdaptiveROIPredictor()
    assert found.predict(WALK, 5) == answer(WALK, 5)
    assert found.recipe == SHIPPED
    assert found.problem == ""


def test_it_says_who_answered_with_little_history() -> None:
    assert AdaptiveROIPredictor().predict([1.0, 2.0], 3).model == "naive"


def test_what_repeats_in_the_histories_is_learned(learned: tuple[AdaptiveROIPredictor, Training]) -> None:
    found, training = learned
    assert training.changed
    assert training.chosen.startswith("leaves")
    assert training.backtest[training.chosen]["crps"] < 0.9 * training.backtest[SHIPPED]["crps"]  # type: ignore[operator]
    fresh = teeth(50, 60)
    missed = [
        abs(each.predict(fresh[:57], 1).mean[0] - fresh[57]) for each in (found, AdaptiveROIPredictor())
    ]
    assert missed[0] < 0.8 * missed[1]
    assert found.predict(fresh, 2).model == found.name != AdaptiveROIPredictor().name


def test_what_the_shipped_model_knows_better_changes_nothing() -> None:
    random = np.random.default_rng(0)
    noise = {f"bot{place}": random.standard_t(3, 40).tolist() for place in range(3)}
    found = AdaptiveROIPredictor()
    training = found.refresh(noise)
    best = min(training.backtest, key=lambda name: training.backtest[name]["crps"] or 9.0)
    assert training.changed == (found.recipe != SHIPPED) == (training.chosen != SHIPPED)
    assert training.chosen in {best, SHIPPED}


@pytest.mark.parametrize("histories", [{}, {"a": [1.0, 2.0]}, {"a": [1.0] * 80}, {"a": WALK[:30]}])
def test_too_little_history_changes_nothing(histories: dict[str, list[float]]) -> None:
    found = AdaptiveROIPredictor()
    training = found.train(histories)
    assert not training.changed
    assert training.rows < LEAST_ROWS
    assert str(LEAST_ROWS) in training.reason
    assert training.backtest == {}
    assert found.predict(WALK, 3) == answer(WALK, 3)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        AdaptiveROIPredictor().train({"a": [*WALK, float("nan")]})
    with pytest.raises(ValueError, match="fields"):
        AdaptiveROIPredictor().train({"a": History(WALK, [{}])})


def test_no_candidate_is_given_the_points_it_is_judged_by(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = {f"bot{seed}": teeth(seed) for seed in range(3)}
    trained_on: list[Any] = []
    asked: list[int] = []
    real_rows, real_quantiles = forecast_rows.rows_of, forecast.quantiles

    def rows_of(series: Any, most: int, random: Any) -> Any:
        trained_on.append([len(values) for values in series])
        return real_rows(series, most, random)

    def quantiles(values: Any, *args: Any, **options: Any) -> Any:
        asked.append(len(values))
        return real_quantiles(values, *args, **options)

    monkeypatch.setattr(predictor, "rows_of", rows_of)
    monkeypatch.setattr(predictor, "quantiles", quantiles)
    found = AdaptiveROIPredictor()
    found._scores([History.of(values) for values in histories.values()], quick=True)
    cut = 56 - _tested(History(teeth(0)))
    assert trained_on == [[cut] * 3]
    assert cut <= min(asked) and max(asked) <= 56 - 5  # noqa: PT018


def test_a_changed_future_changes_no_backtest_of_the_past() -> None:
    plain = {f"bot{seed}": teeth(seed) for seed in range(3)}
    longer = {name: values + [1e3 * (-1) ** place for place in range(5)] for name, values in plain.items()}
    cut = {name: values[:-5] for name, values in longer.items()}
    assert AdaptiveROIPredictor().refresh(cut).backtest == AdaptiveROIPredictor().refresh(plain).backtest


def test_another_recipe_must_be_clearly_better() -> None:
    assert _choice({SHIPPED: 1.0, "leaves 0.1": 0.999}, SHIPPED)[0] == SHIPPED
    assert _choice({SHIPPED: 1.0, "leaves 0.1": 0.9}, SHIPPED)[0] == "leaves 0.1"
    assert _choice({SHIPPED: 0.9, "leaves 0.1": 1.0}, "leaves 0.1")[0] == SHIPPED
    assert _choice({SHIPPED: 1.0, "leaves 0.1": 0.9}, OWN_TREES)[0] == "leaves 0.1"


def test_own_trees_are_tried_where_there_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predictor, "OWN_TREES_ROWS", 40)
    tried: list[Any] = []

    def fit(series: Any, plan: Any) -> Any:
        tried.append(max(len(values) for values in series))
        return forecast_shipped.shipped()

    monkeypatch.setattr(predictor, "fit", fit)
    training = AdaptiveROIPredictor().train({f"bot{seed}": teeth(seed) for seed in range(3)})
    assert OWN_TREES in training.backtest
    assert tried == [56 - _tested(History(teeth(0)))]


def test_saved_and_loaded_it_says_the_same(learned: tuple[AdaptiveROIPredictor, Training]) -> None:
    found, _ = learned
    data = found.dump()
    again = AdaptiveROIPredictor.load(data, digest=forecast_shipped.digest_of(data))
    assert again.predict(WALK, 5) == found.predict(WALK, 5)
    assert again.name == found.name


def test_a_corrupted_file_is_named_and_the_shipped_model_answers(
    learned: tuple[AdaptiveROIPredictor, Training],
) -> None:
    data = learned[0].dump()
    digest = forecast_shipped.digest_of(data)
    with pytest.raises(BadModel, match="was changed"):
        AdaptiveROIPredictor.load(data[:-1] + b"x", digest=digest)
    fallen = AdaptiveROIPredictor.load_or_shipped(data[:1000], digest=digest)
    assert "was changed" in fallen.problem
    assert fallen.predict(WALK, 5) == answer(WALK, 5)


def test_without_any_model_the_combination_answers_and_nothing_is_saved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(forecast_shipped, "usable", lambda: (None, ""))
    found = AdaptiveROIPredictor()
    assert found.predict(WALK, 3).model == "combination"
    with pytest.raises(BadModel, match="no model to save"):
        found.dump()


def test_drift_of_the_errors_asks_for_training() -> None:
    random = np.random.default_rng(2)
    steady = np.abs(random.normal(0, 1, 80)).tolist()
    found = AdaptiveROIPredictor()
    assert not found.needs_retraining(steady[:19])
    assert not found.needs_retraining(steady)
    assert found.needs_retraining(steady + [6.0 + value for value in steady[:20]])


def test_quantiles_are_those_of_the_model(learned: tuple[AdaptiveROIPredictor, Training]) -> None:
    found, _ = learned
    assert np.allclose(found.quantiles(WALK, 4, [0.5])[:, 0], found.predict(WALK, 4).mean)
