"""Copies of real modules, changed in known ways, for `redundancy.py`."""

import ast
import builtins
import random
from collections.abc import Callable, Mapping
from typing import Any, Final

_KEPT: Final = frozenset(dir(builtins)) | {"self", "cls"}
_NEW_NAMES: Final = ("alpha", "beta", "gamma", "delta", "omega")
_INSERTED: Final = (
    "log.append(({a}, {b}))",
    "total = {a} + {b} * {n}",
    "if {a}:\n    count += {n}",
    "names['{a}'] = {b}.get({n})",
    "print('step {n}', {a})",
)
_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


def renamed(tree: ast.Module, rng: random.Random, definitions: bool = False) -> ast.Module:
    """Give arguments and variables of functions new names; with `definitions` functions and classes too."""
    local = _locals(tree)
    if definitions:
        made = (node.name for node in ast.walk(tree) if isinstance(node, _FUNCTIONS | ast.ClassDef))
        local |= {name for name in made if not name.startswith("__")}
    names = {
        name: f"{name[0]}_{rng.choice(_NEW_NAMES)}{i}" for i, name in enumerate(sorted(local)) if name[1:]
    }
    for node in ast.walk(tree):
        for field in ("id", "arg", *(("name", "attr") if definitions else ())):
            old = getattr(node, field, None)
            if isinstance(old, str) and not isinstance(node, ast.keyword | ast.alias):
                setattr(node, field, names.get(old, old))
    return tree


def _locals(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for function in [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]:
        found |= {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
        names = (node for node in ast.walk(function) if isinstance(node, ast.Name))
        found |= {node.id for node in names if isinstance(node.ctx, ast.Store)}
    wider = (node.names for node in ast.walk(tree) if isinstance(node, ast.Global | ast.Nonlocal))
    return found - _KEPT - {name for names in wider for name in names}


def shuffled(tree: ast.Module, rng: random.Random) -> ast.Module:
    """Put functions, methods and classes in another order."""
    for node in [each for each in ast.walk(tree) if isinstance(each, ast.Module | ast.ClassDef)]:
        places = [i for i, each in enumerate(node.body) if isinstance(each, _FUNCTIONS | ast.ClassDef)]
        parts = [node.body[i] for i in places]
        rng.shuffle(parts)
        for place, part in zip(places, parts, strict=True):
            node.body[place] = part
    return tree


def thinned(tree: ast.Module, rng: random.Random, share: float) -> ast.Module:
    """Drop a share of the statements at every level, imports aside."""
    for body, owner in _bodies(tree):
        kept = [x for x in body if isinstance(x, ast.Import | ast.ImportFrom) or rng.random() >= share]
        body[:] = kept if kept or isinstance(owner, ast.Module) else [ast.Pass()]
    return tree


def edited(tree: ast.Module, rng: random.Random, share: float) -> ast.Module:
    """Touch a share of the statements in functions: a third each dropped, altered, preceded by a new one."""
    for body, owner in _bodies(tree):
        if not isinstance(owner, ast.Module | ast.ClassDef):
            body[:] = [new for old in body for new in _edited(old, rng, share)] or [ast.Pass()]
    return tree


def _edited(old: ast.stmt, rng: random.Random, share: float) -> list[ast.stmt]:
    if rng.random() >= share:
        return [old]
    act = rng.randrange(3)
    if act == 0:
        return []
    if act == 1:
        _alter(old, rng)
        return [old]
    text = rng.choice(_INSERTED).format(a=rng.choice("pqrst"), b=rng.choice("uvwxy"), n=rng.randrange(99))
    return [*ast.parse(text).body, old]


def _alter(statement: ast.stmt, rng: random.Random) -> None:
    """Rename an attribute or give a call one more argument, whatever comes first."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Attribute):
            node.attr = f"x_{node.attr}"
            return
        if isinstance(node, ast.Call):
            node.args.append(ast.Constant(rng.randrange(9)))
            return


def _bodies(tree: ast.Module) -> list[tuple[list[ast.stmt], ast.AST]]:
    nodes = [node for node in ast.walk(tree) if isinstance(getattr(node, "body", None), list)]
    return [(node.body, node) for node in nodes]  # type: ignore[attr-defined]


def _whole(change: Callable[[ast.Module, random.Random], Any]) -> Callable[[str, random.Random], str]:
    """Return a change of text from a change of its tree."""
    return lambda source, rng: ast.unparse(change(ast.parse(source), rng))


def _mixed(change: Callable[[ast.Module, random.Random, float], ast.Module], share: float) -> Any:
    return _whole(lambda tree, rng: shuffled(renamed(change(tree, rng, share), rng), rng))


KINDS: Final[Mapping[str, Callable[[str, random.Random], str]]] = {
    "exact": lambda source, _rng: source,
    "renamed": _whole(renamed),
    "renamed, shuffled": _whole(lambda tree, rng: shuffled(renamed(tree, rng), rng)),
    "15 % dropped": _mixed(thinned, 0.15),
    "35 % dropped": _mixed(thinned, 0.35),
    "50 % dropped": _mixed(thinned, 0.5),
    "35 % edited": _mixed(edited, 0.35),
    "50 % edited": _mixed(edited, 0.5),
    "definitions renamed": _whole(lambda tree, rng: renamed(tree, rng, definitions=True)),
}
"""Kind of change -> what makes it. What is dropped or edited is renamed and shuffled too."""
