"""Workflows under hard conditions: sets of runs through all temporal stages, kept as evidence.

A set takes ten minutes at most. It stops at once when it is cancelled, and then leaves nothing. Nothing waits
for it: what was not measured says so.
"""

import logging
import time
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.cache import cache
from django.db import transaction

from engines import git
from engines.domain.cycle import Interrupted
from engines.domain.errors import MenaceError
from engines.domain.roi import ValueModel, cycle_cost
from engines.domain.states import CycleState, RevisionState
from engines.domain.workflows.stages import NORMAL, STAGES, summed
from engines.models import Cycle, Engine, WorkflowRevision, WorkflowStages
from engines.services import bots, workflow_graph
from engines.services.pulse import closing
from engines.services.stage_runs import REPEATS, SECONDS, Stages, run_stages
from engines.services.stage_turns import waiting
from engines.services.workflow_benchmark import Bench
from forecasting.domain.confidence import SHORT, risk_adjusted
from forecasting.models import RoiEvent
from forecasting.services import forecasts, record_cycle, record_roi_event
from orphans.sandbox import Cancel, Runner, remove_tree, scratch_folder
from orphans.services.packages import packages_of
from orphans.services.planning import with_src

log = logging.getLogger(__name__)

SERIES: Final = 60
"""Latest sets whose degradation is told with the evidence."""
LOCK: Final = "temporal-stages"


def worth(stages: Stages, prices: ValueModel | None) -> float | None:
    """Return what a normal run is worth: value_per_success x successes / runs - cost of its CPU time.

    None without prices, or where no run's CPU time was measured.
    """
    normal = stages[NORMAL]
    if prices is None or not normal["runs"] or normal["cpu_seconds"] is None:
        return None
    gain: float = prices.value_per_success * normal["successes"] / normal["runs"]
    return gain - cycle_cost(normal["cpu_seconds"], 0, prices)


def measure(
    engine: Engine,
    revision: WorkflowRevision,
    *,
    by: str,
    cancel: Cancel | None = None,
    runner: Runner | None = None,
    repeats: int = REPEATS,
    seconds: float = SECONDS,
) -> WorkflowStages:
    """Run a revision through all stages at the bot's commit, and keep what was measured.

    What runs today is also recorded as a cycle of the subject `ENGINE/WORKFLOW`, under the engine's latest
    done cycle: the worth of a normal run as `roi`, `degradation` as `entropy`; the next ones are forecast.
    A candidate is not: its course is not the workflow's.

    Raises Interrupted when cancelled (nothing is kept then), GitError when the commit can't be read, and
    NotConfigured when the machine lacks what `SANDBOX_REQUIRE` names.
    """
    commit, prices = bots.head(engine), bots.value_model(bots.manifest_of(engine))
    root = Path(settings.DATA_DIR) / "scratch" / "stages"
    _sweep(root)
    with scratch_folder(root) as folder:
        checkout = folder / "checkout"
        git.export(Path(engine.repository), commit, checkout)
        bench = Bench(
            checkout=checkout,
            import_paths=with_src(checkout, bots.manifest_of(engine).import_paths),
            packages=packages_of(engine.name),
            input=revision.input,
            seed=engine.seed,
            value=prices,
            cancel=cancel,
            **({} if runner is None else {"run": runner.run}),
        )
        stages = run_stages(bench, revision.steps, repeats=repeats, seconds=seconds)
    return _keep(engine, revision, commit, stages, worth(stages, prices), repeats=repeats, by=by)


def _sweep(root: Path) -> None:
    """Remove what workers that died left behind."""
    before = time.time() - 2 * SECONDS
    for place in root.iterdir() if root.is_dir() else ():
        if place.stat().st_mtime < before:
            remove_tree(place)


