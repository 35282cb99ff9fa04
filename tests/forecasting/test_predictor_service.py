"""The forecast model in use: training writes one active row, a broken one is not used, all is audited."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from engines import api
from forecasting.domain import forecast_shipped
from forecasting.models import Evaluation, Forecast, ForecastModel, RoiEvent
from forecasting.panels import model_card
from forecasting.services import forecasts, predictor
from forecasting.tasks import retrain_forecasts
from menace_site.models import AuditEntry
from orphans.domain.acting import Actor
from tests.engines.test_steps import ScriptedPipeline
from tests.factories import make_engine, make_user
from tests.forecasting.forests import few_trees

ADA = Actor(label="ada", kind="person")


@pytest.fixture(autouse=True)
def _small_models(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    predictor._of.cache_clear()
    monkeypatch.setattr(forecast_shipped, "usable", lambda: (few_trees(), "global 1"))
    yield
    predictor._of.cache_clear()


def teeth(seed: int, points: int = 40) -> list[float]:
    """A course that no shipped row shows."""
    random = np.random.default_rng(seed)
    steps = np.tile([3.0, 3.0, -7.0], points)[seed % 3 : seed % 3 + points]
    return [float(value) for value in np.cumsum(steps) + random.normal(0, 0.1, points)]


def events(subject: str, values: list[float], **fields: Any) -> None:
    rows = [
        RoiEvent(
            subject=subject, source=f"cycle:{place}", action="cycle", delta=0.0, roi_after=value, **fields
        )
        for place, value in enumerate(values, 1)
    ]
    RoiEvent.objects.bulk_create(rows)


@pytest.fixture
def recorded(db: None) -> None:
    for seed in range(3):
        events(f"bot{seed}", teeth(seed))


def test_without_a_row_the_shipped_model_answers(db: None) -> None:
    assert predictor.active().recipe == "shipped"
    assert predictor.answer(teeth(1), 3).model == model_card()["active"]["name"]


def test_training_puts_a_better_model_in_use(recorded: None) -> None:
    training = predictor.retrain(actor=ADA, quick=True)
    row = ForecastModel.objects.active()
    assert training.changed
    assert row is not None
    assert (row.chosen, row.parent, row.made_by) == (training.chosen, "shipped", "ada")
    assert (row.series, row.points) == (3, 3 * 40)
    assert predictor.answer(teeth(9), 3).model == f"global {row.version}"
    assert forecasts.make("bot1", "cycle:40") is not None
    assert Forecast.objects.get().model == f"global {row.version}"


def test_training_again_retires_the_one_before(recorded: None) -> None:
    predictor.retrain(actor=ADA, quick=True)
    first = ForecastModel.objects.active()
    events("bot9", teeth(9))
    predictor.retrain(actor=ADA, quick=True)
    second = ForecastModel.objects.active()
    assert first is not None
    assert second is not None
    assert second.pk != first.pk
    assert second.parent == first.version
    assert list(ForecastModel.objects.values_list("state", flat=True)) == ["retired", "active"]


def test_training_twice_on_the_same_history_keeps_one_row(recorded: None) -> None:
    for _ in range(2):
        predictor.retrain(actor=ADA, quick=True)
    assert ForecastModel.objects.count() == 1
    assert ForecastModel.objects.active() is not None


def test_training_is_audited(recorded: None) -> None:
    predictor.retrain(actor=ADA, quick=True)
    entry = AuditEntry.objects.get(verb="retrain")
    row = ForecastModel.objects.get()
    assert (entry.actor, entry.target) == ("ada", f"forecast:global {row.version}")
    assert entry.detail["recipe"] == row.chosen


def test_too_little_history_writes_nothing(db: None) -> None:
    events("alpha", [1.0, 2.0, 3.0])
    training = predictor.retrain(actor=ADA)
    assert not training.changed
    assert not ForecastModel.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_training_that_was_overtaken_changes_nothing(
    recorded: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = predictor.histories

    def overtaken(subject: str | None = None) -> Any:
        found = real(subject)
        monkeypatch.setattr(predictor, "histories", real)
        predictor.retrain(actor=ADA, quick=True)
        return found

    monkeypatch.setattr(predictor, "histories", overtaken)
    with pytest.raises(RuntimeError, match="another training"):
        predictor.retrain(actor=ADA, quick=True)
    assert ForecastModel.objects.count() == 1


def broken(digest: str = "0" * 64, **fields: Any) -> ForecastModel:
    plain = {"version": digest[:12], "arrays": b"cut off", "state": "active", "chosen": "leaves 0.1"}
    numbers = {"parent": "shipped", "series": 1, "points": 1, "rows": 1, "made_by": "x"}
    return ForecastModel.objects.create(digest=digest, **{**plain, **numbers, **fields})


def test_a_broken_row_is_logged_and_the_shipped_model_answers(
    db: None, caplog: pytest.LogCaptureFixture
) -> None:
    broken()
    found = predictor.active()
    assert "was changed" in found.problem
    assert "shipped one answers" in caplog.text
    assert predictor.answer(teeth(1), 3).model == model_card()["shipped"]["name"]


def test_only_one_model_is_active(db: None) -> None:
    broken()
    with pytest.raises(IntegrityError, match="one_active_forecast_model"), transaction.atomic():
        broken("1" * 64)


def test_arrays_of_models_long_out_of_use_are_dropped(recorded: None) -> None:
    for digit in range(8):
        broken(str(digit) * 64, state="retired")
    predictor.retrain(actor=ADA, quick=True)
    kept = [bool(bytes(row.arrays)) for row in ForecastModel.objects.order_by("id")]
    assert kept == [False] * 4 + [True] * 5
    assert ForecastModel.objects.count() == 9


def test_histories_hold_what_was_known_beside_each_value(db: None) -> None:
    events("alpha", [float(value) for value in range(14)], confidence=0.5)
    events("beta", [1.0])
    Evaluation.objects.create(subject="alpha", source="cycle:3", gpt_feedback_tokens=7, long_term_delta=4.0)
    found = predictor.histories()
    assert set(found) == {"alpha", "beta"}
    assert found["alpha"].values == [float(value) for value in range(14)]
    fields = found["alpha"].fields
    assert fields[2]["gpt_feedback_tokens"] == 7
    assert fields[3]["gpt_feedback_tokens"] is None
    assert fields[0]["confidence"] == 0.5
    assert set(predictor.histories("beta")) == {"beta"}


def test_a_long_term_delta_is_not_known_before_its_ten_events_came(db: None) -> None:
    events("alpha", [float(value) for value in range(20)])
    Evaluation.objects.create(subject="alpha", source="cycle:3", long_term_delta=4.0)
    known = [fields["long_term_delta"] for fields in predictor.histories()["alpha"].fields]
    assert known == [None] * 12 + [4.0] + [None] * 7


def test_a_subject_is_forecast_with_its_own_errors(db: None) -> None:
    events("alpha", teeth(1, 30))
    plain = predictor.of_subject("alpha", 4)
    for place in range(1, 31):
        Forecast.objects.create(
            subject="alpha", source=f"cycle:{place}", model="x", seen=1, horizon=1, error=0.01
        )
    calm = predictor.of_subject("alpha", 4)
    assert calm.upper80[0] - calm.lower80[0] < plain.upper80[0] - plain.lower80[0]
    assert plain.confidence is None
    assert calm.confidence is not None
    with pytest.raises(LookupError, match="nothing was recorded"):
        predictor.of_subject("nobody", 4)


def test_the_schedule_trains(recorded: None) -> None:
    retrain_forecasts()
    row = ForecastModel.objects.active()
    assert row is not None
    assert row.made_by == "schedule"
    assert AuditEntry.objects.get(verb="retrain").actor == "schedule"


def test_the_card_shows_the_shipped_model_first(db: None) -> None:
    card = model_card()
    assert card["active"] == card["shipped"]
    assert card["trained"] == []
    assert card["active"]["state"] == "active"
    assert card["active"]["series"] == sum(card["active"]["families"].values())
    ours, last = card["active"]["backtest"]
    assert (ours["used"], last["used"]) == (True, False)
    assert ours["crps"] is not None
    assert last["crps"] is not None
    assert ours["crps"] < last["crps"]


def test_the_card_shows_what_training_made(recorded: None) -> None:
    training = predictor.retrain(actor=ADA, quick=True)
    card = model_card()
    assert card["active"]["recipe"] == training.chosen
    assert card["shipped"]["state"] == "retired"
    assert [row["recipe"] for row in card["active"]["backtest"] if row["used"]] == [training.chosen]
    assert card["trained"] == [card["active"]]


def test_an_engine_is_asked_in_plain_python(db: None) -> None:
    make_engine("alpha")
    engine = api.SelfImprovementEngine("alpha", ScriptedPipeline())
    with pytest.raises(LookupError, match="nothing was recorded"):
        engine.predict_roi()
    events("alpha", teeth(1, 30))
    assert engine.predict_roi(3) == predictor.of_subject("alpha", 3)
    assert len(engine.predict_roi(3).mean) == 3
    assert api.AdaptiveROIPredictor is type(predictor.active())
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = api.Nothing


def test_the_admin_shows_models_without_their_arrays(db: None, client: Client) -> None:
    row = broken()
    client.force_login(make_user("admin"))
    for path in ("", f"{row.pk}/change/"):
        with CaptureQueriesContext(connection) as asked:
            page = client.get(f"/admin/forecasting/forecastmodel/{path}")
        assert page.status_code == 200
        assert row.version in page.content.decode()
        assert not any('"arrays"' in query["sql"] for query in asked.captured_queries)
