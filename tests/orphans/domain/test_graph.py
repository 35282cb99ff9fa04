"""Reachability, islands, heads and chains of any graph, against networkx."""

import itertools
from collections.abc import Mapping

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.graph import chains, heads, importers, islands, reach

Graph = dict[str, list[str]]
NODES = [f"m{number}.py" for number in range(9)]
graphs = st.dictionaries(st.sampled_from(NODES), st.lists(st.sampled_from(NODES), max_size=4), max_size=9)
some = st.sets(st.sampled_from(NODES))
few = settings(max_examples=40, deadline=None)


def oracle(edges: Mapping[str, list[str]], nodes: set[str] | None = None) -> nx.DiGraph:
    graph = nx.DiGraph((one, other) for one, others in edges.items() for other in others)
    graph.add_nodes_from(nodes if nodes is not None else NODES)
    return graph if nodes is None else graph.subgraph(nodes)


def alone(_: str) -> tuple[str, ...]:
    return ()


@few
@given(graphs, some)
def test_what_is_reached_is_what_networkx_reaches(edges: Graph, start: set[str]) -> None:
    seen: set[str] = set()
    added = reach(sorted(start), edges, seen, alone)
    graph = oracle(edges)
    assert seen == start.union(*(nx.descendants(graph, each) for each in start))
    assert sorted(added) == sorted(seen)


@few
@given(graphs, some, some)
def test_reaching_in_two_goes_is_reaching_at_once(edges: Graph, one: set[str], two: set[str]) -> None:
    apart: set[str] = set()
    first = reach(one, edges, apart, alone)
    second = reach(two, edges, apart, alone)
    together: set[str] = set()
    reach(one | two, edges, together, alone)
    assert apart == together
    assert not set(first) & set(second)


@few
@given(graphs, some)
def test_what_runs_with_an_import_is_reached_too(edges: Graph, start: set[str]) -> None:
    """The packages around a module count as imported by it, with all that they import."""
    above = {each: [NODES[0]] for each in NODES[1:]}
    seen: set[str] = set()
    reach(start, edges, seen, lambda path: above.get(path, ()))
    both = {each: [*edges.get(each, ()), *above.get(each, ())] for each in NODES}
    plain: set[str] = set()
    reach(start, both, plain, alone)
    assert seen == plain


def test_what_was_seen_before_is_not_entered_again() -> None:
    seen = {"b"}
    assert reach(["a", "b"], {"a": ["b"], "b": ["c"]}, seen, alone) == ["a"]
    assert seen == {"a", "b"}


@few
@given(graphs)
def test_turned_around_is_the_reverse_without_loops(edges: Graph) -> None:
    turned = {(each, one) for each, ones in importers(edges).items() for one in ones}
    graph = oracle(edges)
    assert turned == {(target, source) for source, target in graph.edges if source != target}


@few
@given(graphs, some)
def test_islands_are_the_strongly_connected_components(edges: Graph, nodes: set[str]) -> None:
    found = islands(nodes, edges)
    expected = nx.strongly_connected_components(oracle(edges, nodes))
    assert sorted(found) == sorted(sorted(each) for each in expected)


@few
@given(graphs, some)
def test_what_is_imported_comes_before_its_importer(edges: Graph, nodes: set[str]) -> None:
    place = {each: at for at, island in enumerate(islands(nodes, edges)) for each in island}
    for one, other in oracle(edges, nodes).edges:
        assert place[other] <= place[one]


@few
@given(graphs, some)
def test_each_island_nobody_outside_imports_has_one_head(edges: Graph, nodes: set[str]) -> None:
    graph = oracle(edges, nodes)
    condensed = nx.condensation(graph)
    tops = [condensed.nodes[each]["members"] for each in condensed if condensed.in_degree(each) == 0]
    found = heads(nodes, edges)
    assert sorted(len(set(found) & top) for top in tops) == [1] * len(tops)
    assert len(found) == len(tops)


def test_the_head_of_a_cycle_has_most_importers_then_the_first_name() -> None:
    ring = {"a": ["b"], "b": ["c"], "c": ["b", "a"]}
    assert list(heads(set(ring), ring)) == ["b"]
    assert list(heads({"x", "y"}, {"x": ["y"], "y": ["x"]})) == ["x"]


@few
@given(graphs, some)
def test_a_chain_is_a_shortest_way_from_a_head(edges: Graph, nodes: set[str]) -> None:
    graph, tops = oracle(edges, nodes), set(heads(nodes, edges))
    found = chains(nodes, edges)
    assert set(found) == nodes
    for node, chain in found.items():
        assert chain[0] in tops
        assert chain[-1] == node
        assert all(graph.has_edge(one, other) for one, other in itertools.pairwise(chain))
        ways = [nx.shortest_path_length(graph, top, node) for top in tops if nx.has_path(graph, top, node)]
        assert len(chain) - 1 == min(ways)


def test_a_chain_of_any_length_needs_no_recursion() -> None:
    long = {f"m{at}": [f"m{at + 1}"] for at in range(3_000)}
    assert len(islands(set(long), long)) == 3_000
    assert len(chains(set(list(long)[:300]), long)["m299"]) == 300
