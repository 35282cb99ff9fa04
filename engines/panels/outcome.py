"""Why a cycle ran and what came of it. Whatever a bot measured is shown as data, never trusted as shape."""

from collections.abc import Mapping
from typing import Any

from engines.domain.wording import NOT_MEASURED, lasting, number, sign, signed, word
from engines.models import Cycle
from engines.panels.forecasts import forecast_card
from engines.panels.paired import figures, paired_test
from forecasting.models import Forecast
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
MAX_FACTS = 40
MAX_FOLDS = 60
SEARCH_ORDER = ("best_score", "trials", "cpu_seconds", "stopped_by")


def decision(cycle: Cycle) -> Panel | None:
    """Return the decision with its reasons; None while there is none."""
    data = cycle.decision
    if not isinstance(data, Mapping):
        return None
    return {
        "run": bool(data.get("run")),
        "energy": number(_float(data.get("energy"))),
        "factors": [
            (word(str(name)), number(_float(value)))
            for name, value in _mapping(data, "energy_factors").items()
        ],
        "reasons": [_reason(reason) for reason in _list(data, "reasons") if isinstance(reason, Mapping)],
    }


def _reason(reason: Mapping[str, Any]) -> Panel:
    value, threshold = _float(reason.get("value")), _float(reason.get("threshold"))
    return {
        "code": word(str(reason.get("code", ""))),
        "detail": str(reason.get("detail", "")),
        "favours_run": bool(reason.get("favours_run", True)),
        "metric": reason.get("metric"),
        "value": "" if value is None else number(value),
        "threshold": "" if threshold is None else number(threshold),
    }


def outcome(cycle: Cycle, results: Mapping[str, Any]) -> Panel | None:
    """Return champion against challenger from the result of *retrain*; None when nothing was trained."""
    data = results.get("retrain")
    if not isinstance(data, Mapping) or "verdict" not in data:
        return None
    champion, challenger = _mapping(data, "champion"), _mapping(data, "challenger")
    return {
        "verdict": str(data["verdict"]),
        "roi": roi(data.get("roi"), cycle),
        "metrics": _compared(champion, challenger),
        "folds": folds(champion, challenger),
        "params": figures(_mapping(challenger, "params")),
        "significance": paired_test(_mapping(data, "significance")),
        "significance_of_folds": paired_test(_mapping(_mapping(data, "significance"), "folds")),
        "search": figures(_mapping(data, "search"), SEARCH_ORDER),
        "warnings": [str(warning) for warning in _list(data, "warnings")[:MAX_FACTS]],
        "artifact": _mapping(data, "artifact"),
    }


def forecast_after(cycle: Cycle) -> Panel | None:
    """Return the forecast that was made when the cycle had been measured; None where there is none."""
    made = Forecast.objects.of(cycle.engine.name).filter(source=f"cycle:{cycle.pk}").first()
    return None if made is None else forecast_card(made)


def roi(data: Any, cycle: Cycle) -> Panel | None:
    """Return gain, value and cost with the interval; None when not measured."""
    if not isinstance(data, Mapping):
        return None
    gain, low, high = (_float(data.get(key)) for key in ("roi_gain", "low", "high"))
    confidence = _float(data.get("confidence"))
    return {
        "gain": signed(gain),
        "sign": sign(gain),
        "value": number(_float(data.get("value"))),
        "cost": number(_float(data.get("cost"))),
        "interval": "" if low is None or high is None else f"{signed(low)} to {signed(high)}",
        "confidence": "" if confidence is None else f"{number(100 * confidence)} %",
        "cpu": lasting(cycle.cpu_seconds) or NOT_MEASURED,
        "cycle_cost": number(cycle.cost),
        "delta": signed(cycle.roi_delta),
        "delta_sign": sign(cycle.roi_delta),
    }


def _compared(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> list[Panel]:
    """Return one row a metric with both models side by side."""
    old, new = _mapping(champion, "metrics"), _mapping(challenger, "metrics")
    names = list(dict.fromkeys([*old, *new]))[:MAX_FACTS]
    return [_compared_row(name, _float(old.get(name)), _float(new.get(name))) for name in names]


def _compared_row(name: str, old: float | None, new: float | None) -> Panel:
    change = None if old is None or new is None else new - old
    texts = {"old": number(old), "new": number(new), "change": "" if change is None else signed(change)}
    return {"name": word(str(name)), **texts}


def folds(champion: Mapping[str, Any], challenger: Mapping[str, Any]) -> list[Panel]:
    """Return the scores on the folds that both models share."""
    pairs = list(zip(_scores(champion), _scores(challenger), strict=False))[:MAX_FOLDS]
    return [
        {
            "fold": position,
            "old": old,
            "new": new,
            "old_text": number(old),
            "new_text": number(new),
            "change": signed(new - old),
            "sign": sign(new - old),
        }
        for position, (old, new) in enumerate(pairs, start=1)
    ]


def _scores(side: Mapping[str, Any]) -> list[float]:
    found = side.get("fold_scores") or ()
    values = [_float(score) for score in found] if isinstance(found, list | tuple) else []
    return [] if None in values else [value for value in values if value is not None]


def _mapping(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = data.get(key)
    return found if isinstance(found, Mapping) else {}


def _list(data: Mapping[str, Any], key: str) -> list[Any]:
    found = data.get(key)
    return list(found) if isinstance(found, list | tuple) else []


def _float(value: Any) -> float | None:
    return float(value) if is_number(value) else None
