"""Whether a file can contain a module at all, by its words: it keeps most of a shortlist from being parsed.

Every test here follows from what `redundancy.Overlap.is_copy` asks, with bounds in place of counts: a name
that both have is among the words of both, and an outermost definition begins a line.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from orphans.domain.fingerprints import COMMON, Fingerprint
from orphans.domain.late import late

_ONLY_WORDS: Final = bytes(
    byte if byte >= 128 or chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(256)
)
_WORD: Final = late(r"\w+")
_DEFINITION: Final = late(rb"\n(?:async +)?(?:def|class) +(\w+)")
_ATTRIBUTE: Final = late(rb"\.(?=[A-Za-z_])(\w+)")
_ALIKE, _SOME, _MANY = 0.5, 0.5, 8
"""A little below what `redundancy` asks of definitions, of names, and of their number without definitions."""
_COMMON: Final = frozenset(name.encode() for name in COMMON)
_CERTAIN: Final = 0.5
"""Of the words behind a dot, so many are names of code at least; the rest is prose."""


class Glance(NamedTuple):
    """What a file's bytes tell about its fingerprint."""

    words: frozenset[bytes]
    #: names of functions and classes that begin a line
    definitions: frozenset[bytes]
    #: a lower bound of its number of names
    names: int

    @classmethod
    def at(cls, source: str | bytes) -> Self:
        """Look at a file."""
        data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
        made = frozenset(_DEFINITION.findall(b"\n" + data))
        attributes = set(_ATTRIBUTE.findall(data)) - _COMMON
        return cls(frozenset(data.translate(_ONLY_WORDS).split()), made, int(len(attributes) * _CERTAIN))

    def may_hold(self, words: frozenset[bytes], other: Self) -> bool:
        """Tell whether the file is worth a parse of another one, of which only words and looks are known."""
        shared = len(words & self.words)
        shorter = min(len(words), self.names)
        fewest = min(len(other.definitions), len(self.definitions))
        if len(other.definitions & self.definitions) < _ALIKE * fewest:
            return shared >= max(_MANY, _ALIKE * shorter)
        return shared >= _SOME * shorter

    def shared_names(self, module: Fingerprint) -> int:
        """Return how many of the module's names the file may have at most."""
        return sum(self._has(_WORD.findall(name)) for name in module.names)

    def _has(self, words: Iterable[str]) -> bool:
        return all(word.encode("utf-8", "surrogatepass") in self.words for word in words)

    def shared_definitions(self, module: Fingerprint) -> float | None:
        """Return the share of the definitions, of the shorter list, that both have; None without any."""
        mine = {name.encode("utf-8", "surrogatepass") for name in module.definitions}
        shorter = min(len(mine), len(self.definitions))
        return len(mine & self.definitions) / shorter if shorter else None
