"""The graph of workflows: never a cycle, a wave that is linear, damped and bounded."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.workflows.graph import DAMPING, MAX_NODES, CycleRefused, Edge, WorkflowGraph

NAMES = "abcdefg"
WEIGHT = st.floats(-1, 1, allow_nan=False).map(lambda value: round(value, 3))
PAIRS = st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), WEIGHT)
EDGES = st.lists(PAIRS, max_size=25)
FEW = settings(max_examples=40, deadline=None)


def graph_of(edges: Iterable[tuple[str, str, float]], kind: str = "data") -> WorkflowGraph:
    graph = WorkflowGraph()
    for source, target, weight in edges:
        try:
            graph.add_dependency(source, target, **{kind: weight})
        except CycleRefused:
            continue
    return graph


def diamond(**damping: float) -> WorkflowGraph:
    graph = WorkflowGraph(**damping)
    for source, target, weight in [("A", "B", 0.5), ("A", "C", 0.5), ("B", "D", 0.5), ("C", "D", 0.4)]:
        graph.add_dependency(source, target, impact_weight=weight)
    return graph


def test_what_is_felt_adds_up_over_the_paths() -> None:
    wave = diamond().simulate_impact_wave("A", 1.0, 2.0)
    assert {name: each["roi"] for name, each in wave.items()} == pytest.approx(
        {"A": 1.0, "B": 0.5, "C": 0.5, "D": 0.45}
    )
    assert wave["D"]["synergy"] == pytest.approx(0.9)
    assert wave["D"]["path"] == ["A", "B", "D"]
    assert wave["D"]["depth"] == 2
    assert next(iter(wave)) == "A"


def test_a_workflow_that_nobody_knows_feels_its_change_alone() -> None:
    wave = diamond().simulate_impact_wave("elsewhere", 1.0, 0.5)
    assert wave == {
        "elsewhere": {"roi": 1.0, "synergy": 0.5, "share": 1.0, "path": ["elsewhere"], "depth": 0}
    }


def test_nothing_is_felt_against_the_direction() -> None:
    assert list(diamond().simulate_impact_wave("D", 1.0)) == ["D"]


def test_a_cycle_is_refused_and_named() -> None:
    graph = diamond()
    with pytest.raises(CycleRefused, match="D → A → B → D") as refused:
        graph.add_dependency("D", "A", data=0.5)
    assert refused.value.path == ("D", "A", "B", "D")
    assert isinstance(refused.value, ValueError)
    assert not graph.path("D", "A")


def test_nothing_hangs_on_itself() -> None:
    graph = WorkflowGraph()
    with pytest.raises(CycleRefused, match="A → A"):
        graph.add_dependency("A", "A", data=0.5)
    assert "A" not in graph


def test_a_measured_edge_is_the_damped_mean_of_what_says_something() -> None:
    graph = WorkflowGraph({"resource": 0.5, "data": 1.0, "logical": 0.25})
    graph.add_dependency("A", "B", resource=0.8, data=0.6, logical=0.0)
    assert graph.passed_on("A", "B") == pytest.approx((0.8 * 0.5 + 0.6) / 2)


def test_a_given_weight_counts_only_where_nothing_was_measured() -> None:
    assert Edge({"data": 0.5}, impact=1.0).plain == 0.5
    assert Edge({"data": 0.0}, impact=0.3).plain == 0.3
    assert Edge({"data": 0.0}).plain == 0.0


def test_opposite_workflows_feel_the_opposite() -> None:
    graph = WorkflowGraph()
    graph.add_dependency("A", "B", logical=-0.6)
    assert graph.simulate_impact_wave("A", 2.0)["B"]["roi"] == pytest.approx(-2.0 * 0.6 * DAMPING)


def test_many_paths_do_not_amplify() -> None:
    graph = WorkflowGraph(1.0)
    for middle in map(str, range(50)):
        graph.add_dependency("A", middle, data=1.0)
        graph.add_dependency(middle, "Z", data=1.0)
    assert graph.simulate_impact_wave("A", 1.0)["Z"]["roi"] == pytest.approx(1.0)


def test_what_is_taken_out_is_felt_no_more() -> None:
    graph = diamond()
    graph.remove_dependency("C", "D")
    graph.remove_dependency("C", "nobody")
    assert graph.simulate_impact_wave("A", 1.0)["D"]["roi"] == pytest.approx(0.25)
    graph.remove_workflow("B")
    graph.remove_workflow("nobody")
    assert sorted(graph.simulate_impact_wave("A", 1.0)) == ["A", "C"]
    assert graph.nodes == ["A", "C", "D"]
    graph.add_dependency("D", "A", data=0.1)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"data": 1.5}, {"data": float("nan")}, {"mood": 0.5}, {"impact_weight": -2.0}, {"data": None}],
)
def test_an_edge_needs_a_weight_from_minus_one_to_one(wrong: dict[str, float | None]) -> None:
    with pytest.raises(InvalidInput):
        WorkflowGraph().add_dependency("A", "B", **wrong)


@pytest.mark.parametrize("damping", [0.0, 1.5, {"data": 0.5}, {"resource": 1, "data": 1, "logical": -1}])
def test_damping_never_amplifies(damping: float | dict[str, float]) -> None:
    with pytest.raises(InvalidInput, match="at most 1"):
        WorkflowGraph(damping)


@pytest.mark.parametrize("name", ["", "x" * 257, 7])
def test_names_are_bounded(name: Any) -> None:
    with pytest.raises(InvalidInput, match="characters"):
        WorkflowGraph().add_workflow(name)


def test_a_graph_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.domain.workflows.graph.MAX_NODES", 2)
    graph = graph_of([("a", "b", 0.5)])
    graph.add_workflow("a")
    with pytest.raises(InvalidInput, match="at most 2"):
        graph.add_workflow("c")
    assert MAX_NODES == 10_000


@pytest.mark.parametrize("delta", [float("nan"), float("inf")])
def test_the_input_is_finite(delta: float) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        diamond().simulate_impact_wave("A", delta)


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"nodes": ["a"]},
        {"nodes": [], "edges": [{"source": "a"}]},
        {"nodes": 3, "edges": []},
        {"nodes": [], "edges": [{"source": "a", "target": "b", "weights": {"mood": 1}}]},
    ],
)
def test_what_is_no_graph_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        WorkflowGraph.from_dict(data)


def test_a_written_cycle_is_refused_too() -> None:
    edges = [{"source": a, "target": b, "weights": {"data": 1.0}} for a, b in ("ab", "bc", "ca")]
    with pytest.raises(CycleRefused, match="c → a → b → c"):
        WorkflowGraph.from_dict({"nodes": [], "edges": edges})


@FEW
@given(EDGES)
def test_there_is_never_a_cycle(edges: list[tuple[str, str, float]]) -> None:
    graph = graph_of(edges)
    for source, target, _ in graph.edges():
        assert not graph.path(target, source)


@FEW
@given(EDGES)
def test_only_edges_that_close_a_cycle_are_refused(edges: list[tuple[str, str, float]]) -> None:
    graph = WorkflowGraph()
    for source, target, weight in edges:
        if source != target and not graph.path(target, source):
            graph.add_dependency(source, target, data=weight)
            continue
        before = graph.to_dict()
        with pytest.raises(CycleRefused) as refused:
            graph.add_dependency(source, target, data=weight)
        assert refused.value.path[0] == refused.value.path[-1] == source
        assert graph.to_dict() == before


@FEW
@given(EDGES, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_the_wave_is_linear(edges: list[tuple[str, str, float]], left: float, right: float) -> None:
    graph = graph_of(edges)
    both = graph.simulate_impact_wave("a", left + right, left)
    one, other = graph.simulate_impact_wave("a", left), graph.simulate_impact_wave("a", right)
    assert both.keys() == one.keys()
    for node, each in both.items():
        assert each["roi"] == pytest.approx(one[node]["roi"] + other[node]["roi"], abs=1e-6)
        assert each["synergy"] == pytest.approx(one[node]["roi"], abs=1e-9)


@FEW
@given(EDGES)
def test_the_wave_is_damped_with_the_distance(edges: list[tuple[str, str, float]]) -> None:
    graph = graph_of(edges)
    for node, each in graph.simulate_impact_wave("a", 1.0).items():
        nearest = len(graph.path("a", node)) - 1 if node != "a" else 0
        assert abs(each["roi"]) <= DAMPING**nearest + 1e-12
        assert each["path"][0] == "a"
        assert each["path"][-1] == node


@FEW
@given(EDGES)
def test_a_graph_survives_being_written_down(edges: list[tuple[str, str, float]]) -> None:
    graph = graph_of(edges, "logical")
    again = WorkflowGraph.from_dict(json.loads(json.dumps(graph.to_dict())))
    assert again.to_dict() == graph.to_dict()
    assert again.simulate_impact_wave("a", 1.0) == graph.simulate_impact_wave("a", 1.0)


@FEW
@given(EDGES)
def test_the_order_of_adding_does_not_change_what_is_felt(edges: list[tuple[str, str, float]]) -> None:
    graph = graph_of(edges)
    turned = WorkflowGraph()
    for source, target, edge in reversed(list(graph.edges())):
        turned.add_dependency(source, target, **edge.weights)
    there = turned.simulate_impact_wave("a", 1.0)
    for node, each in graph.simulate_impact_wave("a", 1.0).items():
        assert there[node]["roi"] == pytest.approx(each["roi"])
