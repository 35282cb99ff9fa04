"""`ModelAutomationPipeline`: train challengers of a bot within the energy budget and judge the best one.

The bot's code runs only behind the seam of `orphans.sandbox`, on a throw-away copy of one commit; what
comes back is JSON and one opaque file, and the judging happens here (`engines.domain.training_verdict`).
This module writes files (the work copy, the artifact under its digest); rows are the caller's.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from engines import git
from engines.domain.cycle import Interrupted, StepFailed, StepTimeout, TransientStepError
from engines.domain.energy import budget
from engines.domain.errors import InvalidInput, NotConfigured
from engines.domain.manifest import Manifest
from engines.domain.results import Artifact, AutomationResult, Budget, Json
from engines.domain.roi import ValueModel
from engines.domain.training_report import EvaluationReport, ReportError, read_evaluation, read_training
from orphans.sandbox import (
    Cancel,
    Kind,
    Limits,
    Measurement,
    Outcome,
    Progress,
    Runner,
    RunSpec,
    SubprocessRunner,
    artifact_path,
    remove_tree,
    scratch_folder,
)
from orphans.services.packages import packages_of

TRAIN: Final = "engines.domain.training:train"
EVALUATE: Final = "engines.domain.training_evaluate:evaluate"
WORKFLOW: Final = "engines.domain.training_workflow:workflow"
MODEL_FILE: Final = "model.bin"
CHAMPION_FILE: Final = "champion.bin"
KEPT: Final = (MODEL_FILE, CHAMPION_FILE)

START_SECONDS: Final = 60.0
"""CPU time for interpreter, libraries and data, before the budget counts."""
GUARD: Final = 1.5
"""The run is killed at this multiple of its budget; the search itself ends before 1.0."""
MEMORY_BYTES: Final = 4 * 2**30


class ContextBuilder:
    """Names the databases that snippets for helper patches are taken from.

    Kept for callers that pass one, positionally as ever; training needs no snippets, so the pipeline
    only hands it on to whoever writes helper patches.
    """

    def __init__(
        self,
        bots_db: str = "bots.db",
        code_db: str = "code.db",
        errors_db: str = "errors.db",
        workflows_db: str = "workflows.db",
    ) -> None:
        self.databases: Mapping[str, str] = {
            "bots": bots_db,
            "code": code_db,
            "errors": errors_db,
            "workflows": workflows_db,
        }


@dataclass(frozen=True, kw_only=True)
class Assignment:
    """Everything the pipeline has to know of one engine."""

    name: str
    repository: Path
    manifest: Manifest
    #: what energy 1 buys
    base_budget: Budget
    #: divides the rows; the same for all cycles of an engine
    seed: int = 0
    #: drives the search; another one each cycle
    search_seed: int = 0
    #: deployed parameters; None: the bot's own defaults
    champion_params: Mapping[str, Json] | None = None
    #: digest of the deployed model's file; empty: it is trained again from its parameters
    champion_sha256: str = ""
    #: challengers that were judged before
    challengers_judged: int = 0
    #: wall-clock seconds that the whole run may take
    seconds_left: float = 3_600.0
    #: the commit to work on; None: the repository's HEAD
    commit: str | None = None
    #: where work copies and scratch folders are made; None: the system's temporary folder
    scratch: Path | None = None
    store: Path = field(default_factory=lambda: Path(settings.DATA_DIR) / "artifacts")


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What is deployed, measured now."""

    report: EvaluationReport
    commit: str
    #: the model's file when it was trained for this evaluation; None when the deployed file was loaded
    artifact: Artifact | None
    cpu_seconds: float | None


@dataclass(frozen=True, kw_only=True)
class WorkflowRun:
    """One run of a workflow of the bot."""

    success: bool
    #: name, seconds, cpu_seconds and error of each step that ran
    steps: tuple[Mapping[str, Json], ...]
    error: str
    #: the beginning of the last payload, as JSON text
    output: str
    commit: str
    measurement: Measurement


