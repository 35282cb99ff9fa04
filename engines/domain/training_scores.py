"""Metrics of predictions, and what each row contributes to them.

Two models are compared row by row, so a metric has to be the mean of one number per row. Where it isn't one
by itself, its influence function makes it one: the metric plus what a little more weight on the row would do
to it (Hampel 1974; for roc_auc these are DeLong's placements). Their mean is the metric, exactly, and their
spread that of the metric, to first order. `contributions` returns those numbers, more is better.

| metric | contribution of a row |
| --- | --- |
| accuracy | 1 when right |
| balanced_accuracy | rows / (classes x rows of its class) when right |
| log_loss | log of the probability given to the true class |
| mae, mse | minus the absolute, squared error |
| r2 | 1 - squared error / variance of the targets |
| rmse | -rmse - (squared error - mse) / (2 rmse) |
| f1 | mean over classes of F + rows (2 hit - F (true + said)) / (rows of the class, true + said) |
| roc_auc | auc + rows / rows of its class (share of the other class it is rightly ranked against - auc) |
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn import metrics as sk

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float64]

DIRECTION: Final = {
    "accuracy": "max",
    "balanced_accuracy": "max",
    "f1": "max",
    "roc_auc": "max",
    "log_loss": "min",
    "r2": "max",
    "mae": "min",
    "mse": "min",
    "rmse": "min",
}
"""Known metrics and which way is better."""

OF_TASK: Final = {
    "classification": ("accuracy", "balanced_accuracy", "f1", "roc_auc", "log_loss"),
    "regression": ("r2", "mae", "mse", "rmse"),
}


class ScoreError(ValueError):
    """Predictions can't be scored; the message says why."""


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said about rows whose truth is known."""

    truth: Array
    said: Array
    #: shape (rows, classes); None when the model gives no probabilities
    probabilities: Floats | None = None
    classes: Array | None = None


def predictions(model: Any, x: Array, truth: Array, task: str) -> Predictions:
    """Ask a fitted model and check the shape of what it answers.

    Raises:
        ScoreError: wrong shape, or NaN or infinity among the predictions.
    """
    said = np.asarray(model.predict(x))
    if said.shape != truth.shape:
        said = said.reshape(truth.shape) if said.size == truth.size else _wrong(said, truth)
    if task == "regression":
        said = said.astype(float)
        if not np.isfinite(said).all():
            raise ScoreError("the model predicted NaN or infinity")
        return Predictions(truth, said)
    return Predictions(truth, said, *_probabilities(model, x, truth))


def _wrong(said: Array, truth: Array) -> Array:
    raise ScoreError(f"the model predicted shape {said.shape} for {truth.shape} rows")


def _probabilities(model: Any, x: Array, truth: Array) -> tuple[Floats | None, Array | None]:
    """Return class probabilities when the model gives usable ones."""
    if not (hasattr(model, "predict_proba") and hasattr(model, "classes_")):
        return None, None
    classes = np.asarray(model.classes_)
    given = np.asarray(model.predict_proba(x), dtype=float)
    usable = given.shape == (len(truth), len(classes)) and bool(np.isfinite(given).all())
    known = bool(np.isin(truth, classes).all())
    return (given, classes) if usable and known else (None, None)


def score(name: str, told: Predictions) -> float | None:
    """Return one metric; None when these predictions don't allow it.

    Raises:
        ScoreError: for a metric that is not known.
    """
    if name not in _SCORES:
        raise ScoreError(f"metric {name!r} is not known; known are {', '.join(sorted(_SCORES))}")
    value = _SCORES[name](told)
    return None if value is None or not np.isfinite(value) else float(value)


def score_all(task: str, told: Predictions) -> dict[str, float]:
    """Return every metric of the task that these predictions allow."""
    values = {name: score(name, told) for name in OF_TASK[task]}
    return {name: value for name, value in values.items() if value is not None}


def contributions(name: str, told: Predictions) -> Floats | None:
    """Return what each row contributes, more is better; None when these predictions don't allow it."""
    function = _CONTRIBUTIONS.get(name)
    return None if function is None else function(told)


