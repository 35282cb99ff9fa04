"""The learned part of a verdict: boosted trees over the features, shipped fitted, and the rule behind them.

The shipped file beside this module holds nothing but arrays (no pickle) and a data card, which says what it
was fitted on and how well it did; scripts/fit_collapse.py remakes it.
"""

import functools
import hashlib
import io
import json
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forecasting.domain.collapse_labels import LABELS, Array, Mask
from forecasting.domain.collapse_trees import Trees

VERSION: Final = 3
_FILE: Final = "collapse_model.npz"
FEW: Final = 12
"""Cycles below which a warning needs a factor more."""
_BROKEN: Final = (  # what NumPy and zipfile raise over bytes that are no sound archive of arrays
    KeyError, ValueError, TypeError, AttributeError, IndexError, OSError, EOFError, OverflowError,
    MemoryError, RuntimeError, NotImplementedError, struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


@dataclass(frozen=True)
class Chances:
    """Probabilities for n subjects."""

    labels: Array  # (n, 4) in the order of LABELS
    brittle: Array  # (n,)


@dataclass(frozen=True)
class Rule:
    """How probabilities become a label; every field is a number of its own sense.

    A subject is blocked when `collapse` x P(Immediate) + P(Volatile) is at least `block` x P(Stable or Slow
    decay, not brittle).  What is blocked is called Immediate when that is sure enough: `immediate` x
    P(Immediate) is at least P(Volatile), and P(Immediate) at least `warn` x P(Stable); else it is Volatile.
    What isn't blocked is the likelier of Stable and Slow decay.  A brittle subject, blocked anyway, keeps
    its likeliest label of all four.
    """

    collapse: float = 1.0
    block: float = 1.0
    immediate: float = 1.0  # weight of Immediate beside Volatile
    warn: float = 0.0
    dip: float = 1.0  # factor on `warn` where the last value alone is low
    short: float = 1.0  # factor on `warn` for histories of fewer than FEW cycles
    brittle: float = 0.5  # probability from which a subject is called brittle

    def decide(self, chances: Chances, dips: Mask, lengths: Array) -> tuple[NDArray[np.intp], Mask]:
        """Return label indices and brittle flags (n,).

        `dips` (n,) says whose last value alone is low, `lengths` (n,) how many cycles were read.
        """
        stable, slow, volatile, immediate = chances.labels.T
        allowed = (stable + slow) * (1 - chances.brittle)
        blocked = self.collapse * immediate + volatile >= self.block * allowed
        least = self.warn * np.where(dips, self.dip, 1.0) * np.where(lengths < FEW, self.short, 1.0)
        sure = (self.immediate * immediate >= volatile) & (immediate >= least * stable)
        labels = np.where(blocked, np.where(sure, 3, 2), np.where(slow > stable, 1, 0))
        brittle = chances.brittle >= self.brittle
        likeliest = (chances.labels * np.array([1.0, 1.0, 1.0, self.immediate])).argmax(axis=1)
        return np.where(brittle, likeliest, labels), brittle


@dataclass(frozen=True)
class Model:
    """Trees for the labels and for brittleness, and the rule that turns probabilities into a label."""

    labels: Trees
    brittle: Trees
    rule: Rule
    card: Mapping[str, Any]

    def chances(self, inputs: Array) -> Chances:
        """Return the probabilities for `inputs` (n, features)."""
        scores = self.labels.outputs(inputs)
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        log_odds = np.clip(self.brittle.outputs(inputs)[:, 0], -50, 50)
        return Chances(scores / scores.sum(axis=1, keepdims=True), 1 / (1 + np.exp(-log_odds)))


@functools.cache
def shipped() -> Model:
    """Return the model that is shipped."""
    return loads(resources.files(__package__).joinpath(_FILE).read_bytes(), _FILE)


def dumps(model: Model) -> bytes:
    """Return the bytes of a file that `loads` reads; its card gets the digest of everything else."""
    stream = io.BytesIO()
    trees = {**model.labels.arrays("labels"), **model.brittle.arrays("brittle")}
    arrays: dict[str, Any] = {**trees, **_of_rule(model.rule)}
    card = {**model.card, "sha256": digest(arrays)}
    written = np.frombuffer(json.dumps(card, sort_keys=True).encode(), dtype=np.uint8)
    np.savez_compressed(stream, **{**arrays, "card": written})
    return stream.getvalue()


def loads(content: bytes, name: str = "a collapse model") -> Model:
    """Return the model in `content`; ValueError names the file, `name`, that is broken or of another version.

    What was changed after `dumps` wrote it is found by the digest in its card.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {key: file[key] for key in file.files}
        card = json.loads(arrays.pop("card").tobytes())
        if card.get("version") != VERSION:
            raise ValueError(f"it is of version {card.get('version')}, wanted is {VERSION}")
        if card.get("sha256") != digest(arrays):
            raise ValueError("its digest is another")
        return _model(arrays, card)
    except _BROKEN as error:
        raise ValueError(f"{name} is not a collapse model that can be used: {error}") from None


def digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    """Return the SHA-256 of names, types, shapes and values, in hex."""
    found = hashlib.sha256()
    for name in sorted(arrays):
        found.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode())
        found.update(arrays[name].tobytes())
    return found.hexdigest()


def _of_rule(rule: Rule) -> dict[str, NDArray[Any]]:
    return {f"rule_{key}": np.array(value, dtype=np.float64) for key, value in asdict(rule).items()}


def _model(arrays: Mapping[str, NDArray[Any]], card: Mapping[str, Any]) -> Model:
    rule = Rule(**{key: float(arrays[f"rule_{key}"]) for key in asdict(Rule())})
    labels, brittle = Trees.from_arrays(arrays, "labels"), Trees.from_arrays(arrays, "brittle")
    if (len(labels.start), len(brittle.start)) != (len(LABELS), 1):
        raise ValueError(f"its trees have {len(labels.start)} and {len(brittle.start)} outputs")
    return Model(labels, brittle, rule, card)
