"""Step *measure*: what the cycle was worth, what that does to the averages, and what is to come.

`run` reads and computes: ROI delta, forecast, and which modules have nothing more to give. `commit` writes.
"""

from collections.abc import Mapping
from dataclasses import asdict
from statistics import fmean
from typing import Any, Final

from django.conf import settings

from engines.domain.cycle import Idle, StepContext
from engines.domain.results import Json, StepOutcome
from engines.domain.roi import ValueModel, cycle_cost, worth
from engines.domain.training_words import PROMOTABLE
from engines.models import Cycle, Engine
from engines.services import bots, module_progress, workflow_synergies
from forecasting.domain.confidence import final_score, needs_review, risk_adjusted
from forecasting.domain.rankings import Mark, log_lines
from forecasting.models import RoiEvent
from forecasting.services import forecasts, modules, record_cycle, record_roi_event
from forecasting.services.evaluations import record_evaluation, settle_long_run
from forecasting.services.modules import Brought

HISTORY: Final = 50
"""How many of the latest cycles an engine's row keeps; the events keep all."""

NOTHING: Final = "not measured: nothing was trained or no value model is set"


class Measure(Idle):
    """Adds up value and cost of the cycle's candidates, and forecasts the next cycles' worth."""

    def run(self, context: StepContext) -> StepOutcome:
        """Return roi_delta = value of the candidates - cost of all CPU time and tokens of the cycle."""
        engine = Engine.objects.get(pk=context.engine_id)
        marks = _marks(engine, context)
        told = {path: mark.reason for path, mark in marks.items()}
        worked = _brought(engine, context)
        if worked is None:
            log = "\n".join(log_lines(marks))
            return StepOutcome(state="skipped", note=NOTHING, result={"complete": told}, log=log)
        result = worked | _ahead(engine, context, worked["roi_level"]) | {"complete": told}
        note = "ROI {roi_delta:+.4g} = value {value:.4g} - cost {cost:.4g}".format(**worked)
        return StepOutcome(state="done", note=note, result=result, log=_log(marks, result))

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Move the engine's averages on, once: measured again, the same cycle replaces its first entry."""
        brought = module_progress.brought(context.results)
        if outcome.state != "done" and not brought:
            return
        engine = Engine.objects.select_for_update(no_key=True).get(pk=context.engine_id)
        _count_modules(engine, context, brought)
        workflow_synergies.keep(engine, context.results, context.cycle_id)
        if outcome.state != "done":
            return
        before = [entry for entry in engine.roi_history if entry["cycle"] != context.cycle_id]
        delta = outcome.result["roi_delta"]
        state = bots.roi_state(engine, before).updated(delta)
        entry = {"cycle": context.cycle_id, "delta": delta, "success": delta > 0, "ema": state.ema}
        engine.roi_history = [*before, entry][-HISTORY:]
        engine.roi_delta_ema = state.ema
        engine.momentum = state.momentum
        engine.save(update_fields=["roi_history", "roi_delta_ema", "momentum"])
        _write(context, engine, outcome)


def _brought(engine: Engine, context: StepContext) -> dict[str, Any] | None:
    """Return value, cost, their difference and the ROI that there is now.

    None where nothing was trained or there are no prices.
    """
    prices = bots.value_model(bots.manifest_of(engine))
    roi = context.results.get("retrain", {}).get("roi")
    if prices is None or roi is None:
        return None
    cpu = Cycle.objects.values_list("cpu_seconds", flat=True).get(pk=context.cycle_id) or 0.0
    cost = cycle_cost(cpu, sum(result.get("tokens", 0) for result in context.results.values()), prices)
    level = _level(context.results.get("inspect", {}).get("deployed"), prices, cost)
    delta = {"roi_delta": roi["value"] - cost, "value": roi["value"], "cost": cost}
    return {**delta, "cpu_seconds": cpu, "roi_level": level}


def _level(deployed: Mapping[str, Any] | None, prices: ValueModel, cost: float) -> float | None:
    """Return what the deployed model is worth beyond guessing, less the cycle's cost; None: not measured.

    This is the course that forecasts follow: a cycle's delta says what it changed, the level what there is.
    """
    found = deployed or {}
    scored, naive = found.get("metrics", {}).get(prices.metric), found.get("naive")
    if scored is None or naive is None or found.get("metric") != prices.metric:
        return None
    return float(worth(scored, naive, prices) - cost)


