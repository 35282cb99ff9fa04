"""All synergy metrics of a subject: the newest value, the next one, and what a missing one would need."""

from typing import Any

from forecasting.domain.metrics import METRICS, PREFIX
from forecasting.models import SynergySample
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]


def synergy_panel(subject: str, scenario: str = "") -> Panel:
    """Return every metric of the table for a subject in one scenario; the empty one is all together.

    Keys: `subject`, `scenario`, `at` and `source` of the newest sample (None where there is none), and
    `metrics`, one mapping each with `name`, `unit`, `good`, `source`, `needed`, `value`, `ahead`,
    `reliability`, `count` and `by`. What was not measured is None.
    """
    rows = SynergySample.objects.filter(subject=subject, scenario=scenario).order_by("-at", "-id")
    row = rows.first()
    values, ahead = _mapping(getattr(row, "metrics", None)), _mapping(getattr(row, "ahead", None))
    return {
        "subject": subject,
        "scenario": scenario,
        "at": getattr(row, "at", None),
        "source": getattr(row, "source", None),
        "metrics": [_metric(name, values, ahead) for name in METRICS],
    }


def _metric(name: str, values: dict[str, Any], ahead: dict[str, Any]) -> Panel:
    metric, told = METRICS[name], _mapping(ahead.get(PREFIX + name))
    return {
        "name": PREFIX + name,
        "unit": metric.unit,
        "good": metric.good,
        "source": metric.source,
        "needed": metric.needed,
        "value": _number(values.get(PREFIX + name)),
        "ahead": _number(told.get("value")),
        "reliability": _number(told.get("reliability")),
        "count": told["count"] if isinstance(told.get("count"), int) else 0,
        "by": str(told.get("by") or ""),
    }


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None
