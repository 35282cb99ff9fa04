"""Graph, hard stages and verdicts over the API."""

from typing import Any

import pytest

from engines.models import WorkflowEdge, WorkflowGraphState, WorkflowStages
from forecasting.services import record_cycle
from forecasting.services.foresight import recompute
from tests.api.conftest import Api
from tests.factories import make_engine

MANIFEST = {
    "value": None,
    "budget": {},
    "workflows": {name: {"steps": ["shop:f"], "input": None} for name in ("clean", "price")},
}


@pytest.fixture
def shop(viewer: Api) -> Api:
    """A viewer, and an engine with two workflows of which one hangs on the other."""
    engine = make_engine("shop", manifest=MANIFEST)
    WorkflowGraphState.objects.create(engine=engine, due=False, commit="a" * 40)
    detail = {"data": {"shared": ["orders"], "of": 2}}
    WorkflowEdge.objects.create(engine=engine, source="clean", target="price", data=0.5, detail=detail)
    return viewer


def test_a_graph_is_shown_with_what_was_seen(shop: Api) -> None:
    found = shop.get("engines/shop/graph/").json()
    assert [node["workflow"] for node in found["nodes"]] == ["clean", "price"]
    assert found["nodes"][0]["takes"] == {"keys": None, "origin": "not measured"}
    (edge,) = found["edges"]
    assert (edge["data"], edge["resource"], edge["passes"]) == (0.5, None, pytest.approx(0.5 * 0.85))
    assert edge["seen"] == [{"kind": "data", "text": "orders of 2 keys"}]
    assert (found["wave"], found["due"], found["error"]) == (None, False, "")


def test_a_change_is_followed_through_the_graph(shop: Api) -> None:
    found = shop.get("engines/shop/graph/", workflow="clean", roi_delta="-2", synergy_delta="1").json()[
        "wave"
    ]
    assert [each["workflow"] for each in found["felt"]] == ["clean", "price"]
    assert found["felt"][1]["roi"] == pytest.approx(-2 * 0.5 * 0.85)
    assert found["felt"][1]["synergy"] == pytest.approx(0.5 * 0.85)
    assert found["felt"][1]["path"] == ["clean", "price"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"workflow": "nothing"}, "workflow"),
        ({"workflow": "clean", "roi_delta": "much"}, "roi_delta"),
        ({"workflow": "clean", "roi_delta": "inf"}, "roi_delta"),
        ({"workflow": "clean", "synergy_delta": "1e200"}, "synergy_delta"),
        ({"workflw": "clean"}, "workflw"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(shop: Api, given: dict[str, str], field: str) -> None:
    answer = shop.get("engines/shop/graph/", **given)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_an_engine_that_was_never_measured_says_so(viewer: Api) -> None:
    make_engine("bare")
    found = viewer.get("engines/bare/graph/").json()
    assert (found["at"], found["nodes"], found["edges"], found["due"]) == (None, [], [], True)
    nothing: dict[str, Any] = {"engine": "bare", "workflows": {}, "order": None}
    assert viewer.get("engines/bare/stages/").json() == nothing
    assert viewer.get("engines/bare/verdicts/").json() == []


def test_hard_stages_are_shown_by_workflow(shop: Api) -> None:
    engine = WorkflowEdge.objects.get().engine
    stages = {"normal": {"runs": 3, "successes": 3, "error": "\u202egood"}}
    WorkflowStages.objects.create(
        engine=engine, workflow="clean", commit="a" * 40, seed=0, repeats=3, stages=stages, degradation=0.25
    )
    found = shop.get("engines/shop/stages/").json()["workflows"]
    assert found["price"] == {
        "measured": False,
        "note": "not measured: no run through the hard stages",
        "stages": {},
    }
    assert (found["clean"]["measured"], found["clean"]["degradation"]) == (True, 0.25)
    assert found["clean"]["stages"]["normal"]["error"] == "\\u202egood"


def test_verdicts_are_those_of_the_engine_and_its_workflows(shop: Api) -> None:
    for subject in ("shop", "shop/clean", "shopping"):
        for cycle, roi in enumerate((1.0, 0.8, 0.6, 0.4)):
            record_cycle(subject, cycle, roi=roi)
    record_cycle("shop/price", 1, roi=2.0)
    recompute()
    found = {each["subject"]: each for each in shop.get("engines/shop/verdicts/").json()}
    assert set(found) == {"shop", "shop/clean", "shop/price"}
    assert (found["shop"]["risk"], found["shop"]["collapse_in"], found["shop"]["evidence"]) == (
        "Slow decay",
        4,
        "low",
    )
    assert found["shop/price"]["risk"] == "Insufficient data"
    assert found["shop/price"]["template"]["note"] == "template, not measured: no change"
