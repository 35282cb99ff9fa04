"""Reachability, islands and chains over a graph of modules.

Islands are strongly connected components (Tarjan, SIAM J. Comput. 1972), found without recursion, so a chain
of any length is fine.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping

Edges = Mapping[str, Collection[str]]


def reach(
    start: Iterable[str], edges: Edges, seen: set[str], above: Callable[[str], Iterable[str]]
) -> list[str]:
    """Add to `seen` all that `start` leads to and return what was added.

    Args:
        start: where to begin.
        edges: module to what it imports.
        seen: what was reached before; changed in place.
        above: what runs whenever a module is imported: the packages around it.
    """
    added: list[str] = []
    todo = [each for each in start if each not in seen]
    while todo:
        path = todo.pop()
        if path in seen:
            continue
        seen.add(path)
        added.append(path)
        todo.extend(each for each in edges.get(path, ()) if each not in seen)
        todo.extend(each for each in above(path) if each not in seen)
    return added


def importers(edges: Edges) -> dict[str, set[str]]:
    """Return the graph turned around."""
    found: dict[str, set[str]] = {}
    for path, targets in edges.items():
        for each in targets:
            if each != path:
                found.setdefault(each, set()).add(path)
    return found


def islands(nodes: Collection[str], edges: Edges) -> list[list[str]]:
    """Return the strongly connected components of the graph among `nodes`, importers after imported."""
    inside = set(nodes)
    state = _Tarjan({each: sorted(inside.intersection(edges.get(each, ()))) for each in inside})
    for each in sorted(inside):
        state.visit(each)
    return state.found


class _Tarjan:
    def __init__(self, edges: Mapping[str, list[str]]) -> None:
        self.edges = edges
        self.index: dict[str, int] = {}
        self.low: dict[str, int] = {}
        self.stack: list[str] = []
        self.on_stack: set[str] = set()
        self.found: list[list[str]] = []

    def visit(self, start: str) -> None:
        if start in self.index:
            return
        work = [(start, iter(self.edges[start]))]
        self._open(start)
        while work:
            node, rest = work[-1]
            fresh = next((each for each in rest if self._is_fresh(node, each)), None)
            if fresh is not None:
                self._open(fresh)
                work.append((fresh, iter(self.edges[fresh])))
                continue
            work.pop()
            if work:
                self.low[work[-1][0]] = min(self.low[work[-1][0]], self.low[node])
            if self.low[node] == self.index[node]:
                self._close(node)

    def _open(self, node: str) -> None:
        self.index[node] = self.low[node] = len(self.index)
        self.stack.append(node)
        self.on_stack.add(node)

    def _is_fresh(self, node: str, target: str) -> bool:
        if target not in self.index:
            return True
        if target in self.on_stack:
            self.low[node] = min(self.low[node], self.index[target])
        return False

    def _close(self, node: str) -> None:
        island: list[str] = []
        while not island or island[-1] != node:
            island.append(self.stack.pop())
            self.on_stack.discard(island[-1])
        self.found.append(sorted(island))


def heads(nodes: Collection[str], edges: Edges) -> dict[str, str]:
    """Return one head for each island: nothing of `nodes` outside of the island imports it.

    The head of a cycle is its module with the most importers inside, then the first by name.
    """
    turned = importers({each: edges.get(each, ()) for each in nodes})
    found: dict[str, str] = {}
    for island in islands(nodes, edges):
        members = set(island)
        outside = set().union(*(turned.get(each, set()) for each in island)) - members
        if not outside:
            found[_first(island, turned)] = _first(island, turned)
    return found


def _first(island: Collection[str], turned: Mapping[str, Collection[str]]) -> str:
    return min(island, key=lambda path: (-len(turned.get(path, ())), path))


def chains(nodes: Collection[str], edges: Edges) -> dict[str, tuple[str, ...]]:
    """Return for each module the shortest chain from the head of its island down to it."""
    inside = set(nodes)
    found: dict[str, tuple[str, ...]] = {}
    todo: deque[str] = deque(sorted(heads(nodes, edges)))
    found.update({each: (each,) for each in todo})
    while todo:
        path = todo.popleft()
        for each in sorted(inside.intersection(edges.get(path, ()))):
            if each not in found:
                found[each] = (*found[path], each)
                todo.append(each)
    return found
