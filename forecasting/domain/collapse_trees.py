"""Boosted trees as plain arrays: what scikit-learn fitted, evaluated with numpy alone.

Every tree is kept as a complete binary tree of the same depth: node i has the children 2i + 1 and 2i + 2, and
a node that the fitted tree doesn't have sends everything left, to the leaf above it.  So all trees of all
inputs go down one level at a time, in three look-ups.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import Array

_CHUNK: Final = 16  # inputs at once: so many stay in the cache of a core


@dataclass(frozen=True)
class Trees:
    """T trees of one depth d for K outputs; tree t adds to output t % K."""

    feature: NDArray[np.integer[Any]]  # (T, 2^d - 1)
    threshold: NDArray[np.floating[Any]]  # (T, 2^d - 1), left where the feature is at most this
    leaf: NDArray[np.floating[Any]]  # (T, 2^d)
    start: Array  # (K,), the outputs before any tree

    @property
    def depth(self) -> int:
        """Return how often an input is sent left or right."""
        return int(self.leaf.shape[1]).bit_length() - 1

    def outputs(self, inputs: Array) -> Array:
        """Return the sums over trees, (n, K), for `inputs` (n, features)."""
        parts = [self._outputs(inputs[at : at + _CHUNK]) for at in range(0, len(inputs), _CHUNK)]
        return np.concatenate(parts) if parts else np.zeros((0, len(self.start)))

    def _outputs(self, inputs: Array) -> Array:
        count, inner = self.feature.shape
        rows = (np.arange(len(inputs)) * inputs.shape[1])[:, None]
        first, node = np.arange(count) * inner, np.zeros((len(inputs), count), dtype=np.intp)
        flat, feature, threshold = inputs.ravel(), self.feature.ravel(), self.threshold.ravel()
        for _ in range(self.depth):
            here = first + node
            node *= 2
            node += 1
            node += flat.take(rows + feature.take(here)) > threshold.take(here)
        leaves = self.leaf.ravel().take(np.arange(count) * (inner + 1) + node - inner)
        sums: Array = (
            leaves.reshape(len(inputs), -1, len(self.start)).sum(axis=1, dtype=np.float64) + self.start
        )
        return sums

    def arrays(self, name: str) -> dict[str, NDArray[Any]]:
        """Return what `from_arrays` restores, small: for a file."""
        return {
            f"{name}_feature": self.feature.astype(np.uint8),
            f"{name}_threshold": self.threshold.astype(np.float32),
            f"{name}_leaf": self.leaf.astype(np.float32),
            f"{name}_start": self.start,
        }

    @classmethod
    def from_arrays(cls, arrays: Any, name: str) -> "Trees":
        """Return the trees kept under `name`; KeyError when one part is missing."""
        return cls(
            arrays[f"{name}_feature"],  # as small as they are kept: look-ups wait for memory
            arrays[f"{name}_threshold"],
            arrays[f"{name}_leaf"],
            arrays[f"{name}_start"].astype(np.float64),
        )


def from_boosting(fitted: Any, depth: int) -> Trees:
    """Return the trees of a fitted HistGradientBoostingClassifier whose `max_depth` was at most `depth`."""
    rounds = [predictor.nodes for step in fitted._predictors for predictor in step]
    trees = [_complete(nodes, depth) for nodes in rounds]
    feature, threshold, leaf = (np.stack(part) for part in zip(*trees, strict=True))
    return Trees(feature, threshold, leaf, np.asarray(fitted._baseline_prediction, dtype=np.float64).ravel())


def _complete(nodes: Any, depth: int) -> tuple[NDArray[np.intp], Array, Array]:
    inner = 2**depth - 1
    feature, threshold = np.zeros(inner, dtype=np.intp), np.full(inner, np.inf)
    leaf = np.zeros(inner + 1)
    waiting = [(0, 0)]
    while waiting:
        place, old = waiting.pop()
        node = nodes[old]
        if place >= inner:
            leaf[place - inner] = node["value"]
        elif node["is_leaf"]:
            waiting.append((2 * place + 1, old))  # its threshold is infinite: everything goes left
        else:
            feature[place] = node["feature_idx"]
            threshold[place] = _not_above(float(node["num_threshold"]))
            waiting += [(2 * place + 1, int(node["left"])), (2 * place + 2, int(node["right"]))]
    return feature, threshold, leaf


def _not_above(value: float) -> float:
    """Return the largest number of single precision that isn't above `value`."""
    near = np.float32(value)
    exact = float(near)  # beside a number of single precision NumPy would round `value` as well
    return exact if exact <= value else float(np.nextafter(near, np.float32(-np.inf)))
