"""The workflow end to end and the helpers it uses."""

import json
from pathlib import Path

import pytest

from alpha import steps
from alpha.helpers.ranges import implausible
from alpha.helpers.summary import batch_summary
from alpha.helpers.units import to_micrometres

FIXTURE = Path(__file__).parent.parent / "fixtures" / "referrals.json"


def test_triage_reads_every_plausible_referral():
    payload = json.loads(FIXTURE.read_text())
    for step in (steps.load, steps.clean, steps.features, steps.predict):
        payload = step(payload)
    assert payload["readings"]["r1"] == "malignant"
    assert payload["readings"]["r4"] == "benign"
    assert payload["set_aside"] == 1


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        steps.load({"referrals": []})


def test_units():
    assert to_micrometres({"mean_radius": 0.02, "mean_area": 0.0005, "id": "x"}, "mm") == {
        "mean_radius": 20.0,
        "mean_area": pytest.approx(500.0),
        "id": "x",
    }


def test_ranges():
    assert implausible({"mean_radius": 900.0})
    assert not implausible({"mean_radius": 14.0})


def test_summary():
    assert batch_summary([1, 0, 0, 1]) == {"read": 4, "malignant_share": 0.5}
