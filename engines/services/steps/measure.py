"""Step *measure*: what the cycle was worth, and what that does to the engine's averages."""

from engines.domain.cycle import Idle, StepContext
from engines.domain.results import StepOutcome
from engines.domain.roi import cycle_cost
from engines.models import Cycle, Engine
from engines.services import bots
from forecasting.services import record_roi_event

HISTORY = 50
"""How many of the latest cycles an engine's row keeps; the events keep all."""


class Measure(Idle):
    """Adds up value and cost of the cycle's candidates."""

    def run(self, context: StepContext) -> StepOutcome:
        """Return roi_delta = value of the candidates - cost of all CPU time and tokens of the cycle."""
        prices = bots.value_model(bots.manifest_of(Engine.objects.get(pk=context.engine_id)))
        roi = context.results.get("retrain", {}).get("roi")
        if prices is None or roi is None:
            return StepOutcome(
                state="skipped", note="not measured: nothing was trained or no value model is set"
            )
        cpu = Cycle.objects.values_list("cpu_seconds", flat=True).get(pk=context.cycle_id) or 0.0
        cost = cycle_cost(cpu, sum(result.get("tokens", 0) for result in context.results.values()), prices)
        delta = roi["value"] - cost
        result = {"roi_delta": delta, "value": roi["value"], "cost": cost, "cpu_seconds": cpu}
        return StepOutcome(
            state="done", note=f"ROI {delta:+.4g} = value {roi['value']:.4g} - cost {cost:.4g}", result=result
        )

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Move the engine's averages on, once: measured again, the same cycle replaces its first entry."""
        if outcome.state != "done":
            return
        engine = Engine.objects.select_for_update(no_key=True).get(pk=context.engine_id)
        before = [entry for entry in engine.roi_history if entry["cycle"] != context.cycle_id]
        delta = outcome.result["roi_delta"]
        state = bots.roi_state(engine, before).updated(delta)
        entry = {"cycle": context.cycle_id, "delta": delta, "success": delta > 0, "ema": state.ema}
        engine.roi_history = [*before, entry][-HISTORY:]
        engine.roi_delta_ema = state.ema
        engine.momentum = state.momentum
        engine.save(update_fields=["roi_history", "roi_delta_ema", "momentum"])
        _write(context, engine, outcome)


def _write(context: StepContext, engine: Engine, outcome: StepOutcome) -> None:
    result = outcome.result
    retrain = context.results["retrain"]["roi"]
    Cycle.objects.filter(pk=context.cycle_id).update(
        roi_gain=retrain["roi_gain"],
        value=result["value"],
        cost=result["cost"],
        roi_delta=result["roi_delta"],
        roi_delta_ema=engine.roi_delta_ema,
        momentum=engine.momentum,
    )
    record_roi_event(
        engine.name,
        source=f"cycle:{context.cycle_id}",
        action="cycle",
        delta=result["roi_delta"],
        ema=engine.roi_delta_ema,
    )
