"""Revisions of workflows: made once, never changed, activated and taken back under a lock."""

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.manifest import Workflow
from engines.domain.results import Actor, Json
from engines.domain.states import RevisionState
from engines.models import Engine, WorkflowRevision
from engines.services import bots
from engines.signals import acted, workflow_revised


def current(engine: Engine, name: str) -> WorkflowRevision:
    """Return the revision that the workflow runs today, made from the manifest when there is none.

    When the manifest's steps are other than those the revisions began with, they begin anew: what people
    wrote into the repository counts.  Raises Conflict when the manifest has no such workflow.
    """
    workflow = bots.manifest_of(engine).workflows.get(name)
    if workflow is None:
        raise Conflict(f"the manifest of {engine.name} has no workflow {name!r}")
    with transaction.atomic():
        Engine.objects.select_for_update(no_key=True).get(pk=engine.pk)
        active = WorkflowRevision.objects.active(engine.pk).filter(workflow=name).first()
        if active is not None and _root(active).steps == list(workflow.steps):
            return active
        if active is not None:
            _set(active, RevisionState.SUPERSEDED, "the manifest changed")
        return _new_root(engine, workflow)


def _root(revision: WorkflowRevision) -> WorkflowRevision:
    while revision.parent is not None:
        revision = revision.parent
    return revision


def _new_root(engine: Engine, workflow: Workflow) -> WorkflowRevision:
    return WorkflowRevision.objects.create(
        engine=engine,
        workflow=workflow.name,
        steps=list(workflow.steps),
        input=workflow.input or "",
        state=RevisionState.ACTIVE,
        created_label="manifest",
    )


def exists(engine: Engine, parent: WorkflowRevision, path: str, content_hash: str) -> bool:
    """Tell whether this module was put into this revision before, whatever became of it."""
    same = WorkflowRevision.objects.filter(engine=engine, workflow=parent.workflow, parent=parent)
    return same.filter(module_path=path, module_hash=content_hash).exists()


def propose(
    engine: Engine,
    parent_id: int,
    *,
    module_path: str,
    module_hash: str,
    step: str,
    function: str,
    position: int,
    score: float,
    evidence: Mapping[str, Json],
    benchmark: Mapping[str, Json] | None,
    state: RevisionState,
    commit: str,
    cycle_id: int | None,
    by: str,
) -> WorkflowRevision | None:
    """Make the revision that has the module's function at `position`, once; None when it was made before.

    Also None when the parent no longer is what the workflow runs: the evidence is about another one then.
    """
    with transaction.atomic():
        parent = WorkflowRevision.objects.select_for_update().get(pk=parent_id)
        if parent.state != RevisionState.ACTIVE or exists(engine, parent, module_path, module_hash):
            return None
        revision = WorkflowRevision.objects.create(
            engine=engine,
            workflow=parent.workflow,
            parent=parent,
            steps=[*parent.steps[:position], step, *parent.steps[position:]],
            input=parent.input,
            inserted_step=f"{module_path}::{function}",
            module_path=module_path,
            module_hash=module_hash,
            position=position,
            commit=commit,
            evidence=dict(evidence),
            match_score=score,
            cycle_id=cycle_id,
            created_label=by[:150],
            state=state,
            benchmark=None if benchmark is None else dict(benchmark),
        )
        _tell(revision)
    return revision


def activate(revision_id: int, *, actor: Actor) -> WorkflowRevision:
    """Let the workflow run a candidate; Conflict when its parent no longer is what runs."""
    with transaction.atomic():
        revision = _locked(revision_id)
        if revision.state != RevisionState.CANDIDATE or revision.parent is None:
            raise Conflict(f"revision {revision_id} is {revision.state}; only a candidate can be activated")
        parent = _locked(revision.parent.pk)
        if parent.state != RevisionState.ACTIVE:
            raise Conflict(f"revision {revision_id} was made for another one than runs now; propose it anew")
        _set(parent, RevisionState.SUPERSEDED, actor.label)
        _set(revision, RevisionState.ACTIVE, actor.label)
        _audit(revision, actor, "workflow.activate")
    return revision


def revert(revision_id: int, *, actor: Actor) -> WorkflowRevision:
    """Take a revision back: its workflow points to the parent again. Nothing is deleted.

    Conflict when it is no candidate and not what runs now (take back what came after it first).
    """
    with transaction.atomic():
        revision = _locked(revision_id)
        if revision.parent is None or revision.state not in (RevisionState.CANDIDATE, RevisionState.ACTIVE):
            raise Conflict(f"revision {revision_id} is {revision.state}; there is nothing to take back")
        was = revision.state
        _set(revision, RevisionState.REVERTED, actor.label)
        if was == RevisionState.ACTIVE:
            _set(_locked(revision.parent.pk), RevisionState.ACTIVE, actor.label)
        _audit(revision, actor, "workflow.revert")
    return revision


def _locked(revision_id: int) -> WorkflowRevision:
    return WorkflowRevision.objects.select_for_update(of=("self",)).get(pk=revision_id)


def _set(revision: WorkflowRevision, state: RevisionState, by: str) -> None:
    columns: dict[str, Any] = {"state": state, "decided_label": by[:150], "decided_at": Now()}
    try:
        with transaction.atomic():
            WorkflowRevision.objects.filter(pk=revision.pk).update(**columns)
    except IntegrityError:
        raise Conflict(f"another revision of {revision.workflow} is active; take it back first") from None
    revision.state = state


def _tell(revision: WorkflowRevision) -> None:
    workflow_revised.send(sender=WorkflowRevision, revision=revision)


def _audit(revision: WorkflowRevision, actor: Actor, verb: str) -> None:
    _tell(revision)
    acted.send(
        sender=WorkflowRevision,
        actor=actor,
        verb=verb,
        target=f"revision:{revision.pk}",
        detail={"engine": revision.engine.name, "workflow": revision.workflow, "state": revision.state},
    )
