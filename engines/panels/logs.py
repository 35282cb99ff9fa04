"""The logs of a cycle's steps, line by line, with what was searched marked."""

import re
from collections.abc import Iterable
from typing import Any

from engines.domain.wording import word
from engines.models import CycleStep

Panel = dict[str, Any]
MAX_MARKS = 2_000
Parts = list[tuple[str, int]]
"""A line in pieces; a piece that matches has the number of its match, from 1, others have 0."""


def step_logs(steps: Iterable[CycleStep], text: str = "", *, only: bool = False) -> Panel:
    """Return each step's lines and how often `text` occurs; `only`: the lines that hold it, nothing else.

    Matches are found without regard to case. At most 2,000 are marked; `capped` says that there are more.
    """
    marks = _Marks(text)
    logs = [_log(step, marks, only=only and bool(text)) for step in steps if step.log]
    return {"logs": logs, "matches": marks.number, "capped": marks.more}


def _log(step: CycleStep, marks: "_Marks", *, only: bool) -> Panel:
    before = marks.number
    numbered = [
        (number, marks.parts(line)) for number, line in enumerate(step.log.splitlines() or [""], start=1)
    ]
    shown = [(number, parts) for number, parts in numbered if not only or any(hit for _, hit in parts)]
    return {
        "name": step.name,
        "state": step.state,
        "word": word(step.state),
        "lines": shown,
        "total": len(numbered),
        "matches": marks.number - before,
    }


class _Marks:
    """Numbers the matches through all logs."""

    def __init__(self, text: str) -> None:
        self.pattern = re.compile(f"({re.escape(text)})", re.IGNORECASE) if text else None
        self.number = 0
        self.more = False

    def parts(self, line: str) -> Parts:
        """Return a line in pieces; every second piece of a split by a group is a match."""
        if self.pattern is None:
            return [(line, 0)]
        left = MAX_MARKS - self.number
        pieces = self.pattern.split(line, left) if left else [line]
        self.more = self.more or self.pattern.search(pieces[-1]) is not None
        return [(piece, self._next() if place % 2 else 0) for place, piece in enumerate(pieces) if piece]

    def _next(self) -> int:
        self.number += 1
        return self.number
