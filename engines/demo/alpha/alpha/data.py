"""The training data."""

import numpy as np
from sklearn.datasets import load_breast_cancer


def load() -> tuple[np.ndarray, np.ndarray]:
    """Return measurements (569, 30) and labels: 1 malignant, 0 benign."""
    bunch = load_breast_cancer()
    return bunch.data, 1 - bunch.target


def names() -> list[str]:
    """Return the names of the 30 measurements, with underscores."""
    return [str(name).replace(" ", "_") for name in load_breast_cancer().feature_names]
