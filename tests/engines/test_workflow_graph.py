"""The graph of an engine's workflows: measured from a real repository, kept current by events."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.utils.module_loading import import_string
from pytest_django.fixtures import Settings

from engines.api import SelfImprovementEngine
from engines.domain.cycle import NotConfiguredPart, Part
from engines.domain.errors import InvalidInput
from engines.domain.results import CLI, AutomationResult
from engines.domain.states import STEPS
from engines.domain.workflows.coupling import Member
from engines.models import Engine, WorkflowEdge, WorkflowGraphState
from engines.panels.graph import graph, wave
from engines.services import workflow_graph, workflows
from engines.services.registry import refresh_manifest, register_engine
from engines.services.runner import run_cycle
from engines.services.workflow_graph import impact, load, refresh, refresh_due, run_with_projection
from engines.services.workflow_members import gather, keys_of
from forecasting.services import record_cycle
from tests.engines.moving import queued
from tests.engines.repositories import git, make_repository
from tests.factories import make_engine

pytestmark = pytest.mark.django_db

WORKFLOWS = """
[tool.menace.workflows.clean]
steps = ["shop.clean:tidy"]
input = "raw.json"

[tool.menace.workflows.price]
steps = ["shop.price:price"]
input = "clean.json"

[tool.menace.workflows.mail]
steps = ["post:send"]
"""
FILES = {
    "menace.toml": WORKFLOWS.replace("tool.menace.", ""),
    "shop/__init__.py": "",
    "shop/clean.py": "from . import tools\n\ndef tidy(raw):\n    return {'orders': raw['raw'], 'total': 1}\n",
    "shop/price.py": "from shop import tools\nimport numpy\n\ndef price(rows):\n    return rows['orders']\n",
    "shop/tools.py": "",
    "post.py": "def send(payload):\n    return payload\n",
    "raw.json": '[{"raw": 1}]',
    "clean.json": '{"orders": [1], "total": 2}',
}


@pytest.fixture
def shop(tmp_path: Path) -> Engine:
    make_repository(tmp_path / "shop", FILES)
    return register_engine(path=str(tmp_path / "shop"), actor=CLI)


def due(engine: Engine) -> bool:
    return WorkflowGraphState.objects.get(engine=engine).due


def test_a_graph_is_measured_from_modules_and_payloads(shop: Engine) -> None:
    state = refresh(shop)
    assert (state.error, state.refused, state.due, len(state.commit)) == ("", [], False, 40)
    edge = WorkflowEdge.objects.get()
    assert (edge.source, edge.target, edge.logical) == ("clean", "price", None)
    assert edge.weights == {"resource": 0.5, "data": 1.0}
    assert edge.detail["resource"] == {"shared": ["shop.tools"], "of": 2}
    assert edge.detail["data"] == {"shared": ["orders", "total"], "of": 2}
    assert state.nodes["clean"]["gives"] == {"keys": ["orders", "total"], "from": "spelt out by the steps"}
    assert state.nodes["clean"]["takes"] == {"keys": ["raw"], "from": "input raw.json"}
    assert state.nodes["mail"]["takes"] == {"keys": None, "from": "not known"}


def test_a_correlation_of_roi_comes_in_with_the_cycles(shop: Engine) -> None:
    for cycle in range(1, 25):
        gain = float((cycle * 7) % 11)
        record_cycle("shop/mail", cycle, roi=gain)
        record_cycle("shop/price", cycle, roi=-2 * gain)
    refresh(shop)
    edge = WorkflowEdge.objects.get(source="mail")
    assert edge.target == "price"
    assert edge.logical is not None
    assert -1.0 <= edge.logical < -0.9
    assert edge.detail["logical"]["changes"] == 23
    assert impact(shop, "mail", 1.0)["price"]["roi"] < 0


def test_a_measured_graph_is_replaced_not_added_to(shop: Engine) -> None:
    refresh(shop)
    refresh(shop)
    assert WorkflowEdge.objects.count() == 1


def test_a_wave_starts_at_a_workflow_that_is_there(shop: Engine) -> None:
    refresh(shop)
    wave = impact(shop, "clean", 2.0, 1.0)
    assert wave["price"]["roi"] == pytest.approx(2.0 * 0.75 * 0.85)
    assert wave["price"]["path"] == ["clean", "price"]
    assert "mail" not in wave
    with pytest.raises(InvalidInput, match="clean, mail, price"):
        impact(shop, "nothing", 1.0)


def test_coming_under_care_and_a_new_manifest_make_it_due(shop: Engine) -> None:
    assert due(shop)
    refresh(shop)
    root = Path(shop.repository)
    (root / "menace.toml").write_text("")
    git(root, "commit", "-qam", "no workflows any more")
    refresh_manifest(shop, actor=CLI)
    shop.refresh_from_db()
    assert due(shop)
    assert load(shop).nodes == []
    refresh(shop)
    assert not WorkflowEdge.objects.exists()


def test_a_revision_makes_it_due(shop: Engine) -> None:
    refresh(shop)
    revision = workflows.current(shop, "price")
    assert not due(shop)
    workflows._tell(revision)
    assert due(shop)


def test_the_end_of_a_cycle_makes_it_due_where_there_are_others_to_correlate_with(shop: Engine) -> None:
    refresh(shop)
    parts: dict[str, Part] = {step: NotConfiguredPart("no") for step in STEPS}
    run_cycle(queued(shop).pk, owner="test", parts=parts)
    assert due(shop)


def test_what_happens_while_it_is_read_leaves_it_due(shop: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def gather_and_be_overtaken(
        engine: Engine, commit: str
    ) -> tuple[list[Member], dict[str, dict[str, Any]]]:
        workflow_graph.mark(engine.pk)
        return gather(engine, commit)

    monkeypatch.setattr(workflow_graph, "gather", gather_and_be_overtaken)
    assert refresh(shop).due


def test_a_repository_that_is_gone_is_told_and_the_old_edges_stay(shop: Engine) -> None:
    refresh(shop)
    Path(shop.repository, ".git").rename(Path(shop.repository, "gone"))
    workflow_graph.mark(shop.pk)
    assert refresh_due() == 1
    state = WorkflowGraphState.objects.get()
    assert state.error
    assert not state.due
    assert WorkflowEdge.objects.count() == 1


def test_only_what_is_due_is_measured(shop: Engine, settings: Settings) -> None:
    make_engine("quiet")
    assert refresh_due() == 1
    assert refresh_due() == 0
    workflow_graph.mark(shop.pk)
    import_string(settings.CELERY_BEAT_SCHEDULE["refresh-workflow-graphs"]["task"])()
    assert not due(shop)


def test_a_cycle_can_be_run_with_a_projection(shop: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = SelfImprovementEngine("shop")
    ran: list[float] = []
    found = AutomationResult(roi=None, verdict="no significant gain")

    def run_and_tell(energy: float) -> AutomationResult:
        ran.append(energy)
        return found

    monkeypatch.setattr(engine, "run_cycle", run_and_tell)
    projection, result = run_with_projection(engine, "clean", energy=2.0)
    assert (ran, result) == ([2.0], found)
    assert projection["clean"]["roi"] == 1.0
    assert projection["price"]["roi"] == pytest.approx(0.75 * 0.85)
    with pytest.raises(InvalidInput):
        run_with_projection(engine, "nothing")
    assert ran == [2.0]


def test_hostile_keys_can_be_kept_and_shown(shop: Engine) -> None:
    root = Path(shop.repository)
    (root / "raw.json").write_text('{"\\u0000a": 1, "\\ud800b": 2, "\\u202ec": 3}')
    git(root, "commit", "-qam", "odd keys")
    refresh(shop)
    known = {node["workflow"]: node for node in graph(shop)["nodes"]}
    assert known["clean"]["takes"]["keys"] == ["\\u202ec", "\\ud800b", "\\x00a"]


def test_the_panel_tells_nodes_edges_and_what_was_seen(shop: Engine) -> None:
    empty = graph(shop)
    assert (empty["at"], empty["due"], empty["edges"]) == (None, True, [])
    assert empty["nodes"][0]["modules"] is None
    refresh(shop)
    found = graph(shop)
    assert [node["workflow"] for node in found["nodes"]] == ["clean", "mail", "price"]
    assert [node["modules"] for node in found["nodes"]] == [2, 1, 2]
    (edge,) = found["edges"]
    assert edge["passes"] == pytest.approx(0.75 * 0.85)
    assert edge["seen"] == [
        {"kind": "data", "text": "orders, total of 2 keys"},
        {"kind": "resource", "text": "shop.tools of 2 modules"},
    ]
    json.dumps({**found, "at": None}, allow_nan=False)


def test_the_panel_tells_correlations_and_what_was_left_out(shop: Engine) -> None:
    state = refresh(shop)
    state.refused = [{"source": "b", "target": "a", "cycle": ["b", "a", "b"]}]
    state.save()
    WorkflowEdge.objects.update(detail={"logical": {"correlation": 0.5, "changes": 9}})
    found = graph(shop)
    assert found["edges"][0]["seen"][0]["text"] == "correlation +0.50 over 9 changes"
    assert found["refused"][0]["reason"] == "it would close a cycle: b → a → b"


def test_the_panel_of_a_wave_begins_with_the_strongest(shop: Engine) -> None:
    refresh(shop)
    found = wave(shop, "clean", 2.0, 0.0)
    assert [each["workflow"] for each in found["felt"]] == ["clean", "price"]
    assert found["felt"][1]["roi"] == pytest.approx(2.0 * 0.75 * 0.85)


@pytest.mark.parametrize(
    ("value", "keys"),
    [({"a": 1}, {"a"}), ([{"b": 1}, {"c": 2}], {"b"}), ([], None), ({}, None), (3, None), ([[1]], None)],
)
def test_keys_are_those_of_the_first_item(value: object, keys: set[str] | None) -> None:
    assert keys_of(value) == keys
