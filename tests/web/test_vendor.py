"""The vendored figure library: as it is written down, and able to draw what the project's figures ask for."""

import datetime as dt
import hashlib
import re
from typing import Any

import plotly.graph_objects as go
import pytest
from django.conf import settings

from engines.charts import fold_figure, metric_chart, roi_chart, sparkline
from forecasting.charts import calibration_figure, classes_figure, error_figure, forecast_figure
from forecasting.domain.accuracy import Outcome, prediction_panel

VENDOR = settings.BASE_DIR / "static" / "vendor"
NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
EVENT = {"at": NOW, "delta": 0.5, "ema": None, "source": "cycle:1"}
ROI = {"subject": "a", "per": "point", "cut": False, "points": [EVENT]}
ROLLED = {**EVENT, "low": 0.1, "high": 0.9, "count": 3}
POINT = {"at": NOW, "value": 0.5, "source": "cycle:1", "low": 0.4, "high": 0.6}


def metric(per: str, points: list[dict[str, Any]]) -> dict[str, Any]:
    return {"subject": "a", "name": "f1", "per": per, "points": points, "cut": False}


STEP = {
    "position": 1,
    "mean": 1.0,
    "lower80": 0.5,
    "upper80": 1.5,
    "lower95": 0.0,
    "upper95": 2.0,
    "actual": 1.2,
}
CURVE = {"unit": "ROI delta", "history": [{"position": 0, "value": 0.9}], "steps": [STEP]}
PREDICTIONS = prediction_panel([Outcome(1.0, 1.2, "linear", "marginal", bands=((0.5, 1.5), (0.0, 2.0)))])
NO_PREDICTIONS = prediction_panel([])
DRAWN = (error_figure, calibration_figure, classes_figure)

FIGURES = [
    roi_chart(ROI),
    roi_chart({**ROI, "points": []}),
    roi_chart({**ROI, "per": "hour", "points": [ROLLED]}),
    metric_chart(metric("point", [POINT])),
    metric_chart(metric("day", [POINT])),
    metric_chart(metric("day", [])),
    forecast_figure(CURVE),
    forecast_figure({**CURVE, "steps": []}),
    *(draw(each) for draw in DRAWN for each in (PREDICTIONS, NO_PREDICTIONS)),
]


def test_each_vendored_file_has_the_digest_that_is_written_down() -> None:
    rows = re.findall(r"^\| `([^`]+)` \|.*`([0-9a-f]{64})` \|$", (VENDOR / "VENDOR.md").read_text(), re.M)
    assert rows
    for name, digest in rows:
        assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == digest


@pytest.mark.parametrize("figure", FIGURES)
def test_plotly_accepts_the_figure(figure: dict[str, Any]) -> None:
    go.Figure(figure)


def test_the_bundle_has_every_trace_type_that_figures_use() -> None:
    bundle = (VENDOR / "plotly-cartesian.min.js").read_text()
    used = {trace["type"] for figure in FIGURES for trace in figure["data"]}
    assert used == {"bar", "scatter"}
    for name in used:
        assert re.search(rf'\bname:"{name}",basePlotModule', bundle) or f'name="{name}"' in bundle


def test_a_sparkline_keeps_zero_inside_and_loses_below_it() -> None:
    line = sparkline([1.0, -1.0])
    assert line is not None
    (_, top), (_, bottom) = (map(float, pair.split(",")) for pair in line["points"].split())
    assert top < float(line["zero"]) < bottom
    assert sparkline([1.0]) is None


def test_equal_values_make_a_flat_sparkline() -> None:
    line = sparkline([0.0, 0.0, 0.0])
    assert line is not None
    assert {pair.split(",")[1] for pair in line["points"].split()} == {"12.0"}


def test_folds_become_two_dots_each() -> None:
    assert fold_figure([]) is None
    fold = {"fold": 1, "old": 0.5, "new": 0.7, "old_text": "0.5", "new_text": "0.7"}
    figure = fold_figure([fold])
    assert figure is not None
    (dot,) = figure["dots"]
    assert float(dot["new"]) < float(dot["old"])
