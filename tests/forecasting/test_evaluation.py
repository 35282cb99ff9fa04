"""The evaluation dashboard as mappings: from rows, from trackers, as the documentation's example uses it."""

from dataclasses import dataclass
from statistics import pstdev
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from engines.api import EvaluationDashboard
from forecasting.charts import calibration_figure, classes_figure, error_figure, forecast_figure
from forecasting.domain.accuracy import Outcome
from forecasting.models import Forecast, Verdict
from forecasting.panels import forecast_panel, forecast_subjects, roi_prediction_panel
from tests.factories import make_roi_event
from tests.forecasting.rows import make_forecast, make_sample

RISING = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass
class Kept:
    """A tracker that keeps its outcomes itself."""

    known: list[Outcome]

    def outcomes(self) -> list[Outcome]:
        return self.known


@dataclass
class Named:
    """A tracker whose history is kept in rows."""

    subject: str


def test_the_documented_example_works_as_it_stands() -> None:
    tracker = Kept([Outcome(1.0, 2.0, "linear", "linear"), Outcome(1.0, 1.0, "linear", "marginal")])
    manager = None
    dashboard = EvaluationDashboard(manager)
    stats = dashboard.roi_prediction_panel(tracker)
    assert (stats["mae"], stats["accuracy"], stats["mae_trend"][-1]) == (0.5, 0.5, 0.5)
    # what `pd.Series(...)` and `pd.DataFrame(...)` take: one label a number, one column and row a class
    assert stats["class_counts"]["actual"] == {"linear": 1, "marginal": 1}
    assert [list(row) for row in stats["confusion_matrix"].values()] == [["linear", "marginal"]] * 2


@pytest.mark.django_db
class TestFromRows:
    """Rows of forecasts become outcomes; what did not come yet takes no part."""

    def test_a_subject_stands_for_its_workflows_too(self) -> None:
        for subject in ("alpha", "alpha/score", "alphabet", "beta"):
            make_forecast(subject, actual=[2.0])
        assert forecast_subjects("alpha") == ["alpha", "alpha/score"]
        stats = roi_prediction_panel("alpha")
        assert (stats["count"], stats["mae"]) == (2, 1.0)
        assert list(stats["workflow_mae"]) == ["alpha", "alpha/score"]

    @pytest.mark.parametrize("tracker", ["alpha", ["alpha"], Named("alpha")])
    def test_names_and_trackers_of_rows_say_the_same(self, tracker: Any) -> None:
        make_forecast(actual=[2.0])
        assert roi_prediction_panel(tracker)["mae"] == 1.0

    def test_a_forecast_that_met_nothing_yet_is_no_outcome(self) -> None:
        make_forecast()
        stats = roi_prediction_panel("alpha")
        assert (stats["count"], stats["mae"], stats["accuracy"]) == (0, None, None)

    def test_a_class_is_compared_when_the_whole_horizon_came(self) -> None:
        make_forecast(growth="linear", actual=RISING[:4])
        assert roi_prediction_panel("alpha")["accuracy"] is None
        make_forecast(growth="linear", actual=RISING)
        stats = roi_prediction_panel("alpha")
        assert stats["accuracy"] == 1.0
        assert stats["confusion_matrix"] == {"linear": {"linear": 1}}

    def test_forecasts_of_one_scenario_are_not_mixed_in(self) -> None:
        make_forecast(actual=[2.0])
        make_forecast(actual=[9.0], scenario="chaotic_failure")
        assert roi_prediction_panel("alpha")["mae"] == 1.0

    def test_steps_and_models_are_told_apart(self) -> None:
        make_forecast(actual=[1.0, 4.0], model="naive")
        make_forecast(actual=[3.0], model="pooled")
        stats = roi_prediction_panel("alpha")
        assert [(step["count"], step["mae"]) for step in stats["steps"]] == [(2, 1.0), (1, 3.0)]
        assert [(row["model"], row["scaled_mae"]) for row in stats["models"]] == [
            ("naive", 0.0),
            ("pooled", 2.0),
        ]

    def test_damaged_lists_are_left_out(self) -> None:
        make_forecast(mean=1.0, actual=[2.0])
        Forecast.objects.update(lower80=["x"], upper80=None or [], actual=[2.0, "?", True])
        stats = roi_prediction_panel("alpha")
        assert stats["mae"] == 1.0
        assert stats["calibration"][0]["share"] is None

    def test_a_subject_of_many_forecasts_costs_three_statements(self) -> None:
        for _ in range(5):
            make_forecast(actual=[2.0])
        with CaptureQueriesContext(connection) as context:
            roi_prediction_panel(["alpha"])
        assert len(context.captured_queries) <= 3


