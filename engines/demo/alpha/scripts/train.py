"""Train what is deployed and print its accuracy on cases it has not seen."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sklearn.model_selection import cross_val_score

from alpha import data, models
from alpha.pipeline import DEPLOYED


def main() -> None:
    """Print the mean accuracy over ten folds."""
    scores = cross_val_score(models.build(DEPLOYED), *data.load(), cv=10)
    print(f"{DEPLOYED}: {scores.mean():.3f} +- {scores.std():.3f}")


if __name__ == "__main__":
    main()
