"""Plotly figures as plain dicts: no template and no colours, the page's theme sets both.

`meta.series` numbers the colour, so that the same series has the same colour everywhere. The dicts are made
by hand because importing plotly would cost every web process tens of MiB; tests hold them against plotly's
own validation.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Figure = dict[str, Any]
Points = Sequence[Mapping[str, Any]]
_MARK: Figure = {"line": {"width": 1, "dash": "dot", "color": "gray"}}


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


def forecast_figure(panel: Mapping[str, Any]) -> Figure:
    """Return the course of an ROI up to a forecast, the forecast with its bands, and what came since.

    The horizontal axis counts cycles: 0 is the newest that the forecast knew, 1 the first that it foretells.
    """
    history, steps = panel["history"], panel["steps"]
    joint = [{**point, "mean": point["value"]} for point in history[-1:]]
    data: list[Figure] = []
    for level, name in ((95, "95 % interval"), (80, "80 % interval")):
        data += _fan(steps, f"lower{level}", f"upper{level}", name)
    data.append(_line("ROI", history, "position", "value", 1) | {"mode": "lines+markers"})
    data.append(_line("forecast", [*joint, *steps], "position", "mean", 2) | {"line": {"dash": "dash"}})
    came = [step for step in steps if step.get("actual") is not None]
    if came:
        data.append(_line("what came", came, "position", "actual", 3) | {"mode": "lines+markers"})
    empty = "No forecast was made yet." if not steps else ""
    layout = _plain_layout("cycles after the forecast", str(panel["unit"]), empty)
    if not empty:
        layout["shapes"] = [{"type": "line", "x0": 0, "x1": 0, "yref": "paper", "y0": 0, "y1": 1, **_MARK}]
    return {"data": [] if empty else data, "layout": layout}


def error_figure(panel: Mapping[str, Any]) -> Figure:
    """Return the rolling mean absolute error of forecasts, and the rolling share of classes foretold."""
    errors = [{"x": at, "y": value} for at, value in enumerate(panel["mae_trend"], start=1)]
    layout = _plain_layout("settled forecasts, oldest first", "mean absolute error", "")
    if not errors:
        return {"data": [], "layout": _plain_layout("", "", "No forecast was settled yet.")}
    return {"data": [_line("rolling error", errors, "x", "y", 1)], "layout": layout}


def calibration_figure(panel: Mapping[str, Any]) -> Figure:
    """Return for each level of interval the share that fell inside, with its own interval, and the aim."""
    rows = [row for row in panel["calibration"] if row["share"] is not None]
    if not rows:
        return {"data": [], "layout": _plain_layout("", "", "No interval was settled yet.")}
    at = [f"{row['level']:.0%}" for row in rows]
    over = [row["high"] - row["share"] for row in rows]
    under = [row["share"] - row["low"] for row in rows]
    spread = {"type": "data", "symmetric": False, "array": over, "arrayminus": under}
    dots: Figure = {"type": "scatter", "mode": "markers", "name": "fell inside", "x": at, "error_y": spread}
    dots |= {"y": [row["share"] for row in rows], "meta": {"series": 1}}
    aim: Figure = {"type": "scatter", "mode": "markers", "name": "aim", "x": at, "meta": {"series": 2}}
    aim |= {"y": [row["level"] for row in rows], "marker": {"symbol": "line-ew-open", "size": 26}}
    layout = _plain_layout("interval", "share of numbers inside", "")
    layout["xaxis"]["type"] = "category"
    layout["yaxis"] |= {"range": [0, 1.02], "tickformat": ".0%"}
    return {"data": [aim, dots], "layout": layout}


def classes_figure(panel: Mapping[str, Any]) -> Figure:
    """Return how often each class was foretold beside how often it came."""
    counts = panel["class_counts"]
    names = list(counts["actual"])
    if not names:
        return {"data": [], "layout": _plain_layout("", "", "No class was settled yet.")}
    sides = (("foretold", "predicted", 2), ("came", "actual", 1))
    data: list[Figure] = [
        {"type": "bar", "name": name, "x": names, "y": [counts[key][each] for each in names]}
        | {"meta": {"series": series}}
        for name, key, series in sides
    ]
    layout = _plain_layout("", "forecasts", "")
    layout["xaxis"]["type"] = "category"
    return {"data": data, "layout": layout}


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


def _fan(steps: Points, low: str, high: str, name: str) -> list[Figure]:
    """Return an interval as two edges, the upper one filled down to the lower."""
    edge: Figure = {"type": "scatter", "mode": "lines", "x": [step["position"] for step in steps]}
    edge |= {"line": {"width": 0}, "meta": {"series": 2}}
    lower = {
        **edge,
        "name": f"{name}, low",
        "y": _values(steps, low),
        "showlegend": False,
        "hoverinfo": "skip",
    }
    upper = {**edge, "name": name, "y": _values(steps, high), "fill": "tonexty"}
    return [lower, {**upper, "hoverinfo": "skip", "meta": {"series": 2, "fill": True}}]


def _line(name: str, points: Points, x: str, y: str, series: int) -> Figure:
    line: Figure = {"type": "scatter", "mode": "lines", "name": name, "connectgaps": False}
    at = [point[x] for point in points]
    return {**line, "x": at, "y": _values(points, y), "meta": {"series": series}}


def _plain_layout(across: str, up: str, empty: str) -> Figure:
    if empty:
        return _layout("", "", empty, ())
    return {"xaxis": {"title": {"text": across}}, "yaxis": {"title": {"text": up[:80]}}}
