"""Forecasts of which a number came, as outcomes: the newest, never more than `MAX_OUTCOMES`."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from django.db.models import QuerySet

from forecasting.domain.accuracy import (
    LEVELS,
    Outcome,
    came_as,
    class_accuracy,
    coverage,
    mean_absolute_error,
)
from forecasting.domain.finite import is_finite
from forecasting.models import Forecast

Panel = dict[str, Any]
Row = Mapping[str, Any]
MAX_OUTCOMES = 1_000
LISTS = ("mean", "lower80", "upper80", "lower95", "upper95", "actual")
COLUMNS = (
    "subject", "scenario", "mean", "lower80", "upper80", "lower95", "upper95", "actual", "growth", "error",
    "scale", "model",
)  # fmt: skip


def settled(subjects: Sequence[str], scenario: str = "") -> "QuerySet[Forecast]":
    """Return the subjects' forecasts of which at least the first number came, newest first."""
    rows = Forecast.objects.filter(subject__in=subjects, scenario=scenario)
    return rows.exclude(actual=[]).order_by("-at", "-id")


def newest(subjects: Sequence[str], scenario: str = "") -> list[Row]:
    """Return the newest of them as mappings, oldest first, each list of numbers read once."""
    rows: list[Row] = []
    for row in settled(subjects, scenario).values(*COLUMNS)[:MAX_OUTCOMES]:
        rows.append({**row, **{name: numbers(row[name]) for name in LISTS}})
    return rows[::-1]


def outcomes(rows: Sequence[Row]) -> list[Outcome]:
    """Return rows as outcomes; one whose first number can't be read drops out."""
    found = [outcome(row) for row in rows]
    return [each for each in found if each is not None]


def outcome(row: Row) -> Outcome | None:
    """Return a row's first step beside what came, its class and its bands."""
    mean, actual = row["mean"], row["actual"]
    if not mean or not actual or mean[0] is None or actual[0] is None:
        return None
    came = [value for value in actual if value is not None]
    return Outcome(
        predicted=mean[0],
        actual=actual[0],
        predicted_class=row["growth"],
        actual_class=came_as(came, row["scale"]) if len(came) == len(mean) else "",
        workflow=row["subject"],
        scenario=row["scenario"],
        error=row["error"],
        bands=bands(row),
    )


def bands(row: Row, step: int = 0) -> tuple[tuple[float, float] | None, ...]:
    """Return the interval of each level at one step."""
    return tuple(_band(row, round(100 * level), step) for level in LEVELS)


def _band(row: Row, level: int, step: int) -> tuple[float, float] | None:
    low, high = pick(row[f"lower{level}"], step), pick(row[f"upper{level}"], step)
    return None if low is None or high is None else (low, high)


def at(values: Any, step: int) -> float | None:
    """Return one number of a row's list; None where there is none."""
    return pick(numbers(values), step)


def pick(values: Sequence[float | None], step: int) -> float | None:
    """Return one of the numbers that were read; None where there is none."""
    return values[step] if step < len(values) else None


def numbers(values: Any) -> list[float | None]:
    """Return a list of a row as numbers; what is none of finite size is None."""
    listed = values if isinstance(values, list) else []
    return [float(value) if is_number(value) else None for value in listed]


def is_number(value: Any) -> TypeGuard[float]:
    """Tell whether a value of JSON is a finite number; a whole one may be beyond every float."""
    return is_finite(value)


def by_step(rows: Sequence[Row]) -> list[Panel]:
    """Return error and coverage by step of the horizon.

    Steps of one forecast err together, so only those of the first step are separate trials.
    """
    longest = max((len(row["actual"]) for row in rows), default=0)
    found = [_step(rows, step) for step in range(longest)]
    return [each for each in found if each["count"]]


def _step(rows: Sequence[Row], step: int) -> Panel:
    found = []
    for row in rows:
        foretold, came = pick(row["mean"], step), pick(row["actual"], step)
        if foretold is not None and came is not None:
            found.append(Outcome(foretold, came, bands=bands(row, step)))
    error = mean_absolute_error(found)
    return {"step": step + 1, "count": len(found), "mae": error, "calibration": coverage(found)}


def by_model(rows: Sequence[Row]) -> list[Panel]:
    """Return the first step's error by model that answered, in the numbers' unit and in naive errors."""
    models: dict[str, list[Outcome]] = {}
    for row in rows:
        models.setdefault(row["model"], []).extend(outcomes([row]))
    return [_model(name, found) for name, found in sorted(models.items()) if found]


def _model(name: str, found: Sequence[Outcome]) -> Panel:
    errors = [one.error for one in found if one.error is not None]
    return {
        "model": name,
        "count": len(found),
        "mae": mean_absolute_error(found),
        "scaled_mae": math.fsum(errors) / len(errors) if errors else None,
        "accuracy": class_accuracy(found),
    }
