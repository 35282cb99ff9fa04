"""How the gate would have done, and what became of promotions: the gate judged by what really came.

Only the rules about a forecast can be asked about the past: gains, tests and flags belong to candidates that
were there then. A forecast whose whole horizon came is asked what those rules would have allowed, and the
answer is held against the ROI of the cycles that followed.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.db.models import Count

from engines.domain.promotion import PromotionState
from engines.domain.unseen import visible
from engines.domain.wording import NOT_MEASURED, sign, signed, word
from engines.models import Engine, PromotionQuerySet
from engines.panels.promotions import VERDICT_STATES, state_word
from engines.services.promotions import policy_of
from forecasting.domain import gate
from forecasting.domain.accuracy import share_interval
from forecasting.models import Forecast
from forecasting.panels.outcomes import numbers

Panel = dict[str, Any]
Row = Mapping[str, Any]
MAX_FORECASTS: Final = 500
SHOWN: Final = 20
RULES: Final = (
    gate.history,
    gate.risk,
    gate.brittleness,
    gate.collapse,
    gate.projection,
    gate.confidence,
)
"""The rules that a forecast alone answers."""
COLUMNS: Final = (
    "source", "at", "mean", "upper80", "actual", "risk", "brittle", "p_collapse", "confidence", "seen",
)  # fmt: skip
VERDICTS: Final = ("promote", "hold", "block")


def backtest(engine: Engine) -> Panel:
    """Return what the gate's rules on forecasts would have said over an engine's history, and what came.

    `paid`: the ROI of the horizon's cycles adds up to more than the floor for each. `table` counts both;
    `unsafe` is the share of losses among what it would have let pass, `wasted` that of gains among the rest.
    """
    policy = policy_of(engine).knobs()
    rows = Forecast.objects.filter(subject=engine.name, scenario="", settled_at__isnull=False)
    judged = [_judged(row, policy) for row in rows.order_by("-id").values(*COLUMNS)[:MAX_FORECASTS]]
    found = [row for row in judged if row is not None]
    counts = Counter((row["verdict"], row["paid"]) for row in found)
    return {
        "count": len(found),
        "cut": len(judged) == MAX_FORECASTS,
        "table": [
            {"verdict": verdict, "paid": counts[verdict, True], "lost": counts[verdict, False]}
            for verdict in VERDICTS
        ],
        "unsafe": _share(counts["promote", False], counts["promote", True]),
        "wasted": _share(
            sum(counts[verdict, True] for verdict in ("hold", "block")),
            sum(counts[verdict, False] for verdict in ("hold", "block")),
        ),
        "rows": found[:SHOWN],
    }


def _judged(row: Row, policy: gate.Policy) -> Panel | None:
    actual = [value for value in numbers(row["actual"]) if value is not None]
    mean, upper = numbers(row["mean"]), numbers(row["upper80"])
    if not actual or len(actual) < len(mean) or None in mean or None in upper:
        return None
    evidence = gate.Evidence(
        cycles=row["seen"],
        risk=row["risk"] or None,
        brittle=row["brittle"],
        p_collapse=row["p_collapse"],
        mean=tuple(value for value in mean if value is not None),
        upper80=tuple(value for value in upper if value is not None),
        confidence=row["confidence"],
    )
    reasons = [rule(evidence, policy) for rule in RULES]
    strictest = max(reasons, key=lambda reason: gate.STRICTNESS[reason.allows])
    return {
        "source": row["source"],
        "at": row["at"],
        "verdict": strictest.allows,
        "why": "" if strictest.allows == "promote" else strictest.text,
        "came": sum(actual),
        "paid": sum(actual) > policy.roi_floor * len(actual),
    }


def _share(hits: int, misses: int) -> Panel:
    """Return a share with its 95 % interval; None in all of it without any."""
    count = hits + misses
    if not count:
        return {"share": None, "low": None, "high": None, "count": 0}
    low, high = share_interval(hits, count)
    return {"share": hits / count, "low": low, "high": high, "count": count}


def backtest_page(panel: Panel) -> Panel:
    """Return a backtest in words."""
    return {
        **panel,
        "table": [{**row, "state": VERDICT_STATES[row["verdict"]]} for row in panel["table"]],
        "unsafe": _told(panel["unsafe"]),
        "wasted": _told(panel["wasted"]),
        "rows": [_shown(row) for row in panel["rows"]],
    }


def _told(share: Row) -> str:
    if share["share"] is None:
        return NOT_MEASURED
    return f"{share['share']:.0%} of {share['count']:,} (95 %: {share['low']:.0%} to {share['high']:.0%})"


def _shown(row: Row) -> Panel:
    return {
        **row,
        "source": visible(row["source"]),
        "why": visible(row["why"]),
        "state": VERDICT_STATES[row["verdict"]],
        "came_text": signed(row["came"]),
        "came_sign": sign(row["came"]),
    }


def promotion_outcomes(promotions: PromotionQuerySet) -> Panel:
    """Return what became of promotions: how many in each state, by verdict and in all."""
    rows = promotions.order_by().values("verdict", "state").annotate(number=Count("id"))
    counts = {(row["verdict"], row["state"]): row["number"] for row in rows}
    states = [str(state) for state in PromotionState if any((v, state) in counts for v in VERDICTS)]
    return {
        "count": sum(counts.values()),
        "states": {state: sum(counts.get((v, state), 0) for v in VERDICTS) for state in states},
        "verdicts": {v: {state: counts.get((v, state), 0) for state in states} for v in VERDICTS},
    }


def outcomes_page(panel: Panel) -> Panel:
    """Return the outcomes as a table with its heads."""
    states: Sequence[str] = list(panel["states"])
    return {
        "count": f"{panel['count']:,}",
        "any": bool(panel["count"]),
        "heads": [{"state": state, "word": state_word(state)} for state in states],
        "rows": [
            {
                "verdict": word(verdict),
                "state": VERDICT_STATES[verdict],
                "cells": [{"state": state, "count": f"{found[state]:,}"} for state in states],
            }
            for verdict, found in panel["verdicts"].items()
        ],
    }
