"""What evidence says of a collapse: the worse of the forecast and the verdict, never one of yesterday."""

import pytest

from engines.services import promotions
from engines.services.promotions.outlook import forecast_of
from forecasting.models import Verdict
from forecasting.services import record_cycle
from tests.engines.promoting import make_bot, make_forecast, make_winner

pytestmark = pytest.mark.django_db
FALLING = [1.0, 1.0, 0.98, 1.0, 1.01, 0.99, 0.9, 0.75, 0.55, 0.35, 0.15, 0.05]


def record(subject: str, *, roi: list[float], raroi: list[float] | None = None) -> None:
    for cycle, level in enumerate(roi, 1):
        record_cycle(subject, cycle, roi=level, raroi=None if raroi is None else raroi[cycle - 1])


def test_a_verdict_that_is_due_is_made_anew_and_counts_where_it_is_worse() -> None:
    engine = make_bot()
    make_forecast(engine)
    record(engine.name, roi=FALLING)
    assert Verdict.objects.get().due

    promotion = promotions.open_promotion(make_winner(engine))

    forecast = promotion.evidence["forecast"]
    assert (forecast["judged_by"], forecast["risk"]) == ("verdict", "Immediate collapse risk")
    assert forecast["mean"] == [5] * 5, "the curve stays the forecast's"
    assert (promotion.state, Verdict.objects.get().due) == ("blocked", False)


def test_a_verdict_that_is_better_changes_nothing() -> None:
    engine = make_bot()
    make_forecast(engine, risk="Volatile", p_collapse=0.4)
    record(engine.name, roi=[5.0] * 12)

    found = forecast_of(engine)

    assert found is not None
    assert (found["judged_by"], found["risk"], found["p_collapse"]) == ("forecast", "Volatile", 0.4)


def test_a_forecast_without_a_label_takes_the_verdicts() -> None:
    engine = make_bot()
    make_forecast(engine, risk="", p_collapse=None, brittle=None)
    assert (forecast_of(engine) or {})["judged_by"] is None
    record(engine.name, roi=[5.0] * 12)

    found = forecast_of(engine)

    assert found is not None
    assert (found["judged_by"], found["risk"]) == ("verdict", "Stable")
    assert found["brittle"] is None, "no change of entropy was seen"


def test_too_few_cycles_are_no_verdict_that_could_count() -> None:
    engine = make_bot()
    make_forecast(engine)
    record(engine.name, roi=[0.0, 0.0])

    assert (forecast_of(engine) or {})["judged_by"] == "forecast"


def test_a_risk_adjusted_roi_that_falls_blocks_where_the_roi_itself_holds() -> None:
    engine = make_bot()
    make_forecast(engine)
    level = [1.0] * len(FALLING)
    record(engine.name, roi=level)
    assert (forecast_of(engine) or {})["risk"] == "Stable"
    record(engine.name, roi=level, raroi=FALLING)

    found = forecast_of(engine)

    assert found is not None
    assert (found["judged_by"], found["risk"]) == ("verdict", "Immediate collapse risk")
    assert found["reason"].startswith("Of the risk-adjusted ROI: ")
