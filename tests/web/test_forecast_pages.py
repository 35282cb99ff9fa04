"""The evaluation dashboard, the forecasts of engines, the cards of models, the policy, what cycles show."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from engines.api import EvaluationDashboard
from engines.models import Engine
from engines.panels.forecasts import matrix
from forecasting.domain.tracker import ROITracker
from tests.factories import make_cycle, make_engine, make_roi_event, make_steps, make_team
from tests.forecasting.rows import make_forecast, make_sample
from tests.web.promotion_rows import make_promotion
from tests.web.test_queries import MOST, statements

pytestmark = pytest.mark.django_db

CAME = [1.0, 2.0, 3.0, 4.0, 5.0]


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


class TestForeseen:
    """The next cycle on the engine's page and on the overview."""

    def test_mean_interval_verdict_and_model_are_told_on_both(self, viewer: Client) -> None:
        engine = make_engine("alpha")
        last = make_cycle(engine)
        make_forecast("alpha", mean=9.0, source="before")
        make_forecast("alpha", mean=0.5, model="pooled quantiles", seen=12, source=f"cycle:{last.pk}")
        make_forecast("alpha", mean=7.0, scenario="chaotic_failure")
        make_forecast("alpha/score", mean=8.0)
        overview, page = text(viewer, "/"), text(viewer, "/engines/alpha/")
        for found in (overview, page):
            assert "+0.5" in found
            assert "\u22120.5 to +1.5" in found
            assert "Stable" in found
            assert 'href="/engines/alpha/forecasts/"' in found
        for said in (
            "Foretold by pooled quantiles, from 12 cycles",
            f'href="/cycles/{last.pk}/"',
            "steady over",
        ):
            assert said in page
        assert 'aria-label="mean +0.5, 80 % from \u22120.5 to +1.5"' in page

    def test_without_a_forecast_both_say_so(self, viewer: Client) -> None:
        make_engine("alpha")
        assert "no forecast yet" in text(viewer, "/")
        assert "Nothing foreseen yet" in text(viewer, "/engines/alpha/")

    def test_a_missing_interval_is_not_measured_and_not_drawn(self, viewer: Client) -> None:
        make_engine("alpha")
        make_forecast("alpha", mean=0.5, lower80=[], upper95=[], risk="", p_collapse=None, source="manual")
        page = text(viewer, "/engines/alpha/")
        assert '<b class="plain">not measured</b>' in page
        assert 'class="interval"' not in page

    def test_a_hostile_forecast_is_text(self, viewer: Client) -> None:
        make_engine("alpha")
        make_forecast("alpha", model="<b>m</b>", reason="a\u202eb", source="cycle:" + "9" * 40)
        page = text(viewer, "/engines/alpha/")
        assert "&lt;b&gt;m&lt;/b&gt;" in page
        assert "\u202e" not in page

    def test_more_forecasts_and_engines_cost_no_more_statements(self, viewer: Client) -> None:
        counts = []
        for number in range(2):
            make_cycle(make_engine(f"bot-{number}"), state="running")
            for _ in range(3 * number + 1):
                make_forecast(f"bot-{number}")
            counts.append((len(statements(viewer, "/")), len(statements(viewer, "/engines/bot-0/"))))
        assert counts[0] == counts[1]
        assert max(counts[0]) <= MOST


