"""Forecasts and how good they were, in words, for pages. Names may come from a bot: nothing unseen stays."""

from collections.abc import Mapping, Sequence
from typing import Any

from engines.domain.unseen import visible
from engines.domain.wording import NOT_MEASURED, number, sign, signed, word
from forecasting.models import Forecast
from forecasting.panels import forecast_steps
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
MAX_SHOWN = 40
HEATS = 5
VERDICT_STATES = {
    "holds": "done",
    "too narrow": "failed",
    "too wide": "late",
    "not measured": "not_configured",
}
RISK_STATES = {
    "Stable": "done",
    "Slow decay": "late",
    "Volatile": "failed",
    "Immediate collapse risk": "failed",
}


ANSWERED_BY = {
    "constant": "the last value, as it never moved",
    "naive": "the last value",
    "combination": "the combination of simple methods",
}


def answered_by(model: Any) -> str:
    """Return in words which model answered, see `forecasting.domain.forecast`."""
    name = visible(str(model or ""))
    return ANSWERED_BY.get(name, f"the {name} model" if name.startswith("global ") else name) or NOT_MEASURED


def percent(value: float | None, digits: int = 0) -> str:
    """Return a share as per cent; what was not measured says so."""
    return NOT_MEASURED if value is None else f"{value:.{digits}%}"


def evaluation_page(panel: Mapping[str, Any]) -> Panel:
    """Return what the dashboard shows of a panel of predictions."""
    return {
        "count": f"{panel['count']:,}{'+' if panel['cut'] else ''}",
        "any": bool(panel["count"]),
        "tiles": _tiles(panel),
        "calibration": [_calibrated(row) for row in panel["calibration"]],
        "steps": [_step(row) for row in panel["steps"]],
        "models": [_model(row) for row in panel["models"]],
        "matrix": matrix(panel["confusion_matrix"]),
        "classes": _classes(panel["class_counts"]),
        "workflows": [_workflow(name, found) for name, found in panel["workflows"].items()],
        "scenarios": scenarios(panel),
        "errors": _errors(panel["mae_trend"]),
    }


def _tiles(panel: Mapping[str, Any]) -> list[Panel]:
    review = [name for name, found in panel["workflows"].items() if found["needs_review"]]
    eighty, ninety_five = panel["calibration"]
    return [
        {
            "text": f"{panel['count']:,}{'+' if panel['cut'] else ''}",
            "name": "forecasts that met their outcome",
        },
        {"text": _gap(panel["mae"]), "name": "mean absolute error, in ROI"},
        {"text": _gap(panel["scaled_mae"]), "name": "of the naive forecast's error"},
        {"text": _gap_share(panel["accuracy"]), "name": "growth classes foretold"},
        {"text": _gap_share(eighty["share"]), "name": "inside the 80 % interval"},
        {"text": _gap_share(ninety_five["share"]), "name": "inside the 95 % interval"},
        {"text": f"{len(review):,}", "name": "subjects to review", "hot": bool(review)},
    ]


def _gap(value: float | None) -> str:
    return "" if value is None else number(value, 3)


def _gap_share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _calibrated(row: Mapping[str, Any]) -> Panel:
    known = row["share"] is not None
    return {
        "level": percent(row["level"]),
        "count": f"{row['count']:,}",
        "inside": f"{row['inside']:,}",
        "share": percent(row["share"], 1),
        "interval": f"{row['low']:.1%} to {row['high']:.1%}" if known else "",
        "verdict": row["verdict"],
        "state": VERDICT_STATES[row["verdict"]],
    }


def _step(row: Mapping[str, Any]) -> Panel:
    shares = [percent(each["share"]) for each in row["calibration"]]
    return {"step": row["step"], "count": f"{row['count']:,}", "mae": number(row["mae"]), "shares": shares}


def _model(row: Mapping[str, Any]) -> Panel:
    return {
        "model": answered_by(row["model"]),
        "count": f"{row['count']:,}",
        "mae": number(row["mae"]),
        "scaled": number(row["scaled_mae"], 3),
        "accuracy": percent(row["accuracy"]),
    }


def matrix(counts: Mapping[str, Mapping[str, int]]) -> Panel:
    """Return a confusion matrix as rows of cells with how strongly each is shaded, 0 to 5 of its row."""
    names = list(counts)
    return {"names": [visible(name) for name in names], "rows": [_row(name, counts[name]) for name in names]}


def _row(name: str, counts: Mapping[str, int]) -> Panel:
    total = sum(counts.values())
    cells = [
        {
            "count": f"{count:,}",
            "share": f"{count / total:.0%}" if total else "",
            "heat": round(HEATS * count / total) if total else 0,
            "right": foretold == name,
        }
        for foretold, count in counts.items()
    ]
    return {"name": visible(name), "total": f"{total:,}", "cells": cells}


def _classes(counts: Mapping[str, Mapping[str, int]]) -> list[Panel]:
    return [
        {"name": visible(name), "predicted": f"{counts['predicted'][name]:,}", "actual": f"{came:,}"}
        for name, came in counts["actual"].items()
    ]


def _workflow(name: str, found: Mapping[str, Any]) -> Panel:
    return {
        "name": visible(name),
        "count": f"{found['count']:,}",
        "mae": number(found["mae"], 3),
        "variance": number(found["variance"], 3),
        "confidence": f"{found['confidence']:.2f}",
        "review": found["needs_review"],
    }