class ModelAutomationPipeline:
    """Retrains and evaluates the model of a bot. Safe to use from several threads at once."""

    def __init__(self, context_builder: ContextBuilder | None = None, runner: Runner | None = None) -> None:
        #: handed on to helper patches; training doesn't use it
        self.context_builder = context_builder
        self._runner = runner

    def run(
        self,
        bot: Assignment,
        energy: float = 1.0,
        *,
        on_progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> AutomationResult:
        """Search for a challenger within `energy` x the base budget and judge it.

        Raises:
            NotConfigured: the bot's manifest names no pipeline or no value model.
            StepFailed: the bot's code failed; the log holds the end of its output.
            TransientStepError: memory ran out or a signal ended it. StepTimeout, Interrupted: as named.
        """
        reference, model = _configured(bot)
        allowed = budget(bot.base_budget, energy)
        payload = {
            **_payload(bot, reference, model),
            "cpu_seconds": allowed.cpu_seconds,
            "trials": allowed.trials,
            "search_seed": bot.search_seed,
        }
        with work_copy(bot) as (checkout, _commit):
            spec = _spec(bot, TRAIN, payload, checkout, cpu_seconds=allowed.cpu_seconds, keeps=KEPT)
            measured = self._carried_out(spec, on_progress, cancel)
        return _judged(bot, model, measured)

    def evaluate(
        self, bot: Assignment, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Evaluation:
        """Score what is deployed on the held-out rows and describe the data. Raises as `run` does."""
        reference, model = _configured(bot)
        payload = _payload(bot, reference, model) | {"artifact": bool(bot.champion_sha256)}
        with work_copy(bot) as (checkout, commit):
            spec = _spec(
                bot, EVALUATE, payload, checkout, cpu_seconds=bot.base_budget.cpu_seconds, keeps=(MODEL_FILE,)
            )
            measured = self._carried_out(spec, on_progress, cancel)
        try:
            report = read_evaluation(measured.result)
        except ReportError as error:
            raise StepFailed(f"the evaluation reported nonsense: {error}", log=measured.output_tail) from None
        return Evaluation(
            report=report,
            commit=commit,
            artifact=_artifact(measured, MODEL_FILE),
            cpu_seconds=measured.cpu_seconds,
        )

    def run_workflow(
        self,
        bot: Assignment,
        name: str,
        *,
        on_progress: Progress | None = None,
        cancel: Cancel | None = None,
    ) -> WorkflowRun:
        """Carry out one workflow of the manifest; a step that raises makes it a run without success."""
        workflow = bot.manifest.workflows.get(name)
        if workflow is None:
            raise NotConfigured(f"the manifest of {bot.name} has no workflow {name!r}")
        payload = {"steps": list(workflow.steps), "input": workflow.input}
        with work_copy(bot) as (checkout, commit):
            spec = _spec(bot, WORKFLOW, payload, checkout, cpu_seconds=bot.base_budget.cpu_seconds)
            measured = self._carried_out(spec, on_progress, cancel)
        return _workflow_run(measured, commit)

    def _carried_out(self, spec: RunSpec, on_progress: Progress | None, cancel: Cancel | None) -> Measurement:
        """Run the spec; turn every ending but a good one into the exception that a cycle understands."""
        runner = self._runner or SubprocessRunner()
        measured = runner.run(spec, on_progress=on_progress, cancel=cancel)
        if measured.ok:
            return measured
        log = "\n".join(part for part in (measured.output_tail, measured.exception) if part)
        if measured.outcome is Outcome.CANCELLED:
            raise Interrupted
        if measured.outcome is Outcome.TIMEOUT:
            raise StepTimeout(measured.explain())
        transient = measured.outcome in (Outcome.OOM, Outcome.CRASHED)
        raise (TransientStepError if transient else StepFailed)(measured.explain(), log=log)


@contextmanager
def work_copy(bot: Assignment) -> Iterator[tuple[Path, str]]:
    """Export one commit into a throw-away folder without `.git`; give its place and the commit."""
    commit = bot.commit or git.head(bot.repository)
    with scratch_folder(bot.scratch) as folder:
        place = folder / "checkout"
        git.export(bot.repository, commit, place)
        try:
            yield place, commit
        finally:
            remove_tree(place)


def _configured(bot: Assignment) -> tuple[str, ValueModel]:
    if bot.manifest.pipeline is None:
        raise NotConfigured(f"the manifest of {bot.name} names no pipeline, so there is nothing to train")
    if bot.manifest.value is None:
        raise NotConfigured(f"the manifest of {bot.name} has no [value], so no gain could be priced")
    return bot.manifest.pipeline, ValueModel(**asdict(bot.manifest.value))


def _payload(bot: Assignment, reference: str, model: ValueModel) -> dict[str, Any]:
    return {
        "pipeline": reference,
        "metric": model.metric,
        "direction": model.direction,
        "seed": bot.seed,
        "params": None if bot.champion_params is None else dict(bot.champion_params),
    }


def _spec(
    bot: Assignment,
    target: str,
    payload: Mapping[str, Any],
    checkout: Path,
    *,
    cpu_seconds: float,
    keeps: tuple[str, ...] = (),
) -> RunSpec:
    """Return the run: limits above the budget, which the job keeps by itself, as a guard."""
    champion = bot.champion_sha256 if payload.get("artifact") else ""
    return RunSpec(
        kind=Kind.JOB,
        target=target,
        payload=payload,
        checkout=checkout,
        import_paths=bot.manifest.import_paths,
        packages=packages_of(bot.name),
        inputs={CHAMPION_FILE: artifact_path(bot.store, champion)} if champion else {},
        artifacts=keeps,
        store=bot.store if keeps else None,
        limits=Limits(
            cpu_seconds=cpu_seconds * GUARD + START_SECONDS,
            wall_seconds=max(1.0, bot.seconds_left),
            memory_bytes=MEMORY_BYTES,
            result_bytes=8 * 2**20,
        ),
        profile="learning",
    )


def _judged(bot: Assignment, model: ValueModel, measured: Measurement) -> AutomationResult:
    """Judge the run's numbers here, in a process that no code of the bot ever touched."""
    from engines.domain.training_verdict import judge  # brings numpy, which no web process needs

    try:
        report = read_training(measured.result)
        if report.challenger is not None and _artifact(measured, MODEL_FILE) is None:
            raise ReportError("it left no file of the challenger")
        return judge(
            report,
            model,
            challengers_judged=bot.challengers_judged,
            cpu_seconds=measured.cpu_seconds or 0.0,
            seed=bot.seed,
            artifact=_artifact(measured, MODEL_FILE),
            champion_artifact=_artifact(measured, CHAMPION_FILE),
        )
    except (ReportError, InvalidInput) as error:
        raise StepFailed(f"the training run can't be judged: {error}", log=measured.output_tail) from None


def _artifact(measured: Measurement, name: str) -> Artifact | None:
    found = (each for each in measured.artifacts if each.name == name)
    return next((Artifact(sha256=each.sha256, size=each.size) for each in found), None)


def _workflow_run(measured: Measurement, commit: str) -> WorkflowRun:
    parts = measured.result if isinstance(measured.result, dict) else {}
    steps = parts.get("steps")
    rows = [each for each in steps if isinstance(each, dict)] if isinstance(steps, list) else []
    return WorkflowRun(
        success=parts.get("success") is True,
        steps=tuple(rows),
        error=str(parts.get("error") or ""),
        output=str(parts.get("output") or ""),
        commit=commit,
        measurement=measured,
    )