class TestDashboard:
    """How good the forecasts were, over all engines and of one."""

    def test_tiles_calibration_and_confusion_are_told(self, viewer: Client) -> None:
        make_engine("alpha")
        make_forecast("alpha", mean=1.0, growth="linear", actual=CAME)
        make_forecast("alpha/score", mean=1.0, actual=[5.0])
        make_sample("schema_drift", -0.2)
        found = text(viewer, "/forecasts/")
        for said in ("100%", "50%", "alpha/score", "schema_drift", "a person reviews", "1 of 2", "pooled"):
            assert said in found

    def test_one_engine_can_be_chosen(self, viewer: Client) -> None:
        for name, came in (("alpha", 2.0), ("beta", 9.0)):
            make_engine(name)
            make_forecast(name, actual=[came])
        assert viewer.get("/forecasts/?engine=alpha").context["evaluation"]["tiles"][1]["text"] == "1"
        assert viewer.get("/forecasts/").context["evaluation"]["tiles"][1]["text"] == "4.5"

    def test_foreign_and_unknown_subjects_take_no_part(self, viewer: Client) -> None:
        make_engine("secret", team=make_team())
        make_forecast("secret", actual=[2.0])
        make_forecast("nobodys", actual=[2.0])
        assert "No forecast met its outcome yet" in text(viewer, "/forecasts/")
        assert viewer.get("/forecasts/?engine=secret").context["evaluation"]["any"] is False

    def test_nothing_measured_is_no_zero(self, viewer: Client) -> None:
        make_engine("alpha")
        make_forecast("alpha", actual=[1.0], lower80=[], error=None)
        tiles = viewer.get("/forecasts/").context["evaluation"]["tiles"]
        assert {tile["name"]: tile["text"] for tile in tiles}["inside the 80 % interval"] == ""
        assert {tile["name"]: tile["text"] for tile in tiles}["of the naive forecast's error"] == ""

    def test_outcomes_of_promotions_lead_to_their_lists(self, viewer: Client) -> None:
        make_promotion(state="applied")
        assert "?state=applied&amp;verdict=promote" in text(viewer, "/forecasts/")

    @pytest.mark.parametrize("figure", ["errors", "calibration", "classes"])
    def test_figures_are_data(self, viewer: Client, figure: str) -> None:
        make_engine("alpha")
        assert viewer.get(f"/forecasts/{figure}.json").json()["data"] == []
        make_forecast("alpha", growth="linear", actual=CAME)
        assert viewer.get(f"/forecasts/{figure}.json").json()["data"]

    def test_a_matrix_is_shaded_by_the_share_of_its_row(self) -> None:
        rows = matrix({"a": {"a": 3, "b": 1}, "b": {"a": 0, "b": 0}})["rows"]
        assert [cell["heat"] for cell in rows[0]["cells"]] == [4, 1]
        assert [cell["share"] for cell in rows[1]["cells"]] == ["", ""]


class TestEngine:
    """The latest forecast of an engine and of its workflows."""

    def test_the_forecast_is_told_in_words(self, viewer: Client) -> None:
        make_engine("alpha")
        make_roi_event("alpha", 0.5, source="cycle:3", roi_after=0.5)
        make_forecast("alpha", source="cycle:3", risk="Slow decay", brittle=True, collapse_in=4)
        found = text(viewer, "/engines/alpha/forecasts/")
        for said in ("Slow decay", "expected in 4 cycles", ">brittle<", "steady over 20 cycles"):
            assert said in found
        figure = viewer.get("/engines/alpha/forecasts/latest.json").json()
        assert {trace["name"] for trace in figure["data"]} >= {"ROI", "forecast", "80 % interval"}

    def test_a_workflow_can_be_chosen(self, viewer: Client) -> None:
        make_engine("alpha")
        make_forecast("alpha")
        make_forecast("alpha/score", risk="Volatile")
        response = viewer.get("/engines/alpha/forecasts/?subject=alpha/score")
        assert response.context["forecast"]["risk"] == "Volatile"

    @pytest.mark.parametrize("subject", ["beta", "alpha/%00", "../x"])
    def test_another_engines_forecast_is_not_shown(self, viewer: Client, subject: str) -> None:
        make_engine("alpha")
        make_forecast("beta", risk="Volatile")
        assert "No forecast yet" in text(viewer, f"/engines/alpha/forecasts/?subject={subject}")
        assert viewer.get(f"/engines/alpha/forecasts/latest.json?subject={subject}").json()["data"] == []

    def test_a_cycle_shows_its_promotions_and_what_comes_next(self, viewer: Client) -> None:
        cycle = make_cycle(make_engine("alpha"))
        make_steps(cycle)
        promotion = make_promotion(cycle.engine, cycle=cycle)
        make_forecast("alpha", source=f"cycle:{cycle.pk}", mean=2.5)
        found = text(viewer, f"/cycles/{cycle.pk}/")
        assert f"/promotions/{promotion.pk}/" in found
        assert "+2.5, 80 %: +1.5 to +3.5" in found


