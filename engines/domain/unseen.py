"""Characters that nobody sees, made visible: they turn text round or hide parts of it."""

import re
from typing import Any, Final

UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)
"""Controls but tab and newline, zero-width and bidirectional marks, separators, fillers, surrogates, tags."""


def visible(text: str) -> str:
    """Return the text with every unseen character as its number, such as `\\u202e`.

    >>> visible("safe.py") == "safe.py", visible("a\\u202eyp.exe")
    (True, 'a\\\\u202eyp.exe')
    """
    return UNSEEN.sub(lambda match: _number(match[0]), text)


def _number(sign: str) -> str:
    code = ord(sign)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65_536 else f"\\U{code:08x}"


def visible_data(value: Any) -> Any:
    """Return plain data with every text in it visible, keys included."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible_data(key): visible_data(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(visible_data(each) for each in value)
    return value
