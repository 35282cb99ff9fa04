"""Step *inspect*: look at the metrics, then decide whether the cycle goes on and with how much energy."""

from django.conf import settings
from django.db.models import Avg, Max
from django.db.models.functions import Now

from engines.domain.cycle import Idle, StepContext
from engines.domain.decide import Observation, decide
from engines.domain.results import StepOutcome
from engines.domain.states import CycleState, Trigger
from engines.models import Cycle, Engine
from engines.services import bots
from engines.services.pipeline import ModelAutomationPipeline
from engines.services.steps.retrain import assignment
from forecasting.domain.drift import Alarm, Detector
from forecasting.models import MetricPoint
from forecasting.services import record_points

OBSERVED = "observed_"
"""Prefix of metrics that were pushed from production, which may be named like measured ones."""


class Inspect(Idle):
    """Measures what is deployed, reads what production pushed, watches both for drift, and decides."""

    def __init__(self, pipeline: ModelAutomationPipeline | None = None) -> None:
        self.pipeline = pipeline or ModelAutomationPipeline()

    def run(self, context: StepContext) -> StepOutcome:
        """Return the decision with its reasons, and the metrics it stands on."""
        engine = Engine.objects.get(pk=context.engine_id)
        measured, cpu_seconds = self._measured(engine, context)
        pushed, newest = _pushed(engine)
        metrics = measured | pushed
        detector = _detector(engine, list(metrics))
        alarm = detector.update(metrics) if metrics and not _seen(engine, context) else None
        decision = decide(_observation(engine, context, detector if metrics else None, alarm))
        words = "; ".join(r.detail for r in decision.reasons if r.favours_run == decision.run)
        return StepOutcome(
            state="done",
            note=f"{'run' if decision.run else 'skip'}: {words}",
            result={"decision": decision.as_data(), "metrics": metrics, "newest_point": newest},
            cpu_seconds=cpu_seconds,
            stop=not decision.run,
        )

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Keep the decision, the metrics and what the drift detector learnt from them, once a cycle."""
        result = outcome.result
        Cycle.objects.filter(pk=context.cycle_id).update(decision=result["decision"])
        engine = Engine.objects.select_for_update(no_key=True).get(pk=context.engine_id)
        if not result["metrics"] or _seen(engine, context):
            return
        record_points(engine.name, result["metrics"], source=f"cycle:{context.cycle_id}")
        detector = _detector(engine, list(result["metrics"]))
        detector.update(result["metrics"])
        engine.drift_state = {
            "detector": detector.to_dict(),
            "cycle": context.cycle_id,
            "newest_point": result["newest_point"],
        }
        engine.save(update_fields=["drift_state"])

    def _measured(self, engine: Engine, context: StepContext) -> tuple[dict[str, float], float | None]:
        if bots.manifest_of(engine).pipeline is None:
            return {}, None
        bot = assignment(engine, context)
        found = self.pipeline.evaluate(bot, on_progress=context.pulse.report, cancel=context.pulse)
        return {**found.report.metrics, **found.report.data}, found.cpu_seconds


def _pushed(engine: Engine) -> tuple[dict[str, float], int]:
    """Return the mean of each metric pushed since the last look, and the newest point's id."""
    last = engine.drift_state.get("newest_point", 0)
    points = MetricPoint.objects.filter(subject=engine.name, id__gt=last, source__startswith="push:")
    newest = points.aggregate(newest=Max("id"))["newest"] or last
    means = points.filter(id__lte=newest).values("name").annotate(mean=Avg("value")).order_by("name")
    return {f"{OBSERVED}{row['name']}"[:64]: row["mean"] for row in means}, newest


def _seen(engine: Engine, context: StepContext) -> bool:
    """Return whether the detector saw this cycle before: a retried step must not count as new evidence."""
    return bool(engine.drift_state.get("cycle") == context.cycle_id)


def _detector(engine: Engine, names: list[str]) -> Detector:
    kept = engine.drift_state.get("detector")
    if kept:
        return Detector.from_dict(kept).extended(names)
    return Detector(names or ["none"], settings.SANDBOX.cycles_between_false_alarms)


def _observation(
    engine: Engine, context: StepContext, detector: Detector | None, alarm: Alarm | None
) -> Observation:
    roi = bots.roi_state(engine)
    errors, last_error = _errors(engine, context)
    return Observation(
        asked_by=_asked_by(context),
        since_last=_seconds_since_last(engine),
        interval=engine.schedule_seconds,
        alarm=alarm,
        drift_score=detector.score if detector else None,
        drift_threshold=detector.threshold if detector else None,
        errors=errors,
        last_error=last_error,
        energy=context.energy,
        roi_delta_ema=roi.ema,
        roi_short_mean=roi.short_mean,
        roi_spread=roi.spread,
        momentum=roi.momentum,
    )


def _asked_by(context: StepContext) -> str | None:
    """Return who asked for the cycle; None when the schedule did and it never got this far before."""
    cycle = Cycle.objects.get(pk=context.cycle_id)
    if cycle.trigger != Trigger.SCHEDULE:
        return cycle.requested_label or str(cycle.trigger)
    return "a person who retried it" if cycle.decision else None


def _seconds_since_last(engine: Engine) -> float | None:
    latest = Cycle.objects.filter(engine=engine, state=CycleState.DONE).order_by("-id")
    row = latest.annotate(now=Now()).values_list("finished_at", "now").first()
    return (row[1] - row[0]).total_seconds() if row else None


def _errors(engine: Engine, context: StepContext) -> tuple[int, str]:
    """Return how many cycles failed since the last one that was done, and the newest one's message."""
    cycles = Cycle.objects.filter(engine=engine, id__lt=context.cycle_id)
    done = cycles.filter(state=CycleState.DONE).order_by("-id").values_list("id", flat=True).first() or 0
    failed = cycles.filter(id__gt=done, state__in=[CycleState.FAILED, CycleState.QUARANTINED]).order_by("-id")
    messages = list(failed.values_list("message", flat=True)[:100])
    return len(messages), messages[0] if messages else ""
