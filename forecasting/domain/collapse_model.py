"""The learned part of a verdict: boosted trees over the features, shipped fitted.

The shipped file beside this module holds nothing but arrays (no pickle) and a data card, which says what it
was fitted on and how well it did; scripts/fit_collapse.py remakes it.
"""

import functools
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import Array, Mask
from forecasting.domain.collapse_trees import Trees

VERSION: Final = 1
_FILE: Final = "collapse_model.npz"


@dataclass(frozen=True)
class Chances:
    """Probabilities for n subjects."""

    labels: Array  # (n, 4) in the order of LABELS
    brittle: Array  # (n,)


@dataclass(frozen=True)
class Model:
    """Trees for the labels and for brittleness, and the rule that turns probabilities into a label."""

    labels: Trees
    brittle: Trees
    label_weights: Array  # (4,): the label is that of the largest weight x probability
    dip_weight: float  # factor on the weight of Immediate where the last value alone is low
    brittle_from: float  # probability from which a subject is called brittle
    card: Mapping[str, Any]

    def chances(self, inputs: Array) -> Chances:
        """Return the probabilities for `inputs` (n, features)."""
        scores = self.labels.outputs(inputs)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        log_odds = np.clip(self.brittle.outputs(inputs)[:, 0], -50, 50)
        return Chances(scores / scores.sum(axis=1, keepdims=True), 1 / (1 + np.exp(-log_odds)))

    def decide(self, chances: Chances, dips: Sequence[bool] | Mask) -> tuple[NDArray[np.intp], Mask]:
        """Return label indices and brittle flags (n,); `dips` says whose last value alone is low."""
        factors = np.ones((len(chances.labels), 1)) * self.label_weights
        factors[np.asarray(dips, dtype=bool), -1] *= self.dip_weight
        return np.argmax(chances.labels * factors, axis=1), chances.brittle >= self.brittle_from


@functools.cache
def shipped() -> Model:
    """Return the model that is shipped."""
    return loads(resources.files(__package__).joinpath(_FILE).read_bytes())


def dumps(model: Model) -> bytes:
    """Return the bytes of a file that `loads` reads."""
    stream = io.BytesIO()
    arrays: dict[str, Any] = {
        "label_weights": model.label_weights,
        "dip_weight": np.array(model.dip_weight),
        "brittle_from": np.array(model.brittle_from),
        "card": np.frombuffer(json.dumps(dict(model.card), sort_keys=True).encode(), dtype=np.uint8),
        **model.labels.arrays("labels"),
        **model.brittle.arrays("brittle"),
    }
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def loads(content: bytes) -> Model:
    """Return the model in `content`; ValueError when it is of another version or not a model."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        try:
            card = json.loads(arrays["card"].tobytes())
            found = Model(
                Trees.from_arrays(arrays, "labels"),
                Trees.from_arrays(arrays, "brittle"),
                arrays["label_weights"],
                float(arrays["dip_weight"]),
                float(arrays["brittle_from"]),
                card,
            )
        except KeyError as error:
            raise ValueError(f"not a collapse model: {error} is missing") from None
    if card.get("version") != VERSION:
        raise ValueError(f"a collapse model of version {card.get('version')}, wanted is {VERSION}")
    return found
