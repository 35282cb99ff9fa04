"""Where a module's function fits into a workflow: by declared types, by the keys it reads, by its words.

Everything is read from source text; nothing is imported or run. A function fits between two steps when its
parameter's declared type is what the step before returns, what it returns is what the step after takes, and
it reads no key that the step before is known not to hand on.
"""

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

MIN_SCORE: Final = 0.5
"""Matches below it are left alone."""
TOP: Final = 3
"""At most so many workflows are changed for one module."""
WEIGHTS: Final[Mapping[str, float]] = {"keys": 0.4, "imports": 0.3, "names": 0.3}
_WORD: Final = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{3,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Callee:
    """A function of one payload, as its source declares it."""

    module: str
    name: str
    #: normalised annotations; empty: not declared
    takes: str
    returns: str
    #: keys that it reads from its payload
    reads: frozenset[str] = frozenset()
    #: keys of the mapping that it returns; None: not known
    writes: frozenset[str] | None = None
    #: hands on all that it was given
    passes_on: bool = False
    #: words of its name and docstring, and of its module's path
    words: frozenset[str] = frozenset()
    #: first parts of what its module imports, and dotted names of the repository
    imports: frozenset[str] = frozenset()

    @property
    def step(self) -> str:
        """How a workflow names it."""
        return f"{self.module}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A workflow as matching sees it."""

    name: str
    steps: tuple[Callee, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """One place for one function in one workflow."""

    workflow: str
    step: str
    function: str
    #: index that the function gets
    position: int
    score: float
    #: what each part of the score is, 0 to 1
    parts: Mapping[str, float] = field(default_factory=dict)
    #: what was compared, in words
    fits: str = ""


def callees(source: str, module: str) -> list[Callee]:
    """Return the module's public functions that take one payload; none when it is no Python 3."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    aliases = _aliases(tree)
    imports = _imports(tree)
    return [
        _callee(node, module, aliases, imports)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and _takes_one(node)
    ]


def _takes_one(node: ast.FunctionDef) -> bool:
    given = node.args
    positional = [*given.posonlyargs, *given.args]
    needed = len(positional) - len(given.defaults)
    return needed == 1 and all(default is not None for default in given.kw_defaults)


def _aliases(tree: ast.Module) -> dict[str, ast.expr]:
    """Return what module-level names such as `Payload = dict[str, Any]` stand for."""
    found: dict[str, ast.expr] = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            found[node.targets[0].id] = node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found[node.target.id] = node.value
    return found


def _imports(tree: ast.Module) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return frozenset(found)


def _callee(
    node: ast.FunctionDef, module: str, aliases: Mapping[str, ast.expr], imports: frozenset[str]
) -> Callee:
    parameter = [*node.args.posonlyargs, *node.args.args][0]
    writes, passes_on = _writes(node, parameter.arg)
    told = f"{module} {node.name} {ast.get_docstring(node) or ''}"
    return Callee(
        module=module,
        name=node.name,
        takes=_type(parameter.annotation, aliases),
        returns=_type(node.returns, aliases),
        reads=_reads(node, parameter.arg),
        writes=writes,
        passes_on=passes_on,
        words=frozenset(word.lower() for word in _WORD.findall(told)),
        imports=imports,
    )


def _type(annotation: ast.expr | None, aliases: Mapping[str, ast.expr], depth: int = 3) -> str:
    """Return an annotation as text, the module's own aliases put in, without quotes and `typing.`."""
    if annotation is None:
        return ""
    if isinstance(annotation, ast.Name) and annotation.id in aliases and depth:
        return _type(aliases[annotation.id], aliases, depth - 1)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return _type(_parsed(annotation.value), aliases, depth - 1) if depth else ""
    text = ast.unparse(annotation).replace("typing.", "").replace(" ", "")
    return text.replace("Dict[", "dict[").replace("List[", "list[")


def _parsed(text: str) -> ast.expr | None:
    try:
        return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _reads(node: ast.FunctionDef, name: str) -> frozenset[str]:
    """Return the constant keys that the function reads by `payload["key"]`; `.get` asks only."""
    return frozenset(
        each.slice.value
        for each in ast.walk(node)
        if isinstance(each, ast.Subscript)
        and isinstance(each.ctx, ast.Load)
        and isinstance(each.value, ast.Name)
        and each.value.id == name
        and isinstance(each.slice, ast.Constant)
        and isinstance(each.slice.value, str)
    )


def _writes(node: ast.FunctionDef, name: str) -> tuple[frozenset[str] | None, bool]:
    """Return the keys of the mapping that every `return` spells out, and whether the payload is spread in."""
    returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
    keys: set[str] = set()
    passes_on = bool(returned)
    for value in returned:
        if isinstance(value, ast.Name) and value.id == name:
            continue
        if not isinstance(value, ast.Dict):
            return None, False
        plain = [key.value for key in value.keys if isinstance(key, ast.Constant)]
        keys.update(key for key in plain if isinstance(key, str))
        passes_on &= _spreads(value, name)
    return (frozenset(keys) if returned else None), passes_on


def _spreads(value: ast.Dict, name: str) -> bool:
    pairs = zip(value.keys, value.values, strict=True)
    return any(key is None and isinstance(each, ast.Name) and each.id == name for key, each in pairs)


def matches(found: Iterable[Callee], flows: Iterable[Flow]) -> list[Match]:
    """Return the best place in each of the best workflows, at most `TOP`, none under `MIN_SCORE`.

    The best first; equal scores in the order of names, so that a repeated call says the same.
    """
    functions = list(found)
    best: list[Match] = []
    for flow in flows:
        here = [match for function in functions for match in _places(function, flow)]
        if here:
            best.append(max(here, key=lambda match: (match.score, -match.position, match.function)))
    good = [match for match in best if match.score >= MIN_SCORE]
    return sorted(good, key=lambda match: (-match.score, match.workflow))[:TOP]


def _places(function: Callee, flow: Flow) -> list[Match]:
    """Return every place after the first step where the function fits."""
    if not function.takes or not function.returns or any(s.step == function.step for s in flow.steps):
        return []
    places = []
    for position in range(1, len(flow.steps) + 1):
        before = flow.steps[position - 1]
        after = flow.steps[position] if position < len(flow.steps) else None
        known = keys_after(flow.steps[:position])
        if fits(function, before, after, known):
            places.append(_match(function, flow, position, known))
    return places


def keys_after(steps: Sequence[Callee]) -> frozenset[str] | None:
    """Return the keys that the payload has after these steps; None when that isn't known."""
    keys: frozenset[str] | None = None
    for step in steps:
        if step.writes is None:
            keys = None
        elif step.passes_on:
            keys = None if keys is None else keys | step.writes
        else:
            keys = step.writes
    return keys


def fits(function: Callee, before: Callee, after: Callee | None, known: frozenset[str] | None) -> bool:
    """Tell whether declared types agree on both sides and no key is missing."""
    if function.takes != before.returns or (known is not None and not function.reads <= known):
        return False
    return after is None or (function.returns == after.takes and _hands_on(function, after.reads, known))


def _hands_on(function: Callee, wanted: frozenset[str], known: frozenset[str] | None) -> bool:
    """Tell whether the keys that are wanted after a function are there, as far as that is known."""
    if function.writes is None:
        return not wanted
    if not function.passes_on:
        return wanted <= function.writes
    return known is None or wanted <= function.writes | known


def _match(function: Callee, flow: Flow, position: int, known: frozenset[str] | None) -> Match:
    parts = {
        "keys": _share(function.reads, known),
        "imports": float(any(_related(function, step) for step in flow.steps)),
        "names": _overlap(function, flow),
    }
    before = flow.steps[position - 1]
    return Match(
        workflow=flow.name,
        step=function.step,
        function=function.name,
        position=position,
        score=round(sum(WEIGHTS[name] * part for name, part in parts.items()), 6),
        parts=parts,
        fits=f"takes {function.takes} as {before.step} returns it, returns {function.returns}",
    )


def _share(reads: frozenset[str], known: frozenset[str] | None) -> float:
    """Return the share of the keys it reads that are known to be there; 0 where nothing is known or read."""
    return len(reads & known) / len(reads) if reads and known else 0.0


def _related(function: Callee, step: Callee) -> bool:
    """Tell whether the two live in one package, or one's module imports the other's or both the same one."""
    package, other = function.module.rpartition(".")[0], step.module.rpartition(".")[0]
    same = bool(package) and package.partition(".")[0] == other.partition(".")[0]
    return same or step.module in function.imports or function.module in step.imports


def _overlap(function: Callee, flow: Flow) -> float:
    """Return the share of the function's words that the workflow also uses, reached in full by three."""
    words = frozenset(word.lower() for word in _WORD.findall(flow.name)).union(*(s.words for s in flow.steps))
    return min(1.0, len(function.words & words) / 3)
