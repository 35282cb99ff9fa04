"""A quantile regression forest as plain arrays: prediction needs NumPy alone, and a file holds no code.

Each tree sends a series to a leaf. The training rows that share leaves with it say, by how often they do,
what came next: their outcomes are the forecast's distribution (Meinshausen, *Quantile regression forests*,
2006; Geurts et al., *Extremely randomized trees*, 2006). Outcomes are kept as places on a grid of 255
values a step, so the file is small and holds no series. `extended` adds rows of newer history to the
leaves, without growing new trees.
"""

import io
import zipfile
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.forecast_features import NAMES
from forecasting.domain.forecast_input import Floats

FORMAT: Final = 1
STEPS: Final = 10
"""Steps the forest knows; `stretched` goes further."""

GRID: Final = 255
UNKNOWN: Final = 255
"""The code of an outcome that a training row was too near the end of its series to have."""

MAX_NODES, MAX_ROWS, MAX_TREES = 2_000_000, 60_000, 1000
MAX_BYTES: Final = 64 * 2**20

Ints = NDArray[Any]


class BadModel(ValueError):
    """A model's file can't be used; the message says why."""


@dataclass(frozen=True)
class Forest:
    """Trees, the leaves of the training rows, and their outcomes."""

    feature: Ints
    """[nodes] which feature is asked; -1 at a leaf."""

    threshold: NDArray[np.float32]
    """[nodes] values up to it go left."""

    left: Ints
    """[nodes] the node to the left, counted over all trees; at a leaf its number in its tree."""

    right: Ints
    roots: Ints
    """[trees] each tree's first node."""

    leaf: Ints
    """[trees, rows] the leaf each training row falls into."""

    weight: NDArray[np.float32]
    """[rows] how much a training row counts."""

    code: Ints
    """[rows, 10] the outcome's place on the grid, or UNKNOWN."""

    grid: NDArray[np.float32]
    """[255, 10] outcomes in scaled units, rising."""

    levels: NDArray[np.float32]
    """[2, knots] wished levels and the levels to ask for, so that wished and reached agree across sources."""

    def __post_init__(self) -> None:
        """Look up once what every prediction needs."""
        trees, counts = len(self.leaf), int(self.leaf.max()) + 1
        # sixteen bits where they do: such numbers are sorted many times faster
        numbers = self.leaf.astype(np.uint16 if counts <= 2**16 else np.int64)
        order = np.argsort(numbers, axis=1, kind="stable")
        ordered = np.take_along_axis(self.leaf, order, axis=1).astype(np.int64)
        place = (ordered + np.arange(trees)[:, None] * counts).ravel()
        weights = self.weight.astype(float)[order].ravel()
        shared = weights / np.bincount(place, weights, trees * counts)[place]
        starts = np.searchsorted(place, np.arange(trees * counts + 1))
        for name, value in {"_rows": order.ravel(), "_shares": shared, "_starts": starts}.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_counts", counts)

    @property
    def rows(self) -> int:
        """How many training rows there are."""
        return len(self.weight)

    @property
    def trees(self) -> int:
        """How many trees there are."""
        return len(self.roots)

    def leaves(self, inputs: Floats) -> Ints:
        """Return the leaf numbers [trees] of one row of features."""
        node = self.roots.astype(np.int64)
        values = np.asarray(inputs, np.float32)
        while True:
            asked = self.feature[node]
            inner = asked >= 0
            if not inner.any():
                found: Ints = self.left[node]
                return found
            goes_left = values[np.where(inner, asked, 0)] <= self.threshold[node]
            node = np.where(inner, np.where(goes_left, self.left[node], self.right[node]), node)

    def shares(self, inputs: Floats) -> Floats:
        """Return how much each training row says of a series with these features; they add up to 1."""
        place = self.leaves(inputs) + np.arange(self.trees) * self._counts  # type: ignore[attr-defined]
        starts, ends = self._starts[place], self._starts[place + 1]  # type: ignore[attr-defined]
        within = np.concatenate([np.arange(a, b) for a, b in zip(starts, ends, strict=True)])
        rows, shares = self._rows[within], self._shares[within]  # type: ignore[attr-defined]
        found: Floats = np.bincount(rows, shares, self.rows) / self.trees
        return found

    def extended(self, inputs: Floats, codes: Ints, weights: Floats) -> "Forest":
        """Return a forest whose leaves hold these rows too: features [rows, features], codes, weights."""
        found = np.stack([self.leaves(each) for each in inputs], axis=1)
        return replace(
            self,
            leaf=np.concatenate([self.leaf, found.astype(self.leaf.dtype)], axis=1),
            weight=np.concatenate([self.weight, weights.astype(np.float32)]),
            code=np.concatenate([self.code, codes]),
        )

    def quantiles(self, inputs: Floats, levels: Floats, steps: int = STEPS) -> Floats:
        """Return scaled quantiles [steps, levels] of what follows a series with these features."""
        shares = self.shares(inputs)
        used = np.flatnonzero(shares)
        asked = np.interp(levels, self.levels[0], self.levels[1])
        found: list[Floats] = []
        for step in range(steps):
            row = _quantiles(self.code[used, step], shares[used], self.grid[:, step], asked)
            # no row like this one reached so far: it stays where it was
            found.append(
                found[-1] if row is None and found else np.zeros(len(levels)) if row is None else row
            )
        return np.stack(found)


