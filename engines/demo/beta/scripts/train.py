"""Train what is deployed and print its mean absolute error on patients it has not seen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from sklearn.model_selection import KFold

from beta import data
from beta.network import Network
from beta.pipeline import DEPLOYED


def main() -> None:
    """Print the mean error over ten folds."""
    x, y = data.load()
    errors = [
        np.abs(Network(DEPLOYED).fit(x[a], y[a]).predict(x[b]) - y[b]).mean()
        for a, b in KFold(10, shuffle=True, random_state=0).split(x)
    ]
    print(f"{DEPLOYED}: mean absolute error {np.mean(errors):.2f}")


if __name__ == "__main__":
    main()
