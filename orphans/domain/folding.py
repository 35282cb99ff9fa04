"""Constant folding of the expressions that name a module or a folder at run time.

`f"{__package__}.{kind}"` folds to a pattern, the literal pieces with holes between them;
`Path(__file__).parent / "plugins"` folds to a folder. What isn't known is a hole, never a guess.
Nothing is executed.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeAlias

from orphans.domain.late import late

Piece: TypeAlias = str | None
"""Literal text, or None for a hole."""
Pieces: TypeAlias = tuple[Piece, ...]

Named: TypeAlias = Mapping[str, Pieces]

HOLE: Final[Pieces] = (None,)
_PERCENT: Final = late(r"%(?:\((\w+)\))?s")
_BRACES: Final = late(r"\{(\w*)\}")
DEPTH: Final = 8
PATH_CALLS: Final = {
    "abspath", "realpath", "normpath", "str", "Path", "PurePath", "fspath", "resolve", "absolute",
    "expanduser", "list",
}  # fmt: skip

ROOTED: Final = late(r"(?:root|package|module)\w*_(?:path|dir|directory|folder)$")
"""Functions that return the folder of the package they are given by name."""


class Place(NamedTuple):
    """A folder or file: by path from the root of the checkout, or by the module whose folder it is."""

    path: str | None = None
    module: str | None = None
    #: text of a literal path that is relative to nobody knows what
    loose: bool = False
    #: somewhere below the path, because its end isn't known
    below: bool = False


class Scope(NamedTuple):
    """What names mean in one file."""

    path: str
    #: dotted name of the module itself, and of its package
    name: str
    package: str
    #: names assigned exactly once, to what
    values: Mapping[str, ast.expr]
    #: names that imports bind, to the dotted name they stand for (relative ones with their dots)
    imported: Mapping[str, str]


def tail_of(node: ast.expr) -> str:
    """Return the last word of `a.b.c`, or of a call of it."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    return tail_of(node.func) if isinstance(node, ast.Call) else ""


def fold(node: ast.expr | None, scope: Scope, depth: int = 0) -> Pieces:
    """Return the text that an expression makes, with holes for what isn't known."""
    if node is None or depth > DEPTH:
        return HOLE
    if isinstance(node, ast.Constant):
        return (node.value,) if isinstance(node.value, str) else HOLE
    if isinstance(node, ast.JoinedStr):
        return _joined([_formatted(each, scope, depth) for each in node.values])
    if isinstance(node, ast.BinOp):
        return _operation(node, scope, depth)
    if isinstance(node, ast.Name):
        return _named(node.id, scope, depth)
    if isinstance(node, ast.Call):
        return _called(node, scope, depth)
    return _other(node, scope, depth)


def alternatives(node: ast.expr | None, scope: Scope) -> list[ast.expr | None]:
    """Return the expressions that one with conditions may come to, through a name assigned once."""
    found: list[ast.expr | None] = []
    todo = [(node, 0)]
    while todo:
        each, depth = todo.pop()
        inner = scope.values.get(each.id) if isinstance(each, ast.Name) else each
        if isinstance(inner, ast.IfExp) and depth < DEPTH:
            todo += [(inner.orelse, depth + 1), (inner.body, depth + 1)]
        elif isinstance(inner, ast.BoolOp) and depth < DEPTH:
            todo += [(value, depth + 1) for value in reversed(inner.values)]
        else:
            found.append(each)
    return found


def _formatted(node: ast.expr, scope: Scope, depth: int) -> Pieces:
    if not isinstance(node, ast.FormattedValue):
        return fold(node, scope, depth + 1)
    changed = node.conversion not in (-1, ord("s")) or node.format_spec is not None
    return HOLE if changed else fold(node.value, scope, depth + 1)


def _operation(node: ast.BinOp, scope: Scope, depth: int) -> Pieces:
    if isinstance(node.op, ast.Add):
        return _joined([fold(node.left, scope, depth + 1), fold(node.right, scope, depth + 1)])
    if isinstance(node.op, ast.Mod):
        filled = node.right.elts if isinstance(node.right, ast.Tuple) else [node.right]
        values = [fold(each, scope, depth + 1) for each in filled]
        return _filled(
            fold(node.left, scope, depth + 1), _PERCENT, values, _entries(node.right, scope, depth)
        )
    return HOLE