def _quantiles(codes: Ints, shares: Floats, grid: NDArray[np.float32], levels: Floats) -> Floats | None:
    """Return weighted quantiles of grid values, interpolated; None where no outcome is known."""
    mass = np.bincount(codes, shares, GRID + 1)[:GRID]
    if not mass.any():
        return None
    held = np.flatnonzero(mass)
    middle = (np.cumsum(mass[held]) - mass[held] / 2) / mass.sum()
    found: Floats = np.interp(levels, middle, grid[held])
    return found


def stretched(paths: Floats, horizon: int) -> Floats:
    """Return quantiles [horizon, levels] from those of the known 10 steps.

    Further steps are an extension, not learned: the course of the last steps goes on, damped by 0.9 a step,
    and the distances from the middle of the row grow with the square root of the time, as a random walk's do.
    """
    if horizon <= STEPS:
        return paths[:horizon]
    beyond = np.arange(1, horizon - STEPS + 1)
    last = paths[-1]
    middle = (last.min() + last.max()) / 2
    trend = (np.median(paths[-1] - paths[-4]) / 3) * np.cumsum(0.9**beyond)
    wider = np.sqrt((STEPS + beyond) / STEPS)[:, None]
    further = middle + trend[:, None] + (last - middle) * wider
    return np.concatenate([paths, further])


NODES: Final = ("feature", "threshold", "left", "right", "roots")
OTHERS: Final = ("leaf", "weight", "code", "grid", "levels")
ARRAYS: Final = (*NODES, *OTHERS)
"""What a file holds, besides the format's number and the names of the features."""


def dump(forest: Forest) -> bytes:
    """Return the forest as a compressed `.npz` file without pickled objects."""
    file = io.BytesIO()
    arrays = {name: getattr(forest, name) for name in ARRAYS}
    # counted from their own node, children compress far better
    inner, here = forest.feature >= 0, np.arange(len(forest.feature))
    for side in ("left", "right"):
        arrays[side] = np.where(inner, arrays[side] - here, arrays[side]).astype(np.int32)
    np.savez_compressed(file, format=np.array([FORMAT]), features=np.array(NAMES), **arrays)
    return file.getvalue()


def load(data: bytes) -> Forest:
    """Return the forest of a file's bytes.

    Raises BadModel for anything that `dump` didn't write: it is no archive, lacks an array, has one of
    another kind or size, names other features, or a tree of it points outside of itself.
    """
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as file:
            _check_size(file.zip)
            arrays = {name: file[name] for name in ("format", "features", *ARRAYS)}
    except (ValueError, OSError, KeyError, EOFError, AttributeError, zipfile.BadZipFile) as error:
        raise BadModel(f"no readable forecast model: {error}") from None
    if arrays.pop("format").tolist() != [FORMAT] or arrays.pop("features").tolist() != list(NAMES):
        raise BadModel("the forecast model was made for other features; train it again")
    _check(arrays)
    inner, here = arrays["feature"] >= 0, np.arange(len(arrays["feature"]))
    for side in ("left", "right"):
        arrays[side] = np.where(inner, arrays[side].astype(np.int64) + here, arrays[side])
    _check_trees(arrays, len(here))
    return Forest(**arrays)


def _check_size(archive: Any) -> None:
    if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
        raise BadModel(f"the forecast model unpacks to more than {MAX_BYTES} bytes")


def _check(arrays: dict[str, Ints]) -> None:
    """Refuse arrays that a prediction could run out of, or for ever in."""
    nodes, (trees, rows) = len(arrays["feature"]), _shape(arrays["leaf"])
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(NODES[:4], (nodes,))
    shapes |= {"roots": (trees,), "leaf": (trees, rows), "weight": (rows,), "code": (rows, STEPS)}
    shapes |= {"grid": (GRID, STEPS), "levels": (2, len(arrays["levels"][0]))}
    wrong = [name for name, shape in shapes.items() if arrays[name].shape != shape]
    floats = {"threshold", "weight", "grid", "levels"}
    wrong += [name for name in ARRAYS if arrays[name].dtype.kind not in ("f" if name in floats else "iu")]
    wrong = wrong or [name for name in sorted(floats) if not np.isfinite(arrays[name]).all()]
    if wrong or nodes > MAX_NODES or rows > MAX_ROWS or not 0 < trees <= MAX_TREES:
        raise BadModel(f"the forecast model's arrays don't fit: {', '.join(wrong) or 'too large'}")


def _shape(leaf: Ints) -> tuple[int, int]:
    if leaf.ndim != 2 or not leaf.size:
        raise BadModel("the forecast model has no leaves")
    return leaf.shape[0], leaf.shape[1]


def _check_trees(arrays: dict[str, Ints], nodes: int) -> None:
    """Children come after their parent, so that every walk ends."""
    inner = np.flatnonzero(arrays["feature"] >= 0)
    outer = arrays["feature"] < 0
    children = np.stack([arrays["left"][inner], arrays["right"][inner]]).astype(np.int64)
    sound = (
        (children > inner).all()
        and (children < nodes).all()
        and arrays["feature"].max() < len(NAMES)
        and 0 <= arrays["roots"].min() <= arrays["roots"].max() < nodes
        and (arrays["weight"] > 0).all()
        and arrays["left"][outer].max() <= arrays["leaf"].max()
        and arrays["leaf"].min() >= 0 <= arrays["left"][outer].min()
        and (np.diff(arrays["levels"][0]) > 0).all()
        and (np.diff(arrays["grid"], axis=0) >= 0).all()
    )
    if not sound:
        raise BadModel("the forecast model's trees point outside of themselves")
