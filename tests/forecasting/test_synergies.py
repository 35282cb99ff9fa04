"""Synergy samples as rows: computed from both sides, kept once, beside what was foretold."""

from typing import Any

import pytest

from forecasting.models import SynergySample
from forecasting.services.synergies import foretold, record_synergy

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
