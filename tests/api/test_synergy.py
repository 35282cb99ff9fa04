"""What modules add to an engine's workflows, over the API."""

import pytest

from forecasting.domain.metrics import METRICS
from forecasting.services.synergies import record_synergy
from tests.api.conftest import Api
from tests.factories import make_engine

MANIFEST = {
    "value": None,
    "budget": {},
    "workflows": {name: {"steps": ["shop:f"], "input": None} for name in ("price", "clean")},
}


@pytest.fixture
def shop(viewer: Api) -> Api:
    """A viewer, and an engine with two workflows of which one was measured."""
    make_engine("shop", manifest=MANIFEST)
    record_synergy("shop/price", "cycle:1", metrics={"efficiency": 0.5})
    record_synergy("shop/price", "cycle:1", metrics={"efficiency": -1.0}, scenario="spike")
    return viewer


def test_all_metrics_of_each_workflow_are_told(shop: Api) -> None:
    found = shop.get("engines/shop/synergy/").json()
    clean, price = found["workflows"]
    assert (clean["subject"], price["subject"]) == ("shop/clean", "shop/price")
    assert len(clean["metrics"]) == len(price["metrics"]) == len(METRICS)
    assert {row["value"] for row in clean["metrics"]} == {None}
    told = {row["name"]: row for row in price["metrics"]}["synergy_efficiency"]
    assert (told["value"], told["ahead"], told["reliability"], told["by"]) == (0.5, 0.5, None, "ema")


def test_one_scenario_is_told_alone(shop: Api) -> None:
    found = shop.get("engines/shop/synergy/", scenario="spike").json()["workflows"][1]
    assert {row["name"]: row["value"] for row in found["metrics"]}["synergy_efficiency"] == -1.0


@pytest.mark.parametrize(
    ("given", "field"), [({"scenario": "x" * 65}, "scenario"), ({"scene": "a"}, "scene")]
)
def test_bad_parameters_are_refused_by_name(shop: Api, given: dict[str, str], field: str) -> None:
    answer = shop.get("engines/shop/synergy/", **given)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field


def test_an_engine_without_workflows_has_none(viewer: Api) -> None:
    make_engine("bare")
    assert viewer.get("engines/bare/synergy/").json() == {"engine": "bare", "workflows": []}
