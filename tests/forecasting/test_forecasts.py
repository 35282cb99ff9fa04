"""Forecasts of subjects: made once a source, settled by the events that came, however often repeated."""

from statistics import fmean, pvariance
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.models import Forecast, RoiEvent, SynergySample
from forecasting.services import record_roi_event
from forecasting.services.forecasts import OPEN, foresee, keep, make, settle

pytestmark = pytest.mark.django_db


def grow(subject: str, levels: list[float], first: int = 1) -> None:
    """Keep an event and a forecast for each level, as cycles do."""
    for number, level in enumerate(levels, first):
        source = f"cycle:{number}"
        record_roi_event(subject, source=source, action="cycle", delta=-0.5, roi_after=level)
        make(subject, source)


def forecast_of(source: str, subject: str = "alpha") -> Forecast:
    """Return the forecast made after a source."""
    return Forecast.objects.get(subject=subject, source=source, scenario="")


def test_a_subject_without_history_gets_no_forecast() -> None:
    assert make("alpha", "cycle:1") is None
    assert not Forecast.objects.exists()


def test_a_forecast_says_what_it_was_made_from_and_who_answered() -> None:
    grow("alpha", [1.0, 1.2, 0.9])
    made = forecast_of("cycle:3")
    assert (made.seen, made.horizon, len(made.mean), made.model) == (3, 5, 5, "naive")
    assert made.lower95[0] <= made.lower80[0] <= made.mean[0] <= made.upper80[0] <= made.upper95[0]
    assert made.scale == pytest.approx((0.2 + 0.3) / 2)
    assert (made.evidence, sum(made.probabilities.values())) == ("low", pytest.approx(1.0))


def test_fewer_than_three_events_are_too_few_for_a_verdict_and_no_error_is_known() -> None:
    grow("alpha", [1.0, 1.2])
    made = forecast_of("cycle:2")
    assert made.risk == "Insufficient data"
    assert made.p_collapse is None
    assert (made.error, made.actual) == (None, [])


def test_later_events_fill_in_what_came_and_the_first_makes_the_error() -> None:
    grow("alpha", [1.0, 2.0, 1.5, 2.5, 2.0, 3.0, 2.0, 4.0])
    made = forecast_of("cycle:2")
    assert made.actual == [1.5, 2.5, 2.0, 3.0, 2.0]
    assert made.error == pytest.approx(abs(1.5 - made.mean[0]) / made.scale)
    assert made.settled_at is not None
    newer = forecast_of("cycle:6")
    assert newer.actual == [2.0, 4.0]
    assert newer.settled_at is None


def test_the_event_carries_what_was_foretold_and_what_came() -> None:
    grow("alpha", [1.0, 2.0, 1.5])
    event = RoiEvent.objects.get(source="cycle:1")
    assert event.predicted_horizons == forecast_of("cycle:1").mean
    assert event.actual_horizons == [2.0, 1.5]
    assert RoiEvent.objects.get(source="cycle:3").actual_horizons is None


def test_making_and_settling_again_changes_nothing() -> None:
    grow("alpha", [1.0, 2.0, 1.5, 2.5])
    before = list(Forecast.objects.order_by("id").values())
    for number in (2, 4):
        make("alpha", f"cycle:{number}")
    settle("alpha")
    assert list(Forecast.objects.order_by("id").values()) == before


def test_a_repeated_forecast_sees_nothing_that_came_later() -> None:
    grow("alpha", [1.0, 1.1, 0.9, 1.0])
    first = forecast_of("cycle:4").mean
    grow("alpha", [50.0, 80.0], first=5)
    again = make("alpha", "cycle:4")
    assert again is not None
    assert again.mean == first
    assert forecast_of("cycle:4").actual == [50.0, 80.0]


def test_an_event_that_was_measured_anew_is_settled_anew() -> None:
    grow("alpha", [1.0, 2.0, 1.5])
    record_roi_event("alpha", source="cycle:3", action="cycle", delta=0.0, roi_after=9.0)
    settle("alpha")
    assert forecast_of("cycle:2").actual == [9.0]
    assert forecast_of("cycle:1").actual == [2.0, 9.0]


def test_the_value_of_the_source_counts_before_its_event_is_kept() -> None:
    grow("alpha", [1.0, 2.0])
    made = foresee("alpha", "cycle:3", value=5.0)
    record_roi_event("alpha", source="cycle:3", action="cycle", delta=0.0, roi_after=5.0)
    assert made is not None
    assert made == foresee("alpha", "cycle:3")
    assert keep("alpha", "cycle:3", made).seen == 3


def test_an_event_without_a_level_takes_no_part() -> None:
    grow("alpha", [1.0, 2.0])
    record_roi_event("alpha", source="cycle:3", action="cycle", delta=5.0)
    assert make("alpha", "cycle:3") is not None
    assert forecast_of("cycle:2").actual == []
    assert forecast_of("cycle:3").seen == 2


def test_subjects_and_scenarios_are_kept_apart() -> None:
    grow("alpha", [1.0, 2.0])
    grow("beta", [7.0, 7.5])
    for number, delta in enumerate([0.5, 0.25], 1):
        where = {"subject": "alpha", "scenario": "spike", "source": f"cycle:{number}"}
        SynergySample.objects.create(**where, roi_delta=delta)
        make("alpha", f"cycle:{number}", scenario="spike")
    assert forecast_of("cycle:1").actual == [2.0]
    assert forecast_of("cycle:1", "beta").actual == [7.5]
    spike = Forecast.objects.get(subject="alpha", scenario="spike", source="cycle:1")
    assert (spike.seen, spike.actual) == (1, [0.25])


def test_errors_of_the_past_make_the_confidence() -> None:
    grow("alpha", [1.0, 2.0, 1.5, 2.5, 2.0])
    errors = [forecast_of(f"cycle:{number}").error or 0.0 for number in (2, 3, 4)]
    assert forecast_of("cycle:2").confidence is None
    assert forecast_of("cycle:5").confidence == pytest.approx(1 / (1 + fmean(errors) + pvariance(errors)))


def test_a_level_that_never_moves_is_forecast_with_confidence() -> None:
    grow("alpha", [640.0] * 5)
    assert forecast_of("cycle:4").error == 0.0
    assert forecast_of("cycle:5").confidence == 1.0


def test_a_level_that_moves_at_last_costs_the_confidence() -> None:
    grow("alpha", [640.0, 640.0, 640.0, 320.0])
    assert forecast_of("cycle:3").error == pytest.approx(50.0)
    assert (forecast_of("cycle:4").confidence or 1.0) < 0.01


def test_a_forecast_costs_the_same_few_statements_after_many_events() -> None:
    grow("alpha", [1.0, 1.2])
    with CaptureQueriesContext(
        connection,
    ) as few:
        make("alpha", "cycle:2")
    rows = (
        RoiEvent(subject="alpha", source=f"old:{number}", action="cycle", delta=0.0, roi_after=number % 7)
        for number in range(2_000)
    )
    RoiEvent.objects.bulk_create(rows)
    with CaptureQueriesContext(connection) as many:
        made = make("alpha", "old:1999")
    assert len(many) == len(few) <= 7
    assert made is not None
    assert made.seen == 200


@pytest.mark.parametrize(
    ("subject", "source", "more"),
    [("", "cycle:1", {}), ("a", "", {}), ("a", "s", {"horizon": 0}), ("a", "s", {"horizon": OPEN}),
     ("a", "s", {"scenario": "x" * 65})],
)  # fmt: skip
def test_bad_names_are_refused(subject: str, source: str, more: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make(subject, source, **more)
