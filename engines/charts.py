"""Figures of the engines: sparklines drawn by the server, and Plotly's dicts for their history."""

from collections.abc import Mapping, Sequence
from typing import Any

from engines.domain.wording import signed
from forecasting.charts import Figure, metric_figure, roi_figure

WIDTH, HEIGHT, PAD = 96.0, 24.0, 2.0


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
