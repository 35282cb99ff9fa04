"""Read what untrusted code hands over: one JSON document, parsed once and checked before use.

Everything that leaves a run is hostile until it went through here: no NaN or infinity, no number
that a database refuses, no depth that overflows a stack, no control or bidirectional character that
would change what a reader sees. The limits follow what PostgreSQL's `jsonb` and JavaScript's
`JSON.parse` accept, so that a document that passed can be stored and sent on without another check.
"""

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Json = Any
"""What `json.loads` can return."""

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}\Z")
"""What a metric may be called."""

MAX_METRICS: Final = 256
INTEGER_BOUND: Final = 2**63
KEY_LENGTH: Final = 128

# C0 but tab and newline, DEL, C1, Arabic letter mark, zero-width and bidirectional marks, line and
# paragraph separators, byte order mark, interlinear annotations, surrogates, non-characters.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\uffff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)
_ESCAPES = re.compile(
    r"\x1b\[[0-?]{0,64}[ -/]{0,8}[@-~]"  # control sequences: colours, cursor, screen
    r"|\x1b[\]PX^_][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)"  # strings: titles, hyperlinks
    r"|\x1b[ -/]{0,8}[0-~]"  # everything else that starts with ESC
)


class IngestError(ValueError):
    """A document from a run was refused; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestLimits:
    """How large a document may be."""

    bytes: int = 200_000
    depth: int = 24
    #: values and keys together
    nodes: int = 100_000
    text: int = 20_000


DEFAULT_LIMITS: Final = IngestLimits()


def clean_text(text: str, limit: int | None = None) -> str:
    """Return `text` without terminal escapes and characters that hide or reorder others.

    Carriage returns become newlines. With `limit`, the end is cut and marked with an ellipsis.
    """
    plain = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    plain = _UNSEEN.sub("", plain)
    return plain if limit is None or len(plain) <= limit else plain[: max(0, limit - 1)] + "…"


def clean_output(data: bytes, limit: int) -> str:
    """Return the last `limit` characters of a program's output, cleaned for showing."""
    text = clean_text(data.decode("utf-8", "replace"))
    return text if len(text) <= limit else "…" + text[-(limit - 1) :]


def read_result(data: bytes, limits: IngestLimits = DEFAULT_LIMITS) -> Json:
    """Parse and check one JSON document of an untrusted program.

    Returns plain dicts, lists, strings (cleaned), finite floats, integers below 2^63, booleans, None.

    Raises:
        IngestError: too large, too deep, not JSON, NaN or infinite, a key twice, …
    """
    if len(data) > limits.bytes:
        raise IngestError(f"result of {len(data)} bytes is over the limit of {limits.bytes}")
    return _checked(_parsed(data), limits)


def read_metrics(value: Json) -> dict[str, float]:
    """Return a mapping of metric name to finite number, refusing every other shape.

    Entries that are None mean "not measured" and are left out.
    """
    if not isinstance(value, Mapping) or len(value) > MAX_METRICS:
        raise IngestError(f"metrics must be a mapping of at most {MAX_METRICS} names")
    return {name: metric(name, number) for name, number in value.items() if number is not None}


def metric(name: Json, number: Json) -> float:
    """Return `number` as a float when both it and the metric's name are acceptable."""
    if not isinstance(name, str) or not NAME.match(name):
        raise IngestError(f"metric name {clean_text(repr(name), 80)} must match [a-z][a-z0-9_]{{0,63}}")
    if (
        isinstance(number, bool)
        or not isinstance(number, int | float)
        or not abs(number) <= sys.float_info.max
    ):
        raise IngestError(f"metric {name} must be a finite number")
    return float(number)


def _parsed(data: bytes) -> Json:
    """Run the JSON parser with every hook that refuses what JSON itself doesn't know."""
    try:
        return json.loads(
            data.decode("utf-8", "strict"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_once,
        )
    except IngestError:
        raise
    except RecursionError:
        raise IngestError("result is nested too deeply") from None
    except ValueError as error:
        raise IngestError(f"result is not JSON: {clean_text(str(error), 120)}") from None


def _refuse_constant(name: str) -> Json:
    raise IngestError(f"result holds {name}, which is no number")


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise IngestError("result holds a number too large for a float")
    return number


def _bounded(literal: str) -> int:
    if len(literal) > 20 or abs(number := int(literal)) >= INTEGER_BOUND:
        raise IngestError("result holds an integer of more than 63 bits")
    return number


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """Build an object, refusing a key that stands twice: readers disagree on which one counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise IngestError("result holds a key twice in one object")
    return found


def _checked(document: Json, limits: IngestLimits) -> Json:
    """Return a cleaned copy; the recursion is as deep as `limits.depth` at most."""
    counter = [limits.nodes]

    def visit(value: Json, depth: int) -> Json:
        counter[0] -= 1
        if counter[0] < 0:
            raise IngestError(f"result holds more than {limits.nodes} values")
        if depth > limits.depth:
            raise IngestError(f"result is nested deeper than {limits.depth}")
        if isinstance(value, str):
            return _text(value, limits)
        if isinstance(value, list):
            return [visit(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {_key(key): visit(item, depth + 1) for key, item in value.items()}
        return value

    return visit(document, 0)


def _text(value: str, limits: IngestLimits) -> str:
    if len(value) > limits.text:
        raise IngestError(f"result holds a text of more than {limits.text} characters")
    return clean_text(value)


def _key(key: str) -> str:
    if not key or len(key) > KEY_LENGTH or key != clean_text(key) or "\n" in key:
        raise IngestError(f"result holds the key {clean_text(repr(key), 80)}")
    return key
