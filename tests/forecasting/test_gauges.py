"""Gauges of forecasts and complete modules: from rows, without a sample for what was not measured."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from forecasting import gauges
from forecasting.models import Forecast, ModuleProgress
from menace_site.metrics import SOURCES

pytestmark = pytest.mark.django_db


def forecast(subject: str, number: int, **fields: Any) -> None:
    """Keep a forecast."""
    plain = {"model": "naive", "seen": 3, "horizon": 5, "mean": [number / 2, 9.0]}
    Forecast.objects.create(subject=subject, source=f"cycle:{number}", **{**plain, **fields})


def samples() -> dict[tuple[str, str], float]:
    """Return every sample by metric and subject."""
    return {
        (family.name, sample.labels["subject"]): sample.value
        for family in gauges.families()
        for sample in family.samples
    }


def test_the_newest_forecast_of_each_subject_is_shown() -> None:
    forecast("alpha", 1, confidence=0.1, p_collapse=0.9, error=1.0)
    forecast("alpha", 2, confidence=0.7, error=0.5)
    forecast("alpha", 3, scenario="spike", confidence=0.2)
    forecast("beta", 1)
    assert samples() == {
        ("menace_forecast_confidence", "alpha"): 0.7,
        ("menace_forecast_next_roi", "alpha"): 1.0,
        ("menace_forecast_next_roi", "beta"): 0.5,
        ("menace_forecast_scaled_error", "alpha"): 0.75,
    }


def test_complete_modules_are_counted() -> None:
    done = {"complete": True, "completed_at": timezone.now()}
    for path, more in (("a.py", done), ("b.py", done), ("c.py", {})):
        ModuleProgress.objects.create(subject="alpha", path=path, **more)
    assert samples() == {("menace_modules_complete", "alpha"): 2.0}


def test_a_scrape_reads_them_by_two_statements() -> None:
    assert gauges.families in SOURCES
    for number in range(30):
        forecast("alpha", number, error=1.0)
    with CaptureQueriesContext(connection) as asked:
        assert samples()["menace_forecast_scaled_error", "alpha"] == 1.0
    assert len(asked) == 2
