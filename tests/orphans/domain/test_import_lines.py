"""Imports in single lines of a diff."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.import_lines import LONGEST_LINE, imported, names_of, removed_import

few = settings(max_examples=60, deadline=None)
words = st.sampled_from(["a", "b_c", "pkg", "deep", "x1"])
dotted = st.lists(words, min_size=1, max_size=3).map(".".join)


def found(line: str, importer: str = "pkg/sub/mod.py") -> set[str]:
    return set(imported(line, importer))


@few
@given(st.lists(dotted, min_size=1, max_size=3), st.integers(0, 8))
def test_plain_imports_are_those_of_the_parser(names: list[str], indent: int) -> None:
    line = "import " + ", ".join(names)
    (statement,) = ast.parse(line).body
    assert isinstance(statement, ast.Import)
    assert found(" " * indent + line + "  # and why") == {alias.name for alias in statement.names}


@few
@given(dotted, st.lists(words, min_size=1, max_size=3), st.booleans())
def test_imports_from_name_the_module_and_what_is_taken(base: str, names: list[str], bracketed: bool) -> None:
    listed = ", ".join(names)
    line = f"from {base} import ({listed})" if bracketed else f"from {base} import {listed}"
    assert found(line) == {base, *(f"{base}.{name}" for name in names)}


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("from . import a", {"pkg.sub", "pkg.sub.a"}),
        ("from .x import a as b", {"pkg.sub.x", "pkg.sub.x.a"}),
        ("from ..y import (", {"pkg.y"}),
        ("from a import *", {"a"}),
        ("import a.b as c, d", {"a.b", "d"}),
        ("# import a", set()),
        ("important = 1", set()),
        ("x = 'import a'", set()),
        ("", set()),
        ("import a" + " " * LONGEST_LINE, set()),
    ],
)
def test_lines(line: str, names: set[str]) -> None:
    assert found(line) == names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("utils.py", {"utils"}),
        ("src/pkg/mod.py", {"src.pkg.mod", "pkg.mod"}),
        ("pkg/__init__.py", {"pkg"}),
        ("a/b/__init__.py", {"a.b"}),
        ("__init__.py", {"__init__"}),
    ],
)
def test_names_of_a_file(path: str, names: set[str]) -> None:
    assert names_of(path) == names


def diff(*lines: str) -> str:
    return "\n".join(("--- a/app.py", "+++ b/app.py", "@@ -1 +1 @@", *lines))


OLD = names_of("pkg/old.py")


@pytest.mark.parametrize(
    ("lines", "instead"),
    [
        (("-from pkg.old import run", "+from pkg.new import run"), ("pkg.new",)),
        (("-import pkg.old", "+import pkg.new"), ("pkg.new",)),
        (("-import pkg.old",), ()),
        (("-from pkg.old import run", "+from x.a import run", "+from x.b import other"), ("x.a",)),
        (("-import pkg.old", "+import one", "+import two"), ()),
        (("-import other",), None),
        (("+import pkg.old",), None),
        (("-import pkg.old", "+import pkg.old"), None),
        ((" import pkg.old",), None),
        (("-from pkg import old", "+from pkg import new"), ("pkg.new",)),
    ],
)
def test_what_took_the_place_of_a_removed_import(
    lines: tuple[str, ...], instead: tuple[str, ...] | None
) -> None:
    assert removed_import(diff(*lines), "app.py", OLD) == instead


def test_what_another_hunk_imports_took_no_place() -> None:
    text = diff("-import pkg.old") + "\n@@ -9 +9 @@\n+import elsewhere"
    assert removed_import(text, "app.py", OLD) == ()


def test_the_head_of_a_diff_is_no_line_of_it() -> None:
    assert removed_import("--- import pkg.old\n+++ import pkg.new", "app.py", OLD) is None


@few
@given(st.text(max_size=200))
def test_any_text_is_no_removed_import(text: str) -> None:
    assert removed_import(text, "app.py", frozenset({"nobody.imports.this"})) is None
