"""All synergy metrics of a subject as a mapping; whatever stands in a row, it is shown or a gap."""

from typing import Any

import pytest

from forecasting.domain.metrics import METRICS
from forecasting.models import SynergySample
from forecasting.panels import synergy_panel
from forecasting.services.synergies import record_synergy

pytestmark = pytest.mark.django_db


def by_name(subject: str, scenario: str = "") -> dict[str, Any]:
    return {row["name"]: row for row in synergy_panel(subject, scenario)["metrics"]}


def test_each_metric_of_the_table_is_told_with_what_it_needs() -> None:
    panel = synergy_panel("alpha/score")
    assert (panel["at"], panel["source"]) == (None, None)
    assert [row["name"] for row in panel["metrics"]] == [f"synergy_{name}" for name in METRICS]
    for row in panel["metrics"]:
        assert row["value"] is row["ahead"] is row["reliability"] is None
        assert (row["count"], row["by"]) == (0, "")
        assert row["needed"]
        assert row["unit"]


def test_what_was_measured_is_told_with_what_is_foreseen() -> None:
    record_synergy("alpha/score", "cycle:1", metrics={"throughput": 1.0, "roi": 2.0})
    record_synergy("alpha/score", "cycle:2", metrics={"throughput": 2.0})
    rows = by_name("alpha/score")
    assert rows["synergy_throughput"]["value"] == 2.0
    assert rows["synergy_throughput"]["ahead"] == pytest.approx(1.3)
    assert (rows["synergy_throughput"]["count"], rows["synergy_throughput"]["by"]) == (2, "ema")
    assert rows["synergy_throughput"]["reliability"] == 0.5
    # the newest sample has no ROI: that is a gap, and what is foreseen of it stays
    assert (rows["synergy_roi"]["value"], rows["synergy_roi"]["ahead"]) == (None, 2.0)
    assert by_name("alpha/score", "spike")["synergy_throughput"]["value"] is None


@pytest.mark.parametrize(
    "odd", [None, 5, "text", [1], {"synergy_roi": 10**400}, {"synergy_roi": {"value": "x", "count": "y"}}]
)
def test_a_row_of_anything_is_a_gap(odd: Any) -> None:
    given = {} if odd is None else odd
    SynergySample.objects.create(subject="alpha/score", source="cycle:1", metrics=given, ahead=given)
    row = by_name("alpha/score")["synergy_roi"]
    assert (row["value"], row["ahead"], row["count"]) == (None, None, 0)
