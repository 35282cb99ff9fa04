"""Step *inspect*: look at the metrics, then decide whether the cycle goes on and with how much energy."""

from dataclasses import asdict, replace

from django.conf import settings
from django.db.models import Avg, F, Max
from django.db.models.functions import Extract, Now

from engines.domain.cycle import Idle, StepContext
from engines.domain.decide import Observation, decide
from engines.domain.results import Decision, Json, StepOutcome
from engines.domain.states import CycleState, Trigger, VersionState
from engines.models import Cycle, Engine, ModelVersion
from engines.services import bots
from engines.services.pipeline import Evaluation, ModelAutomationPipeline
from engines.services.steps.retrain import assignment
from forecasting.domain.drift import Alarm, Detector
from forecasting.models import MetricPoint
from forecasting.services import record_points

OBSERVED = "observed_"
"""Prefix of metrics that were pushed from production, which may be named like measured ones."""

LAST_ID = 2**63 - 1


class Inspect(Idle):
    """Measures what is deployed, reads what production pushed, watches both for drift, and decides."""

    def __init__(self, pipeline: ModelAutomationPipeline | None = None) -> None:
        self.pipeline = pipeline or ModelAutomationPipeline()

    def run(self, context: StepContext) -> StepOutcome:
        """Return the decision with its reasons, and the metrics it stands on."""
        engine = Engine.objects.get(pk=context.engine_id)
        found = self._evaluated(engine, context)
        pushed, newest = _pushed(engine)
        metrics = pushed if found is None else {**found.report.metrics, **found.report.data, **pushed}
        detector = _detector(engine, list(metrics))
        alarm = detector.update(metrics) if metrics and not _seen(engine, context) else None
        watched = detector if metrics else None
        seen = _observation(engine, watched, alarm, energy=context.energy, before=context.cycle_id)
        decision = decide(replace(seen, asked_by=_asked_by(context)))
        words = " ".join(r.detail for r in decision.reasons if r.favours_run == decision.run)
        return StepOutcome(
            state="done",
            note=f"{'run' if decision.run else 'skip'}: {words}",
            result={
                "decision": decision.as_data(),
                "metrics": metrics,
                "newest_point": newest,
                "deployed": None if found is None else _deployed(found),
            },
            cpu_seconds=None if found is None else found.cpu_seconds,
            stop=not decision.run,
        )

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Keep the decision, the metrics and what the drift detector learnt from them, once a cycle."""
        result = outcome.result
        Cycle.objects.filter(pk=context.cycle_id).update(decision=result["decision"])
        _keep_champion(context, result["deployed"])
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

    def _evaluated(self, engine: Engine, context: StepContext) -> Evaluation | None:
        if bots.manifest_of(engine).pipeline is None:
            return None
        bot = assignment(engine, context)
        return self.pipeline.evaluate(bot, on_progress=context.pulse.report, cancel=context.pulse)


def _deployed(found: Evaluation) -> dict[str, Json]:
    return {
        "params": dict(found.report.params),
        "metrics": dict(found.report.metrics),
        "metric": found.report.metric,
        "naive": found.report.naive,
        "commit": found.commit,
        "artifact": None if found.artifact is None else asdict(found.artifact),
    }


def _keep_champion(context: StepContext, deployed: dict[str, Json] | None) -> None:
    """Keep what the bot deploys today as its first champion; its file was just made inside the sandbox."""
    if deployed is None or deployed["artifact"] is None:
        return
    ModelVersion.objects.get_or_create(
        engine_id=context.engine_id,
        state=VersionState.CHAMPION,
        defaults={
            "cycle_id": context.cycle_id,
            "params": deployed["params"],
            "metrics": deployed["metrics"],
            "commit": deployed["commit"],
            "seed": context.seed,
            **deployed["artifact"],
        },
    )


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


def preview(engine: Engine) -> Decision:
    """Return what the schedule would decide now from what is known: nothing is measured or written."""
    kept = engine.drift_state.get("detector")
    detector = Detector.from_dict(kept) if kept else None
    return decide(_observation(engine, detector, None, energy=engine.base_energy, before=LAST_ID))


def _observation(
    engine: Engine, detector: Detector | None, alarm: Alarm | None, *, energy: float, before: int
) -> Observation:
    roi = bots.roi_state(engine)
    errors, last_error = _errors(engine, before)
    return Observation(
        since_last=_seconds_since_last(engine),
        interval=engine.schedule_seconds,
        alarm=alarm,
        drift_score=detector.score if detector else None,
        drift_threshold=detector.threshold if detector else None,
        errors=errors,
        last_error=last_error,
        energy=energy,
        roi_delta_ema=roi.ema,
        roi_short_mean=roi.short_mean,
        roi_spread=roi.spread,
        momentum=roi.momentum,
        momentum_filled=roi.momentum_filled,
    )


def _asked_by(context: StepContext) -> str | None:
    """Return who asked for the cycle; None when the schedule did and it never got this far before."""
    cycle = Cycle.objects.get(pk=context.cycle_id)
    if cycle.trigger != Trigger.SCHEDULE:
        return cycle.requested_label or str(cycle.trigger)
    return "a person who retried it" if cycle.decision else None


def _seconds_since_last(engine: Engine) -> float | None:
    latest = Cycle.objects.filter(engine=engine, state=CycleState.DONE).order_by("-id")
    ages = latest.annotate(age=Extract(Now() - F("finished_at"), "epoch"))
    age: float | None = ages.values_list("age", flat=True).first()
    return None if age is None else float(age)


def _errors(engine: Engine, before: int) -> tuple[int, str]:
    """Return how many cycles failed since the last one that was done, and the newest one's message."""
    cycles = Cycle.objects.filter(engine=engine, id__lt=before)
    done = cycles.filter(state=CycleState.DONE).order_by("-id").values_list("id", flat=True).first() or 0
    failed = cycles.filter(id__gt=done, state__in=[CycleState.FAILED, CycleState.QUARANTINED]).order_by("-id")
    messages = list(failed.values_list("message", flat=True)[:100])
    return len(messages), messages[0] if messages else ""
