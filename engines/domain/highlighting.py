"""Python source as lines of coloured pieces. Nothing is executed, and what can't be read stays plain text."""

import builtins
import io
import keyword
import token
import tokenize
from collections.abc import Iterator
from typing import Final, NamedTuple

from engines.domain.unseen import visible

MAX_CHARS: Final = 256 * 1024
MAX_LINES: Final = 6_000
MAX_LINE: Final = 2_000
"""Longer lines are data, not code that anybody reads."""

BUILTINS: Final = frozenset(name for name in dir(builtins) if not name.startswith("_"))
KINDS: Final = {token.STRING: "str", token.NUMBER: "num", token.COMMENT: "com"}
NAMERS: Final = frozenset({"def", "class"})


class Piece(NamedTuple):
    """Some characters of a line; `kind` is one of kw, def, bi, str, num, com, dec or empty."""

    kind: str
    text: str


class Source(NamedTuple):
    """The lines of a file, from number 1, and whether they are not all."""

    lines: list[list[Piece]]
    cut: bool


class _Mark(NamedTuple):
    """A coloured stretch inside one line: first and last column, from 0."""

    begin: int
    end: int
    kind: str


def highlighted(source: str) -> Source:
    """Return the lines of a source, each as pieces that together are the whole line, nothing unseen in it.

    Over 256 Ki characters, 6,000 lines or 2,000 characters a line the rest is left out and `cut` says so.
    """
    lines = source[:MAX_CHARS].split("\n")
    text = [line[:MAX_LINE] for line in lines[:MAX_LINES]]
    cut = len(source) > MAX_CHARS or len(lines) > MAX_LINES or text != lines[:MAX_LINES]
    if text and not text[-1] and not cut:
        text.pop()
    marks = _marks(text)
    return Source([_pieces(line, marks.get(number, [])) for number, line in enumerate(text, start=1)], cut)


def _marks(lines: list[str]) -> dict[int, list[_Mark]]:
    """Return what to colour on each line, as far as Python's own tokenizer gets."""
    found: dict[int, list[_Mark]] = {}
    for kind, (row, column), (last_row, last_column) in _coloured(lines):
        for number in range(row, min(last_row, len(lines)) + 1):
            begin = column if number == row else 0
            end = last_column if number == last_row else len(lines[number - 1])
            found.setdefault(number, []).append(_Mark(begin, end, kind))
    return found


def _coloured(lines: list[str]) -> Iterator[tuple[str, tuple[int, int], tuple[int, int]]]:
    reader = io.StringIO("\n".join(lines) + "\n").readline
    before, starts = "", True
    try:
        for each in tokenize.generate_tokens(reader):
            kind = _kind(each, before, starts=starts)
            if kind:
                yield kind, each.start, each.end
            if each.type not in (token.COMMENT, tokenize.NL):
                starts = each.type in (token.NEWLINE, token.INDENT, token.DEDENT)
                before = each.string if each.type in (token.NAME, token.OP) else ""
    except (tokenize.TokenError, SyntaxError, RecursionError):
        return  # the rest of a file that is no Python stays plain


def _kind(each: tokenize.TokenInfo, before: str, *, starts: bool) -> str:
    if each.type == token.OP:
        return "dec" if starts and each.string == "@" else ""
    if each.type != token.NAME:
        return KINDS.get(each.type, "")
    if before in NAMERS:
        return "def"
    if keyword.iskeyword(each.string):
        return "kw"
    return "bi" if each.string in BUILTINS and before != "." else ""


def _pieces(line: str, marks: list[_Mark]) -> list[Piece]:
    """Return a line cut at its marks; what lies between them has no kind."""
    pieces, at = [], 0
    for begin, end, kind in marks:
        if begin > at:
            pieces.append(Piece("", visible(line[at:begin])))
        if end > max(begin, at):
            pieces.append(Piece(kind, visible(line[max(begin, at) : end])))
            at = end
    return [*pieces, Piece("", visible(line[at:]))] if at < len(line) else pieces
