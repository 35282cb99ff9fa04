"""What a module's source looks like when names of variables, layout and order don't count.

A fingerprint has two independent halves. *Shapes* are hashes of single statements: the syntax tree of each,
with variables and constants reduced to their kind while attributes, imported names and builtins are kept.
Nothing of a statement's surroundings is in its hash, so a function that moved, or a neighbour that was
dropped, changes nothing (bags of tokens, Sajnani et al., SourcererCC, ICSE 2016, with statements for
tokens). *Names* are the words that survive copying: definitions, attributes, keywords, short strings,
imports. Siblings built after one pattern share shapes but not names; modules about one subject share names
but not shapes.

All of it takes time linear in the source. Nothing is executed.
"""

import ast
import builtins
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

MAX_CHARACTERS: Final = 500_000
"""Longer sources are data, not code to compare."""
SHORTEST_STRING, LONGEST_STRING = 3, 60
"""Shorter strings are glue, longer ones are prose."""
VERSION: Final = 1
"""Raise it whenever the same source gets another fingerprint; caches keep it in their key."""

_TRIVIAL: Final = 2
_HEAVIEST: Final = 24
_BUILTINS: Final = frozenset(dir(builtins))
COMMON: Final = _BUILTINS.union(
    *(dir(kind) for kind in (str, bytes, list, dict, set, tuple, int, float, object)),
    ("self", "cls", "__name__", "__main__", "__all__", "__call__", "__enter__", "__exit__", "__post_init__"),
)
"""Names that every module may have, and that tell nothing."""
_LEFT_OUT: Final = frozenset({"ctx", "annotation", "returns", "type_comment", "type_params", "kind"})
_INNER: Final = ("body", "handlers", "orelse", "finalbody", "cases")
_DEFINITIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_FIELDS: Final[dict[type[ast.AST], tuple[str, ...]]] = {}


class Fingerprint(NamedTuple):
    """The shapes and names of one module."""

    #: hash of a statement's shape -> its weight, the number of syntax nodes it has beyond the trivial
    shapes: Mapping[int, int]
    #: definitions, attributes, keywords, short strings and imports
    names: frozenset[str]
    #: those of functions and classes that stand outside of all others
    definitions: frozenset[str] = frozenset()

    @property
    def weight(self) -> int:
        """Return the weight of all shapes together: how much there is to compare."""
        return sum(self.shapes.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON, the same for equal fingerprints."""
        return {
            "shapes": sorted(self.shapes.items()),
            "names": sorted(self.names),
            "definitions": sorted(self.definitions),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return what `to_json` wrote.

        Raises:
            KeyError, TypeError, ValueError: the data is something else.
        """
        shapes = {int(shape): int(weight) for shape, weight in data["shapes"]}
        names, definitions = (frozenset(str(x) for x in data[key]) for key in ("names", "definitions"))
        return cls(shapes, names, definitions)


def parsed(source: str | bytes) -> ast.Module | None:
    """Return the syntax tree of `source`; None when it is too long, too deep or no Python 3."""
    if len(source) > MAX_CHARACTERS:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def fingerprint(source: str | bytes) -> Fingerprint | None:
    """Return the fingerprint of a module; None when it can't be parsed (see `parsed`)."""
    tree = parsed(source)
    return None if tree is None else fingerprint_of(tree)


def fingerprint_of(tree: ast.Module) -> Fingerprint:
    """Return the fingerprint of a parsed module."""
    reader = _Reader()
    statements = [each for each in _statements(tree) if not reader.has_imported(each[0])]
    shapes: dict[int, int] = {}
    for statement, outside in statements:
        words = reader.shape(statement, outside)
        if len(words) > _TRIVIAL:
            shape = zlib.crc32("\0".join(words).encode("utf-8", "surrogatepass"))
            shapes[shape] = min(len(words) - _TRIVIAL, _HEAVIEST)
    made = (each.name for each in tree.body if isinstance(each, _DEFINITIONS))
    return Fingerprint(shapes, frozenset(reader.names), frozenset(made))


def _statements(tree: ast.Module) -> Iterator[tuple[ast.stmt, bool]]:
    """Yield every statement but docstrings, and whether it is outside of functions."""
    stack: list[tuple[Any, bool]] = [(tree, True)]
    while stack:
        node, outside = stack.pop()
        if isinstance(node, ast.stmt) and not _is_docstring(node):
            yield node, outside
        inside = outside and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for field in _INNER:
            inner = getattr(node, field, None)
            if isinstance(inner, list):
                stack.extend((each, inside) for each in inner)


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _fields(kind: type[ast.AST]) -> tuple[str, ...]:
    found = _FIELDS.get(kind)
    if found is None:
        found = _FIELDS[kind] = tuple(field for field in kind._fields if field not in _LEFT_OUT)
    return found


class _Reader:
    """Turns the statements of one module into shapes and collects its names on the way."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self._known = set(_BUILTINS)

    def has_imported(self, statement: ast.stmt) -> bool:
        """Take note of an import; False when the statement is none."""
        if isinstance(statement, ast.Import):
            prefix = ""
        elif isinstance(statement, ast.ImportFrom):
            prefix = f"{statement.module or ''}."
        else:
            return False
        for alias in statement.names:
            self.names.add(f"{prefix}{alias.name}".rpartition(".")[2])
            self.names.add(prefix or alias.name)
            self._known.add(alias.asname or alias.name.partition(".")[0])
        return True

    def shape(self, statement: ast.stmt, outside: bool) -> list[str]:
        """Return the words of one statement's shape, without the statements inside it."""
        words: list[str] = []
        stack: list[Any] = [statement]
        while stack:
            node = stack.pop()
            kind = type(node)
            read = _WORDS.get(kind)
            words.append(read(self, node, outside) if read else kind.__name__)
            for field in _fields(kind):
                value = getattr(node, field)
                if isinstance(value, ast.AST):
                    stack.append(value)
                elif isinstance(value, list):
                    stack.extend(x for x in value if isinstance(x, ast.AST) and not isinstance(x, ast.stmt))
        return words

    def _named(self, name: str) -> None:
        if name not in COMMON:
            self.names.add(name)

    def definition(self, node: Any, outside: bool) -> str:
        """Read `def` and `class`."""
        self._named(node.name)
        return "class" if isinstance(node, ast.ClassDef) else "def"

    def attribute(self, node: Any, outside: bool) -> str:
        """Read `.name`."""
        self._named(node.attr)
        return f".{node.attr}"

    def keyword(self, node: Any, outside: bool) -> str:
        """Read `name=` of a call."""
        if node.arg:
            self._named(node.arg)
        return f"{node.arg}="

    def constant(self, node: Any, outside: bool) -> str:
        """Read a literal; only its type counts for the shape."""
        value = node.value
        if isinstance(value, str) and SHORTEST_STRING <= len(value) <= LONGEST_STRING:
            self.names.add(value)
        return type(value).__name__

    def variable(self, node: Any, outside: bool) -> str:
        """Read a variable; outside of functions what is assigned is a name of the module."""
        if outside and isinstance(node.ctx, ast.Store):
            self._named(node.id)
        return f"={node.id}" if node.id in self._known else "N"


_WORDS: Final[Mapping[type[ast.AST], Any]] = {
    ast.FunctionDef: _Reader.definition,
    ast.AsyncFunctionDef: _Reader.definition,
    ast.ClassDef: _Reader.definition,
    ast.Attribute: _Reader.attribute,
    ast.keyword: _Reader.keyword,
    ast.Constant: _Reader.constant,
    ast.Name: _Reader.variable,
}
