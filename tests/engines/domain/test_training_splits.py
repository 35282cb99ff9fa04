"""Rows are divided the same way for the same seed, and test rows stay out of every fold."""

import numpy as np
import pytest

from engines.domain.training_splits import folds, hold_out

Y = np.array([0] * 60 + [1] * 20)


@pytest.mark.parametrize("stratify", [True, False])
def test_parts_are_disjoint_and_complete(stratify: bool) -> None:
    parts = hold_out(Y, 0.25, 1, stratify=stratify)
    assert sorted([*parts.learn, *parts.score]) == list(range(80))
    assert len(parts.score) == 20


def test_classes_are_spread_evenly() -> None:
    assert Y[hold_out(Y, 0.25, 1, stratify=True).score].sum() == 5


def test_a_seed_decides() -> None:
    one, same, other = (hold_out(Y, 0.25, seed, stratify=True).score for seed in (1, 1, 2))
    assert (one == same).all()
    assert (one != other).any()


@pytest.mark.parametrize("repeats", [1, 3])
@pytest.mark.parametrize("stratify", [True, False])
def test_folds_stay_inside_their_rows(stratify: bool, repeats: int) -> None:
    rows = hold_out(Y, 0.25, 1, stratify=True).learn
    found = folds(Y, rows, 5, 7, stratify=stratify, repeats=repeats)
    assert len(found) == 5 * repeats
    for fold in found:
        assert sorted([*fold.learn, *fold.score]) == sorted(rows)


def test_small_classes_lower_the_number_of_folds() -> None:
    y = np.array([0] * 10 + [1] * 3)
    assert len(folds(y, np.arange(13), 5, 0, stratify=True)) == 3
