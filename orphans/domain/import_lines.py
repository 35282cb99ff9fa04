"""Import statements in single lines of a diff, where there is no module to parse."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Final

_FROM: Final = re.compile(r"\s*from\s+(\.*)([\w.]*)\s+import\s+(.*)")
_IMPORT: Final = re.compile(r"\s*import\s+(.*)")
_NAME: Final = re.compile(r"[A-Za-z_][\w.]*")
LONGEST_LINE: Final = 500
"""Longer lines are no imports that somebody wrote."""


def imported(line: str, importer: str) -> Iterator[str]:
    """Yield the dotted names that one line of `importer` may import: of `from a import b` both a and a.b.

    Relative imports come out as the path from the repository's top, dotted.
    """
    if len(line) > LONGEST_LINE:
        return
    if match := _FROM.match(line):
        base = _base(len(match[1]), match[2], importer)
        if base:
            yield base
        names = match[3].partition("#")[0].strip("( \t)")
        yield from (".".join(filter(None, (base, name))) for name in _listed(names))
    elif match := _IMPORT.match(line):
        yield from _listed(match[1].partition("#")[0])


def _base(dots: int, module: str, importer: str) -> str:
    folders = PurePosixPath(importer).parts[:-dots] if dots else ()
    return ".".join(filter(None, (*folders, module)))


def _listed(names: str) -> Iterator[str]:
    for each in names.split(","):
        if match := _NAME.match(each.strip()):
            yield match[0]


def names_of(path: str) -> frozenset[str]:
    """Return the dotted names a file may be imported by, whatever folder is its source root.

    The last part alone counts for a file at the top only: a bare `utils` may be anybody's.
    """
    parts = list(PurePosixPath(path).with_suffix("").parts)
    if len(parts) > 1 and parts[-1] == "__init__":
        parts.pop()
    least = min(2, len(parts))
    return frozenset(".".join(parts[start:]) for start in range(len(parts) - least + 1))


@dataclass(slots=True)
class _Hunk:
    gone: set[str] = field(default_factory=set)
    new: set[str] = field(default_factory=set)
    #: import lines that went and came
    swaps: tuple[int, int] = (0, 0)

    def take(self, line: str, importer: str) -> None:
        names = set(imported(line[1:], importer))
        gone, new = self.swaps
        if line.startswith("-"):
            self.gone |= names
            self.swaps = gone + bool(names), new
        elif line.startswith("+"):
            self.new |= names
            self.swaps = gone, new + bool(names)


def removed_import(diff: str, importer: str, names: frozenset[str]) -> tuple[str, ...] | None:
    """Return what one file's diff imports instead of a module; None when the diff doesn't remove its import.

    Args:
        diff: the file's hunks, without context.
        importer: the file.
        names: see `names_of`.

    "Instead" are imports of things that are called the same, or else the one line that took its place.
    """
    hunks = _hunks(diff, importer)
    gone = set[str]().union(*(hunk.gone for hunk in hunks))
    new = set[str]().union(*(hunk.new for hunk in hunks)) - gone
    if not gone & names or any(hunk.new & names for hunk in hunks):
        return None
    things = {name.rpartition(".")[2] for name in gone if _within(name, names)}
    same = {name.rpartition(".")[0] for name in new if name.rpartition(".")[2] in things} - {""}
    swapped = (each.new for each in hunks if each.gone & names and each.swaps == (1, 1))
    found = same or new & set[str]().union(*swapped)
    return tuple(sorted(name for name in found if name.rpartition(".")[0] not in found))


def _within(name: str, names: frozenset[str]) -> bool:
    return name.rpartition(".")[0] in names


def _hunks(diff: str, importer: str) -> list[_Hunk]:
    hunks: list[_Hunk] = []
    for line in diff.split("\n"):
        if line.startswith("@@ "):
            hunks.append(_Hunk())
        elif hunks:
            hunks[-1].take(line, importer)
    return hunks
