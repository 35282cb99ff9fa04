"""Which nodes of a syntax tree are worth a look: those that may hold strings, calls or imports."""

import ast
from typing import Final

_LEAVES: Final[frozenset[type]] = frozenset(
    {
        ast.Name, ast.Load, ast.Store, ast.Del, ast.Pass, ast.Break, ast.Continue, ast.arg, str, int,
        bool, type(None),
    }
)  # fmt: skip
_INNER: Final[dict[type, tuple[str, ...]]] = {}
"""Fields of each kind of node that can hold nodes worth a look."""


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    plain = {
        "ctx",
        "op",
        "ops",
        "id",
        "attr",
        "name",
        "names",
        "arg",
        "lineno",
        "type_comment",
        "annotation",
        "returns",
    }
    found = _INNER[kind] = tuple(each for each in kind._fields if each not in plain)
    return found


def children(node: ast.AST) -> list[ast.AST]:
    """Return the nodes below that may hold strings, calls or imports, the last one first."""
    kind = type(node)
    found: list[ast.AST] = []
    fields = _INNER.get(kind)
    for name in _fields(kind) if fields is None else fields:
        value = getattr(node, name, None)
        if type(value) is list:
            found += [each for each in value if type(each) not in _LEAVES]
        elif value is not None and type(value) not in _LEAVES:
            found.append(value)
    found.reverse()
    return found


def imported(tree: ast.AST) -> set[str]:
    """Return the absolute modules that the statements of a tree import, with what they take from them.

    >>> sorted(imported(ast.parse("from a.b import c")))
    ['a.b', 'a.b.c']
    """
    return {each for node in ast.walk(tree) for each in _modules(node)}


def _modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [each.name for each in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *(f"{node.module}.{each.name}" for each in node.names)]
    return []


def only_imports(tree: ast.Module) -> bool:
    """Tell whether a module has nothing of its own: imports, a docstring, the list of what it offers."""
    return all(
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__")
        for node in tree.body
    )
