"""Two Python sources side by side, lines paired by their shape, so that a renamed copy shows as one.

Nothing is executed; what can't be read as Python is compared as plain text.
"""

import difflib
import keyword
import re
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from engines.domain.highlighting import Piece, highlighted

MAX_LINES: Final = 3_000
"""Of either source: pairing costs the product of their lengths at worst."""
MAX_ROWS: Final = 1_500
CONTEXT: Final = 3
"""Equal lines that stay around what differs."""

NAME: Final = re.compile(r"[^\W\d]\w*")
SPACE: Final = re.compile(r"\s+")


class Row(NamedTuple):
    """One row of the comparison.

    `kind`: same, renamed (of one shape, other names or blanks), left, right (only there), or gap, which
    stands for `hidden` equal rows. `left` and `right` are line numbers from 1 with the pieces of the line.
    """

    kind: str
    left: tuple[int, list[Piece]] | None = None
    right: tuple[int, list[Piece]] | None = None
    hidden: int = 0


class Comparison(NamedTuple):
    """The rows, how many there are of each kind in all, and whether some are left out."""

    rows: list[Row]
    counts: dict[str, int]
    cut: bool


def compared(left: str, right: str) -> Comparison:
    """Return two sources side by side: what differs, with three equal lines around it.

    Over 3,000 lines of a source or 1,500 rows the rest is left out and `cut` says so.
    """
    sides = [highlighted(text) for text in (left, right)]
    lines = [side.lines[:MAX_LINES] for side in sides]
    cut = any(side.cut or len(side.lines) > MAX_LINES for side in sides)
    found = list(_paired(*lines))
    counts = {kind: sum(row.kind == kind for row in found) for kind in ("same", "renamed", "left", "right")}
    shown = list(_folded(found))
    return Comparison(shown[:MAX_ROWS], counts, cut or len(shown) > MAX_ROWS)


def shape(line: str) -> str:
    """Return a line with every name that is no keyword made the same, and blanks made one."""
    names = NAME.sub(lambda found: found[0] if keyword.iskeyword(found[0]) else "n", line)
    return SPACE.sub(" ", names).strip()


def _paired(left: Sequence[list[Piece]], right: Sequence[list[Piece]]) -> Iterator[Row]:
    texts = [["".join(piece.text for piece in line) for line in side] for side in (left, right)]
    shapes = [[shape(line) for line in side] for side in texts]
    matcher = difflib.SequenceMatcher(None, shapes[0], shapes[1])
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            for a, b in zip(range(i, i_end), range(j, j_end), strict=True):
                kind = "same" if texts[0][a] == texts[1][b] else "renamed"
                yield Row(kind, (a + 1, left[a]), (b + 1, right[b]))
            continue
        yield from (Row("left", left=(a + 1, left[a])) for a in range(i, i_end))
        yield from (Row("right", right=(b + 1, right[b])) for b in range(j, j_end))


def _folded(rows: Sequence[Row]) -> Iterator[Row]:
    """Put a gap where more equal rows stand than are of use."""
    differing = [place for place, row in enumerate(rows) if row.kind != "same"]
    near = {place + step for place in differing for step in range(-CONTEXT, CONTEXT + 1)}
    hidden = 0
    for place, row in enumerate(rows):
        if place in near:
            if hidden:
                yield Row("gap", hidden=hidden)
            hidden = 0
            yield row
        else:
            hidden += 1
    if hidden:
        yield Row("gap", hidden=hidden)
