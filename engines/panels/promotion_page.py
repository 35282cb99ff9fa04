"""The page that a promotion is decided on: the frozen evidence in words, what came since, what would change.

The evidence is shown as it was frozen and hashed. What is read anew (what came of the forecast, the graph,
the stages) is marked as such on the page.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from engines.domain.promotion import Kind, canonical
from engines.domain.unseen import visible, visible_data
from engines.domain.wording import NOT_MEASURED, number, sign, signed, word
from engines.models import Promotion
from engines.panels.forecasts import told, told_steps
from engines.panels.orphans import step_diff
from engines.panels.promotions import VERDICT_STATES, VERDICT_WORDS, promotion_row, reasons
from forecasting.models import Forecast
from forecasting.panels import forecast_panel
from forecasting.panels.outcomes import at, is_number, numbers

Panel = dict[str, Any]
SIDES: Final = ("lower80", "upper80", "lower95", "upper95")
MAX_FACTS: Final = 60
UNIT: Final = "ROI level"
FROZEN: Final = 60
"""Latest ROI that is frozen with the evidence, one number a cycle."""


def decision_page(promotion: Promotion) -> Panel:
    """Return everything that the page shows of a promotion, but what is read anew."""
    evidence = mapping(promotion.evidence)
    return {
        **promotion_row(promotion),
        "verdict_words": VERDICT_WORDS.get(promotion.verdict, promotion.verdict),
        "verdict_state": VERDICT_STATES.get(promotion.verdict, "not_configured"),
        "verdict_text": visible(str(mapping(promotion.decision).get("text", ""))),
        "reasons": reasons(promotion.decision),
        "evidence_sha256": promotion.evidence_sha256,
        "evidence_at": moment(evidence.get("at")),
        "commit": visible(str(evidence.get("commit") or "")),
        "policy": facts(mapping(promotion.policy)),
        "left": left_to_people(mapping(promotion.policy)),
        "gain": gain(mapping(evidence.get("gain"))),
        "flags": flags(evidence.get("flags")),
        "self_tests": visible_data(evidence.get("self_tests")),
        "diff": diff(promotion, evidence),
        "alarm": visible(alarm(promotion.alarm)) if promotion.rollback_proposed else "",
        "ended": ended(promotion),
    }


def forecast(promotion: Promotion) -> Panel | None:
    """Return the frozen forecast in words, with what came since; None where none was made."""
    frozen = mapping(mapping(promotion.evidence).get("forecast"))
    if not frozen:
        return None
    card = told({**frozen, "at": moment(frozen.get("at"))})
    return {**card, "steps": told_steps(curve(promotion)["steps"])}


def curve(promotion: Promotion, shown: int = FROZEN) -> Panel:
    """Return the history before the frozen forecast, the forecast, and what came since, for the figure.

    Up to `FROZEN` cycles come from the frozen evidence, more from the rows.
    """
    evidence = mapping(promotion.evidence)
    frozen = mapping(evidence.get("forecast"))
    row = _row(frozen)
    history = _placed(numbers(evidence.get("history")))
    if shown > FROZEN and row is not None:
        history = forecast_panel(row, shown=shown)["history"] or history
    return {
        "subject": visible(str(frozen.get("subject") or promotion.subject)),
        "unit": UNIT,
        "history": history,
        "steps": _steps(frozen, numbers(row.actual) if row is not None else []),
    }


def _row(frozen: Mapping[str, Any]) -> Forecast | None:
    """Return the row that the frozen forecast was copied from, which knows what came since."""
    source, subject = str(frozen.get("source", "")), str(frozen.get("subject", ""))
    return Forecast.objects.filter(subject=subject, scenario="", source=source).first() if frozen else None


def _placed(history: Sequence[float | None]) -> list[Panel]:
    first = 1 - len(history)
    return [{"position": first + place, "value": value} for place, value in enumerate(history)]


def _steps(frozen: Mapping[str, Any], came: Sequence[float | None]) -> list[Panel]:
    mean = numbers(frozen.get("mean"))
    return [
        {
            "position": step + 1,
            "mean": foretold,
            **{side: at(frozen.get(side), step) for side in SIDES},
            "actual": came[step] if step < len(came) else None,
        }
        for step, foretold in enumerate(mean)
    ]


def gain(found: Mapping[str, Any]) -> Panel:
    """Return what the candidate gains over what is live, and how that was tested."""
    significant = found.get("significant")
    known = isinstance(significant, bool)
    low, high = _number(found.get("low")), _number(found.get("high"))
    return {
        "gain": signed(_number(found.get("roi_gain"))),
        "sign": sign(_number(found.get("roi_gain"))),
        "significant": ("significant" if significant else "not significant") if known else NOT_MEASURED,
        "state": ("done" if significant else "failed") if known else "not_configured",
        "interval": "" if low is None or high is None else f"{signed(low)} to {signed(high)}",
        "value": number(_number(found.get("value"))),
        "cost": number(_number(found.get("cost"))),
        "metric": visible(word(str(found.get("metric") or ""))),
        "before": number(_number(found.get("before"))),
        "after": number(_number(found.get("after"))),
        "test": facts(mapping(found.get("test"))),
    }


def flags(found: Any) -> Panel:
    """Return the alignment flags of the candidate's code; without a flagger that is said."""
    severity = _number(mapping(found).get("severity"))
    listed = mapping(found).get("flags")
    rows = (
        [visible_data(row) for row in listed if isinstance(row, Mapping)] if isinstance(listed, list) else []
    )
    return {
        "configured": bool(mapping(found)),
        "severity": NOT_MEASURED if severity is None else f"{severity:.2f}",
        "rows": rows[:MAX_FACTS],
    }


