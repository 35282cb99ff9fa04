"""Figures of the engines: sparklines drawn by the server, and Plotly's dicts for their history."""

from collections.abc import Mapping, Sequence
from typing import Any

from engines.domain.wording import signed
from forecasting.charts import Figure, metric_figure, roi_figure

WIDTH, HEIGHT, PAD = 96.0, 24.0, 2.0
BOX, BOX_GAP, BOX_CHARS, MOST_BOXES = (190, 44), (70, 12), 24, 40


def roi_chart(panel: Mapping[str, Any]) -> Figure:
    """Return the figure of an engine's ROI history."""
    return roi_figure(panel)


def metric_chart(panel: Mapping[str, Any]) -> Figure:
    """Return the figure of one metric of an engine."""
    return metric_figure(panel)


def sparkline(values: Sequence[float]) -> dict[str, Any] | None:
    """Return the line of a small SVG figure, its zero line and what it says in words; None under two values.

    Zero always lies inside, so that losses hang below the line.
    """
    if len(values) < 2:
        return None
    low, high = min(0.0, *values), max(0.0, *values)
    points = [(_across(i, len(values)), _down(value, low, high)) for i, value in enumerate(values)]
    return {
        "points": " ".join(f"{x:.1f},{y:.1f}" for x, y in points),
        "zero": f"{_down(0.0, low, high):.1f}",
        "x": f"{points[-1][0]:.1f}",
        "y": f"{points[-1][1]:.1f}",
        "label": f"latest {len(values)} ROI deltas, from {signed(min(values))} to {signed(max(values))}",
    }


def foreseen_interval(step: Mapping[str, Any] | None) -> dict[str, str] | None:
    """Return the next cycle as a bar of its 80 % and 95 % intervals around the mean, with zero if it is near.

    `step` as `panels.foreseen` gives it. Places are per cent of the width, so that the bar may be as wide as
    its room. None when there is no forecast, an end is missing or all are the same.
    """
    ends = [
        (step or {"values": {}})["values"].get(side)
        for side in ("lower95", "lower80", "mean", "upper80", "upper95")
    ]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        return None
    low, high = known[0], known[-1]
    if high <= low:
        return None
    if low - (high - low) <= 0.0 <= high + (high - low):  # a far zero would make a dot of the rest
        low, high = min(0.0, low), max(0.0, high)
    span = high - low
    low95, low80, mean, high80, high95 = (f"{2 + 96 * (end - low) / span:.2f}%" for end in known)
    zero = f"{2 + 96 * (0.0 - low) / span:.2f}%" if low <= 0.0 <= high else ""
    places = {"low95": low95, "low80": low80, "mean": mean, "high80": high80, "high95": high95}
    told = f"mean {signed(known[2])}, 80 % from {signed(known[1])} to {signed(known[3])}"
    return {**places, "zero": zero, "label": told}


def fold_figure(folds: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Return two dots a fold, champion and challenger, as positions of an SVG figure 100 high."""
    if not folds:
        return None
    values = [fold[side] for fold in folds for side in ("old", "new")]
    low, high = min(values), max(values)
    step = 600.0 / len(folds)
    dots = [
        {
            "x": f"{step * (position + 0.5):.1f}",
            "old": f"{_scaled(fold['old'], low, high, 84.0, 8.0):.1f}",
            "new": f"{_scaled(fold['new'], low, high, 84.0, 8.0):.1f}",
            "label": f"fold {fold['fold']}: champion {fold['old_text']}, challenger {fold['new_text']}",
        }
        for position, fold in enumerate(folds)
    ]
    return {"dots": dots, "low": f"{low:.4g}", "high": f"{high:.4g}"}


def _across(position: int, count: int) -> float:
    return PAD + (WIDTH - 2 * PAD) * position / (count - 1)


def _down(value: float, low: float, high: float) -> float:
    return _scaled(value, low, high, HEIGHT, PAD)


def _scaled(value: float, low: float, high: float, height: float, pad: float) -> float:
    """Return the distance from the top at which a value lies."""
    share = 0.5 if high == low else (value - low) / (high - low)
    return height - pad - (height - 2 * pad) * share


def impact_figure(panel: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return boxes and arrows of what a change does to other workflows; None where nothing depends on it.

    `panel` is `engines.panels.surroundings.impact`; each workflow stands one column behind the last of those
    that it feels.
    """
    nodes = {node["name"]: node for node in panel["nodes"]}
    drawn = list(nodes)[:MOST_BOXES]
    if len(drawn) < 2:
        return None
    ties = [edge for edge in panel["edges"] if {edge["source"], edge["target"]} <= set(drawn)]
    depth = _depths(drawn, ties)
    columns = [[name for name in drawn if depth[name] == at] for at in range(max(depth.values()) + 1)]
    height = max(map(len, columns)) * (BOX[1] + BOX_GAP[1]) + BOX_GAP[1]
    boxes = {
        name: _placed(nodes[name], at, row, len(column), height)
        for at, column in enumerate(columns)
        for row, name in enumerate(column)
    }
    return {
        "width": len(columns) * (BOX[0] + BOX_GAP[0]) - BOX_GAP[0] + 2,
        "height": height,
        "boxes": list(boxes.values()),
        "arrows": [_tied(boxes[edge["source"]], boxes[edge["target"]]) for edge in ties],
        "hidden": len(nodes) - len(drawn),
        "label": f"{panel['start']} is felt by {len(nodes) - 1} workflows",
    }


def _depths(names: Sequence[str], ties: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Return each node's longest way from the first; what nothing ties stands in the second column."""
    depth = {name: int(name != names[0]) for name in names}
    for _ in names:  # an edge set without cycles settles in at most as many rounds
        for tie in ties:
            deeper = min(depth[tie["source"]] + 1, len(names) - 1)
            depth[tie["target"]] = max(depth[tie["target"]], deeper) if tie["target"] != names[0] else 0
    return depth


def _placed(node: Mapping[str, Any], column: int, row: int, rows: int, height: int) -> dict[str, Any]:
    x = column * (BOX[0] + BOX_GAP[0]) + 1
    y = round((row + 0.5) * height / rows - BOX[1] / 2)
    place = {"x": x, "y": y, "width": BOX[0], "height": BOX[1], "text_x": x + 12}
    shown = node["name"] if len(node["name"]) <= BOX_CHARS else f"{node['name'][: BOX_CHARS - 1]}…"
    return {
        **node,
        **place,
        "shown": shown,
        "name_y": y + 18,
        "note_y": y + 34,
        "role": node["sign"] or "calm",
    }


def _tied(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, int]:
    middle = BOX[1] // 2
    return {
        "x1": one["x"] + BOX[0],
        "y1": one["y"] + middle,
        "x2": other["x"] - 3,
        "y2": other["y"] + middle,
    }
