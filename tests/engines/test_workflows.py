"""Revisions of workflows: made once, activated and taken back by pointing to the parent."""

from pathlib import Path
from typing import Any

import pytest

from engines.domain.errors import Conflict
from engines.domain.results import CLI
from engines.domain.states import RevisionState
from engines.models import Engine, WorkflowRevision
from engines.services import workflows
from engines.services.registry import refresh_manifest, register_engine
from engines.signals import workflow_revised
from menace_site.models import AuditEntry
from tests.engines.repositories import git, make_repository

pytestmark = pytest.mark.django_db

MANIFEST = '[tool.menace.workflows.orders]\nsteps = ["shop:load", "shop:price"]\n'
SHOP = "def load(p):\n    return p\n\n\ndef price(p):\n    return p\n\n\ndef more(p):\n    return p\n"


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    place = make_repository(tmp_path / "shop", {"pyproject.toml": MANIFEST, "shop.py": SHOP})
    return register_engine(path=str(place), actor=CLI)


def proposed(engine: Engine, parent: WorkflowRevision, **fields: Any) -> WorkflowRevision | None:
    plain: dict[str, Any] = {
        "module_path": "extra.py",
        "module_hash": "1" * 64,
        "step": "extra:run",
        "function": "run",
        "position": 1,
        "score": 0.9,
        "evidence": {},
        "benchmark": None,
        "state": RevisionState.CANDIDATE,
        "commit": "c" * 40,
        "cycle_id": None,
        "by": "test",
    }
    return workflows.propose(engine, parent.pk, **{**plain, **fields})


def made(engine: Engine, **fields: Any) -> WorkflowRevision:
    revision = proposed(engine, workflows.current(engine, "orders"), **fields)
    assert revision is not None
    return revision


def test_the_first_revision_is_the_manifest(engine: Engine) -> None:
    root = workflows.current(engine, "orders")

    assert (root.steps, root.state, root.parent) == (["shop:load", "shop:price"], "active", None)
    assert workflows.current(engine, "orders").pk == root.pk


def test_a_workflow_that_the_manifest_has_not_is_refused(engine: Engine) -> None:
    with pytest.raises(Conflict, match="no workflow 'other'"):
        workflows.current(engine, "other")


def test_a_changed_manifest_begins_anew(engine: Engine) -> None:
    old = workflows.current(engine, "orders")
    place = Path(engine.repository)
    (place / "pyproject.toml").write_text(MANIFEST.replace('"shop:price"', '"shop:more"'))
    git(place, "commit", "-aqm", "more")
    engine = refresh_manifest(engine, actor=CLI)

    new = workflows.current(engine, "orders")

    old.refresh_from_db()
    assert new.steps == ["shop:load", "shop:more"]
    assert old.state == RevisionState.SUPERSEDED


def test_a_proposal_is_made_once_for_content_workflow_and_parent(engine: Engine) -> None:
    revision = made(engine)

    assert revision.steps == ["shop:load", "extra:run", "shop:price"]
    assert revision.inserted_step == "extra.py::run"
    assert proposed(engine, workflows.current(engine, "orders")) is None
    assert proposed(engine, workflows.current(engine, "orders"), module_hash="2" * 64) is not None


def test_what_was_taken_back_is_not_proposed_again(engine: Engine) -> None:
    workflows.revert(made(engine).pk, actor=CLI)

    assert proposed(engine, workflows.current(engine, "orders")) is None


def test_activating_and_taking_back_moves_the_pointer_alone(engine: Engine) -> None:
    root, revision = workflows.current(engine, "orders"), made(engine)

    workflows.activate(revision.pk, actor=CLI)
    assert workflows.current(engine, "orders").pk == revision.pk
    workflows.revert(revision.pk, actor=CLI)

    assert workflows.current(engine, "orders").pk == root.pk
    assert WorkflowRevision.objects.count() == 2
    verbs = list(AuditEntry.objects.filter(target=f"revision:{revision.pk}").values_list("verb", flat=True))
    assert sorted(verbs) == ["workflow.activate", "workflow.revert"]


def test_a_candidate_of_another_parent_is_stale(engine: Engine) -> None:
    first, second = made(engine), made(engine, module_path="other.py")
    workflows.activate(first.pk, actor=CLI)

    with pytest.raises(Conflict, match="made for another one than runs now"):
        workflows.activate(second.pk, actor=CLI)


def test_a_proposal_about_an_old_parent_is_not_kept(engine: Engine) -> None:
    root, first = workflows.current(engine, "orders"), made(engine)
    workflows.activate(first.pk, actor=CLI)

    assert proposed(engine, root, module_path="late.py") is None


@pytest.mark.parametrize("state", [RevisionState.REJECTED, RevisionState.REVERTED])
def test_what_has_ended_can_be_neither_activated_nor_taken_back(engine: Engine, state: RevisionState) -> None:
    revision = made(engine, state=state)

    with pytest.raises(Conflict):
        workflows.activate(revision.pk, actor=CLI)
    with pytest.raises(Conflict):
        workflows.revert(revision.pk, actor=CLI)


def test_the_root_can_not_be_taken_back(engine: Engine) -> None:
    with pytest.raises(Conflict, match="nothing to take back"):
        workflows.revert(workflows.current(engine, "orders").pk, actor=CLI)


def test_every_move_is_told(engine: Engine) -> None:
    told: list[str] = []

    def hear(*, revision: WorkflowRevision, **_: Any) -> None:
        told.append(str(revision.state))

    workflow_revised.connect(hear)
    revision = made(engine)
    workflows.activate(revision.pk, actor=CLI)
    workflows.revert(revision.pk, actor=CLI)
    workflow_revised.disconnect(hear)

    assert told == ["candidate", "active", "reverted"]
