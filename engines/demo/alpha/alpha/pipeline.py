"""What is deployed, and what could be instead."""

from alpha import data, models

DEPLOYED = {"kind": "tree", "depth": 1}

SPACE = {
    "kind": {"type": "choice", "choices": ["tree", "forest", "boosting", "logistic", "kernel"]},
    "depth": {"type": "int", "low": 1, "high": 8, "when": {"kind": ["tree"]}},
    "trees": {"type": "int", "low": 20, "high": 120, "log": True, "when": {"kind": ["forest"]}},
    "share": {"type": "float", "low": 0.1, "high": 1.0, "when": {"kind": ["forest"]}},
    "rounds": {"type": "int", "low": 20, "high": 100, "log": True, "when": {"kind": ["boosting"]}},
    "rate": {"type": "float", "low": 0.02, "high": 0.4, "log": True, "when": {"kind": ["boosting"]}},
    "strength": {
        "type": "float",
        "low": 0.02,
        "high": 100.0,
        "log": True,
        "when": {"kind": ["logistic", "kernel"]},
    },
    "width": {"type": "float", "low": 0.001, "high": 0.3, "log": True, "when": {"kind": ["kernel"]}},
}


def build() -> dict[str, object]:
    """Return the pipeline: data, estimator, deployed parameters and search space."""
    return {
        "task": "classification",
        "metric": "accuracy",
        "dataset": data.load,
        "estimator": models.build,
        "defaults": DEPLOYED,
        "space": SPACE,
        "test_fraction": 0.4,
    }
