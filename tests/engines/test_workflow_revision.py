"""Revisions of workflows can't be changed, not even around the models."""

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from engines.domain.states import RevisionState
from engines.models import WorkflowRevision
from engines.panels.workflows import revision_head, revisions_of_module
from tests.factories import make_engine

pytestmark = pytest.mark.django_db


def make_root() -> WorkflowRevision:
    return WorkflowRevision.objects.create(
        engine=make_engine(), workflow="triage", steps=["bot:load"], state=RevisionState.ACTIVE
    )


@pytest.mark.parametrize("change", [{"steps": ["bot:other"]}, {"evidence": {"a": 1}}, {"match_score": 1.0}])
def test_the_database_refuses_to_change_content(change: dict[str, object]) -> None:
    root = make_root()

    with pytest.raises(ProgrammingError, match="immutable"), transaction.atomic():
        WorkflowRevision.objects.filter(pk=root.pk).update(**change)


def test_state_and_benchmark_may_be_written() -> None:
    root = make_root()

    WorkflowRevision.objects.filter(pk=root.pk).update(
        state=RevisionState.SUPERSEDED, benchmark={"paired": 5}, decided_label="ada"
    )

    root.refresh_from_db()
    assert (root.state, root.benchmark) == ("superseded", {"paired": 5})


def test_raw_sql_is_refused_too() -> None:
    root = make_root()

    with pytest.raises(ProgrammingError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE engines_workflowrevision SET workflow = 'x' WHERE id = %s", [root.pk])


def test_one_revision_is_active_for_each_workflow() -> None:
    root = make_root()

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkflowRevision.objects.create(
            engine=root.engine, workflow="triage", steps=[], state=RevisionState.ACTIVE
        )


def test_the_same_insertion_is_made_once_until_it_is_taken_back() -> None:
    root = make_root()
    same = {
        "engine": root.engine,
        "workflow": "triage",
        "steps": ["bot:load", "extra:run"],
        "parent": root,
        "module_path": "extra.py",
        "module_hash": "0" * 64,
        "inserted_step": "extra.py::run",
    }
    first = WorkflowRevision.objects.create(**same, state=RevisionState.CANDIDATE)

    with pytest.raises(IntegrityError), transaction.atomic():
        WorkflowRevision.objects.create(**same, state=RevisionState.CANDIDATE)
    WorkflowRevision.objects.filter(pk=first.pk).update(state=RevisionState.REVERTED)
    again = WorkflowRevision.objects.create(**same, state=RevisionState.CANDIDATE)

    assert [row["id"] for row in revisions_of_module(root.engine_id, "extra.py")] == [again.pk, first.pk]
    head = revision_head(again)
    assert head["parent_steps"] == ["bot:load"]
    assert head["undoable"] is True
