"""`WorkflowGraph`: which workflows hang on which, and how far a change of one is felt.

A directed graph without cycles. An edge A → B says that a change of A is felt in B. Its strength comes from
up to three measured weights (`resource`, `data`, `logical`), each from -1 to 1 and damped, or from one given
by hand. What is felt adds up over all paths:

    felt(start) = input,   felt(B) = sum over A → B of  share(A, B) x felt(A)

    share(A, B) = weight(A, B) / max(1, sum over all X → B of |undamped weight(X, B)|)

The divisor is what bounds the wave: nobody feels more than what came in, in absolute value, and after k
measured edges no more than `DAMPING`**k of it, however many paths lead there. The wave is linear.
"""

import heapq
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from engines.domain.errors import InvalidInput

KINDS: Final = ("resource", "data", "logical")
DAMPING: Final = 0.85
"""What passes over a measured edge of weight 1. A convention, the same for all kinds unless given."""
MODEL: Final = "the model"
"""The node of the bot's model; no workflow can have this name, as it holds a blank."""
MAX_NODES: Final = 10_000
NAME_LENGTH: Final = 256


class CycleRefused(InvalidInput, ValueError):
    """An edge would have closed a cycle; `path` names it, from the edge's source back to it."""

    def __init__(self, path: Sequence[str]) -> None:
        super().__init__(f"that edge closes a cycle: {' → '.join(path)}", field="edge")
        self.path = tuple(path)


@dataclass(frozen=True, slots=True)
class Edge:
    """How a change of one workflow is felt in another."""

    #: measured, by kind; what was not measured, or came out as nothing, has no entry
    weights: Mapping[str, float] = field(default_factory=dict)
    #: given by hand; counts where nothing was measured, undamped
    impact: float | None = None

    def __post_init__(self) -> None:
        if unknown := set(self.weights) - set(KINDS):
            raise InvalidInput(f"{min(unknown)!r} is none of {', '.join(KINDS)}", field="weights")
        given = {**self.weights, **({} if self.impact is None else {"impact_weight": self.impact})}
        if not given:
            raise InvalidInput("an edge needs at least one weight", field="weights")
        for name, weight in given.items():
            if not math.isfinite(weight) or abs(weight) > 1:
                raise InvalidInput(f"{name} must lie between -1 and 1, not {weight!r}", field=name)

    @property
    def plain(self) -> float:
        """Undamped strength: the mean of the measured weights that say something, or the given one."""
        return self.damped(dict.fromkeys(KINDS, 1.0))

    def damped(self, damping: Mapping[str, float]) -> float:
        """Return the strength with each kind's damping."""
        said = [damping[kind] * weight for kind, weight in self.weights.items() if weight]
        return math.fsum(said) / len(said) if said else (self.impact or 0.0)


