"""The workflow end to end and its tools."""

import json
from pathlib import Path

import pytest

from beta import flow
from beta.tools.dates import a_year_after
from beta.tools.rounding import to_half

FIXTURE = Path(__file__).parent.parent / "fixtures" / "visits.json"


def test_outlook_covers_every_usable_visit():
    payload = json.loads(FIXTURE.read_text())
    for step in (flow.load, flow.clean, flow.features, flow.forecast):
        payload = step(payload)
    assert [row["id"] for row in payload["outlook"]] == ["v1", "v2", "v3", "v4", "v5"]
    assert payload["dropped"] == 1
    assert all(0 < row["progression"] < 400 for row in payload["outlook"])


def test_no_visits_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        flow.load({"visits": []})


def test_leap_day():
    assert a_year_after("2024-02-29") == "2025-02-28"


def test_rounding():
    assert to_half(101.3) == 101.5
