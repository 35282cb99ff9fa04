"""Forecasts, how good they were, and the models that made them, as the API says it."""

import pytest

from engines.api import EvaluationDashboard
from tests.api.conftest import Api
from tests.factories import make_engine, make_team
from tests.forecasting.rows import make_forecast
from tests.web.promotion_rows import make_promotion

pytestmark = pytest.mark.django_db


def test_forecasts_of_an_engine_and_its_workflows_are_listed(viewer: Api) -> None:
    make_engine("alpha")
    made = [make_forecast("alpha", actual=[1.5]), make_forecast("alpha/score")]
    make_forecast("alphabet")
    found = viewer.get("engines/alpha/forecasts/?fields=id,subject,mean,actual").json()["results"]
    assert [row["id"] for row in found] == [row.pk for row in reversed(made)]
    assert found[1]["actual"] == [1.5]
    (one,) = viewer.get("engines/alpha/forecasts/?subject=alpha/score").json()["results"]
    assert one["risk"] == "Stable"


def test_the_evaluation_is_the_panel_of_python(viewer: Api) -> None:
    engine = make_engine("alpha")
    make_forecast("alpha", actual=[1.5, 1.0, 1.0, 1.0, 1.0])
    make_promotion(engine)
    found = viewer.get("evaluation/?engine=alpha").json()
    assert found["predictions"] == EvaluationDashboard().roi_prediction_panel("alpha")
    assert found["promotions"] == EvaluationDashboard().promotion_outcomes_panel("alpha")
    assert found["gate"]["count"] == 0


def test_without_an_engine_it_is_of_all_that_one_sees(viewer: Api) -> None:
    make_engine("alpha")
    make_engine("secret", team=make_team())
    make_forecast("alpha", actual=[1.5])
    make_forecast("secret", actual=[9.0])
    make_forecast("nobodys", actual=[9.0])
    found = viewer.get("evaluation/").json()
    assert (found["engine"], found["gate"]) == (None, None)
    assert found["predictions"]["count"] == 1


@pytest.mark.parametrize("query", ["?engine=secret", "?engine=nothing", "?engine=%00", "?motor=alpha"])
def test_what_is_not_there_is_refused(viewer: Api, query: str) -> None:
    make_engine("secret", team=make_team())
    assert viewer.get(f"evaluation/{query}").status_code == 400


def test_a_foreign_engines_forecasts_do_not_exist(viewer: Api) -> None:
    make_engine("secret", team=make_team())
    assert viewer.get("engines/secret/forecasts/").status_code == 404


def test_the_models_are_told_with_their_data_and_backtest(viewer: Api) -> None:
    active = viewer.get("evaluation/models/").json()["active"]
    assert active["state"] == "active"
    assert active["series"] > 0
    assert active["backtest"]
