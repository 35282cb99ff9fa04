"""The imports between a checkout's own modules and apps as graphs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import networkx as nx

from scripts.style.reading import FileFacts

ONE_ROOT = 0.8
"""Share of the modules under one root from which its second level counts as the apps."""


@dataclass(frozen=True)
class Imports:
    """Edges at load time, and how many imports were deferred of how many."""

    graph: nx.DiGraph
    deferred: int
    internal: int


def read_imports(files: Sequence[FileFacts]) -> Imports:
    """Resolve each imported name to the closest module of the checkout."""
    modules = {facts.module for facts in files}
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted(modules))
    deferred = internal = 0
    for facts in files:
        for one in facts.imports:
            target = _closest(one.target, modules)
            if not target or target == facts.module:
                continue
            internal += 1
            deferred += one.deferred
            if not one.deferred:
                graph.add_edge(facts.module, target)
    return Imports(graph, deferred, internal)


def _closest(name: str, modules: set[str]) -> str:
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name


def tangles(graph: nx.DiGraph) -> list[list[str]]:
    """Return the import cycles: strongly connected components of two nodes and more."""
    return [sorted(found) for found in nx.strongly_connected_components(graph) if len(found) > 1]


def longest_chain(graph: nx.DiGraph) -> int:
    """Return how many modules the longest import chain has; a cycle counts as one."""
    return len(nx.dag_longest_path(nx.condensation(graph)))


def app_graph(graph: nx.DiGraph) -> nx.DiGraph:
    """Gather the edges by top-level app; `weight` says how many there are."""
    roots = Counter(module.partition(".")[0] for module in graph)
    depth = 2 if max(roots.values(), default=0) > ONE_ROOT * len(graph) else 1
    names = {module: ".".join(module.split(".")[:depth]) for module in graph}
    apps = nx.DiGraph()
    apps.add_nodes_from(sorted(set(names.values())))
    edges = Counter((names[a], names[b]) for a, b in graph.edges if names[a] != names[b])
    apps.add_weighted_edges_from((a, b, count) for (a, b), count in edges.items())
    return apps


def mutual(apps: nx.DiGraph) -> int:
    """Return how many pairs of apps import each other."""
    return sum(1 for a, b in apps.edges if a < b and apps.has_edge(b, a))


def fan_out(graph: nx.DiGraph) -> list[int]:
    """Return how many own modules each module imports."""
    return [cast("int", degree) for _, degree in graph.out_degree()]
