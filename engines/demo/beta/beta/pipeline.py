"""What is deployed, and what could be instead."""

from beta import data
from beta.network import Network, restore, save

DEPLOYED = {"hidden": 2, "epochs": 20, "rate": 0.01, "decay": 0.0}

SPACE = {
    "hidden": {"type": "int", "low": 2, "high": 48, "log": True},
    "epochs": {"type": "int", "low": 20, "high": 240, "log": True},
    "rate": {"type": "float", "low": 0.01, "high": 0.2, "log": True},
    "decay": {"type": "float", "low": 0.001, "high": 0.3, "log": True},
}


def build() -> dict[str, object]:
    """Return the pipeline: data, estimator, deployed parameters, search space, how models are kept."""
    return {
        "task": "regression",
        "metric": "mae",
        "dataset": data.load,
        "estimator": Network,
        "defaults": DEPLOYED,
        "space": SPACE,
        "test_fraction": 0.4,
        "save": save,
        "load": restore,
    }
