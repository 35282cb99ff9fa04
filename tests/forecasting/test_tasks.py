"""Celery's tasks: verdicts that are due are made anew, and a model that is worn out is trained."""

import logging
from collections.abc import Callable

import pytest

from forecasting import tasks
from forecasting.domain.predictor import Training
from forecasting.models import CycleMetrics, ForecastModel, Verdict
from forecasting.services import foresight, predictor
from menace_site.models import AuditEntry

Retrain = Callable[..., Training]


@pytest.fixture
def said(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "forecasting.tasks")
    return caplog


@pytest.fixture
def ordered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The trainings that were ordered from workers."""
    found: list[str] = []
    monkeypatch.setattr(tasks.retrain_forecasts, "delay", lambda: found.append("training"))
    return found


def measured(subject: str, count: int) -> None:
    CycleMetrics.objects.bulk_create(
        CycleMetrics(subject=subject, cycle=number, roi=float(number)) for number in range(1, count + 1)
    )
    Verdict.objects.create(subject=subject, due=True)


def test_a_training_that_was_overtaken_is_told_and_ends_in_peace(
    said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(**_: object) -> None:
        raise RuntimeError(predictor.BUSY)

    monkeypatch.setattr(predictor, "retrain", overtaken)
    tasks.retrain_forecasts()
    assert said.messages == ["forecast model: another training ended first; nothing was changed"]


def test_another_error_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> None:
        raise ValueError("bad rows")

    monkeypatch.setattr(predictor, "retrain", broken)
    with pytest.raises(ValueError, match="bad rows"):
        tasks.retrain_forecasts()


@pytest.mark.django_db
def test_without_history_the_schedule_trains_nothing_and_says_why(said: pytest.LogCaptureFixture) -> None:
    tasks.retrain_forecasts()
    (line,) = said.messages
    assert line.startswith("forecast model: shipped, ")
    assert not ForecastModel.objects.exists()
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db
def test_verdicts_that_are_due_are_made_and_those_that_are_not_stay(ordered: list[str]) -> None:
    measured("alpha", 12)
    Verdict.objects.create(subject="beta", due=False, reason="from before")
    tasks.refresh_verdicts()
    alpha, beta = Verdict.objects.order_by("subject")
    assert (alpha.due, alpha.cycles, alpha.cycle) == (False, 12, 12)
    assert (beta.reason, beta.at) == ("from before", None)
    assert ordered == []


@pytest.mark.django_db
def test_a_worn_out_model_is_trained_by_a_worker_of_its_own(
    ordered: list[str], said: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured("alpha", 12)
    asked: list[list[str]] = []

    def worn(subjects: list[str]) -> str:
        asked.append(list(subjects))
        return subjects[0]

    monkeypatch.setattr("forecasting.tasks.wearing.worn_out", worn)
    tasks.refresh_verdicts()
    assert asked == [["alpha"]], "those that were due before the verdicts were made"
    assert ordered == ["training"]
    assert "the errors of alpha drifted" in said.text


@pytest.mark.django_db
def test_nothing_due_costs_next_to_nothing(ordered: list[str]) -> None:
    tasks.refresh_verdicts()
    assert ordered == []
    assert foresight.due_subjects(10) == []
