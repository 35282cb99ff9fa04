"""The definitions of a file around given places, parsed alone: a fraction of the work of the whole file.

What a place stands in is looked for by indentation. Where that can't be trusted (inside of a text in triple
quotes, in a branch, in a line that goes on) there is no answer, and the whole file has to be parsed.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from orphans.domain.detail import Bound, bound_by, detail_of
from orphans.domain.late import late
from orphans.domain.told import Detail, Said

LEAST: Final = 6_000
"""Bytes of a file below which an excerpt saves nothing."""
_HEADER: Final = late(rb"(?:async +def|def|class) |@")
_ASSIGNED: Final = late(rb"[A-Za-z_]\w*(?: *:[^=\n]+)? = ")
_LOADING: Final = late(
    rb"import_module|__import__|import_(?:from_)?string|find_spec|spec_from|iter_modules|walk_packages"
    rb"|load_(?:module|extension)|odules\(|lugins\(|ackages\(|autodiscover|\.scan\(|runpy|FileLoader|azy_"
    rb"|listdir|scandir|iterdir|glob\(|\.walk\(|exec"
)
_IMPORT: Final = late(rb"^(?:import|from)[ \t][^\n\\(;]*\n", re.MULTILINE)
_DOCSTRING: Final = late(rb"\A(?:\s|#[^\n]*\n)*[rRuU]?(\"{3}|'{3}).*?\1", re.DOTALL)
_STATEMENT: Final = late(rb"[A-Za-z_@]")
_BLANKS: Final = late(rb"[ \t]*")
_NO_CODE: Final = (b"", b"\n", b"\r", b"#", b")", b"]", b"}")
"""First bytes of a line whose indentation tells nothing."""

_detail_of: Final = lru_cache(maxsize=4)(detail_of)
"""Several texts of one definition are asked for in a row."""


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


def holding(data: bytes, text: str, path: str, name: str, package: str) -> Detail | None:
    """Return what the definitions that hold a text tell, wherever it stands; None when that can't be told."""
    word = text.encode("utf-8", "surrogateescape")
    prose = _DOCSTRING.match(data)
    begin = prose.end() if prose else 0  # what the docstring of a module holds is no string of code
    places = [each.start() for each in re.finditer(re.escape(word), data[begin:])]
    return told_around(data, [begin + each for each in places], path, name, package)


def loaders(data: bytes, path: str, name: str, package: str) -> Detail | None:
    """Return what the definitions that load modules at run time tell; None when that can't be told.

    Constants outside of these definitions are not looked up: enough for tests, which load what they name.
    """
    places = [each.start() for each in _LOADING.finditer(data)]
    bound = (
        bound_by(b"".join(_IMPORT.findall(data))) if places else None
    )  # what they call goes by these names
    return told_around(data, places, path, name, package, bound) if bound is not None else None


def told_around(
    data: bytes, places: Iterable[int], path: str, name: str, package: str, bound: Bound = ()
) -> Detail | None:
    """Return what the definitions around the places tell, as far as a place matters; None: nobody knows.

    Args:
        data: the whole file; `path`, `name` and `package` are those of `detail_of`.
        places: byte offsets.
        bound: names that imports outside of the definitions bind.
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
        inner = _detail_of(opening + data[start:until], path, name, package, bound)
        if inner is None:
            return None
        _add(found, inner, data.count(b"\n", 0, start) - len(opening[:1]))
    return found


def _add(found: Detail, inner: Detail, lines: int) -> None:
    """Take over what has a line, with that in the whole file; groups stay apart."""
    found.strings += [
        Said(each.text, each.line + lines, each.context, each.group and each.group + lines * 1000)
        for each in inner.strings
    ]
    for name in ("imports", "loaders", "calls"):
        getattr(found, name).extend(each._replace(line=each.line + lines) for each in getattr(inner, name))


def _around(data: bytes, at: int) -> tuple[int, int]:
    """Return begin and end of the smallest definition around a place, else of its top-level statement.

    Of a place directly in a class it is the assignment alone, when there is one.
    """
    start = here = data.rfind(b"\n", 0, at) + 1
    depth = least = _indent(data, start)
    assigned = -1
    while not _is_header(data, start, depth, least + (start == here)):
        if assigned < 0 and depth <= least and _ASSIGNED.match(data, start + depth):
            assigned = start
        if not start:
            return -1, -1
        if data[start + depth : start + depth + 1] not in _NO_CODE:
            least = min(least, depth)
        start = data.rfind(b"\n", 0, start - 1) + 1
        depth = _indent(data, start)
    if assigned >= 0 and data.startswith(b"class ", start + depth):
        start, depth = assigned, _indent(data, assigned)
    if data.count(b'"""', 0, start) % 2 or data.count(b"'''", 0, start) % 2:
        return -1, -1
    return start, _end(data, start, depth)


def _is_header(data: bytes, start: int, depth: int, below: int) -> bool:
    if not depth:
        return _STATEMENT.match(data, start) is not None
    return depth < below and _HEADER.match(data, start + depth) is not None


def _indent(data: bytes, start: int) -> int:
    found = _BLANKS.match(data, start)
    return found.end() - start if found else 0


def _end(data: bytes, start: int, depth: int) -> int:
    """Return where the statement that begins at `start` ends: at the next line that isn't deeper."""
    decorated = data.startswith(b"@", start + depth)
    following = re.compile(rb"\n(?=[ \t]{0,%d}+[^ \t\n\r#)\]}])" % depth)
    for each in following.finditer(data, start):
        at = each.end()
        if not decorated:
            return at
        decorated = data.startswith(b"@", at + _indent(data, at))
    return len(data)