def _roc_auc(told: Predictions) -> float | None:
    if told.probabilities is None or told.probabilities.shape[1] != 2 or len(np.unique(told.truth)) != 2:
        return None
    return float(sk.roc_auc_score(told.truth, told.probabilities[:, 1]))


def _log_loss(told: Predictions) -> float | None:
    rows = _log_probability(told)
    return None if rows is None else -float(rows.mean())


def _log_probability(told: Predictions) -> Floats | None:
    if told.probabilities is None or told.classes is None:
        return None
    column = np.searchsorted(told.classes, told.truth)
    given = told.probabilities[np.arange(len(column)), column]
    return np.asarray(np.log(np.clip(given, np.finfo(float).eps, 1.0)), dtype=float)


def _right(told: Predictions) -> Floats:
    return np.asarray(told.said == told.truth, dtype=float)


def _balanced(told: Predictions) -> Floats:
    classes, position, counts = np.unique(told.truth, return_inverse=True, return_counts=True)
    weight = len(told.truth) / (len(classes) * counts)
    return np.asarray(_right(told) * weight[position], dtype=float)


def _r2(told: Predictions) -> Floats | None:
    variance = float(np.var(told.truth))
    return None if variance == 0.0 else 1.0 - _squared(told) / variance


def _squared(told: Predictions) -> Floats:
    return np.asarray(np.square(told.said - told.truth), dtype=float)


def _rmse_rows(told: Predictions) -> Floats:
    squared = _squared(told)
    rmse = float(np.sqrt(squared.mean()))
    return -squared if rmse == 0.0 else -rmse - (squared - squared.mean()) / (2 * rmse)


def _f1_rows(told: Predictions) -> Floats:
    """Return the rows of the macro average over all classes that occur or were predicted."""
    classes = np.unique(np.concatenate([told.truth, told.said]))
    return np.asarray(np.mean([_f1_of(told, each) for each in classes], axis=0), dtype=float)


def _f1_of(told: Predictions, one: Any) -> Floats:
    true, said = told.truth == one, told.said == one
    hit, either = (true & said).astype(float), true.astype(float) + said.astype(float)
    f1 = 2 * hit.sum() / either.sum()
    return np.asarray(f1 + len(true) * (2 * hit - f1 * either) / either.sum(), dtype=float)


def _roc_auc_rows(told: Predictions) -> Floats | None:
    auc = _roc_auc(told)
    if auc is None or told.probabilities is None or told.classes is None:
        return None
    score, positive = told.probabilities[:, 1], told.truth == told.classes[1]
    rows = np.empty(len(score))
    for own, sign in ((positive, 1.0), (~positive, -1.0)):
        placed = _placements(sign * score[own], np.sort(sign * score[~own]))
        rows[own] = auc + len(score) / own.sum() * (placed - auc)
    return rows


def _placements(values: Floats, others: Floats) -> Floats:
    """Return the share of the sorted others that each value exceeds, ties counted half."""
    below, upto = (np.searchsorted(others, values, side) for side in ("left", "right"))
    return np.asarray((below + upto) / (2 * len(others)), dtype=float)


def _mean(values: Floats | None) -> float | None:
    return None if values is None else float(values.mean())


_CONTRIBUTIONS: Final[dict[str, Callable[[Predictions], Floats | None]]] = {
    "accuracy": _right,
    "balanced_accuracy": _balanced,
    "log_loss": _log_probability,
    "r2": _r2,
    "mae": lambda told: -np.abs(told.said - told.truth),
    "mse": lambda told: -_squared(told),
    "rmse": _rmse_rows,
    "f1": _f1_rows,
    "roc_auc": _roc_auc_rows,
}

_SCORES: Final[dict[str, Callable[[Predictions], float | None]]] = {
    "accuracy": lambda told: _mean(_right(told)),
    "balanced_accuracy": lambda told: _mean(_balanced(told)),
    "f1": lambda told: float(sk.f1_score(told.truth, told.said, average="macro", zero_division=0.0)),
    "roc_auc": _roc_auc,
    "log_loss": _log_loss,
    "r2": lambda told: _mean(_r2(told)),
    "mae": lambda told: float(np.abs(told.said - told.truth).mean()),
    "mse": lambda told: _mean(_squared(told)),
    "rmse": lambda told: float(np.sqrt(_squared(told).mean())),
}
