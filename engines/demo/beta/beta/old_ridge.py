"""The linear model of the first release. Deprecated: `beta.network` replaced it in 0.2."""

import warnings

import numpy as np


def ridge(x: np.ndarray, y: np.ndarray, penalty: float = 1.0) -> np.ndarray:
    """Return the weights of a ridge regression."""
    warnings.warn("beta.old_ridge is deprecated, use beta.network", DeprecationWarning, stacklevel=2)
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)
