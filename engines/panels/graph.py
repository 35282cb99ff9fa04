"""The graph of a bot's workflows and the wave of a change, as plain mappings."""

from typing import Any, Final

from engines.domain.unseen import visible
from engines.domain.workflows.graph import MODEL, WorkflowGraph
from engines.models import Engine, WorkflowEdge, WorkflowGraphState
from engines.services import workflow_graph

Panel = dict[str, Any]
LISTED: Final = 50


def graph(engine: Engine) -> Panel:
    """Return nodes and edges as they were measured last.

    `at` None: never measured yet; `due`: something happened since, and a worker will measure it anew;
    `error`: why the last try came to nothing. `nodes` are the model and the workflows of today's manifest.
    """
    state = WorkflowGraphState.objects.filter(engine=engine).first() or WorkflowGraphState(engine=engine)
    known = workflow_graph.load(engine)
    rows = WorkflowEdge.objects.filter(engine=engine).order_by("source", "target")
    return {
        "engine": engine.name,
        "at": state.at,
        "commit": state.commit,
        "due": state.due,
        "error": visible(state.error),
        "nodes": [_node(name, state.nodes.get(name) or {}) for name in known.nodes],
        "edges": [_edge(row, known) for row in rows if row.source in known and row.target in known],
        "refused": [_refused(each) for each in state.refused],
    }


def _node(name: str, known: Panel) -> Panel:
    return {
        "workflow": name,
        "kind": "model" if name == MODEL else "workflow",
        "modules": len(known["modules"]) if "modules" in known else None,
        "whole": known.get("whole"),
        "takes": _keys(known.get("takes") or {}),
        "gives": _keys(known.get("gives") or {}),
        "cycles": known.get("cycles"),
    }


def _keys(known: Panel) -> Panel:
    keys = known.get("keys")
    return {
        "keys": None if keys is None else [visible(key) for key in keys[:LISTED]],
        "origin": visible(known.get("from") or "not measured"),
    }


def _edge(row: WorkflowEdge, known: WorkflowGraph) -> Panel:
    return {
        "source": row.source,
        "target": row.target,
        "resource": row.resource,
        "data": row.data,
        "logical": row.logical,
        "passes": known.passed_on(row.source, row.target),
        "seen": [_seen(kind, each) for kind, each in row.detail.items()],
    }


def _seen(kind: str, detail: Panel) -> Panel:
    """Return what was seen of one kind, in words."""
    if kind == "logical":
        told = f"correlation {detail['correlation']:+.2f} over {detail['changes']} changes"
    else:
        names = ", ".join(visible(str(each)) for each in detail["shared"])
        modules = "modules that ran" if detail.get("ran") else "modules"
        of = modules if kind == "resource" else "keys"
        told = f"{names} of {detail['of']} {of}"
    return {"kind": kind, "text": told}


def _refused(each: Panel) -> Panel:
    way = " → ".join(each["cycle"])
    return {"source": each["source"], "target": each["target"], "reason": f"it would close a cycle: {way}"}


def wave(engine: Engine, workflow: str, roi_delta: float, synergy_delta: float) -> Panel:
    """Return what each workflow would feel of a change of one of them, the strongest first.

    Raises InvalidInput when the engine has no such workflow, or a delta isn't finite.
    """
    felt = workflow_graph.impact(engine, workflow, roi_delta, synergy_delta)
    rows = [{"workflow": name, **each} for name, each in felt.items()]
    return {
        "workflow": workflow,
        "roi_delta": roi_delta,
        "synergy_delta": synergy_delta,
        "felt": sorted(rows, key=lambda row: (-abs(row["share"]), row["workflow"])),
    }
