"""One forecast with what it knew and what came since."""

from typing import Any

from forecasting.models import Forecast, RoiEvent
from forecasting.panels.outcomes import numbers

Panel = dict[str, Any]
MAX_HISTORY = 2_000
SHOWN_HISTORY = 60


def forecast_panel(forecast: Forecast, *, shown: int = SHOWN_HISTORY) -> Panel:
    """Return a forecast with the ROI that went before it and what came since.

    `history`: the newest `shown` ones it knew, `position` 0 the last; `steps`: one a step of the horizon.
    """
    return {
        "subject": forecast.subject,
        "unit": "ROI level",
        "history": _history(forecast, shown),
        "steps": forecast_steps(forecast),
    }


def forecast_steps(forecast: Forecast) -> list[Panel]:
    """Return each step with its intervals and what came; no statement is asked."""
    return [_foretold(forecast, step) for step in range(len(numbers(forecast.mean)))]


def _history(forecast: Forecast, shown: int) -> list[Panel]:
    events = RoiEvent.objects.levels(forecast.subject)
    last = events.filter(source=forecast.source).values_list("id", flat=True).first()
    known = events.filter(at__lte=forecast.at) if last is None else events.filter(id__lte=last)
    found = list(known.order_by("-at", "-id").values("at", "roi_after", "source")[: min(shown, MAX_HISTORY)])[
        ::-1
    ]
    return [
        {
            "position": place - len(found) + 1,
            "value": row["roi_after"],
            "at": row["at"],
            "source": row["source"],
        }
        for place, row in enumerate(found)
    ]


def _foretold(forecast: Forecast, step: int) -> Panel:
    sides = ("mean", "lower80", "upper80", "lower95", "upper95", "actual")
    found = {side: numbers(getattr(forecast, side)) for side in sides}
    values = {side: column[step] if step < len(column) else None for side, column in found.items()}
    return {"position": step + 1, **values}
