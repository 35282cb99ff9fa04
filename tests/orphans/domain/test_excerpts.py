"""Definitions around a place tell what the whole file tells of it, or nothing at all."""

import pytest

from orphans.domain.detail import detail_of
from orphans.domain.excerpts import holding, loaders, quoted, told_around
from orphans.domain.told import Said

FILE = '''"""A module that mentions "pkg.one"."""
import os

TABLE = {
    "first": "pkg.one",
}


@register(
    "pkg.two",
)
def decorated():
    """Says 'pkg.one' in prose."""
    return load("pkg.one")


class Holder:
    choices = ["pkg.two"]

    apps = [
        "pkg.five",
    ]

    @override(
        APPS=["pkg.six"],
    )
    def other(self, name="pkg.seven"): ...

    @classmethod
    def method(
        cls,
    ):
        from pkg import other
        logger = getLogger(
            "pkg.three",
        )

if os.name:
    NAME = "pkg.four"
'''


def found(text: str) -> list[Said] | None:
    data = FILE.encode()
    told = told_around(data, quoted(data, text), "m.py", "m", "")
    return None if told is None else [each for each in told.strings if each.text == text]


@pytest.mark.parametrize("text", ["pkg.two", "pkg.three", "pkg.four", "pkg.five", "pkg.six", "pkg.seven"])
def test_strings_lines_and_contexts_are_those_of_the_whole_file(text: str) -> None:
    whole = detail_of(FILE.encode(), "m.py", "m", "")
    excerpt = found(text)
    assert whole is not None
    assert excerpt is not None
    expected = [(each.line, each.context) for each in whole.strings if each.text == text]
    assert [(each.line, each.context) for each in excerpt] == expected != []


@pytest.mark.parametrize(
    ("text", "lines"), [("pkg.five", [21]), ("pkg.six", [25, 27]), ("pkg.seven", [27]), ("pkg.three", [35])]
)
def test_no_more_is_parsed_than_the_definition_or_the_assignment_in_a_class(
    text: str, lines: list[int]
) -> None:
    data = FILE.encode()
    told = told_around(data, quoted(data, text), "m.py", "m", "")
    assert told is not None
    assert [each.line for each in told.strings] == lines


def test_a_place_in_a_docstring_of_the_module_has_no_answer() -> None:
    assert found("pkg.one") is None


def test_imports_keep_their_lines() -> None:
    data = FILE.encode()
    told = told_around(data, [data.index(b"pkg.three")], "m.py", "m", "")
    assert told is not None
    assert [(each.module, each.name, each.line) for each in told.imports] == [("pkg", "other", 33)]


@pytest.mark.parametrize(
    "source",
    [
        'x = 1\nelse:\n    y = "pkg.one"\n',  # no statement begins there
        'def f():\n    x = """\nclosed at the margin\n"""; y = "pkg.one"\n',
        '    y = "pkg.one"\n',
    ],
)
def test_what_cant_be_cut_out_has_no_answer(source: str) -> None:
    data = source.encode()
    assert told_around(data, quoted(data, "pkg.one"), "m.py", "m", "") is None


def test_only_whole_quoted_texts_are_places() -> None:
    assert quoted(b"""'a.b' "a.b" 'a.bc' "a.b'""", "a.b") == [0, 6]


TESTS = '''
from importlib import import_module as load_it
import os

PLAIN = "pkg.plain"


class Cases:
    def one(self):
        return [each for each in ("pkg.a", "pkg.b")]

    def two(self):
        for name in os.listdir("tests/parts"):
            load_it(f"tests.parts.{name[:-3]}")


def three():
    """Not import_module("pkg.prose")."""
    __import__("pkg.c")
'''


def test_loaders_and_their_lines_are_those_of_the_whole_file() -> None:
    whole = detail_of(TESTS.encode(), "t.py", "t", "")
    told = loaders(TESTS.encode(), "t.py", "t", "")
    assert whole is not None
    assert told is not None
    assert told.loaders == whole.loaders != []
    kept = [(each.text, each.line) for each in whole.strings if each.line in (13, 19)]
    assert [(each.text, each.line) for each in told.strings] == kept != []
    assert told.imports == whole.imports[:1]  # the others stand around no loader


def test_a_file_that_loads_nothing_has_to_be_looked_at_whole() -> None:
    assert loaders(b"import os\nx = 1\n", "t.py", "t", "") is None


def test_a_text_is_looked_for_below_the_docstring_of_the_module() -> None:
    source = b'#!/usr/bin/env python\n"""Runs tools/go.py."""\n\n\ndef go():\n    run("tools/go.py")\n'
    told = holding(source, "tools/go.py", "a.py", "a", "")
    assert told is not None
    assert [(each.text, each.line) for each in told.strings] == [("tools/go.py", 6)]
    told = holding(source[:40], "tools/go.py", "a.py", "a", "")
    assert told is not None
    assert told.strings == []
