"""A bot small enough to be trained inside a test: a threshold whose right place is to be found."""

import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
OVERRIDES: dict[str, Any] = {}
SEEN: list[set[float]] = []
SPACE = {"width": {"type": "float", "low": 0.0, "high": 1.0}}


class Threshold:
    """Says 1 above `width`; a good width is near 0.5, the deployed one isn't."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.width = float(params["width"])

    def fit(self, x: Array, y: Array) -> None:
        """Nothing to learn; returns None, which the protocol allows."""

    def predict(self, x: Array) -> Array:
        return np.asarray(x[:, 0] > self.width).astype(int)


class Spy(Threshold):
    """Remembers the rows that it was fitted on."""

    def fit(self, x: Array, y: Array) -> None:
        SEEN.append(set(x[:, 0].tolist()))


class Fragile(Threshold):
    """Can't cope with wide thresholds."""

    def fit(self, x: Array, y: Array) -> None:
        if self.width > 0.6:
            raise RuntimeError("too wide")


class Slow(Threshold):
    """Burns 20 ms of CPU time for each fit."""

    def fit(self, x: Array, y: Array) -> None:
        end = time.process_time() + 0.02
        while time.process_time() < end:
            pass


class Slope:
    """A regressor: `width` times the first column."""

    def __init__(self, params: dict[str, Any]) -> None:
        self.width = float(params["width"])

    def fit(self, x: Array, y: Array) -> "Slope":
        return self

    def predict(self, x: Array) -> Array:
        return np.asarray(x[:, 0] * self.width)


def data() -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, (200, 2))
    return x, (x[:, 0] > 0.5).astype(int)


def mapping() -> dict[str, Any]:
    return {
        "task": "classification",
        "dataset": data,
        "estimator": Threshold,
        "defaults": {"width": 0.1},
        "space": SPACE,
    }


def few_of_a_class() -> tuple[Any, Any]:
    x, y = data()
    keep = np.flatnonzero(y == 0)[:100].tolist() + np.flatnonzero(y == 1)[:4].tolist()
    return x[keep], y[keep]


def rare() -> dict[str, Any]:
    return mapping() | {"dataset": few_of_a_class}


def fixed() -> dict[str, Any]:
    return mapping() | {"space": {}}


def spying() -> dict[str, Any]:
    return mapping() | {"estimator": Spy, "save": lambda model, path: None}


def fragile() -> dict[str, Any]:
    return mapping() | {"estimator": Fragile}


def slow() -> dict[str, Any]:
    return mapping() | {"estimator": Slow}


def regression() -> dict[str, Any]:
    x, _ = data()
    return mapping() | {"task": "regression", "dataset": lambda: (x, 3 * x[:, 0]), "estimator": Slope}


def texts() -> dict[str, Any]:
    rows = np.array([f"text {i}" for i in range(40)], dtype=object)
    return mapping() | {"dataset": lambda: (rows, np.arange(40) % 2)}


def as_object() -> SimpleNamespace:
    x, y = data()
    return SimpleNamespace(task="classification", X=x, y=y, estimator=Threshold, space=SPACE)


def overridden() -> dict[str, Any]:
    return mapping() | OVERRIDES