def test_the_models_cards_show_data_and_backtest(viewer: Client) -> None:
    found = text(viewer, "/forecasts/models/")
    for said in ("in use", "the last value again", "Series", "SHA-256"):
        assert said in found


class TestPolicy:
    """Approvers change what promotions take, with a reason."""

    @staticmethod
    def form(client: Client, **changes: Any) -> dict[str, Any]:
        initial = client.get("/engines/alpha/policy/").context["form"].initial
        ticked = {
            name: "on" if value is True else value for name, value in initial.items() if value is not False
        }
        return {**ticked, "why": "we trust it less", **changes}

    def test_a_change_is_kept_and_audited(self, approver: Client) -> None:
        make_engine("alpha")
        answer = approver.post("/engines/alpha/policy/", self.form(approver, tau="0.8", overrule_holds="on"))
        assert answer.status_code == 302
        assert Engine.objects.get().promotion_policy == {"tau": 0.8, "overrule_holds": True}
        assert "we trust it less" in text(approver, "/engines/alpha/audit/")

    def test_a_wrong_value_stands_at_its_field(self, approver: Client) -> None:
        make_engine("alpha")
        answer = approver.post("/engines/alpha/policy/", self.form(approver, tau="2", why=""))
        assert answer.status_code == 422
        assert set(answer.context["form"].errors) == {"tau", "why"}

    def test_who_may_not_decide_can_only_look(self, operator: Client) -> None:
        make_engine("alpha")
        assert "ask for the role of an approver" in text(operator, "/engines/alpha/policy/")
        answer = operator.post("/engines/alpha/policy/", self.form(operator, tau="0.8"))
        assert answer.status_code == 403
        assert Engine.objects.get().promotion_policy == {}


class TestPython:
    """The dashboard without pages."""

    def test_it_takes_the_tracker_of_the_specification(self) -> None:
        tracker = ROITracker()
        for step in range(12):
            tracker.forecast()
            tracker.update(0.0, 1.0 + 0.1 * step)
        stats = EvaluationDashboard().roi_prediction_panel(tracker)
        assert stats["count"] == 11
        assert stats["mae_trend"][-1] == pytest.approx(stats["mae"])
        assert set(stats["class_counts"]["actual"]) <= {"exponential", "linear", "marginal"}

    def test_the_manager_may_be_what_is_asked_for(self) -> None:
        make_forecast("alpha", actual=[2.0], settled_at=timezone.now())
        dashboard = EvaluationDashboard("alpha")
        assert dashboard.roi_prediction_panel()["mae"] == 1.0
        assert dashboard.calibration_panel()[0]["count"] == 1
        assert dashboard.scenario_panel()["worst_scenario"] is None
        with pytest.raises(ValueError, match="tracker"):
            EvaluationDashboard().roi_prediction_panel()

    def test_gate_and_promotions_are_panels_too(self) -> None:
        make_promotion(state="applied")
        dashboard = EvaluationDashboard()
        assert dashboard.promotion_outcomes_panel("alpha")["states"] == {"applied": 1}
        assert dashboard.promotion_outcomes_panel()["count"] == 1
        assert dashboard.gate_backtest_panel("alpha")["count"] == 0


@pytest.mark.parametrize("address", ["/forecasts/", "/engines/alpha/forecasts/", "/engines/alpha/policy/"])
def test_more_history_costs_no_more_statements(approver: Client, address: str) -> None:
    make_engine("alpha")
    make_forecast("alpha", actual=CAME)
    few = statements(approver, address)
    for name in ("alpha", "alpha/score") * 10:
        make_forecast(name, actual=CAME, settled_at=timezone.now())
    assert len(statements(approver, address)) == len(few) <= MOST
