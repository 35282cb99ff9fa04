"""Which test files belong to a module: by their name, else by what they import. Nothing is imported here."""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from orphans.domain.states import TestOrigin

MAX_TESTS: Final = 20
TEST_FOLDERS: Final = frozenset({"test", "tests"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Tests:
    """The test files of one module and how they were found."""

    __test__ = False  # no test class of pytest's

    origin: TestOrigin
    files: tuple[str, ...] = ()


def is_test_file(path: str) -> bool:
    """Tell whether pytest would look into the file by its name."""
    name = PurePosixPath(path).name
    return (name.startswith("test_") and name.endswith(".py")) or name.endswith("_test.py")


def module_name(path: str, import_paths: Iterable[str] = (".",)) -> str:
    """Return the dotted name under which the file is imported; empty when no import can name it.

    The longest of the import paths that holds the file counts.

    >>> module_name("src/pkg/a.py", (".", "src"))
    'pkg.a'
    """
    file = PurePosixPath(path)
    roots = sorted((PurePosixPath(root) for root in import_paths), key=lambda root: -len(root.parts))
    inside = next((file.relative_to(root) for root in roots if file.is_relative_to(root)), file)
    parts = list(inside.with_suffix("").parts)
    if parts and parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) if parts and all(part.isidentifier() for part in parts) else ""


def imported_names(source: str) -> frozenset[str]:
    """Return every dotted name that a file imports, absolutely; none when it is no Python 3."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def tests_of(path: str, names: Iterable[str], imports: Mapping[str, frozenset[str]]) -> Tests:
    """Return the tests of the module at `path`, whose dotted names are `names`.

    `imports` holds each test file's imports. A file called after the module counts when it imports the
    module, or when it imports no other module of that last name: so two `common.py` keep their own tests.
    """
    dotted = {name for name in names if name}
    stem = PurePosixPath(path).stem
    called = {f"test_{stem}.py", f"{stem}_test.py"}
    named = [
        test
        for test, found in imports.items()
        if PurePosixPath(test).name in called and not _means_another(found, dotted, stem)
    ]
    nearest = [test for test in named if imports[test] & dotted] or _beside(path, named)
    if nearest:
        return Tests(origin=TestOrigin.CONVENTION, files=_first(nearest))
    importing = [test for test, found in imports.items() if found & dotted]
    if importing:
        return Tests(origin=TestOrigin.IMPORTS, files=_first(importing))
    return Tests(origin=TestOrigin.GENERATED)


def _means_another(found: frozenset[str], dotted: set[str], stem: str) -> bool:
    """Tell whether a test imports another module of the same last name, and not this one."""
    return not found & dotted and any(name == stem or name.endswith(f".{stem}") for name in found)


def _beside(path: str, tests: list[str]) -> list[str]:
    """Keep the tests that lie with the module: same folder, or the same folders below a test folder."""
    folders = _folders(path)
    return [test for test in tests if _folders(test) == folders]


def _folders(path: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(path).parent.parts if part not in (*TEST_FOLDERS, "src"))


def _first(tests: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(tests)[:MAX_TESTS])
