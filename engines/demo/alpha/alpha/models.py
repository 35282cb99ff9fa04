"""Estimators by kind; every kind is deterministic for a given seed."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

SEED = 7


def build(params: Mapping[str, Any]) -> ClassifierMixin:
    """Return an unfitted classifier for the given parameters."""
    return BUILDERS[params["kind"]](params)


def tree(params: Mapping[str, Any]) -> ClassifierMixin:
    """Questions that a person can follow."""
    return DecisionTreeClassifier(max_depth=int(params["depth"]), random_state=SEED)


def forest(params: Mapping[str, Any]) -> ClassifierMixin:
    """Many randomised trees that vote."""
    return ExtraTreesClassifier(
        n_estimators=int(params["trees"]), max_features=params["share"], random_state=SEED, n_jobs=1
    )


def boosting(params: Mapping[str, Any]) -> ClassifierMixin:
    """Trees that correct each other."""
    return HistGradientBoostingClassifier(
        max_iter=int(params["rounds"]), learning_rate=params["rate"], max_leaf_nodes=15, random_state=SEED
    )


def logistic(params: Mapping[str, Any]) -> ClassifierMixin:
    """A weighted sum of the measurements."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=params["strength"], max_iter=2000))


def kernel(params: Mapping[str, Any]) -> ClassifierMixin:
    """A smooth border between the two groups."""
    machine = SVC(C=params["strength"], gamma=params["width"])
    return make_pipeline(StandardScaler(), machine)


BUILDERS = {"tree": tree, "forest": forest, "boosting": boosting, "logistic": logistic, "kernel": kernel}
