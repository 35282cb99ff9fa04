"""Patterns that are compiled when they are first used: a scan uses half of them, a rescan hardly any."""

import re
from typing import Any, AnyStr, cast


class _Late:
    """Stands for a pattern; each of its methods is looked up once."""

    def __init__(self, source: str | bytes, flags: int) -> None:
        self._made = source, flags

    def __getattr__(self, name: str) -> Any:
        source, flags = self._made
        found = getattr(re.compile(source, flags), name)
        setattr(self, name, found)
        return found


def late(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves as the pattern, and is compiled on first use: a mistake in it shows then.

    >>> late("a+").fullmatch("aa")
    <re.Match object; span=(0, 2), match='aa'>
    """
    return cast("re.Pattern[AnyStr]", _Late(source, flags))