def scenarios(panel: Mapping[str, Any]) -> list[Panel]:
    """Return one row a scenario; the worst one is marked."""
    rows = []
    for name, delta in list(panel["scenario_roi_deltas"].items())[:MAX_SHOWN]:
        changed = panel["scenario_metrics_delta"].get(name, {})
        largest = sorted(changed, key=lambda metric: -abs(changed[metric]))[:3]
        rows.append(
            {
                "name": visible(name),
                "delta": signed(delta),
                "sign": sign(delta),
                "raroi": signed(panel["scenario_raroi"].get(name)),
                "synergy": signed(panel["scenario_synergy_delta"].get(name)),
                "changes": [(visible(word(metric)), signed(changed[metric])) for metric in largest],
                "worst": name == panel["worst_scenario"],
            }
        )
    return rows


def _errors(trend: Sequence[float]) -> list[Panel]:
    """Return the newest rolling errors, newest first."""
    numbered = list(enumerate(trend, start=1))[-MAX_SHOWN:]
    return [{"at": at, "mae": number(value)} for at, value in reversed(numbered)]


CARD_COLUMNS = (
    "subject", "source", "at", "model", "seen", "growth", "confidence", "risk", "p_collapse", "brittle",
    "collapse_in", "probabilities", "evidence", "reason",
)  # fmt: skip
EVIDENCE_WORDS = {"none": "none", "low": "low: under 8 cycles", "enough": "enough"}


def forecast_card(forecast: Forecast) -> Panel:
    """Return a forecast in words, its probabilities and its steps."""
    row = {name: getattr(forecast, name) for name in CARD_COLUMNS}
    return {
        "id": forecast.pk,
        **told(row),
        "steps": told_steps(forecast_steps(forecast)),
    }


def told(row: Mapping[str, Any]) -> Panel:
    """Return a forecast's columns in words, whether they come from a row or from frozen evidence."""
    sure = row.get("confidence")
    return {
        "subject": visible(str(row.get("subject") or "")),
        "source": visible(str(row.get("source") or "")),
        "at": row.get("at"),
        "model": answered_by(row.get("model")),
        "seen": number(row["seen"]) if is_number(row.get("seen")) else NOT_MEASURED,
        "growth": visible(str(row.get("growth") or "")) or NOT_MEASURED,
        "confidence": f"{sure:.2f}" if sure is not None and is_number(sure) else NOT_MEASURED,
        **risk_of(row),
    }


def risk_of(row: Mapping[str, Any]) -> Panel:
    """Return the collapse verdict that a forecast or a verdict carries, in words."""
    label, chance, brittle = str(row.get("risk") or ""), row.get("p_collapse"), row.get("brittle")
    grade = str(row.get("evidence") or "")
    return {
        "risk": visible(label) or NOT_MEASURED,
        "risk_state": RISK_STATES.get(label, "not_configured"),
        "p_collapse": percent(float(chance)) if chance is not None and is_number(chance) else NOT_MEASURED,
        "brittle": ("brittle" if brittle else "not brittle") if isinstance(brittle, bool) else NOT_MEASURED,
        "is_brittle": brittle is True,
        "collapse_in": row.get("collapse_in") if is_number(row.get("collapse_in")) else None,
        "probabilities": probabilities(row.get("probabilities")),
        "evidence": EVIDENCE_WORDS.get(grade, visible(grade) or NOT_MEASURED),
        "reason": visible(str(row.get("reason") or "")),
    }


def probabilities(found: Any) -> list[Panel]:
    """Return the probability of each class, the likeliest first."""
    known = found if isinstance(found, Mapping) else {}
    rows = [(str(name), value) for name, value in known.items() if is_number(value)]
    rows.sort(key=lambda row: -row[1])
    return [
        {"name": visible(name), "value": value, "text": percent(value)} for name, value in rows[:MAX_SHOWN]
    ]


def told_steps(steps: Sequence[Mapping[str, Any]]) -> list[Panel]:
    """Return each step of a forecast in words, with its bands and what came."""
    return [_foretold(step) for step in steps]


def _foretold(step: Mapping[str, Any]) -> Panel:
    return {
        "step": step["position"],
        "mean": signed(step["mean"]),
        "band80": _band(step["lower80"], step["upper80"]),
        "band95": _band(step["lower95"], step["upper95"]),
        "actual": "" if step["actual"] is None else signed(step["actual"]),
        "inside": _inside(step),
    }


def _band(low: float | None, high: float | None) -> str:
    return NOT_MEASURED if low is None or high is None else f"{signed(low)} to {signed(high)}"


def _inside(step: Mapping[str, Any]) -> str:
    low, came, high = step["lower80"], step["actual"], step["upper80"]
    if low is None or came is None or high is None:
        return ""
    return "inside" if low <= came <= high else "outside"


SCORES = ("first", "mase", "crps", "inside80", "inside95")


def model_page(card: Mapping[str, Any]) -> Panel:
    """Return a forecast model's card in words, its backtest as a table."""
    return {
        "name": visible(card["name"]),
        "digest": visible(card["digest"]),
        "state": card["state"],
        "recipe": visible(card["recipe"]),
        "parent": visible(card["parent"]),
        "at": visible(card["at"]),
        "made_by": visible(card["made_by"]),
        "series": f"{card['series']:,}",
        "points": f"{card['points']:,}",
        "rows": f"{card['rows']:,}",
        "families": [(visible(name), f"{count:,}") for name, count in sorted(card["families"].items())],
        "fields": [(visible(word(name)), signed(weight)) for name, weight in sorted(card["fields"].items())],
        "backtest": [_scored(row) for row in card["backtest"]],
    }


def _scored(row: Mapping[str, Any]) -> Panel:
    shares = ("inside80", "inside95")
    scores = [percent(row[name], 1) if name in shares else number(row[name]) for name in SCORES]
    return {
        "recipe": visible(row["recipe"]),
        "used": row["used"],
        "scores": scores,
        "cases": f"{row['cases']:,}",
    }
