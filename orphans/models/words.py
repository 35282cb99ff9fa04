"""Lengths and choices that the rows share."""

from enum import StrEnum
from typing import Final

SUBJECT_CHARS: Final = 128
PATH_CHARS: Final = 1024
SOURCE_CHARS: Final = 64
WORDS_CHARS: Final = 500


def choices(words: type[StrEnum]) -> list[tuple[str, str]]:
    """Return the choices of an enumeration of words."""
    return [(word.value, word.value.replace("_", " ")) for word in words]
