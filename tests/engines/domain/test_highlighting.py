"""Source as coloured pieces: nothing is lost, nothing unseen stays, nothing takes long."""

import time
from pathlib import Path

import pytest

from engines.domain import highlighting
from engines.domain.highlighting import MAX_CHARS, MAX_LINE, MAX_LINES, highlighted

SOURCES = sorted(Path(highlighting.__file__).parent.glob("*.py"))


def kinds(source: str) -> list[tuple[str, str]]:
    return [(kind, text) for line in highlighted(source).lines for kind, text in line if kind]


def text_of(source: str) -> str:
    return "\n".join("".join(piece.text for piece in line) for line in highlighted(source).lines)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_pieces_together_are_the_whole_file(path: Path) -> None:
    source = path.read_text()
    assert text_of(source) + "\n" == source
    assert not highlighted(source).cut


def test_each_kind_is_told_apart() -> None:
    assert kinds('@cached\ndef f(x=1):  # why\n    return len("a")\n') == [
        ("dec", "@"),
        ("kw", "def"),
        ("def", "f"),
        ("num", "1"),
        ("com", "# why"),
        ("kw", "return"),
        ("bi", "len"),
        ("str", '"a"'),
    ]


def test_a_matrix_product_is_no_decorator_and_an_attribute_no_builtin() -> None:
    assert kinds("a = b @ c.len\n") == []


def test_a_text_over_lines_is_coloured_on_each() -> None:
    lines = highlighted('x = """a\n  b\n"""\ny = 2\n').lines
    assert [[piece.kind for piece in line] for line in lines] == [["", "str"], ["str"], ["str"], ["", "num"]]


@pytest.mark.parametrize(
    "source", ["print 'x'\ndef (:\n", "  bad\n indent\n", "'''", "(((", "\\", "$?\n", "\x00"]
)
def test_what_is_no_python_stays_readable(source: str) -> None:
    assert text_of(source).replace("\\x00", "\x00") == source.removesuffix("\n")


def test_unseen_characters_are_numbers() -> None:
    shown = text_of("a = 'user\u202e\u2066# admin'  # \u200b\n")
    assert shown == "a = 'user\\u202e\\u2066# admin'  # \\u200b"


def test_an_empty_file_has_no_line() -> None:
    assert highlighted("") == ([], False)


@pytest.mark.parametrize("source", ["x\n" * (MAX_LINES + 1), "x" * (MAX_LINE + 1), "#" + "y\n" * MAX_CHARS])
def test_a_large_file_is_cut_and_says_so(source: str) -> None:
    found = highlighted(source)
    assert found.cut
    assert len(found.lines) <= MAX_LINES
    assert max(sum(len(piece.text) for piece in line) for line in found.lines) <= MAX_LINE


HARD = (
    "'''" + "\n" * MAX_LINES,
    "(" * MAX_CHARS,
    "\n".join(" " * depth + "if x:" for depth in range(1_000)),
    "a\\\n" * MAX_LINES,
    ("f'{" * 600 + "\n") * 400,
    ("0x" * 900 + "\n") * 140,
)


@pytest.mark.parametrize("source", HARD, ids=range(len(HARD)))
def test_no_file_takes_long(source: str) -> None:
    began = time.process_time()
    highlighted(source)
    assert time.process_time() - began < 2.0