def _levels(engine: Engine, source: str) -> list[float]:
    """Return the levels of the cycles before, oldest first."""
    events = RoiEvent.objects.levels(engine.name).exclude(source=source).order_by("-at", "-id")
    found = events.values_list("roi_after", flat=True)[:HISTORY]
    return [level for level in reversed(found) if level is not None]


def _ahead(engine: Engine, context: StepContext, level: float | None) -> dict[str, Json]:
    """Return the forecast of the next cycles and the ROI with the risk taken off, part by part."""
    source = _source(context)
    made = None if level is None else forecasts.foresee(engine.name, source, value=level)
    if level is None or made is None or made["p_collapse"] is None:
        return {"forecast": made, "risk_adjusted": None}
    recent = [*_levels(engine, source), level]
    adjusted = risk_adjusted(level, p_collapse=made["p_collapse"], recent=recent)
    score = final_score(adjusted.value, made["confidence"])
    return {"forecast": made, "risk_adjusted": asdict(adjusted) | {"final_score": score}}


def _source(context: StepContext) -> str:
    return f"cycle:{context.cycle_id}"


def _marks(engine: Engine, context: StepContext) -> dict[str, Mark]:
    """Return the modules that are complete with what this cycle brought them."""
    brought = module_progress.brought(context.results)
    if not brought:
        return {}
    scale = module_progress.usual_size(engine)
    return modules.expected(
        engine.name, context.cycle_id, brought, limits=module_progress.limits(), scale=scale
    )


def _log(marks: Mapping[str, Mark], result: Mapping[str, Any]) -> str:
    """Return what the step's log says: who has nothing more to give, and what a person must look at."""
    forecast = result["forecast"] or {}
    lines = log_lines(marks)
    tau, sure = settings.SANDBOX.tau, forecast.get("confidence")
    if forecast and needs_review(sure, tau):
        known = "not known yet" if sure is None else f"{sure:.2f}, under {tau:g}"
        lines.append(f"review: the confidence of the forecast is {known}; a person decides")
    return "\n".join(lines)


def _count_modules(engine: Engine, context: StepContext, brought: Mapping[str, Brought]) -> None:
    modules.move_on(
        engine.name,
        context.cycle_id,
        brought,
        limits=module_progress.limits(),
        scale=module_progress.usual_size(engine),
    )


def _write(context: StepContext, engine: Engine, outcome: StepOutcome) -> None:
    result = outcome.result
    Cycle.objects.filter(pk=context.cycle_id).update(
        roi_gain=context.results["retrain"]["roi"]["roi_gain"],
        value=result["value"],
        cost=result["cost"],
        roi_delta=result["roi_delta"],
        roi_delta_ema=engine.roi_delta_ema,
        momentum=engine.momentum,
    )
    source = _source(context)
    before = _levels(engine, source)[-1:]
    record_roi_event(
        engine.name,
        source=source,
        action="cycle",
        delta=result["roi_delta"],
        ema=engine.roi_delta_ema,
        roi_before=before[0] if before else None,
        roi_after=result["roi_level"],
    )
    _write_ahead(context, engine.name, source, result)


def _write_ahead(context: StepContext, subject: str, source: str, result: Mapping[str, Any]) -> None:
    """Keep the forecast, settle the earlier ones by what came, and keep how the training was judged."""
    made = result["forecast"]
    if made is not None:
        forecasts.keep(subject, source, made)
        raroi = (result["risk_adjusted"] or {}).get("value")
        sure = made["confidence"]
        record_cycle(subject, context.cycle_id, roi=result["roi_level"], raroi=raroi, confidence=sure)
    record_evaluation(subject, source, **_evaluation(context.results["retrain"]))
    settle_long_run(subject)


def _evaluation(retrain: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a training was judged: the mean score of the best challenger over its folds, if any."""
    scores = (retrain.get("challenger") or {}).get("fold_scores") or ()
    score = fmean(scores) if scores else None
    passed = retrain["verdict"] == PROMOTABLE
    return {"cv_score": score, "passed": passed, "error": "" if score is not None else retrain["verdict"]}
