"""Every kind of model can be built, fitted and beats guessing."""

import pytest

from alpha import data, models
from alpha.pipeline import DEPLOYED, build

CASES = {
    "tree": {"depth": 3},
    "forest": {"trees": 20, "share": 0.3},
    "boosting": {"rounds": 20, "rate": 0.2},
    "logistic": {"strength": 1.0},
    "kernel": {"strength": 1.0, "width": 0.03},
}


@pytest.mark.parametrize("kind", sorted(models.BUILDERS))
def test_kind(kind):
    measurements, labels = data.load()
    model = models.build({"kind": kind, **CASES[kind]}).fit(measurements[::2], labels[::2])
    assert model.score(measurements[1::2], labels[1::2]) > 0.85


def test_what_is_deployed_is_in_the_pipeline():
    assert build()["defaults"] == DEPLOYED