def _filled(template: Pieces, mark: re.Pattern[str], values: Sequence[Pieces], named: Named) -> Pieces:
    """Return a one-piece template with its plain marks replaced by the values, by name or in order."""
    if len(template) != 1 or template[0] is None:
        return HOLE
    filled: list[Pieces] = []
    for at, part in enumerate(_split(mark, template[0])):
        if at % 2:
            number = int(part) if part.isdigit() else at // 2
            known = values[number] if number < len(values) and not part.isidentifier() else HOLE
            filled.append(named.get(part, known))
        elif any(other in part for other in "%{"):
            return HOLE  # a width, a conversion in it: not known here
        else:
            filled.append((part,))
    return _joined(filled)


def _split(mark: re.Pattern[str], text: str) -> list[str]:
    """Return text, name of a mark, text and so on; a mark without a name has an empty one."""
    return [each or "" for each in mark.split(text)]


def _entries(node: ast.expr, scope: Scope, depth: int) -> Named:
    """Return the entries of a literal dictionary by key."""
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {
        key.value: fold(value, scope, depth + 1)
        for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)
    }  # fmt: skip


def _replaced(pieces: Pieces, old: Pieces, new: Pieces) -> Pieces:
    """Return the pieces after `str.replace`; what holes hold is as unknown as before."""
    if len(old) != 1 or len(new) != 1 or not old[0] or new[0] is None:
        return pieces if None in pieces else HOLE
    return _joined([(each if each is None else each.replace(old[0], new[0]),) for each in pieces])


def _named(name: str, scope: Scope, depth: int) -> Pieces:
    if name == "__name__":
        return (scope.name,)
    if name == "__package__":
        return (scope.package,)
    value = scope.values.get(name)
    return fold(value, scope, depth + 1) if value is not None else HOLE


def _called(node: ast.Call, scope: Scope, depth: int) -> Pieces:
    if not isinstance(node.func, ast.Attribute):
        return fold(node.args[0], scope, depth + 1) if tail_of(node.func) == "str" and node.args else HOLE
    values = [fold(each, scope, depth + 1) for each in node.args]
    if node.func.attr == "format":
        named = {each.arg: fold(each.value, scope, depth + 1) for each in node.keywords if each.arg}
        return _filled(fold(node.func.value, scope, depth + 1), _BRACES, values, named)
    if node.func.attr == "replace" and len(values) == 2:
        return _replaced(fold(node.func.value, scope, depth + 1), *values)
    if node.func.attr == "join" and node.args and isinstance(node.args[0], ast.List | ast.Tuple):
        between = fold(node.func.value, scope, depth + 1)
        words = [fold(each, scope, depth + 1) for each in node.args[0].elts]
        return _joined([piece for word in words for piece in (between, word)][1:])
    return HOLE


def _other(node: ast.expr, scope: Scope, depth: int) -> Pieces:
    """Fold `__spec__.parent`, `x.__module__`, `pkg.__name__` and `__name__.rpartition(".")[0]`."""
    if isinstance(node, ast.Attribute):
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if owner == "__spec__":
            return (scope.package,)
        if node.attr == "__module__":
            return (scope.name,)
        if node.attr == "__name__" and owner in scope.imported:
            return (scope.imported[owner],)
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Call):
        parts = node.value.func
        owner_text = fold(parts.value, scope, depth + 1) if isinstance(parts, ast.Attribute) else HOLE
        first = isinstance(node.slice, ast.Constant) and node.slice.value == 0
        if first and tail_of(parts) in {"rpartition", "rsplit"} and owner_text == (scope.name,):
            return (scope.name.rpartition(".")[0],)
    return HOLE


def _joined(found: Sequence[Pieces]) -> Pieces:
    """Return all pieces in a row, neighbouring literals and neighbouring holes made one."""
    row: list[Piece] = []
    for piece in (piece for pieces in found for piece in pieces):
        if piece == "" or (row and piece is None and row[-1] is None):
            continue
        if row and piece is not None and row[-1] is not None:
            row[-1] += piece
        else:
            row.append(piece)
    return tuple(row) or ("",)


def place_of(node: ast.expr | None, scope: Scope, depth: int = 0) -> Place | None:
    """Return the folder or file that an expression names, or None when that isn't known."""
    if node is None or depth > DEPTH:
        return None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return Place(path=node.value, loose=True)
    if isinstance(node, ast.List | ast.Tuple) and node.elts:
        return place_of(node.elts[0], scope, depth + 1)
    if isinstance(node, ast.Name):
        return _named_place(node.id, scope, depth)
    if isinstance(node, ast.Attribute):
        return _attribute_place(node, scope, depth)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div | ast.Add):
        return _below(place_of(node.left, scope, depth + 1), fold(node.right, scope, depth + 1))
    if isinstance(node, ast.Subscript):
        return _subscript_place(node, scope, depth)
    return _called_place(node, scope, depth) if isinstance(node, ast.Call) else None


