"""A forecast model whose errors drift is trained anew: by beat, once, and never where people forbade it."""

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings

from forecasting import tasks
from forecasting.models import Forecast, Verdict
from forecasting.services import predictor, record_cycle, wearing

pytestmark = pytest.mark.django_db
STEADY = [0.4, 0.6, 0.5, 0.55, 0.45] * 6
DRIFTED = [*STEADY, *(6.0 + error for error in STEADY[:20])]


@pytest.fixture(autouse=True)
def _forgetful() -> None:
    cache.clear()


def foretold(subject: str, errors: list[float], model: str = "") -> None:
    """Make settled forecasts of the model in use, or of another, with these errors."""
    band = {name: [1.0] for name in ("mean", "lower80", "upper80", "lower95", "upper95")}
    Forecast.objects.bulk_create(
        Forecast(
            subject=subject, source=f"cycle:{place}", model=model or predictor.active().name, seen=9,
            horizon=1, error=error, **band,
        )
        for place, error in enumerate(errors, 1)
    )  # fmt: skip


def test_drifted_errors_of_any_subject_wear_the_model_out_once() -> None:
    foretold("calm", STEADY)
    foretold("wild", DRIFTED)

    assert wearing.worn_out(["calm"]) == ""
    assert wearing.worn_out(["calm", "wild"]) == "wild"
    assert wearing.worn_out(["calm", "wild"]) == "", "it has been told"


def test_errors_of_the_model_before_say_nothing_of_this_one() -> None:
    foretold("wild", DRIFTED, model="global before")
    foretold("few", DRIFTED[-19:])

    assert wearing.worn_out(["wild", "few", "unheard of"]) == ""


def test_without_a_schedule_nothing_trains_by_itself(settings: Settings) -> None:
    foretold("wild", DRIFTED)
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"forecast_retrain_hours": 0.0})

    assert wearing.worn_out(["wild"]) == ""


def test_beat_has_it_trained_after_new_numbers_and_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks.retrain_forecasts, "delay", lambda: sent.append("retrain"))
    foretold("wild", DRIFTED)
    tasks.refresh_verdicts()
    assert sent == [], "nothing was measured"

    for cycle in (1, 2):
        record_cycle("wild", cycle, roi=1.0)
        tasks.refresh_verdicts()

    assert sent == ["retrain"]
    assert not Verdict.objects.due().exists()
