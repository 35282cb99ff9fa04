"""Plotly figures as plain dicts: no template and no colours, the page's theme sets both.

`meta.series` numbers the colour, so that the same series has the same colour everywhere. The dicts are made
by hand because importing plotly would cost every web process tens of MiB; tests hold them against plotly's
own validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Figure = dict[str, Any]
Points = Sequence[Mapping[str, Any]]


def roi_figure(panel: Mapping[str, Any]) -> Figure:
    """Return bars of the ROI deltas and the line of their moving average; roll-ups get their band."""
    points: Points = panel["points"]
    at = _times(points)
    text = [str(point["source"]) for point in points]
    bars = {
        "type": "bar",
        "name": "ROI delta",
        "y": _values(points, "delta"),
        "text": text,
        "meta": {"series": 1},
    }
    hover = "%{y:.4g}<br>%{text}<extra>ROI delta</extra>"
    line = {"type": "scatter", "mode": "lines", "name": "moving average", "y": _values(points, "ema")}
    data: list[Figure] = [
        {**bars, "x": at, "textposition": "none", "hovertemplate": hover},
        {**line, "x": at, "connectgaps": False, "meta": {"series": 2}},
    ]
    band = [] if panel["per"] == "point" else _band(at, points)
    layout = _layout("ROI delta", _unit(panel), "No ROI was measured in this time.", points)
    return {"data": [*band, *data] if points else [], "layout": layout}


def metric_figure(panel: Mapping[str, Any]) -> Figure:
    """Return the line of one metric; days get the band between their lowest and highest value."""
    points: Points = panel["points"]
    at = _times(points)
    name = str(panel["name"])
    line: Figure = {"type": "scatter", "mode": "lines+markers", "name": name, "x": at}
    line |= {"y": _values(points, "value"), "connectgaps": False, "meta": {"series": 1}}
    band = _band(at, points) if panel["per"] == "day" else []
    empty = f"{name} was not measured in this time."
    return {"data": [*band, line] if points else [], "layout": _layout(name, _unit(panel), empty, points)}


def _unit(panel: Mapping[str, Any]) -> str:
    return "" if panel["per"] == "point" else f"mean of the {panel['per']}"


def _band(at: list[str], points: Points) -> list[Figure]:
    edge = {
        "type": "scatter",
        "mode": "lines",
        "x": at,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    low = {**edge, "name": "lowest", "y": _values(points, "low"), "meta": {"series": 1}}
    high = {
        **edge,
        "name": "highest",
        "y": _values(points, "high"),
        "fill": "tonexty",
        "meta": {"series": 1, "fill": True},
    }
    return [low, high]


def _layout(title: str, unit: str, empty: str, points: Points) -> Figure:
    label = f"{title} ({unit})" if unit else title
    layout: Figure = {"xaxis": {"type": "date"}, "yaxis": {"title": {"text": label[:80]}}}
    if not points:
        layout["annotations"] = [
            {"text": empty, "showarrow": False, "xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5}
        ]
        layout["xaxis"], layout["yaxis"] = {"visible": False}, {"visible": False}
    return layout


def _times(points: Points) -> list[str]:
    return [point["at"].isoformat() for point in points]


def _values(points: Points, key: str) -> list[float | None]:
    return [point.get(key) for point in points]
