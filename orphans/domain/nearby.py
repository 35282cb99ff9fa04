"""Whether a quoted name in a source is plainly code, judged by the text around it.

Parsing a file costs a hundred times more, so it is done only when the surroundings leave a doubt.
"""

from typing import Final

from orphans.domain.late import late

_BEFORE: Final = 200
_DOUBT: Final = late(
    rb"(?i:logg|warn|__all__|__module__|__qualname__|cast|typevar|forwardref|newtype|print|debug|info|error|exception|message"
    rb"|reason|help|deprecat|descri|title|verbose|assert|critical|ignore|exclude|omit|epilog|summary|startswith|endswith"
    rb"|replace|strip|match|search|write|echo|split)|->|#|\w\s*:\s*$|\bdef\b|\bmsg\b"
)
"""What may make a string a message, an annotation or a comment."""


def is_plainly_code(data: bytes, text: str) -> bool:
    """Tell whether some occurrence of the quoted `text` is certainly a value in code.

    False means a doubt, not a no.
    """
    word = text.encode("utf-8", "surrogateescape")
    for quote in (b'"', b"'"):
        at = data.find(quote + word + quote)
        while at >= 0:
            if _is_plain(data, at):
                return True
            at = data.find(quote + word + quote, at + 1)
    return False


def _previous_line(before: bytes) -> int:
    """Return where the line before the one that `before` ends in begins, or the 120th byte from its end."""
    last = before.rfind(b"\n")
    return max(before.rfind(b"\n", 0, max(last, 0)) + 1, len(before) - 120)


def _is_plain(data: bytes, at: int) -> bool:
    before = data[max(0, at - _BEFORE) : at]
    line = before[before.rfind(b"\n") + 1 :]
    alone = not line.strip() and not before.rstrip().endswith((b",", b"(", b"[", b"{", b"=", b":", b"+"))
    if alone or _DOUBT.search(before[_previous_line(before) :]) is not None:
        return False
    return data.count(b'"""', 0, at) % 2 == 0 and data.count(b"'''", 0, at) % 2 == 0
