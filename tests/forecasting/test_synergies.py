"""Synergy samples as rows: computed from both sides, kept once, beside what was foretold."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from forecasting.models import SynergySample
from forecasting.services.synergies import foretold, predict_synergy_metric, record_synergy

pytestmark = pytest.mark.django_db
FAST, SLOW = {"cpu_seconds": 1.0, "success_rate": 1.0}, {"cpu_seconds": 3.0, "success_rate": 1.0}


def test_a_sample_is_what_both_sides_measured_and_nothing_else() -> None:
    row = record_synergy("alpha", "cycle:1", combined=[SLOW], alone=[[FAST], [SLOW]], scenario="spike")
    assert row is not None
    assert row.metrics == {"synergy_cpu_usage": 1.0, "synergy_efficiency": pytest.approx(1 / 3 - 2 / 3)}
    assert (row.roi_delta, row.predicted) == (None, {})


def test_each_source_is_kept_once_and_foretold_from_those_before_it() -> None:
    for number, value in enumerate((1.0, 2.0, 2.0, 1.0), 1):
        record_synergy("alpha", f"cycle:{number}", metrics={"synergy_roi": value}, roi_delta=value)
    record_synergy("alpha", "cycle:2", metrics={"roi": 2.0}, roi_delta=2.0)
    rows = list(SynergySample.objects.order_by("id"))
    assert [row.predicted.get("synergy_roi") for row in rows] == [
        None, 1.0, pytest.approx(1.3), pytest.approx(1.51),
    ]  # fmt: skip
    assert foretold("alpha")["synergy_roi"] == pytest.approx(0.7 * 1.51 + 0.3)


def test_where_nothing_was_measured_there_is_no_row() -> None:
    assert record_synergy("alpha", "cycle:1", combined=[FAST], alone=[]) is None
    assert record_synergy("alpha", "cycle:1", metrics={"roi": None}) is None
    assert not SynergySample.objects.exists()


@pytest.mark.parametrize(
    "bad",
    [{"subject": ""}, {"source": ""}, {"scenario": "x" * 65}, {"metrics": {"happiness": 1.0}},
     {"roi_delta": float("inf")}],
)  # fmt: skip
def test_bad_values_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        record_synergy(**{"subject": "alpha", "source": "cycle:1", "roi_delta": 1.0, **bad})


def test_what_is_ahead_is_kept_with_each_sample(settings: Settings) -> None:
    for number in range(1, 13):
        record_synergy("alpha", f"cycle:{number}", metrics={"roi": float(number), "efficiency": 0.5})
    row = SynergySample.objects.latest("id")
    told = row.ahead["synergy_roi"]
    assert (told["by"], told["count"]) == ("ema", 12)
    assert told["value"] == predict_synergy_metric("alpha", "roi") == foretold("alpha")["synergy_roi"]
    assert predict_synergy_metric("alpha", "synergy_efficiency") == 0.5
    assert predict_synergy_metric("alpha", "gpu_usage") is None
    assert predict_synergy_metric("alpha", "roi", "spike") is None
    longer = settings.SANDBOX.model_copy(update={"sandbox_synergy_model": "arima"})
    settings.SANDBOX = longer
    assert foretold("alpha")["synergy_roi"] > told["value"]


def test_a_history_of_the_roi_gives_metrics_of_its_own() -> None:
    rows = [record_synergy("alpha", f"cycle:{n}", metrics={"roi": float(n)}) for n in range(1, 10)]
    known = [set(row.metrics) - {"synergy_roi"} for row in rows if row is not None]
    early = {"synergy_reliability"}
    assert known[0] == set()
    assert known[1:7] == [early] * 6
    assert known[7] == early | {"synergy_projected_lucrativity", "synergy_long_term_lucrativity"}
    last = rows[-1]
    assert last is not None
    assert last.metrics["synergy_long_term_lucrativity"] == pytest.approx(1.0)


def test_a_name_that_the_table_lacks_is_refused() -> None:
    with pytest.raises(ValueError, match="no synergy metric"):
        predict_synergy_metric("alpha", "happiness")
