"""The definitions of a file around given places, parsed alone: a fraction of the work of the whole file.

What a place stands in is looked for by indentation. Where that can't be trusted (inside of a text in triple
quotes, in a branch, in a line that goes on) there is no answer, and the whole file has to be parsed.
"""

import re
from collections.abc import Iterable
from typing import Final

from orphans.domain.detail import detail_of
from orphans.domain.told import Detail, Import, Said

LEAST: Final = 6_000
"""Bytes of a file below which an excerpt saves nothing."""
_HEADER: Final = re.compile(rb"(?:async +def|def|class) ")
_STATEMENT: Final = re.compile(rb"[A-Za-z_@]")
_BLANKS: Final = re.compile(rb"[ \t]*")
_GOES_ON: Final = (b"", b"\n", b"\r", b"#", b")", b"]", b"}")
"""First bytes of a line that ends no statement, however little it is indented."""


def quoted(data: bytes, text: str) -> list[int]:
    """Return where the text stands between quotes of one kind."""
    word = text.encode("utf-8", "surrogateescape")
    found = []
    for quote in (b'"', b"'"):
        at = data.find(quote + word + quote)
        while at >= 0:
            found.append(at)
            at = data.find(quote + word + quote, at + 1)
    return sorted(found)


def told_around(data: bytes, places: Iterable[int], path: str, name: str, package: str) -> Detail | None:
    """Return the imports and strings of the definitions around the places; None when that can't be told.

    Args:
        data: the whole file; `path`, `name` and `package` are those of `detail_of`.
        places: byte offsets.
    """
    found = Detail()
    until = -1
    for at in places:
        if at < until:
            continue
        start, until = _around(data, at)
        if start < 0:
            return None
        opening = b"if 1:\n" if data[start : start + 1] in (b" ", b"\t") else b""
        inner = detail_of(opening + data[start:until], path, name, package)
        if inner is None:
            return None
        _add(found, inner, data.count(b"\n", 0, start) - len(opening[:1]))
    return found


def _add(found: Detail, inner: Detail, lines: int) -> None:
    """Take over strings and imports with their lines in the whole file; groups of excerpts stay apart."""
    found.strings += [
        Said(each.text, each.line + lines, each.context, each.group and each.group + lines * 1000)
        for each in inner.strings
    ]
    found.imports += [Import(each.level, each.module, each.name, each.line + lines) for each in inner.imports]


def _around(data: bytes, at: int) -> tuple[int, int]:
    """Return begin and end of the smallest definition around a place, else of its top-level statement."""
    start = data.rfind(b"\n", 0, at) + 1
    own = depth = _indent(data, start)
    while not _is_header(data, start, depth, own):
        if not start:
            return -1, -1
        start = data.rfind(b"\n", 0, start - 1) + 1
        depth = _indent(data, start)
    if data.count(b'"""', 0, start) % 2 or data.count(b"'''", 0, start) % 2:
        return -1, -1
    return start, _end(data, start, depth)


def _is_header(data: bytes, start: int, depth: int, own: int) -> bool:
    if not depth:
        return _STATEMENT.match(data, start) is not None
    return depth < own and _HEADER.match(data, start + depth) is not None


def _indent(data: bytes, start: int) -> int:
    found = _BLANKS.match(data, start)
    return found.end() - start if found else 0


def _end(data: bytes, start: int, depth: int) -> int:
    """Return where the statement that begins at `start` ends: at the next line that isn't deeper."""
    decorated = data[start + depth : start + depth + 1] == b"@"
    at = data.find(b"\n", start) + 1
    while at:
        here = at + _indent(data, at)
        first = data[here : here + 1]
        if here - at <= depth and first not in _GOES_ON:
            if not decorated:
                return at
            decorated = first == b"@"
        at = data.find(b"\n", at) + 1
    return len(data)
