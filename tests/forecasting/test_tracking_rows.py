"""Rows of forecasts, evaluations, synergy samples and modules: what the database itself refuses."""

from typing import Any

import pytest
from django.db import IntegrityError, models
from django.utils import timezone

from forecasting.models import Evaluation, Forecast, ModuleProgress, RoiEvent, SynergySample

pytestmark = pytest.mark.django_db

ONCE: list[tuple[type[models.Model], dict[str, Any]]] = [
    (Forecast, {"subject": "alpha", "source": "cycle:1", "model": "naive", "seen": 3, "horizon": 5}),
    (Evaluation, {"subject": "alpha", "source": "cycle:1"}),
    (SynergySample, {"subject": "alpha", "scenario": "spike", "source": "cycle:1"}),
    (ModuleProgress, {"subject": "alpha", "path": "a.py"}),
]


@pytest.mark.parametrize(("model", "fields"), ONCE, ids=[model.__name__ for model, _ in ONCE])
def test_each_is_kept_once(model: type[models.Model], fields: dict[str, Any]) -> None:
    model._default_manager.create(**fields)
    with pytest.raises(IntegrityError):
        model._default_manager.create(**fields)


def test_what_was_not_measured_is_null_and_no_zero() -> None:
    forecast = Forecast.objects.create(subject="a", source="cycle:1", model="naive", seen=1, horizon=5)
    evaluation = Evaluation.objects.create(subject="a", source="cycle:1")
    event = RoiEvent.objects.create(subject="a", source="cycle:1", action="cycle", delta=1.0)
    assert {forecast.error, forecast.confidence, forecast.p_collapse, forecast.brittle} == {None}
    feedback = {evaluation.gpt_feedback, evaluation.gpt_feedback_score, evaluation.gpt_feedback_tokens}
    assert feedback | {evaluation.long_term_delta, evaluation.cv_score, evaluation.passed} == {None}
    assert {event.confidence, event.predicted_horizons, event.actual_horizons} == {None}


def test_the_latest_forecast_is_that_of_the_scenario_asked_for() -> None:
    plain = {"subject": "a", "model": "naive", "seen": 1, "horizon": 5}
    for source, scenario in (("cycle:1", ""), ("cycle:2", ""), ("cycle:2", "spike")):
        Forecast.objects.create(source=source, scenario=scenario, **plain)
    latest = Forecast.objects.latest_of("a")
    assert latest is not None
    assert (latest.source, latest.scenario) == ("cycle:2", "")
    assert Forecast.objects.latest_of("b") is None


def test_a_module_is_complete_since_a_time() -> None:
    ModuleProgress.objects.create(subject="a", path="a.py", complete=True, completed_at=timezone.now())
    assert [row.path for row in ModuleProgress.objects.complete("a")] == ["a.py"]
    with pytest.raises(IntegrityError):
        ModuleProgress.objects.create(subject="a", path="b.py", complete=True)
