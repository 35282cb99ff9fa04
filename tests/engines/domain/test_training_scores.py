"""Metrics agree with scikit-learn's, and their contributions with the metrics."""

from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sk

from engines.domain.training_scores import (
    DIRECTION,
    OF_TASK,
    Predictions,
    ScoreError,
    contributions,
    predictions,
    score,
    score_all,
)

RNG = np.random.default_rng(3)
TRUTH = RNG.integers(0, 2, 60)
CHANCES = np.clip(TRUTH * 0.5 + RNG.uniform(0, 0.5, 60), 0.01, 0.99)
CLASSES = np.array([0, 1])
SAID = (CHANCES > 0.5).astype(int)
LABELS = Predictions(TRUTH, SAID, np.column_stack([1 - CHANCES, CHANCES]), CLASSES)
HEIGHTS = RNG.normal(10, 3, 60)
NUMBERS = Predictions(HEIGHTS, HEIGHTS + RNG.normal(0, 1, 60))


@pytest.mark.parametrize(
    ("name", "told", "expected"),
    [
        ("accuracy", LABELS, sk.accuracy_score(TRUTH, SAID)),
        ("balanced_accuracy", LABELS, sk.balanced_accuracy_score(TRUTH, SAID)),
        ("f1", LABELS, sk.f1_score(TRUTH, SAID, average="macro")),
        ("roc_auc", LABELS, sk.roc_auc_score(TRUTH, CHANCES)),
        ("log_loss", LABELS, sk.log_loss(TRUTH, CHANCES)),
        ("r2", NUMBERS, sk.r2_score(HEIGHTS, NUMBERS.said)),
        ("mae", NUMBERS, sk.mean_absolute_error(HEIGHTS, NUMBERS.said)),
        ("mse", NUMBERS, sk.mean_squared_error(HEIGHTS, NUMBERS.said)),
        ("rmse", NUMBERS, sk.root_mean_squared_error(HEIGHTS, NUMBERS.said)),
    ],
)
def test_metrics_are_the_usual_ones(name: str, told: Predictions, expected: float) -> None:
    assert score(name, told) == pytest.approx(expected)


@pytest.mark.parametrize("name", DIRECTION)
def test_contributions_average_to_the_metric(name: str) -> None:
    told = LABELS if name in OF_TASK["classification"] else NUMBERS
    rows = contributions(name, told)
    assert rows is not None
    assert rows.shape == (60,)
    sign = 1.0 if DIRECTION[name] == "max" else -1.0
    assert sign * rows.mean() == pytest.approx(score(name, told))


@pytest.mark.parametrize("name", ["f1", "roc_auc", "rmse"])
def test_their_spread_is_that_of_the_metric(name: str) -> None:
    """Against the bootstrap of the metric itself; 400 resamples know a spread to 4 %."""
    told = LABELS if name in OF_TASK["classification"] else NUMBERS
    drawn = [again(name, told, seed) for seed in range(400)]
    rows = contributions(name, told)
    assert rows is not None
    assert rows.std(ddof=1) / np.sqrt(len(rows)) == pytest.approx(np.std(drawn), rel=0.2)


def again(name: str, told: Predictions, seed: int) -> float:
    """Return the metric of rows drawn with replacement."""
    rows = np.random.default_rng(seed).integers(0, len(told.truth), len(told.truth))
    chances = None if told.probabilities is None else told.probabilities[rows]
    value = score(name, Predictions(told.truth[rows], told.said[rows], chances, told.classes))
    assert value is not None
    return value


def test_a_classifier_of_three_classes_has_the_same_f1_by_rows() -> None:
    truth, said = RNG.integers(0, 3, 90), RNG.integers(0, 4, 90)
    rows = contributions("f1", Predictions(truth, said))
    assert rows is not None
    assert rows.mean() == pytest.approx(sk.f1_score(truth, said, average="macro", zero_division=0.0))


def test_a_perfect_regression_has_no_error_in_any_row() -> None:
    rows = contributions("rmse", Predictions(HEIGHTS, HEIGHTS))
    assert rows is not None
    assert not rows.any()


def test_what_can_not_be_measured_is_absent() -> None:
    bare = Predictions(TRUTH, SAID)
    assert set(score_all("classification", bare)) == {"accuracy", "balanced_accuracy", "f1"}
    assert contributions("log_loss", bare) is None
    assert contributions("roc_auc", bare) is None
    flat = Predictions(np.ones(5), np.ones(5))
    assert set(score_all("regression", flat)) == {"mae", "mse", "rmse"}
    assert contributions("r2", flat) is None


def test_an_unknown_metric_names_the_known_ones() -> None:
    with pytest.raises(ScoreError, match="accuracy, balanced_accuracy"):
        score("beauty", LABELS)


class Says:
    """A model that says what it was told to say."""

    def __init__(self, said: Any, chances: Any = None, classes: Any = None) -> None:
        self.said = said
        if chances is not None:
            self.predict_proba = lambda rows: chances
            self.classes_ = classes

    def predict(self, rows: Any) -> Any:
        return self.said


def test_a_column_of_predictions_is_taken_as_a_row_each() -> None:
    told = predictions(Says(np.ones((4, 1))), np.zeros((4, 2)), np.zeros(4), "regression")
    assert told.said.shape == (4,)


@pytest.mark.parametrize("said", [np.ones(3), np.ones((4, 2)), 1.0])
def test_predictions_of_another_number_are_refused(said: Any) -> None:
    with pytest.raises(ScoreError, match="shape"):
        predictions(Says(said), np.zeros((4, 2)), np.zeros(4), "regression")


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_predictions_that_are_no_numbers_are_refused(bad: float) -> None:
    with pytest.raises(ScoreError, match="NaN"):
        predictions(Says(np.array([1.0, bad])), np.zeros((2, 1)), np.zeros(2), "regression")


@pytest.mark.parametrize(
    ("chances", "classes"),
    [
        (np.full((4, 3), 0.3), [0, 1]),
        (np.full((4, 2), np.nan), [0, 1]),
        (np.full((4, 2), 0.5), [0, 2]),
    ],
)
def test_unusable_probabilities_are_passed_over(chances: Any, classes: Any) -> None:
    truth = np.array([0, 1, 0, 1])
    told = predictions(Says(truth, chances, classes), np.zeros((4, 1)), truth, "classification")
    assert told.probabilities is None
    assert score("accuracy", told) == 1.0
