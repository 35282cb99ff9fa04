"""How strongly two workflows hang together, from what was seen of them: an estimate of their graph.

For workflows A and B, and a change of A felt in B:

- `resource`: share of B's modules of which A is made, too: of those that ran in B's latest measured run, else
  of its import closure;
- `data`: share of the keys of B's input that A's output has, where both are known;
- `logical`: correlation of what both gained from cycle to cycle, shrunken to the end of its 90 % interval
  that is nearer to nothing (Fisher's z): a few cycles that agree by chance count for nothing.

Two of the three have no direction of their own. A pair gets the direction of its data, else the one in which
more of B's modules are A's, else the order of names. Pairs are taken by strength, and one that would close a
cycle is turned round if it has no data, else left out and told.

The bot's model is a member like any other, made of what its pipeline imports; its ROI is the bot's. It feels
nothing of a workflow (`only_source`): no run of one ever changed what was trained.
"""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from statistics import fmean
from typing import Any, Final

from engines.domain.workflows.graph import CycleRefused, WorkflowGraph

Z90: Final = 1.645
"""Both ends of a 90 % interval, in standard deviations."""
MIN_PAIRS: Final = 5
"""Fewer common changes are no measurement of a correlation."""
LEAST: Final = 0.05
"""Weaker weights are left out: they say nothing and would make every graph a full one."""
LISTED: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A workflow, as far as it is known."""

    name: str
    #: repository modules that its steps import, directly or not; None: not known
    modules: frozenset[str] | None = None
    #: those of which a function was called in its latest measured run; None: no run was measured
    ran: frozenset[str] | None = None
    #: keys of its input; None: not known
    takes: frozenset[str] | None = None
    #: keys of its output; None: not known
    gives: frozenset[str] | None = None
    #: cycle → what it was worth
    roi: Mapping[int, float] = field(default_factory=dict)
    #: nothing changes it, so that no edge leads there
    only_source: bool = False

    @property
    def used(self) -> frozenset[str] | None:
        """The modules that it really uses, as far as known: those that ran, else all that it imports."""
        return self.ran or self.modules


@dataclass(frozen=True, slots=True)
class Link:
    """What was seen between two workflows, in one direction."""

    source: str
    target: str
    weights: Mapping[str, float]
    detail: Mapping[str, Any]

    @property
    def strength(self) -> float:
        """The largest of its weights."""
        return max((abs(weight) for weight in self.weights.values()), default=0.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A graph, what was seen of each of its edges, and what had to be left out."""

    graph: WorkflowGraph
    links: tuple[Link, ...]
    #: source, target and the cycle that the edge would have closed
    refused: tuple[tuple[str, str, tuple[str, ...]], ...]


def shared_modules(source: Member, target: Member) -> float | None:
    """Return the share of what the target uses that the source is made of, too; None where not known."""
    if source.modules is None or not target.used:
        return None
    return len(source.modules & target.used) / len(target.used)


def handed_on(source: Member, target: Member) -> float | None:
    """Return the share of the target's input keys that the source's output has; None where not known."""
    if source.gives is None or not target.takes:
        return None
    return len(source.gives & target.takes) / len(target.takes)


def correlation(left: Mapping[int, float], right: Mapping[int, float]) -> tuple[float, int] | None:
    """Return the correlation of the changes between common cycles, and how many there are.

    Changes, not levels: two courses that both rise agree in level without having to do with each other. None
    with fewer than `MIN_PAIRS` changes, or where one of the two never changed.
    """
    cycles = sorted(left.keys() & right.keys())
    pairs = [(left[b] - left[a], right[b] - right[a]) for a, b in pairwise(cycles)]
    if len(pairs) < MIN_PAIRS:
        return None
    found = _pearson([a for a, _ in pairs], [b for _, b in pairs])
    return None if found is None else (found, len(pairs))


