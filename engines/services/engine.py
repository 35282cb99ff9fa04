"""`SelfImprovementEngine` and `ImprovementEngineRegistry`: the cycles of the console, from plain Python."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from os import PathLike, fspath
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from engines.domain.errors import Conflict, InvalidInput, MenaceError, NotConfigured
from engines.domain.results import PYTHON, Actor, AutomationResult, Decision
from engines.domain.states import CycleState, Trigger
from engines.domain.workflows.graph import WorkflowGraph
from engines.models import Cycle, Engine
from engines.services import state_file
from engines.services.inline import result_of, run_inline
from engines.services.parts import default_parts
from engines.services.pipeline import ModelAutomationPipeline
from engines.services.registry import register_engine, update_engine
from engines.services.steps.inspect import preview
from engines.services.workflow_graph import load
from forecasting.domain.foresight import ForesightTracker
from forecasting.services.foresight import tracker_of
from forecasting.services.predictor import of_subject


class CycleFailed(MenaceError):
    """A cycle ended without a result; `cycle_id` names its row."""

    def __init__(self, message: str, *, cycle_id: int) -> None:
        super().__init__(message)
        self.cycle_id = cycle_id


class SelfImprovementEngine:
    """One bot under care.

    `bot_name` names an engine of the console. One that isn't known yet is registered from `repository`, or
    from `<data dir>/repos/<bot_name>`. `state_path` is the JSON file that mirrors its history; an engine
    without history starts from it. `pipeline` replaces the usual retraining.

    Raises NotConfigured when there is neither such an engine nor a repository for it.
    """

    def __init__(
        self,
        bot_name: str = "menace",
        pipeline: ModelAutomationPipeline | None = None,
        *,
        repository: str | PathLike[str] | None = None,
        state_path: str | PathLike[str] | None = None,
        roi_ema_alpha: float | None = None,
        actor: Actor = PYTHON,
    ) -> None:
        import_string(settings.PREPARE_PROCESS)()
        self.bot_name = bot_name
        self.pipeline = pipeline or ModelAutomationPipeline()
        self.actor = actor
        self._id = _known_or_new(bot_name, repository, actor).pk
        self._configure(state_path, roi_ema_alpha)

    def _configure(self, state_path: str | PathLike[str] | None, alpha: float | None) -> None:
        wanted = {
            "state_path": None if state_path is None else str(Path(fspath(state_path)).absolute()),
            "roi_ema_alpha": alpha,
        }
        row = self.row
        changes = {key: value for key, value in wanted.items() if value not in (None, getattr(row, key))}
        if changes:
            row = update_engine(row.pk, actor=self.actor, **changes)
        if "state_path" in changes and not row.roi_history:
            state_file.import_state(row)

    @property
    def row(self) -> Engine:
        """The engine's row as it is now."""
        return Engine.objects.get(pk=self._id)

    @property
    def roi_delta_ema(self) -> float | None:
        """Moving average of the cycles' ROI deltas; None before the first."""
        return self.row.roi_delta_ema

    @property
    def success_history(self) -> list[bool]:
        """Whether each of the latest cycles paid, oldest first."""
        return self.row.success_history

    @property
    def momentum(self) -> float | None:
        """Share of the latest ten cycles that paid; None before the first."""
        return self.row.momentum

    @property
    def foresight_tracker(self) -> ForesightTracker:
        """What the latest cycles of the engine and of its workflows measured, these by their own names."""
        return tracker_of(self.bot_name)

    @property
    def workflow_graph(self) -> WorkflowGraph:
        """How the engine's workflows hang together, as it was measured last."""
        return load(self.row)

    def predict_roi(self, horizon: int = 5) -> Any:
        """Return the forecast of the next `horizon` values of the ROI
        (`forecasting.domain.forecast.Forecast`).

        The model in use answers, with intervals fitted to this engine's past errors. Raises LookupError
        before the first measured cycle, ValueError for a bad horizon.
        """
        return of_subject(self.bot_name, horizon)

    def should_trigger(self) -> Decision:
        """Return whether the schedule would run a cycle now, and why; nothing is measured or written."""
        return preview(self.row)

    def _should_trigger(self) -> bool:
        return self.should_trigger().run

    def run_cycle(self, energy: float = 1.0, *, seed: int | None = None) -> AutomationResult:
        """Run one cycle here, to its end. Raises CycleFailed, or Conflict when the engine is switched off."""
        cycle = self._run(energy, seed)
        if cycle.state in (CycleState.DONE, CycleState.SKIPPED):
            return result_of(cycle)
        raise CycleFailed(f"cycle {cycle.pk} {cycle.state}: {cycle.message}", cycle_id=cycle.pk)

    def _run(self, energy: float, seed: int | None) -> Cycle:
        return run_inline(
            self.row,
            energy=energy,
            actor=self.actor,
            trigger=Trigger.PYTHON,
            seed=seed,
            parts=default_parts(self.pipeline),
        )


def _known_or_new(name: str, repository: str | PathLike[str] | None, actor: Actor) -> Engine:
    known = Engine.objects.filter(name=name).first()
    if known is not None:
        return known
    place = Path(fspath(repository)) if repository else Path(settings.DATA_DIR) / "repos" / name
    if repository is None and not place.is_dir():
        raise NotConfigured(
            f"there is no engine {name!r} and no repository {place}; give repository=…, "
            "run `manage.py engines add PATH`, or `manage.py demo` for alpha and beta"
        )
    return register_engine(path=str(place), name=name, actor=actor)


class ImprovementEngineRegistry:
    """Engines that are run together. Each keeps its own history; one that fails does not stop the others."""

    def __init__(self) -> None:
        self._engines: dict[str, SelfImprovementEngine] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._engines)

    @property
    def engines(self) -> Mapping[str, SelfImprovementEngine]:
        """The registered engines by name."""
        return dict(self._engines)

    def register_engine(self, name: str, engine: SelfImprovementEngine) -> None:
        """Add an engine; Conflict when another one has the name, which is never replaced silently."""
        if self._engines.get(name, engine) is not engine:
            raise Conflict(f"another engine is registered as {name!r}; unregister it first")
        self._engines[name] = engine

    def unregister_engine(self, name: str) -> None:
        """Forget an engine; its rows stay. InvalidInput when none has the name."""
        if self._engines.pop(name, None) is None:
            raise InvalidInput(f"no engine is registered as {name!r}", field="name")

    def run_all_cycles(self, energy: float = 1.0, *, parallel: int = 1) -> dict[str, AutomationResult]:
        """Run one cycle of each engine, `parallel` at a time, and return the results by name.

        An engine whose cycle failed answers with `roi` None and a verdict that says why.
        """
        if parallel < 1:
            raise InvalidInput("parallel must be at least 1", field="parallel")
        with ThreadPoolExecutor(max_workers=parallel, thread_name_prefix="cycle") as pool:
            futures = {name: pool.submit(_outcome, engine, energy) for name, engine in self._engines.items()}
            return {name: future.result() for name, future in futures.items()}


def _outcome(engine: SelfImprovementEngine, energy: float) -> AutomationResult:
    try:
        return engine.run_cycle(energy)
    except (CycleFailed, Conflict) as error:
        return AutomationResult(roi=None, verdict=f"failed: {error}")
    finally:
        connection.close()
