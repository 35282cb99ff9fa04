"""The workflow `triage`: each step takes a JSON payload and returns one."""

from functools import cache
from typing import Any

import numpy as np

from alpha import data, models
from alpha.helpers.ranges import implausible
from alpha.helpers.summary import batch_summary
from alpha.helpers.units import to_micrometres
from alpha.pipeline import DEPLOYED

Payload = dict[str, Any]


def load(payload: Payload) -> Payload:
    """Check the batch and bring each referral into one shape."""
    referrals = payload["referrals"]
    if not isinstance(referrals, list) or not referrals:
        raise ValueError("a batch needs at least one referral")
    return {"unit": payload.get("unit", "um"), "rows": [dict(row) for row in referrals]}


def clean(payload: Payload) -> Payload:
    """Convert lengths to micrometres and set aside rows outside of what was ever measured."""
    rows = [to_micrometres(row, payload["unit"]) for row in payload["rows"]]
    kept = [row for row in rows if not implausible(row)]
    return {"rows": kept, "set_aside": len(rows) - len(kept)}


def features(payload: Payload) -> Payload:
    """Turn each row into the 30 measurements in the model's order."""
    names, typical = data.names(), typical_case()
    matrix = [[float(row.get(name, typical[name])) for name in names] for row in payload["rows"]]
    ids = [row["id"] for row in payload["rows"]]
    return {"ids": ids, "matrix": matrix, "set_aside": payload["set_aside"]}


def predict(payload: Payload) -> Payload:
    """Say benign or malignant for each row and summarise the batch."""
    labels = [int(label) for label in deployed_model().predict(np.asarray(payload["matrix"]))]
    words = ["malignant" if label else "benign" for label in labels]
    readings = dict(zip(payload["ids"], words, strict=True))
    return {"readings": readings, "set_aside": payload["set_aside"], "summary": batch_summary(labels)}


@cache
def deployed_model() -> Any:
    """Train what is deployed; takes milliseconds."""
    return models.build(DEPLOYED).fit(*data.load())


@cache
def typical_case() -> dict[str, float]:
    """Return the median of each measurement, for the ones a referral lacks."""
    measurements, _ = data.load()
    return dict(zip(data.names(), np.median(measurements, axis=0).tolist(), strict=True))
