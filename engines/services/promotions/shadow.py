"""Shadow mode: what the gate would have decided on past candidates, from what was known then, and what came.

Nothing is promoted, held or written.  A past cycle's evidence is its own comparison, the forecasts made up to
then and the ROI events up to then; what was not measured then stays missing. Rows that were written later are
not looked at, except to say afterwards how the ROI went on.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import fmean
from typing import Any, Final

from engines.domain.promotion import plain
from engines.domain.results import Json
from engines.domain.training_words import NO_CHALLENGER
from engines.models import CycleStep, Engine, Promotion
from engines.services import bots
from engines.services.promotions import evidence, gains, outlook
from forecasting.domain.gate import Decision, Evidence, decide
from forecasting.models import Forecast, RoiEvent

AHEAD: Final = 5
"""ROI events after a decision that say how it turned out."""
MOST: Final = 200
Row = dict[str, Json]


def shadow(engine: Engine, *, limit: int = MOST) -> dict[str, Json]:
    """Return the gate's verdict on the latest cycles that had a challenger, oldest first, with a summary.

    Each row has `cycle`, `at`, `verdict`, `text`, `reasons`, `gain`, what was `decided` then, the ROI that
    `came` in the next cycles and whether it was `good` (their mean above the policy's floor; None while
    fewer than `AHEAD` have come).  `summary` counts verdicts, and the blocks and promotions that went wrong.
    """
    policy = evidence.policy_of(engine)
    knobs = evidence.knobs_of(policy)
    rows = [
        _row(engine, step, decide(_known(engine, step), knobs), policy.roi_floor)
        for step in _challenged(engine, limit)
    ]
    return {
        "engine": engine.name,
        "policy": policy.as_data(),
        "rows": rows,
        "summary": summary(rows),
    }


def _challenged(engine: Engine, limit: int) -> list[CycleStep]:
    """Return the steps *retrain* that judged a challenger, oldest first."""
    steps = CycleStep.objects.filter(cycle__engine=engine, name="retrain", result__has_key="verdict")
    judged = steps.exclude(result__verdict=NO_CHALLENGER).exclude(finished_at=None)
    return list(judged.order_by("-cycle_id").select_related("cycle")[:limit])[::-1]


def _known(engine: Engine, step: CycleStep) -> Evidence:
    """Return the evidence on a cycle's challenger as it was when the cycle ended."""
    at = _end(step)
    forecast = Forecast.objects.of(engine.name).filter(at__lte=at).first()
    events = RoiEvent.objects.levels(engine.name).filter(at__lte=at).order_by("-id")
    others = bots.manifest_of(engine).workflows
    document = plain(
        {
            "kind": "model",
            "gain": gains.of_model(step.result),
            "forecast": None if forecast is None else outlook.forecast_data(forecast),
            "history": list(events.values_list("roi_after", flat=True)[: outlook.HISTORY]),
            "impact": None if others else {"dependants": {}},
            "flags": None,
            "self_tests": None,
        }
    )
    return evidence.evidence_of(document, age_hours=0.0)


def _end(step: CycleStep) -> datetime:
    """Return when the cycle's gate looked: at the end of the cycle."""
    at = step.cycle.finished_at or step.finished_at
    if at is None:  # asked for above
        raise AssertionError(f"step {step} has not ended")
    return at


def _row(engine: Engine, step: CycleStep, decision: Decision, floor: float) -> Row:
    later = RoiEvent.objects.levels(engine.name).filter(at__gt=_end(step)).order_by("id")
    came = [each for each in later.values_list("roi_after", flat=True)[:AHEAD] if each is not None]
    return {
        "cycle": step.cycle_id,
        "at": _end(step).isoformat(),
        **decision.as_data(),
        "gain": gains.of_model(step.result)["roi_gain"],
        "decided": _decided(step.cycle_id),
        "came": came,
        "good": fmean(came) > floor if len(came) == AHEAD else None,
    }


def _decided(cycle_id: int) -> str:
    """Return what became of the cycle's candidate; empty where it had none."""
    states = Promotion.objects.filter(version__cycle=cycle_id).order_by("-pk")
    return states.values_list("state", flat=True).first() or ""


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Json]:
    """Count the verdicts, and those that turned out wrong among the cycles whose outcome is known."""
    known = [row for row in rows if row["good"] is not None]
    good, bad = [row for row in known if row["good"]], [row for row in known if not row["good"]]
    return {
        "cycles": len(rows),
        **{word: sum(row["verdict"] == word for row in rows) for word in ("promote", "hold", "block")},
        "known": len(known),
        "good": len(good),
        "bad": len(bad),
        "false_blocks": sum(row["verdict"] == "block" for row in good),
        "missed": sum(row["verdict"] == "promote" for row in bad),
    }
