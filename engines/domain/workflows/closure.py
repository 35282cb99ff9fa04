"""What a workflow is made of: the modules of the repository that its steps import, directly or not."""

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

MOST: Final = 300
"""More modules are not followed; the closure says that it isn't whole then."""


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one module of the repository."""

    text: str
    is_package: bool = False


Find = Callable[[str], Source | None]
"""Dotted name → the module's source; None for what isn't of the repository."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Modules by their dotted names."""

    modules: frozenset[str]
    #: whether all of them were followed
    whole: bool


def closure(starts: Iterable[str], find: Find, *, most: int = MOST) -> Closure:
    """Return the modules of `starts` with all that they import from the repository.

    A package counts where something is imported from its own file, not for merely lying on the way.
    """
    found: set[str] = set()
    waiting = sorted(set(starts), reverse=True)
    while waiting:
        name = waiting.pop()
        source = None if name in found else find(name)
        if source is None:
            continue
        if len(found) == most:
            return Closure(frozenset(found), whole=False)
        found.add(name)
        waiting += sorted(_followed(source, name, find) - found, reverse=True)
    return Closure(frozenset(found), whole=True)


def _followed(source: Source, name: str, find: Find) -> set[str]:
    """Return the modules that a file imports: of `from a import b` the module a.b if there is one, else a."""
    followed = set()
    for base, member in imports(source, name):
        whole = f"{base}.{member}" if member else base
        if whole == name or find(whole) is not None:
            followed.add(whole)
        elif member:
            followed.add(base)
    return followed - {name}


def imports(source: Source, name: str) -> Iterator[tuple[str, str]]:
    """Yield what a module imports as base and member (empty for `import a.b`), relative names made absolute.

    Nothing comes from a text that is no Python 3.
    """
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(node, name, is_package=source.is_package)
            yield from ((base, alias.name) for alias in node.names if base)


def _base(node: ast.ImportFrom, name: str, *, is_package: bool) -> str:
    """Return the absolute name behind `from`; empty when the dots lead out of the top."""
    if not node.level:
        return node.module or ""
    parts = name.split(".")
    kept = len(parts) - node.level + is_package
    return ".".join([*parts[:kept], *([node.module] if node.module else [])]) if kept > 0 else ""
