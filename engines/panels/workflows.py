"""Workflows of a bot and their revisions as plain mappings."""

from typing import Any

from engines.domain.states import RevisionState
from engines.models import WorkflowRevision

Panel = dict[str, Any]

ROW = (
    "id", "workflow", "state", "parent_id", "inserted_step", "module_path", "position", "match_score",
    "commit", "cycle_id", "created_at", "created_label", "decided_at", "decided_label",
)  # fmt: skip


def revision_row(revision: WorkflowRevision) -> Panel:
    """Return what a list shows of a revision."""
    row = {name: getattr(revision, name) for name in ROW}
    return {**row, "steps_total": len(revision.steps), "benchmarked": revision.benchmark is not None}


def revision_head(revision: WorkflowRevision) -> Panel:
    """Return everything that is kept of a revision, with its parent's steps for comparison."""
    more = ("steps", "input", "module_hash", "evidence", "benchmark")
    parent = None if revision.parent is None else revision.parent.steps
    return {
        **revision_row(revision),
        **{name: getattr(revision, name) for name in more},
        "parent_steps": parent,
        "undoable": revision.state == RevisionState.CANDIDATE and revision.parent_id is not None,
    }


def revisions_of_module(engine_id: int, path: str, limit: int = 20) -> list[Panel]:
    """Return the revisions that a module was put into, newest first."""
    found = WorkflowRevision.objects.filter(engine=engine_id, module_path=path).order_by("-id")
    return [revision_row(revision) for revision in found[:limit]]
