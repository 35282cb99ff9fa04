"""What surrounds a candidate: the workflows that feel its change, and how workflows bear hard conditions."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from engines.domain.promotion import Kind
from engines.domain.unseen import visible
from engines.domain.wording import NOT_MEASURED, lasting, number, sign, signed, word
from engines.domain.workflows.graph import MODEL
from engines.models import Promotion, WorkflowEdge, WorkflowStages
from engines.panels.promotion_page import mapping, text
from forecasting.panels.outcomes import is_number

Panel = dict[str, Any]
MAX_EDGES: Final = 200
MAX_WORKFLOWS: Final = 20
STAGES: Final = ("normal", "high_latency", "resource_strain", "schema_drift", "chaotic_failure")
FIGURES: Final = (
    ("roi", "worth of a normal run"),
    ("degradation", "throughput lost"),
    ("resilience", "survived"),
)


def impact(promotion: Promotion) -> Panel:
    """Return what the change does to other workflows: frozen deltas, and the graph as it is measured now.

    `measured` False: nobody measured it. `nodes`: name, delta, text; `edges`: source, target, weights.
    """
    frozen = mapping(promotion.evidence).get("impact")
    dependants = {
        str(name): float(value) if is_number(value) else None
        for name, value in mapping(mapping(frozen).get("dependants")).items()
    }
    start = promotion.revision.workflow if promotion.revision else MODEL
    edges = _edges(promotion.engine_id, {start, *dependants})
    felt = {edge["target"] for edge in edges}
    return {
        "measured": isinstance(frozen, Mapping),
        "source": visible(str(mapping(frozen).get("source") or "")),
        "start": visible(start),
        "nodes": [
            _node(start, None, "changes"),
            *(_node(name, dependants[name], "") for name in sorted(dependants)),
        ],
        "edges": [*(_tie(start, name) for name in sorted(dependants) if visible(name) not in felt), *edges],
    }


def _node(name: str, delta: float | None, note: str) -> Panel:
    return {
        "name": visible(name),
        "delta": delta,
        "text": note or signed(delta),
        "sign": sign(delta),
    }


def _edges(engine_id: int, names: set[str]) -> list[Panel]:
    rows = WorkflowEdge.objects.filter(engine=engine_id, source__in=names, target__in=names)
    return [_edge(row) for row in rows.order_by("source", "target")[:MAX_EDGES]]


def _edge(row: WorkflowEdge) -> Panel:
    weights = [f"{kind} {weight:.2f}" for kind, weight in row.weights.items()]
    return {**_tie(row.source, row.target), "weights": ", ".join(weights) or NOT_MEASURED}


def _tie(source: str, target: str) -> Panel:
    return {"source": visible(source), "target": visible(target), "weights": NOT_MEASURED}


def stages(promotion: Promotion) -> Panel:
    """Return the scenario matrix: each stage of the candidate's workflow, beside what is live where both ran.

    For a model, the newest stages of each workflow of the bot stand side by side.
    """
    if promotion.kind == Kind.WORKFLOW and promotion.revision is not None:
        found = _of_revision(promotion)
    else:
        found = _newest(promotion.engine_id)
    columns = [_column(name, row) for name, row in found]
    names = list(dict.fromkeys([*STAGES, *(name for _, row in found for name in mapping(row.stages))]))
    shown = [name for name in names if any(name in column["stages"] for column in columns)]
    return {
        "columns": columns,
        "rows": [_row(name, columns) for name in shown],
        "sums": [_sum(key, said, found) for key, said in FIGURES] if found else [],
    }


def _of_revision(promotion: Promotion) -> list[tuple[str, WorkflowStages]]:
    revision = promotion.revision
    if revision is None:
        return []
    rows = WorkflowStages.objects.filter(engine=promotion.engine_id, workflow=revision.workflow)
    mine = rows.filter(revision=revision.pk).order_by("-id").first()
    live = rows.exclude(revision=revision.pk).order_by("-id").first()
    return [(name, row) for name, row in (("live", live), ("candidate", mine)) if row is not None]


def _newest(engine_id: int) -> list[tuple[str, WorkflowStages]]:
    rows = WorkflowStages.objects.filter(engine=engine_id).order_by("workflow", "-id").distinct("workflow")
    return [(row.workflow, row) for row in rows[:MAX_WORKFLOWS]]


def _column(name: str, row: WorkflowStages) -> Panel:
    return {"name": visible(name), "at": row.at, "stages": mapping(row.stages)}


def _row(name: str, columns: Sequence[Mapping[str, Any]]) -> Panel:
    return {
        "name": visible(word(str(name))),
        "cells": [_cell(mapping(column["stages"].get(name))) for column in columns],
    }


def _cell(stage: Mapping[str, Any]) -> Panel:
    runs, won = stage.get("runs"), stage.get("successes")
    if not is_number(runs) or not is_number(won):
        return {"text": NOT_MEASURED, "state": "", "more": ""}
    seconds = stage.get("seconds")
    state = "done" if won == runs else ("failed" if won == 0 else "late")
    more = lasting(float(seconds)) if is_number(seconds) and seconds is not None else ""
    return {"text": f"{won:g} of {runs:g}", "state": state, "more": more}


def _sum(key: str, said: str, found: Sequence[tuple[str, WorkflowStages]]) -> Panel:
    share = key in ("degradation", "resilience")
    values = [getattr(row, key) for _, row in found]
    return {"name": said, "cells": [_share(value) if share else number(value) for value in values]}


def _share(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{value:.0%}"


def benchmark(promotion: Promotion) -> list[Panel]:
    """Return a revision's runs side by side with its parent's, one row a preset."""
    frozen = mapping(mapping(mapping(promotion.evidence).get("candidate")).get("benchmark"))
    presets = mapping(frozen.get("presets"))
    return [
        {
            "preset": visible(str(name)),
            **{side: _ran(mapping(mapping(both).get(side))) for side in ("parent", "candidate")},
        }
        for name, both in list(presets.items())[:MAX_WORKFLOWS]
    ]


def _ran(side: Mapping[str, Any]) -> Panel:
    runs, won, cpu = side.get("runs"), side.get("successes"), side.get("cpu_seconds")
    return {
        "successes": f"{text(won)} of {text(runs)}" if is_number(runs) and is_number(won) else NOT_MEASURED,
        "cpu": lasting(float(cpu)) if cpu is not None and is_number(cpu) else NOT_MEASURED,
    }