def _keep(
    engine: Engine,
    revision: WorkflowRevision,
    commit: str,
    stages: Stages,
    roi: float | None,
    *,
    repeats: int,
    by: str,
) -> WorkflowStages:
    cycle = Cycle.objects.filter(engine=engine, state=CycleState.DONE).order_by("-id").first()
    sums = summed(stages)
    used = [row["runs"] * row["cpu_seconds"] for row in stages.values() if row["runs"] and row["cpu_seconds"]]
    with transaction.atomic():
        row = WorkflowStages.objects.create(
            engine=engine,
            workflow=revision.workflow,
            revision=revision,
            cycle=cycle,
            commit=commit,
            seed=engine.seed,
            repeats=repeats,
            stages=stages,
            roi=roi,
            cpu_seconds=sum(used) if used else None,
            requested_label=by[:150],
            **sums,
        )
        if cycle is not None and revision.state == RevisionState.ACTIVE:
            _record(f"{engine.name}/{revision.workflow}", cycle.pk, row)
        workflow_graph.mark(engine.pk)
    return row


def _record(subject: str, cycle: int, row: WorkflowStages) -> None:
    """Make the set a cycle of the workflow's course: its numbers, its ROI event, and what is ahead."""
    record_cycle(
        subject,
        cycle,
        roi=row.roi,
        entropy=row.degradation,
        resilience=row.resilience,
        more={} if row.entropy is None else {"call_entropy": row.entropy},
    )
    if row.roi is None:
        return
    source = f"cycle:{cycle}"
    past = RoiEvent.objects.filter(subject=subject).exclude(source=source).order_by("-id")
    before = past.values_list("roi_after", flat=True).first()
    record_roi_event(
        subject, source=source, action="stages", delta=row.roi, roi_before=before, roi_after=row.roi
    )
    made = forecasts.make(subject, source)
    if made is not None and made.p_collapse is not None:
        levels = RoiEvent.objects.levels(subject).order_by("-id").values_list("roi_after", flat=True)
        recent = [level for level in reversed(levels[:SHORT]) if level is not None]
        adjusted = risk_adjusted(row.roi, p_collapse=made.p_collapse, recent=recent)
        record_cycle(subject, cycle, raroi=adjusted.value, confidence=made.confidence)


def evidence_for(engine: Engine, workflow: str, revision: WorkflowRevision | None = None) -> dict[str, Any]:
    """Return the latest measured stages of a workflow (of one revision of it), as plain JSON; never measures.

    `measured` False: they were never run, and `note` says so. `series`: degradation by cycle, oldest first.
    """
    rows = WorkflowStages.objects.filter(engine=engine, workflow=workflow).order_by("-id")
    row = (rows if revision is None else rows.filter(revision=revision)).first()
    if row is None:
        return {"measured": False, "note": "not measured: no run through the hard stages", "stages": {}}
    past = rows.filter(revision=row.revision, cycle__isnull=False).values_list("cycle_id", "degradation")
    return {
        "measured": True,
        "note": "",
        "id": row.pk,
        "at": row.at.isoformat(),
        "commit": row.commit,
        "revision": row.revision_id,
        "cycle": row.cycle_id,
        "seed": row.seed,
        "repeats": row.repeats,
        "stages": {name: row.stages[name] for name in STAGES if name in row.stages},
        **{name: getattr(row, name) for name in ("roi", "degradation", "resilience", "entropy")},
        "series": [{"cycle": cycle, "degradation": lost} for cycle, lost in list(past[:SERIES])[::-1]],
    }


class _Closing:
    """Stops a set when this process is asked to end."""

    def is_set(self) -> bool:
        """Whether to stop now."""
        return closing.asked


def measure_due() -> WorkflowStages | None:
    """Measure what waits longest: a candidate for evidence, a workflow since a cycle. None: nothing is due.

    One at a time in all workers together; a set that was stopped is taken up again later.
    """
    for engine, revision in waiting():
        if not cache.add(LOCK, 1, SECONDS):
            return None
        try:
            return measure(engine, revision, by="schedule", cancel=_Closing())
        except (MenaceError, OSError) as error:
            log.warning("stages of %s/%s can't be measured: %s", engine.name, revision.workflow, error)
        except Interrupted:
            return None
        finally:
            cache.delete(LOCK)
    return None