def _named_place(name: str, scope: Scope, depth: int) -> Place | None:
    if name == "__file__":
        return Place(path=scope.path)
    if name == "__path__":
        return Place(path=_up(scope.path))
    value = scope.values.get(name)
    return place_of(value, scope, depth + 1) if value is not None else None


def _attribute_place(node: ast.Attribute, scope: Scope, depth: int) -> Place | None:
    if node.attr in {"__path__", "__file__", "submodule_search_locations"}:
        return _module_place(node.value, scope, depth)
    inner = place_of(node.value, scope, depth + 1)
    if node.attr == "parent" and inner is not None and inner.path is not None and not inner.loose:
        return Place(path=_up(inner.path))
    return inner if node.attr in {"parents", "path"} else None


def _module_place(node: ast.expr, scope: Scope, depth: int) -> Place | None:
    if isinstance(node, ast.Call) and node.args:
        pieces = fold(node.args[0], scope, depth + 1)
        return Place(module=pieces[0]) if len(pieces) == 1 and pieces[0] else None
    if isinstance(node, ast.Name) and node.id in scope.imported:
        return Place(module=scope.imported[node.id])
    if isinstance(node, ast.Attribute):
        words = ast.unparse(node).split(".")
        first = scope.imported.get(words[0])
        return Place(module=".".join([first, *words[1:]])) if first and words[0].isidentifier() else None
    return None


def _subscript_place(node: ast.Subscript, scope: Scope, depth: int) -> Place | None:
    inner = place_of(node.value, scope, depth + 1)
    is_parents = isinstance(node.value, ast.Attribute) and node.value.attr == "parents"
    if not is_parents or inner is None or inner.path is None:
        return inner
    count = node.slice.value if isinstance(node.slice, ast.Constant) else 0
    path = inner.path
    for _ in range(count + 1 if isinstance(count, int) and 0 <= count < 20 else 1):
        path = _up(path)
    return Place(path=path)


def _called_place(node: ast.Call, scope: Scope, depth: int) -> Place | None:
    name = tail_of(node.func)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    if name == "dirname" and node.args:
        inner = place_of(node.args[0], scope, depth + 1)
        return Place(path=_up(inner.path)) if inner and inner.path is not None and not inner.loose else inner
    if name == "join" and node.args:
        return _below(
            place_of(node.args[0], scope, depth + 1),
            *(fold(each, scope, depth + 1) for each in node.args[1:]),
        )
    if name == "joinpath" and owner is not None:
        return _below(
            place_of(owner, scope, depth + 1), *(fold(each, scope, depth + 1) for each in node.args)
        )
    if name in PATH_CALLS:
        return place_of(node.args[0] if node.args else owner, scope, depth + 1)
    if (name in {"files", "contents"} or ROOTED.search(name)) and node.args:
        return _module_place(node, scope, depth)
    return None


def _below(place: Place | None, *words: Pieces) -> Place | None:
    """Return a place below another; a hole ends the path there."""
    if place is None or place.path is None:
        return place
    path = place.path
    for pieces in words:
        if pieces[0] is None:
            break
        path = _normal(f"{path}/{pieces[0]}")
        if len(pieces) > 1:
            break
    return Place(path=path, loose=place.loose, below=place.below or _is_open(words))


def _is_open(words: Sequence[Pieces]) -> bool:
    return any(None in pieces for pieces in words)


def _normal(path: str) -> str:
    parts: list[str] = []
    for each in path.split("/"):
        if each == "..":
            parts = parts[:-1]
        elif each not in ("", "."):
            parts.append(each)
    return "/".join(parts)


def _up(path: str) -> str:
    return path.rpartition("/")[0]


def absolute(package: str, pieces: Pieces) -> Pieces:
    """Return relative pieces as absolute ones."""
    first = pieces[0]
    if first is None:
        return (f"{package}.", *pieces)
    if not first.startswith("."):
        return pieces
    level = len(first) - len(first.lstrip("."))
    words = package.split(".")
    base = ".".join(words[: len(words) - level + 1])
    return (f"{base}.{first[level:]}", *pieces[1:])