@pytest.mark.django_db
class TestScenarios:
    """Each scenario's newest measurement beside the one before."""

    def test_the_worst_is_the_one_that_gained_least(self) -> None:
        make_sample("normal", 0.4, synergy_roi=0.1)
        make_sample("normal", 0.5, synergy_roi=0.3, synergy_efficiency=0.2)
        make_sample("schema_drift", -0.2)
        make_sample("unmeasured", None)
        stats = roi_prediction_panel("alpha")
        assert stats["scenario_roi_deltas"] == {"normal": 0.5, "schema_drift": -0.2, "unmeasured": None}
        assert stats["worst_scenario"] == "schema_drift"
        assert stats["scenario_metrics_delta"]["normal"] == {"synergy_roi": pytest.approx(0.2)}
        assert stats["scenario_synergy_delta"]["schema_drift"] is None

    def test_the_risk_comes_off_where_a_verdict_was_made(self) -> None:
        for delta in (0.4, 0.6):
            make_sample("normal", delta)
        make_sample("unmeasured", None)
        make_sample("normal", 9.0, subject="other")
        make_sample("normal", 0.5)
        assert roi_prediction_panel("alpha")["scenario_raroi"] == {"normal": None, "unmeasured": None}
        Verdict.objects.create(subject="alpha", p_collapse=0.2, cycles=9, evidence="enough", marks=1)
        stability = 1 / (1 + pstdev([0.4, 0.6, 0.5]) / 0.5)
        assert roi_prediction_panel(["alpha"])["scenario_raroi"] == {
            "normal": pytest.approx(0.5 * 0.8 * stability),
            "unmeasured": None,
        }

    def test_without_samples_there_is_no_worst(self) -> None:
        assert roi_prediction_panel("alpha")["worst_scenario"] is None


@pytest.mark.django_db
class TestCurve:
    """A forecast, what it knew, and what came."""

    def test_the_history_ends_where_the_forecast_begins(self) -> None:
        for number in range(4):
            make_roi_event("alpha", float(number), source=f"cycle:9{number}")
        forecast = make_forecast(source="cycle:92", actual=[3.0])
        panel = forecast_panel(forecast, shown=2)
        assert [(row["position"], row["value"]) for row in panel["history"]] == [(-1, 1.0), (0, 2.0)]
        assert [step["actual"] for step in panel["steps"]] == [3.0, None, None, None, None]

    def test_a_forecast_of_an_unknown_event_takes_what_was_there(self) -> None:
        make_roi_event("alpha", 7.0)
        (row,) = forecast_panel(make_forecast(source="train:1"))["history"]
        assert row["value"] == 7.0

    def test_the_figure_joins_history_and_forecast(self) -> None:
        make_roi_event("alpha", 2.0, source="cycle:7")
        figure = forecast_figure(forecast_panel(make_forecast(source="cycle:7", actual=[1.5])))
        lines = {trace["name"]: trace for trace in figure["data"]}
        assert lines["forecast"]["x"] == [0, 1, 2, 3, 4, 5]
        assert lines["forecast"]["y"][0] == 2.0
        assert lines["what came"]["y"] == [1.5]

    def test_empty_figures_say_why(self) -> None:
        stats = roi_prediction_panel("alpha")
        for figure in (error_figure(stats), calibration_figure(stats), classes_figure(stats)):
            assert figure["data"] == []
            assert figure["layout"]["annotations"][0]["text"]
