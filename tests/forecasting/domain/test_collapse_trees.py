"""Trees as arrays answer as the library that fitted them does."""

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from forecasting.domain.collapse_trees import Trees, from_boosting


def fitted(classes: int, depth: int) -> tuple[HistGradientBoostingClassifier, np.ndarray]:
    rng = np.random.default_rng(3)
    inputs = rng.normal(size=(300, 5)).astype(np.float32).astype(float)
    truth = (np.abs(inputs[:, 0] + inputs[:, 1]) * 1.2 + rng.random(300)).astype(int) % classes
    boosting = HistGradientBoostingClassifier(max_iter=8, max_depth=depth, max_leaf_nodes=9, random_state=0)
    return boosting.fit(inputs, truth), inputs


@pytest.mark.parametrize("classes", [2, 4])
def test_the_answers_are_those_of_scikit_learn(classes: int) -> None:
    boosting, inputs = fitted(classes, 4)
    trees = from_boosting(boosting, 4)
    expected = boosting.decision_function(inputs).reshape(len(inputs), -1)
    assert np.abs(trees.outputs(inputs) - expected).max() < 1e-9
    assert trees.depth == 4


def test_what_was_kept_answers_alike_to_single_precision() -> None:
    trees = from_boosting(fitted(4, 3)[0], 3)
    again = Trees.from_arrays(trees.arrays("x"), "x")
    inputs = fitted(4, 3)[1]
    assert np.abs(again.outputs(inputs) - trees.outputs(inputs)).max() < 1e-6
    with pytest.raises(KeyError):
        Trees.from_arrays(trees.arrays("x"), "y")


def test_many_inputs_are_taken_in_parts_and_none_is_fine() -> None:
    boosting, inputs = fitted(2, 3)
    trees = from_boosting(boosting, 3)
    many = np.tile(inputs, (3, 1))
    assert np.array_equal(trees.outputs(many)[600:], trees.outputs(inputs))
    assert trees.outputs(inputs[:0]).shape == (0, 1)


def test_an_input_on_the_threshold_goes_left() -> None:
    trees = Trees(np.array([[0]]), np.array([[1.5]]), np.array([[10.0, 20.0]]), np.array([1.0]))
    assert trees.outputs(np.array([[1.5], [1.5000001]]))[:, 0].tolist() == [11.0, 21.0]


def test_trees_stay_as_small_in_memory_as_they_are_kept_and_sums_dont() -> None:
    again = Trees.from_arrays(from_boosting(fitted(4, 3)[0], 3).arrays("x"), "x")
    assert again.feature.dtype == np.uint8
    assert again.threshold.dtype == again.leaf.dtype == np.float32
    many = Trees(np.zeros((100_000, 1), dtype=np.uint8), np.ones((100_000, 1), dtype=np.float32),
                 np.full((100_000, 2), 0.1, dtype=np.float32), np.zeros(1))  # fmt: skip
    assert many.outputs(np.zeros((1, 1)))[0, 0] == pytest.approx(1e5 * float(np.float32(0.1)), rel=1e-12)
