"""What a bot's pipeline factory returns, read inside the run that trains it.

The protocol, as documented for authors in `docs/howto/attach-a-repository.md`: the factory returns a
mapping or an object with

- `dataset`: `() -> (X, y)`, or `X` and `y` themselves,
- `estimator`: `(params) -> object` with `fit(X, y)` and `predict(X)`,
- `defaults`: the deployed parameters, `space`: what the search may choose from,
- `task`: "classification" or "regression", and optionally `metric`, `test_fraction`,
  `save(model, path)` and `load(path)`.

This module runs only inside a run, never in a web or worker process.
"""

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import joblib
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

DEFAULT_METRIC: Final = {"classification": "accuracy", "regression": "rmse"}
MIN_ROWS: Final = 20
_MISSING: Final = object()


class BotError(ValueError):
    """The bot's pipeline doesn't keep the protocol; the message says where."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A bot's pipeline, checked."""

    x: Array
    y: Array
    task: str
    metric: str
    estimator: Callable[[dict[str, Any]], Any]
    defaults: dict[str, Any]
    space: Any
    test_fraction: float
    save: Callable[[Any, str], object]
    load: Callable[[str], Any]

    @property
    def digest(self) -> str:
        """SHA-256 over the data: two runs with the same one saw the same rows in the same order."""
        told = hashlib.sha256()
        for part in (self.x, self.y):
            told.update(f"{part.dtype.str}{part.shape}".encode())
            told.update(json.dumps(part.tolist()).encode() if part.dtype == object else part.tobytes())
        return told.hexdigest()


def load_bot(reference: str, metric: str | None = None) -> Bot:
    """Import the factory `module:function`, call it and check what it returns.

    `metric`, from the manifest, goes before the pipeline's own.

    Raises:
        BotError: when the protocol isn't kept. Whatever the bot's own code raises passes through.
    """
    module, _, name = reference.partition(":")
    parts = getattr(importlib.import_module(module), name)()
    task = _field(parts, "task")
    if task not in DEFAULT_METRIC:
        raise BotError(f'task must be "classification" or "regression", not {task!r}')
    x, y = _data(parts, task)
    return Bot(
        x=x,
        y=y,
        task=task,
        metric=metric or str(_field(parts, "metric", DEFAULT_METRIC[task])),
        estimator=_callable(parts, "estimator"),
        defaults=_plain(_field(parts, "defaults", {}), "defaults"),
        space=_field(parts, "space", {}),
        test_fraction=_fraction(_field(parts, "test_fraction", 0.25)),
        save=_callable(parts, "save", _save),
        load=_callable(parts, "load", joblib.load),
    )


def _field(parts: Any, name: str, default: Any = _MISSING) -> Any:
    """Return a part by key or by attribute."""
    found = parts.get(name, default) if isinstance(parts, Mapping) else getattr(parts, name, default)
    if found is _MISSING:
        raise BotError(f"the pipeline's factory returned no {name}")
    return default if found is None else found


def _callable(parts: Any, name: str, default: Any = _MISSING) -> Callable[..., Any]:
    found = _field(parts, name, default)
    if not callable(found):
        raise BotError(f"{name} must be a function, not {type(found).__name__}")
    return found  # type: ignore[no-any-return]


def _plain(params: Any, name: str) -> dict[str, Any]:
    """Accept parameters that JSON can carry, so that they can be stored and handed back."""
    if not isinstance(params, Mapping):
        raise BotError(f"{name} must be a mapping of parameter to value")
    try:
        plain = json.loads(json.dumps(dict(params), allow_nan=False))
    except (TypeError, ValueError) as error:
        raise BotError(f"{name} must hold plain JSON values: {error}") from None
    return dict(plain)


def _fraction(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.05 <= value <= 0.5:
        raise BotError(f"test_fraction must be a number from 0.05 to 0.5, not {value!r}")
    return float(value)


def _data(parts: Any, task: str) -> tuple[Array, Array]:
    """Return rows and targets, with as many of each, at least `MIN_ROWS`, and no missing target."""
    dataset = _field(parts, "dataset", None)
    pair = dataset() if callable(dataset) else dataset
    if pair is None:
        pair = (_field(parts, "X"), _field(parts, "y"))
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise BotError("dataset must return a pair of rows and targets")
    x, y = np.asarray(pair[0]), np.asarray(pair[1])
    if y.ndim != 1 or x.ndim < 1 or len(x) != len(y):
        raise BotError(f"rows of shape {x.shape} and targets of shape {y.shape} don't fit: one target a row")
    if len(y) < MIN_ROWS:
        raise BotError(f"dataset has {len(y)} rows; at least {MIN_ROWS} are needed to compare anything")
    return x, _targets(y, task)


def _targets(y: Array, task: str) -> Array:
    if task == "classification":
        classes, counts = np.unique(y, return_counts=True)
        if len(classes) < 2 or counts.min() < 4:
            raise BotError("classification needs two classes or more, each with at least 4 rows")
        return y
    numbers = y.astype(float)
    if not np.isfinite(numbers).all():
        raise BotError("some targets are missing or infinite")
    return numbers


def _save(model: Any, path: str) -> None:
    joblib.dump(model, Path(path))
