"""The graph of an engine's model and workflows: kept current by events, asked for the wave of a change.

Events only mark an engine's graph as due, in the transaction that made them true; a worker measures it anew
soon after. Reading never measures.
"""

import logging
from typing import Any, Final, Protocol

from django.db import connection, transaction
from django.db.models.functions import Now
from django.dispatch import receiver

from engines.domain.errors import InvalidInput, MenaceError
from engines.domain.results import AutomationResult
from engines.domain.unseen import visible
from engines.domain.workflows.coupling import Estimate, estimate
from engines.domain.workflows.graph import MODEL, WorkflowGraph
from engines.models import Cycle, Engine, WorkflowEdge, WorkflowGraphState, WorkflowRevision
from engines.services import bots
from engines.services.workflow_members import gather
from engines.signals import acted, cycle_finished, workflow_revised

log = logging.getLogger(__name__)

CHANGING: Final = frozenset({"engine.register", "engine.refresh"})
"""Acts after which an engine's manifest may be another one."""

MARK: Final = """
INSERT INTO engines_workflowgraphstate AS g (engine_id, commit, nodes, refused, error, marks, due)
VALUES (%s, '', '{}', '[]', '', 1, true)
ON CONFLICT (engine_id) DO UPDATE SET marks = g.marks + 1, due = true
"""


def mark(engine_id: int) -> None:
    """Note that something happened, so that the graph is measured anew."""
    with connection.cursor() as cursor:
        cursor.execute(MARK, [engine_id])


@receiver(workflow_revised)
def on_revision(*, revision: WorkflowRevision, **_: Any) -> None:
    """Note that a workflow has other steps, or may soon have."""
    mark(revision.engine_id)


@receiver(acted)
def on_act(*, verb: str, target: str, **_: Any) -> None:
    """Note that an engine came, or read its manifest anew."""
    if verb in CHANGING:
        for engine_id in Engine.objects.filter(name=target.partition(":")[2]).values_list("pk", flat=True):
            mark(engine_id)


@receiver(cycle_finished)
def on_finished(*, cycle: Cycle, **_: Any) -> None:
    """Note that ROI was measured; one node alone has nobody to correlate with."""
    manifest = cycle.engine.manifest
    if len(manifest.get("workflows") or ()) + bool(manifest.get("pipeline")) > 1:
        mark(cycle.engine_id)


def refresh(engine: Engine) -> WorkflowGraphState:
    """Measure the engine's graph and keep it; when it can't be read, `error` says why and the edges stay."""
    if not WorkflowGraphState.objects.filter(engine=engine).exists():
        mark(engine.pk)
    marks = WorkflowGraphState.objects.values_list("marks", flat=True).get(engine=engine)
    try:
        commit = bots.head(engine)
        members, told = gather(engine, commit)
        found = estimate(members)
    except (MenaceError, OSError) as error:
        log.warning("the graph of %s can't be measured: %s", engine.name, error)
        changes: dict[str, Any] = {"error": visible(str(error))[:500]}
        return _keep(engine, marks, None, changes)
    return _keep(engine, marks, found, {"commit": commit, "nodes": told, "error": ""})


def _keep(engine: Engine, marks: int, found: Estimate | None, changes: dict[str, Any]) -> WorkflowGraphState:
    with transaction.atomic():
        state = WorkflowGraphState.objects.select_for_update().get(engine=engine)
        if found is not None:
            WorkflowEdge.objects.filter(engine=engine).delete()
            WorkflowEdge.objects.bulk_create(
                WorkflowEdge(
                    engine=engine,
                    source=link.source,
                    target=link.target,
                    detail=dict(link.detail),
                    **link.weights,
                )
                for link in found.links
            )
            changes["refused"] = [
                {"source": source, "target": target, "cycle": list(path)}
                for source, target, path in found.refused
            ]
        # what happened while it was read leaves it due
        columns = {**changes, "due": state.marks != marks, "at": Now()}
        WorkflowGraphState.objects.filter(engine=engine).update(**columns)
    state.refresh_from_db()
    return state


def refresh_due(limit: int = 20) -> int:
    """Measure the graphs of which something changed; return how many."""
    due = Engine.objects.filter(graph_state__due=True).order_by("pk")[:limit]
    return len([refresh(engine) for engine in due])


def bring_up_to_date(engine: Engine) -> None:
    """Measure the graph anew if something happened since, or the bot is at another commit by now."""
    if len(load(engine)) > 1 and (not of_today(engine) or engine.graph_state.due):
        refresh(engine)


def of_today(engine: Engine) -> bool:
    """Tell whether the graph was measured of the commit that the bot is at."""
    state = WorkflowGraphState.objects.filter(engine=engine, error="").first()
    try:
        return state is not None and state.commit == bots.head(engine)
    except (MenaceError, OSError):
        return False


def load(engine: Engine) -> WorkflowGraph:
    """Return the graph as it was measured last, with the model and the workflows of today's manifest."""
    graph, manifest = WorkflowGraph(), bots.manifest_of(engine)
    for name in (*([MODEL] if manifest.pipeline else []), *manifest.workflows):
        graph.add_workflow(name)
    for edge in WorkflowEdge.objects.filter(engine=engine):
        if edge.source in graph and edge.target in graph:
            graph.add_dependency(edge.source, edge.target, **edge.weights)
    return graph


def impact(
    engine: Engine, workflow: str, roi_delta: float, synergy_delta: float = 0.0
) -> dict[str, dict[str, Any]]:
    """Return what each workflow would feel of a change of one of them, or of `MODEL`; see `WorkflowGraph`.

    Raises InvalidInput when the engine has no such workflow.
    """
    graph = load(engine)
    if workflow not in graph:
        known = ", ".join(graph.nodes) or "none"
        raise InvalidInput(f"{engine.name} has no workflow {workflow!r}; it has {known}", field="workflow")
    return graph.simulate_impact_wave(workflow, roi_delta, synergy_delta)


class Runs(Protocol):
    """What `SelfImprovementEngine` offers."""

    @property
    def row(self) -> Engine:
        """The engine's row."""
        ...

    def run_cycle(self, energy: float = 1.0, *, seed: int | None = None) -> AutomationResult:
        """Run one cycle."""
        ...


def run_with_projection(
    engine: Runs, target_wid: str, *, roi_delta: float = 1.0, synergy_delta: float = 0.0, energy: float = 1.0
) -> tuple[dict[str, dict[str, Any]], AutomationResult]:
    """Project a change of a workflow, run a cycle, and return projection and result.

    The projection is made before the cycle, from the graph brought up to date. Raises InvalidInput when the
    engine has no such workflow, and what `run_cycle` raises.
    """
    row = engine.row
    if not WorkflowGraphState.objects.filter(engine=row, due=False).exists():
        refresh(row)
    projection = impact(row, target_wid, roi_delta, synergy_delta)
    return projection, engine.run_cycle(energy)
