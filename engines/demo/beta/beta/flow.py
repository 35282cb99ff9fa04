"""The workflow `outlook`: each step takes a JSON payload and returns one."""

from functools import cache
from typing import Any

import numpy as np

from beta import data
from beta.network import Network
from beta.pipeline import DEPLOYED
from beta.tools.dates import a_year_after
from beta.tools.rounding import to_half

Payload = dict[str, Any]


def load(payload: Payload) -> Payload:
    """Check the visits and keep what the model needs."""
    visits = payload["visits"]
    if not isinstance(visits, list) or not visits:
        raise ValueError("there must be at least one visit")
    return {"visits": [{"id": visit["id"], "date": visit["date"], **visit["measured"]} for visit in visits]}


def clean(payload: Payload) -> Payload:
    """Drop visits without the two measurements that matter most."""
    kept = [visit for visit in payload["visits"] if "bmi" in visit and "s5" in visit]
    return {"visits": kept, "dropped": len(payload["visits"]) - len(kept)}


def features(payload: Payload) -> Payload:
    """Turn each visit into the ten measurements, missing ones filled with the median."""
    typical = medians()
    matrix = [[float(visit.get(name, typical[name])) for name in data.NAMES] for visit in payload["visits"]]
    return {**payload, "matrix": matrix}


def forecast(payload: Payload) -> Payload:
    """Add the expected progression to each visit, rounded to halves."""
    said = deployed_model().predict(np.asarray(payload["matrix"]))
    visits = payload["visits"]
    rows = [
        {"id": visit["id"], "on": a_year_after(visit["date"]), "progression": to_half(float(value))}
        for visit, value in zip(visits, said, strict=True)
    ]
    return {"outlook": rows, "dropped": payload["dropped"]}


@cache
def deployed_model() -> Network:
    """Train what is deployed; takes a fraction of a second."""
    return Network(DEPLOYED).fit(*data.load())


@cache
def medians() -> dict[str, float]:
    """Return the median of each measurement."""
    return dict(zip(data.NAMES, np.median(data.load()[0], axis=0).tolist(), strict=True))
