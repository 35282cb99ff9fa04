"""Revisions of workflows against a model: proposals, activations, reverts and new manifests in any order."""

import random
from dataclasses import asdict
from typing import Any

import pytest

from engines.domain.errors import Conflict
from engines.domain.manifest import Manifest, Workflow
from engines.domain.results import CLI, Actor
from engines.domain.states import RevisionState
from engines.models import Engine, WorkflowRevision
from engines.services import workflows
from engines.signals import acted, workflow_revised
from tests.factories import make_engine

pytestmark = pytest.mark.django_db
NAMES = ("triage", "nightly")
TURNS = 40
ADA = Actor(label="ada", kind="person")


def manifest(version: int) -> dict[str, Any]:
    """Return a manifest of two workflows; each version has other steps."""
    steps = (f"bot:load{version}", "bot:save")
    found = {name: Workflow(name=name, steps=steps, input="in.json") for name in NAMES}
    return asdict(Manifest(file="menace.toml", workflows=found))


class World:
    """An engine with two workflows; `active` is what the model says that each of them runs."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.engine = make_engine(manifest=manifest(0))
        self.version = 0
        self.content: dict[int, list[str]] = {}
        self.acts = 0

    def rows(self, *states: RevisionState) -> list[WorkflowRevision]:
        found = WorkflowRevision.objects.filter(engine=self.engine).order_by("pk")
        return list(found.filter(state__in=states) if states else found)

    def look(self) -> None:
        name = self.pick.choice(NAMES)
        found = workflows.current(self.engine, name)
        root = found
        while root.parent is not None:
            root = root.parent
        assert root.steps == [f"bot:load{self.version}", "bot:save"]
        assert workflows.current(self.engine, name).pk == found.pk

    def edit(self) -> None:
        self.version += self.pick.choice([0, 1])
        Engine.objects.filter(pk=self.engine.pk).update(manifest=manifest(self.version))
        self.engine.refresh_from_db()

    def propose(self) -> None:
        if not (rows := self.rows()):
            return
        parent, module = self.pick.choice(rows), f"m{self.pick.randint(0, 2)}"
        position = self.pick.randint(1, len(parent.steps))
        known = workflows.exists(self.engine, parent, f"{module}.py", "0" * 64)
        made = propose(self.engine, parent.pk, module, position)
        assert (made is None) == (known or parent.state != RevisionState.ACTIVE)
        if made is not None:
            assert made.steps == [*parent.steps[:position], f"{module}:run", *parent.steps[position:]]
            assert (made.parent, made.input, made.state) == (parent, "in.json", RevisionState.CANDIDATE)

    def activate(self) -> None:
        if not (rows := self.rows()):
            return
        one = self.pick.choice(rows)
        parent = one.parent
        fits = one.state == RevisionState.CANDIDATE and parent is not None and parent.state == "active"
        if not fits:
            with pytest.raises(Conflict, match=f"revision {one.pk}"):
                workflows.activate(one.pk, actor=ADA)
            return
        self.acts += 1
        assert parent is not None
        assert workflows.activate(one.pk, actor=ADA).state == RevisionState.ACTIVE
        parent.refresh_from_db()
        assert (parent.state, parent.decided_label) == ("superseded", "ada")

    def revert(self) -> None:
        if not (rows := self.rows()):
            return
        one = self.pick.choice(rows)
        was_active = one.state == RevisionState.ACTIVE
        if one.parent is None or one.state not in ("active", "candidate"):
            with pytest.raises(Conflict, match="nothing to take back"):
                workflows.revert(one.pk, actor=ADA)
            return
        before = one.parent.state
        self.acts += 1
        assert workflows.revert(one.pk, actor=ADA).state == RevisionState.REVERTED
        one.parent.refresh_from_db()
        assert one.parent.state == ("active" if was_active else before)

    def turn(self) -> None:
        kinds = [self.look, self.edit, *[self.propose] * 3, *[self.activate] * 2, *[self.revert] * 2]
        self.pick.choice(kinds)()
        rows = self.rows()
        for name in NAMES:
            running = [row for row in rows if row.workflow == name and row.state == RevisionState.ACTIVE]
            assert len(running) == (1 if any(row.workflow == name for row in rows) else 0)
        for row in rows:
            assert self.content.setdefault(row.pk, row.steps) == row.steps
            assert row.parent is None or row.parent.workflow == row.workflow
        assert len(rows) == len(self.content), "a revision went away"


def propose(engine: Engine, parent: int, module: str, position: int) -> WorkflowRevision | None:
    return workflows.propose(
        engine, parent, module_path=f"{module}.py", module_hash="0" * 64, step=f"{module}:run",
        function="run", position=position, score=0.7, evidence={"fits": True}, benchmark=None,
        state=RevisionState.CANDIDATE, commit="c" * 40, cycle_id=None, by="cycle",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_one_revision_runs_whatever_people_do(seed: int) -> None:
    world, told, news = World(seed), [], []

    def hear(**said: Any) -> None:
        told.append((said["verb"], said["target"], said["actor"]))

    def read(**said: Any) -> None:
        news.append(said["revision"].pk)

    acted.connect(hear)
    workflow_revised.connect(read)
    try:
        for _ in range(TURNS):
            world.turn()
    finally:
        acted.disconnect(hear)
        workflow_revised.disconnect(read)
    children = [row for row in world.rows() if row.parent is not None]
    assert len(told) == world.acts
    assert {actor for _, _, actor in told} <= {ADA}
    assert len(news) == len(children) + world.acts


@pytest.mark.parametrize("depth", [1, 3])
def test_taking_everything_back_ends_at_the_root(depth: int) -> None:
    engine = make_engine(manifest=manifest(0))
    root = workflows.current(engine, "triage")
    chain = [root]
    for number in range(depth):
        made = propose(engine, chain[-1].pk, f"m{number}", 1)
        assert made is not None
        chain.append(workflows.activate(made.pk, actor=CLI))
    assert len(chain[-1].steps) == 2 + depth
    for one in reversed(chain[1:]):
        assert workflows.current(engine, "triage").pk == one.pk
        workflows.revert(one.pk, actor=CLI)
    assert workflows.current(engine, "triage").pk == root.pk


def test_only_the_newest_of_a_chain_can_be_taken_back() -> None:
    engine = make_engine(manifest=manifest(0))
    first = propose(engine, workflows.current(engine, "triage").pk, "m0", 1)
    assert first is not None
    workflows.activate(first.pk, actor=CLI)
    second = propose(engine, first.pk, "m1", 1)
    assert second is not None
    workflows.activate(second.pk, actor=CLI)
    with pytest.raises(Conflict, match="superseded"):
        workflows.revert(first.pk, actor=CLI)
    assert workflows.current(engine, "triage").pk == second.pk


def test_of_two_candidates_the_second_is_stale_once_the_first_runs() -> None:
    engine = make_engine(manifest=manifest(0))
    root = workflows.current(engine, "triage")
    one, other = propose(engine, root.pk, "m0", 1), propose(engine, root.pk, "m1", 2)
    assert one is not None
    assert other is not None
    workflows.activate(one.pk, actor=CLI)
    with pytest.raises(Conflict, match="propose it anew"):
        workflows.activate(other.pk, actor=CLI)
    workflows.revert(one.pk, actor=CLI)
    assert workflows.activate(other.pk, actor=CLI).state == RevisionState.ACTIVE


def test_a_workflow_that_left_the_manifest_runs_nothing() -> None:
    engine = make_engine(manifest=manifest(0))
    workflows.current(engine, "triage")
    Engine.objects.filter(pk=engine.pk).update(manifest=asdict(Manifest()))
    engine.refresh_from_db()
    with pytest.raises(Conflict, match="no workflow 'triage'"):
        workflows.current(engine, "triage")
    assert WorkflowRevision.objects.get().state == RevisionState.ACTIVE


def test_engines_are_apart() -> None:
    one, other = (make_engine(manifest=manifest(0)) for _ in range(2))
    first, second = workflows.current(one, "triage"), workflows.current(other, "triage")
    assert propose(one, first.pk, "m0", 1) is not None
    assert not workflows.exists(other, second, "m0.py", "0" * 64)
    assert propose(other, second.pk, "m0", 1) is not None
