"""Synergy on the page of an engine's forecasts: what was measured, and what the others would need."""

import pytest
from django.test import Client

from engines.panels.synergy import synergy_page
from forecasting.panels import synergy_panel
from forecasting.services.synergies import record_synergy
from tests.factories import make_engine

pytestmark = pytest.mark.django_db
MANIFEST = {"value": None, "budget": {}, "workflows": {"score": {"steps": ["shop:f"], "input": None}}}


def test_measured_metrics_are_rows_and_the_others_say_what_they_need(viewer: Client) -> None:
    make_engine("alpha", manifest=MANIFEST)
    record_synergy("alpha/score", "cycle:7", metrics={"efficiency": 0.5, "cpu_usage": 2.0})
    page = viewer.get("/engines/alpha/forecasts/")
    (found,) = page.context["synergies"]
    assert found["count"] == "2 of 25"
    rows = {row["name"]: row for row in found["rows"]}
    assert (rows["efficiency"]["value"], rows["efficiency"]["sign"]) == ("+0.5", "up")
    assert (rows["cpu usage"]["sign"], rows["cpu usage"]["reliability"]) == ("down", "not measured")
    text = page.content.decode()
    assert "23 not measured" in text
    assert "needs a counter of one run&#x27;s energy" in text


def test_a_workflow_without_a_benchmark_says_what_is_missing(viewer: Client) -> None:
    make_engine("alpha", manifest=MANIFEST)
    (found,) = viewer.get("/engines/alpha/forecasts/").context["synergies"]
    assert (found["rows"], len(found["missing"])) == ([], 25)


def test_an_engine_without_workflows_shows_no_synergy(viewer: Client) -> None:
    make_engine("alpha")
    page = viewer.get("/engines/alpha/forecasts/")
    assert page.context["synergies"] == []
    assert "Synergy of" not in page.content.decode()


def test_names_of_a_bot_show_nothing_unseen() -> None:
    record_synergy("alpha/\u202escore", "cycle:1", metrics={"roi": 0.0})
    told = synergy_page(synergy_panel("alpha/\u202escore"))
    assert "\u202e" not in told["subject"]
    assert told["rows"][0]["sign"] == ""
