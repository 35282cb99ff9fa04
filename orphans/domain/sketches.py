"""Which files are worth parsing: a cheap look at the raw words of many files for the sake of a few modules.

One pass cuts every file into words without parsing it, hardly dearer than splitting at blanks, and keeps
those that a wanted module has too. What counts of a module are the words of its fingerprint's names, which
survive renamed variables; a word of few files counts more than one of many (inverse document frequency,
Spärck Jones, 1972).
"""

import heapq
import math
from collections.abc import Iterable, Mapping
from typing import Final

from orphans.domain.fingerprints import COMMON
from orphans.domain.late import late

LEAST_WORD: Final = 4
"""Shorter words are everywhere."""
LEAST_SCORE: Final = 0.6
"""Share of a module's rare words below which a file isn't worth a closer look."""
RARE_WORDS: Final = 64
"""So many words of a module are looked up, the rarest first."""
COMMON_FILES: Final = 1000
ENOUGH_WORDS: Final = 12
"""A word of more files than that isn't looked up when so many rarer ones are there."""
MOST_NEAR: Final = 200
"""So many files come close to one module at most."""
MAX_BYTES: Final = 4_000_000
"""Of longer files only the beginning is looked at."""

_WORD: Final = late(r"\w+")
_ONLY_WORDS: Final = bytes(
    byte if byte >= 128 or chr(byte).isalnum() or byte == ord("_") else ord(" ") for byte in range(256)
)
_NAME: Final = late(rb"(?:\.|(?:def|class) +)(\w{4,})|(\w{4,})=(?!=)")
_STRING: Final = late(rb"""["']([^"'\n]{3,60})["']""")
_IMPORT: Final = late(rb"\n[ \t]*(?:from|import) ([^\n]*)")
_COMMON_WORDS: Final = frozenset(name.encode() for name in COMMON)


def words_of(names: Iterable[str]) -> frozenset[bytes]:
    """Return the words in a fingerprint's names that are long enough to tell something."""
    found = (word for name in names for word in _WORD.findall(name) if len(word) >= LEAST_WORD)
    return frozenset(word.encode("utf-8", "surrogatepass") for word in found)


def words_in(source: str | bytes) -> frozenset[bytes]:
    """Return about the same of a source that isn't parsed, by what stands around its words."""
    data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
    data = data[:MAX_BYTES]
    found = {word for pair in _NAME.findall(data) for word in pair}
    for text in (*_STRING.findall(data), *_IMPORT.findall(data)):
        found.update(text.translate(_ONLY_WORDS).split())
    return frozenset(word for word in found if len(word) >= LEAST_WORD) - _COMMON_WORDS


class Sketches:
    """Which of the wanted words each of many files has."""

    def __init__(self, wanted: Iterable[frozenset[bytes]]) -> None:
        """Take the words of every module to look for."""
        self._wanted = frozenset[bytes]().union(*wanted)
        self._files: dict[bytes, list[str]] = {}
        self._count = 0
        self._closest: dict[frozenset[bytes], list[str]] = {}

    def add(self, path: str, source: str | bytes) -> None:
        """Look at one file."""
        data = source.encode("utf-8", "surrogatepass") if isinstance(source, str) else source
        self._count += 1
        for word in self._wanted.intersection(data[:MAX_BYTES].translate(_ONLY_WORDS).split()):
            self._files.setdefault(word, []).append(path)

    def closest(self, words: frozenset[bytes]) -> list[str]:
        """Return the files that share most of a module's rare words, best first.

        Words that no file has are left out: they tell that something was renamed, not where it came from.
        """
        if words not in self._closest:
            self._closest[words] = self._near(words)
        return self._closest[words]

    def _near(self, words: frozenset[bytes]) -> list[str]:
        known = sorted((len(self._files[word]), word) for word in words if word in self._files)[:RARE_WORDS]
        rare = [each for each in known if each[0] <= COMMON_FILES]
        known = rare if len(rare) >= ENOUGH_WORDS else known[:ENOUGH_WORDS]
        worth = {word: math.log((self._count + 1) / (files + 0.5)) + 0.1 for files, word in known}
        least = LEAST_SCORE * sum(worth.values())
        scores = self._scores(worth)
        found = [path for path in scores if scores[path] >= least]
        return heapq.nsmallest(MOST_NEAR, found, key=lambda path: (-scores[path], path))

    def _scores(self, worth: Mapping[bytes, float]) -> dict[str, float]:
        scores: dict[str, float] = {}
        for word, value in worth.items():
            for path in self._files[word]:
                scores[path] = scores.get(path, 0.0) + value
        return scores