def diff(promotion: Promotion, evidence: Mapping[str, Any]) -> Panel:
    """Return what would change: a model's parameters and metrics, or a workflow's steps."""
    candidate, live = mapping(evidence.get("candidate")), mapping(evidence.get("live"))
    if promotion.kind == Kind.MODEL:
        champion = mapping(live.get("champion"))
        return {
            "kind": "model",
            "first": not champion,
            "params": compared(mapping(champion.get("params")), mapping(candidate.get("params"))),
            "metrics": compared(mapping(champion.get("metrics")), mapping(candidate.get("metrics"))),
            "old": visible(str(champion.get("sha256") or "")),
            "new": visible(str(candidate.get("sha256") or "")),
        }
    before = mapping(live.get("revision"))
    old, new = _texts(before.get("steps")), _texts(candidate.get("steps"))
    lines = [{**line, "step": visible(line["step"])} for line in step_diff(old, new)]
    return {
        "kind": "workflow",
        "first": not before,
        "lines": lines,
        "old": before.get("id"),
        "new": candidate.get("id"),
    }


def compared(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Panel]:
    """Return one row a name with both values; what differs is marked."""
    names = list(dict.fromkeys([*old, *new]))[:MAX_FACTS]
    return [
        {
            "name": visible(word(str(name))),
            "old": text(old[name]) if name in old else "",
            "new": text(new[name]) if name in new else "",
            "differs": old.get(name) != new.get(name),
            **_change(old.get(name), new.get(name)),
        }
        for name in names
    ]


def _change(old: Any, new: Any) -> Panel:
    one, other = _number(old), _number(new)
    return {"change": "" if one is None or other is None else signed(other - one)}


def facts(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return a flat mapping as names and texts; what is nested is in the API's answer."""
    flat = [(name, value) for name, value in data.items() if not isinstance(value, Mapping | list)]
    return [(visible(word(str(name))), text(value)) for name, value in flat[:MAX_FACTS]]


def text(value: Any) -> str:
    """Return a value of JSON as people read it."""
    if value is None:
        return NOT_MEASURED
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(float(value)) if is_number(value) else visible(str(value))


def left_to_people(policy: Mapping[str, Any]) -> list[str]:
    """Return why an automatic policy left it to a person; nothing where people decide anyway."""
    why = policy.get("left_to_people") if policy.get("mode") == "automatic" else None
    return (
        [visible(each) for each in why[:MAX_FACTS] if isinstance(each, str)] if isinstance(why, list) else []
    )


def ended(promotion: Promotion) -> list[Panel]:
    """Return what was decided and done, in order of time: when, what, who, why."""
    said = "approved" if promotion.state not in ("rejected",) else "rejected"
    rows = [
        (promotion.created_at, "opened", promotion.requested_label or "the schedule", ""),
        (promotion.decided_at, said, promotion.decided_label, promotion.reason),
        (promotion.applied_at, "applied", "a worker", ""),
        (promotion.alarm_at, "roll-back proposed", "Menace", alarm(promotion.alarm)),
        (
            promotion.alarm_kept_at,
            "kept in spite of it",
            promotion.alarm_kept_label,
            promotion.alarm_kept_reason,
        ),
        (promotion.rolled_back_at, "rolled back", promotion.rolled_back_label, promotion.rolled_back_reason),
    ]
    return [
        {"at": when, "what": what, "who": visible(who), "why": visible(why)}
        for when, what, who, why in rows
        if when
    ]


def alarm(found: Any) -> str:
    """Return why a roll-back is proposed, in words."""
    data = mapping(found)
    return str(data.get("text") or data.get("reason") or "") or ", ".join(
        f"{name} {value}" for name, value in facts(data)
    )


def rollback_preview(found: Mapping[str, Any]) -> Panel:
    """Return what a roll-back would change, one row a place of the live state."""
    rows = found["changes"] if isinstance(found["changes"], list) else []
    return {
        "possible": found["possible"],
        "changes": [
            {"path": visible(str(row["path"])), "now": _json(row["before"]), "then": _json(row["after"])}
            for row in rows[:MAX_FACTS]
        ],
        "more": max(0, len(rows) - MAX_FACTS),
        "now_sha256": found["now_sha256"],
        "then_sha256": found["then_sha256"],
    }


def _json(value: Any) -> str:
    if value is None or value == "":
        return "nothing"
    return text(value) if not isinstance(value, Mapping | list) else visible(canonical(value))


def moment(given: Any) -> datetime | None:
    """Return a moment of frozen JSON; None where there is none."""
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a mapping of JSON; anything else reads as an empty one."""
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> float | None:
    return float(value) if is_number(value) else None


def _texts(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