class WorkflowGraph:
    """Workflows and the edges between them; always without cycles."""

    def __init__(self, damping: float | Mapping[str, float] = DAMPING) -> None:
        """Damp all kinds alike, or each its own way; InvalidInput for what isn't above 0 and at most 1."""
        given = dict.fromkeys(KINDS, damping) if isinstance(damping, int | float) else dict(damping)
        if set(given) != set(KINDS) or not all(0 < each <= 1 for each in given.values()):
            raise InvalidInput(f"above 0 and at most 1 for each of {', '.join(KINDS)}", field="damping")
        self.damping: Mapping[str, float] = given
        self._after: dict[str, dict[str, Edge]] = {}
        self._before: dict[str, dict[str, Edge]] = {}

    def __contains__(self, node: object) -> bool:
        return node in self._after

    def __len__(self) -> int:
        return len(self._after)

    @property
    def nodes(self) -> list[str]:
        """All workflows, in the order of their names."""
        return sorted(self._after)

    def edges(self) -> Iterator[tuple[str, str, Edge]]:
        """Yield source, target and edge, in the order of names."""
        for source in self.nodes:
            for target in sorted(self._after[source]):
                yield source, target, self._after[source][target]

    def add_workflow(self, node: str) -> None:
        """Add a workflow; one that is there stays as it is."""
        if not isinstance(node, str) or not 0 < len(node) <= NAME_LENGTH:
            raise InvalidInput(f"a workflow's name has 1 to {NAME_LENGTH} characters", field="node")
        if node not in self._after and len(self) >= MAX_NODES:
            raise InvalidInput(f"a graph has at most {MAX_NODES} workflows", field="node")
        self._after.setdefault(node, {})
        self._before.setdefault(node, {})

    def remove_workflow(self, node: str) -> None:
        """Take a workflow out with all its edges; nothing happens when it isn't there."""
        for target in self._after.pop(node, {}):
            del self._before[target][node]
        for source in self._before.pop(node, {}):
            del self._after[source][node]

    def add_dependency(
        self, source: str, target: str, *, impact_weight: float | None = None, **weights: float | None
    ) -> Edge:
        """Say that a change of `source` is felt in `target`; an edge that is there is replaced.

        `weights` are `resource`, `data` and `logical`, None where not measured. Both ends are added.

        Raises:
            CycleRefused: the target's changes are felt in the source already; names the way.
            InvalidInput: no weight at all, an unknown kind, or one that isn't from -1 to 1.
        """
        measured = {kind: weight for kind, weight in weights.items() if weight is not None}
        edge = Edge(measured, impact_weight)
        back = self.path(target, source) if source != target else [source]
        if back:
            raise CycleRefused([source, *back])
        self.add_workflow(source)
        self.add_workflow(target)
        self._after[source][target] = self._before[target][source] = edge
        return edge

    def remove_dependency(self, source: str, target: str) -> None:
        """Take an edge out; nothing happens when it isn't there."""
        if self._after.get(source, {}).pop(target, None) is not None:
            del self._before[target][source]

    def path(self, source: str, target: str) -> list[str]:
        """Return one of the shortest ways from one workflow to another, both named; empty: there is none."""
        came: dict[str, str] = {}
        rim = [source] if source in self._after else []
        while rim and target not in rim:
            following = []
            for node in rim:
                new = self._after[node].keys() - came.keys() - {source}
                came |= dict.fromkeys(new, node)
                following += sorted(new)
            rim = following
        return _way(came, source, target) if rim else []

    def simulate_impact_wave(
        self, workflow_id: str, roi_delta: float, synergy_delta: float = 0.0
    ) -> dict[str, dict[str, Any]]:
        """Return what each workflow would feel of a change, by workflow; only those that are reached.

        Each has `roi` and `synergy` (in the units of the input), `share` (of the input that arrives, signed),
        `path` (the strongest way it takes) and `depth` (edges of that way). The first is the changed workflow
        itself with all of the input; one that the graph doesn't know is alone in the answer.

        Raises InvalidInput when an input is no finite number.
        """
        if not (math.isfinite(roi_delta) and math.isfinite(synergy_delta)):
            raise InvalidInput("roi_delta and synergy_delta must be finite", field="roi_delta")
        return {
            node: {
                "roi": share * roi_delta,
                "synergy": share * synergy_delta,
                "share": share,
                "path": path,
                "depth": len(path) - 1,
            }
            for node, (share, path) in self._spread(workflow_id).items()
        }

    def _spread(self, start: str) -> dict[str, tuple[float, list[str]]]:
        """Return each reached workflow's share of the input and the strongest way there."""
        found: dict[str, tuple[float, list[str]]] = {start: (1.0, [start])}
        strength = {start: 1.0}
        for node in self._order(start):
            if node == start:
                continue
            passes = {source: each for source, each in self._into(node).items() if source in found}
            best = max(passes, key=lambda source: (abs(strength[source] * passes[source]), source))
            strength[node] = abs(strength[best] * passes[best])
            share = math.fsum(found[source][0] * each for source, each in passes.items())
            found[node] = share, [*found[best][1], node]
        return found

    def _into(self, node: str) -> dict[str, float]:
        """Return the share of what each source feels that arrives here."""
        edges = self._before[node]
        divisor = max(1.0, math.fsum(abs(edge.plain) for edge in edges.values()))
        return {source: edge.damped(self.damping) / divisor for source, edge in edges.items()}

    def passed_on(self, source: str, target: str) -> float:
        """Return the share of what the source feels that the target feels by this edge."""
        return self._into(target)[source]

    def _order(self, start: str) -> Iterator[str]:
        """Yield what is reached from `start`, each after all of those before it; equals by name."""
        reached = self.reached(start)
        missing = {node: len(self._before.get(node, {}).keys() & reached) for node in reached}
        ready = [start]
        while ready:
            node = heapq.heappop(ready)
            yield node
            for target in self._after.get(node, {}):
                missing[target] -= 1
                if missing[target] == 0:
                    heapq.heappush(ready, target)

    def reached(self, start: str) -> set[str]:
        """Return the workflow and everything that feels its changes."""
        found, waiting = {start}, [start]
        while waiting:
            new = self._after.get(waiting.pop(), {}).keys() - found
            found |= new
            waiting.extend(new)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return the graph as plain JSON."""
        return {
            "version": 1,
            "damping": dict(self.damping),
            "nodes": self.nodes,
            "edges": [
                {"source": source, "target": target, "weights": dict(edge.weights), "impact": edge.impact}
                for source, target, edge in self.edges()
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the graph that `to_dict` wrote; InvalidInput (or CycleRefused) when it is none."""
        try:
            graph = cls(data.get("damping", DAMPING))
            for node in data["nodes"]:
                graph.add_workflow(node)
            for each in data["edges"]:
                source, target = each["source"], each["target"]
                graph.add_dependency(source, target, impact_weight=each.get("impact"), **each["weights"])
        except (KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"no workflow graph: {error!r}"[:200], field="graph") from None
        return graph


def _way(came: Mapping[str, str], source: str, target: str) -> list[str]:
    way = [target]
    while way[-1] != source:
        way.append(came[way[-1]])
    return way[::-1]
