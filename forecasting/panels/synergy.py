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
    values = row.metrics if row is not None and isinstance(row.metrics, dict) else {}
    ahead = row.ahead if row is not None and isinstance(row.ahead, dict) else {}
    return {
        "subject": subject,
        "scenario": scenario,
        "at": row.at if row is not None else None,
        "source": row.source if row is not None else None,
        "metrics": [_metric(name, values, ahead) for name in METRICS],
    }


def _metric(name: str, values: dict[str, Any], ahead: dict[str, Any]) -> Panel:
    metric, known = METRICS[name], ahead.get(PREFIX + name)
    told = known if isinstance(known, dict) else {}
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


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None
