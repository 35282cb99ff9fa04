"""Step *retrain*: train challengers within the energy budget and judge the best against what is deployed."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import F

from engines.domain.cycle import Idle, StepContext
from engines.domain.promotion import UNDER_WAY
from engines.domain.results import StepOutcome
from engines.domain.states import VersionState
from engines.domain.training_words import PROMOTABLE
from engines.models import Engine, ModelVersion
from engines.services import bots
from engines.services.pipeline import Assignment, ModelAutomationPipeline

NO_PIPELINE = "the bot's manifest names no pipeline, so there is nothing to train"


class Retrain(Idle):
    """Runs the pipeline; its row is the candidate, if one won."""

    def __init__(self, pipeline: ModelAutomationPipeline | None = None) -> None:
        self.pipeline = pipeline or ModelAutomationPipeline()

    def run(self, context: StepContext) -> StepOutcome:
        """Return the automation result as data, or say that the bot has no pipeline."""
        engine = Engine.objects.get(pk=context.engine_id)
        if bots.manifest_of(engine).pipeline is None:
            return StepOutcome(state="not_configured", note=NO_PIPELINE)
        energy = context.results["inspect"]["decision"]["energy"]
        bot = assignment(engine, context)
        found = self.pipeline.run(bot, energy, on_progress=context.pulse.report, cancel=context.pulse)
        gain = "" if found.roi is None else f", ROI gain {found.roi.roi_gain:+.4g}"
        result = found.as_data() | {"judged": bot.challengers_judged + 1, "commit": bot.commit}
        return StepOutcome(
            state="done", note=f"{found.verdict}{gain}", result=result, cpu_seconds=found.cpu_seconds
        )

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Count the challenger, and keep it as a candidate if it won."""
        if outcome.state != "done":
            return
        result = outcome.result
        Engine.objects.filter(pk=context.engine_id).update(decisions_made=F("decisions_made") + 1)
        mine = ModelVersion.objects.filter(cycle=context.cycle_id, state=VersionState.CANDIDATE)
        mine.filter(promotions=None).delete()
        mine.update(state=VersionState.RETIRED)
        if result["verdict"] == PROMOTABLE:
            _retire_candidates(context.engine_id)
            _keep_candidate(context, result)


def assignment(engine: Engine, context: StepContext) -> Assignment:
    """Return what the pipeline has to know of the engine for this cycle."""
    champion = ModelVersion.objects.filter(engine=engine, state=VersionState.CHAMPION).first()
    repository = Path(engine.repository)
    return Assignment(
        name=engine.name,
        repository=repository,
        manifest=bots.manifest_of(engine),
        base_budget=bots.base_budget(engine),
        seed=engine.seed,
        search_seed=context.seed,
        champion_params=champion.params if champion else None,
        champion_sha256=champion.sha256 if champion else "",
        challengers_judged=engine.decisions_made,
        seconds_left=context.seconds_left,
        scratch=context.scratch,
        store=store(),
        commit=bots.head(engine),
    )


def store() -> Path:
    """Return the folder where artifacts lie under their digests."""
    return Path(settings.DATA_DIR) / "artifacts"


def _retire_candidates(engine_id: int) -> None:
    """Retire what still waits for a person: the newest winner was judged on fresher evidence.

    What somebody approved already goes live: a worker only has to take it up.
    """
    waiting = ModelVersion.objects.filter(engine=engine_id, state=VersionState.CANDIDATE)
    waiting.exclude(promotions__state__in=UNDER_WAY).update(state=VersionState.RETIRED)


def _keep_candidate(context: StepContext, result: Mapping[str, Any]) -> None:
    won, artifact = result["challenger"], result["artifact"]
    ModelVersion.objects.create(
        engine_id=context.engine_id,
        cycle_id=context.cycle_id,
        state=VersionState.CANDIDATE,
        sha256=artifact["sha256"],
        size=artifact["size"],
        params=won["params"],
        metrics=won["metrics"],
        commit=result["commit"],
        seed=context.seed,
        roi_gain=result["roi"]["roi_gain"],
    )
