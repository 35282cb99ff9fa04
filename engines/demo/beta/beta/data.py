"""The training data."""

import numpy as np
from sklearn.datasets import load_diabetes

NAMES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")


def load() -> tuple[np.ndarray, np.ndarray]:
    """Return measurements (442, 10) in their own units and the progression after a year."""
    bunch = load_diabetes(scaled=False)
    return bunch.data.astype(float), bunch.target.astype(float)
