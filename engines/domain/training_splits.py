"""Which rows are held out and which folds champion and challenger share."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import (
    KFold,
    RepeatedKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    train_test_split,
)

Rows = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Fold:
    """Row numbers to learn from and row numbers to be scored on."""

    learn: Rows
    score: Rows


def hold_out(y: npt.NDArray[Any], fraction: float, seed: int, *, stratify: bool) -> Fold:
    """Split all rows into development (`learn`) and test rows (`score`), which no search ever sees.

    The same seed gives the same test rows in every cycle, so parameters that an earlier cycle chose on
    development rows never saw them either.
    """
    learn, score = train_test_split(
        np.arange(len(y)), test_size=fraction, random_state=seed, stratify=y if stratify else None
    )
    return Fold(np.sort(learn), np.sort(score))


def folds(
    y: npt.NDArray[Any], rows: Rows, count: int, seed: int, *, stratify: bool, repeats: int = 1
) -> list[Fold]:
    """Return `count` x `repeats` shuffled folds over `rows`, as numbers into all rows.

    `count` is lowered to the rows of the smallest class where there are fewer.
    """
    if stratify:
        count = max(2, min(count, int(np.unique(y[rows], return_counts=True)[1].min())))
    kind = _splitter(count, seed, stratify=stratify, repeats=repeats)
    return [Fold(rows[learn], rows[score]) for learn, score in kind.split(np.zeros(len(rows)), y[rows])]


def _splitter(count: int, seed: int, *, stratify: bool, repeats: int) -> Any:
    if repeats == 1:
        return (StratifiedKFold if stratify else KFold)(count, shuffle=True, random_state=seed)
    several = RepeatedStratifiedKFold if stratify else RepeatedKFold
    return several(n_splits=count, n_repeats=repeats, random_state=seed)
