"""The page of the synergy metrics says what the table says."""

import pytest

from forecasting.domain.metrics import METRICS
from scripts.check_places import ROOT

PAGE = (ROOT / "docs/reference/synergy.md").read_text()
ROWS = {cells[1].strip(" `"): cells for line in PAGE.splitlines() if len(cells := line.split("|")) == 8}


@pytest.mark.parametrize("name", METRICS)
def test_each_metric_has_a_row_with_its_unit_its_good_way_and_what_it_needs(name: str) -> None:
    metric = METRICS[name]
    cells = [cell.strip() for cell in ROWS[f"synergy_{name}"]]
    assert (cells[2], cells[3], cells[6]) == (metric.unit, metric.good, metric.needed)
    assert cells[4]
    assert cells[5]


def test_it_has_no_row_beside_them() -> None:
    known = {f"synergy_{name}" for name in METRICS}
    assert {name for name in ROWS if name.startswith("synergy_")} == known