def _pearson(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Return the correlation; None where one of the two doesn't vary. Scaled first, so no sum overflows."""
    one, other = (_standard(values) for values in (left, right))
    if one is None or other is None:
        return None
    return max(-1.0, min(1.0, math.fsum(a * b for a, b in zip(one, other, strict=True))))


def _standard(values: Sequence[float]) -> list[float] | None:
    """Return the values around their mean with length 1; None where they don't vary."""
    largest = max(map(abs, values))
    scaled = [value / largest for value in values] if largest else []
    around = [value - fmean(scaled) for value in scaled]
    length = math.hypot(*around)
    return [value / length for value in around] if length > 1e-9 else None


def shrunken(r: float, pairs: int) -> float:
    """Return the end of the 90 % interval that is nearer to nothing; 0 where the interval holds it.

    tanh(max(0, atanh|r| - 1.645 / sqrt(n - 3))) with the sign of r (R. A. Fisher, 1921).
    """
    if pairs <= 3:
        return 0.0
    sure = math.atanh(min(abs(r), 1 - 1e-12)) - Z90 / math.sqrt(pairs - 3)
    return math.copysign(math.tanh(max(0.0, sure)), r)


def estimate(members: Iterable[Member], *, damping: float | None = None) -> Estimate:
    """Return the graph of the members; the same members give the same one, in whatever order they come."""
    known = sorted(members, key=lambda member: member.name)
    graph = WorkflowGraph() if damping is None else WorkflowGraph(damping)
    for member in known:
        graph.add_workflow(member.name)
    ways = [_ways(left, right) for left, right in combinations(known, 2)]
    links, refused = [], []
    for choices in sorted(filter(None, ways), key=_rank):
        link, path = _placed(graph, choices)
        if link is not None:
            links.append(link)
        else:
            refused.append((choices[0].source, choices[0].target, path))
    return Estimate(graph, tuple(links), tuple(refused))


def _rank(choices: Sequence[Link]) -> tuple[bool, float, str, str]:
    """Put what has data first, as its direction is sure; then the strongest; then by name."""
    first = choices[0]
    return "data" not in first.weights, -first.strength, first.source, first.target


def _placed(graph: WorkflowGraph, choices: Sequence[Link]) -> tuple[Link | None, tuple[str, ...]]:
    """Add the first of the ways that closes no cycle; return it, or the cycle of the best one."""
    path: tuple[str, ...] = ()
    for link in choices:
        try:
            graph.add_dependency(link.source, link.target, **link.weights)
        except CycleRefused as refused:
            path = path or refused.path
        else:
            return link, ()
    return None, path


def _ways(left: Member, right: Member) -> list[Link]:
    """Return the directions that the pair may have, the better one first; none when nothing was seen."""
    logical = correlation(left.roi, right.roi)
    there, back = _link(left, right, logical), _link(right, left, logical)
    open_ways = [link for link, end in ((there, right), (back, left)) if not end.only_source]
    ways = sorted(open_ways, key=lambda link: (-link.weights.get("data", 0.0), -link.strength))
    with_data = [link for link in ways if "data" in link.weights]
    return (with_data or [link for link in ways if link.weights])[: 1 if with_data else 2]


def _link(source: Member, target: Member, logical: tuple[float, int] | None) -> Link:
    weights: dict[str, float] = {}
    detail: dict[str, Any] = {}
    for kind, share, both, of in (
        ("resource", shared_modules(source, target), source.modules, target.used),
        ("data", handed_on(source, target), source.gives, target.takes),
    ):
        if share is not None and share >= LEAST:
            weights[kind] = share
            detail[kind] = {"shared": _some(both, of), "of": len(of or ())}
            detail[kind] |= {"ran": True} if kind == "resource" and target.ran else {}
    if logical is not None and abs(sure := shrunken(*logical)) >= LEAST:
        weights["logical"] = sure
        detail["logical"] = {"correlation": logical[0], "changes": logical[1]}
    return Link(source.name, target.name, weights, detail)


def _some(left: Collection[str] | None, right: Collection[str] | None) -> list[str]:
    return sorted(set(left or ()) & set(right or ()))[:LISTED]
