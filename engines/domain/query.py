"""The small language of a list's search box: `state:failed roi>0.5 engine:alpha last:7d "some text"`.

Terms are turned into the list's ordinary parameters, so that what was typed ends up in the address, where
pills, exports and the API read the same. A term that can't be read is told, never dropped in silence.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

WORDS: Mapping[str, str] = {
    "state": "state",
    "is": "state",
    "engine": "engine",
    "bot": "engine",
    "trigger": "trigger",
    "last": "range",
    "range": "range",
    "since": "since",
    "until": "until",
}
"""Fields that take words or times, and the parameter each becomes."""

NUMBERS: Mapping[str, str] = {"roi": "roi"}
"""Fields that are compared with a number, and the beginning of their two parameters (`_min`, `_max`)."""

LISTS = frozenset({"state", "engine", "trigger"})
"""Parameters that hold several words: a second term of one adds to the first."""

SIZES = (25, 50, 100, 200)
"""Rows that a page of a list may have."""


EXAMPLE = "state:failed roi>0.5 engine:alpha last:7d"
TERM = re.compile(r'([A-Za-z_]+)(:|>=|<=|>|<|=)("[^"]*"|\S+)|"([^"]*)"|(\S+)')


@dataclass(frozen=True)
class Asked:
    """What was typed: parameters by name, the rest as free text, and what could not be read."""

    params: Mapping[str, str] = field(default_factory=dict)
    text: str = ""
    errors: tuple[str, ...] = ()

    @property
    def has_terms(self) -> bool:
        """Whether there is anything besides free text."""
        return bool(self.params or self.errors)


def usual_key(page: str) -> str:
    """Return where a session keeps the query of the view that a person wants a list to open with."""
    return f"usual_{page}"


def parse(typed: str) -> Asked:
    """Return what a search box says; never raises."""
    params: dict[str, str] = {}
    rest: list[str] = []
    errors: list[str] = []
    for match in TERM.finditer(typed):
        name, operator, value, quoted, plain = match.groups()
        if name is None:
            rest.append(plain if quoted is None else quoted)
            continue
        try:
            for key, text in _term(name.lower(), operator, value.strip('"')).items():
                params[key] = f"{params[key]},{text}" if key in params and key in LISTS else text
        except ValueError as error:
            errors.append(str(error))
    return Asked(params, " ".join(part for part in rest if part), tuple(errors))


def _term(name: str, operator: str, value: str) -> dict[str, str]:
    if name in NUMBERS:
        return _bound(name, operator, value)
    if name not in WORDS:
        known = ", ".join(dict.fromkeys((*WORDS.values(), *NUMBERS)))
        raise ValueError(f"{name[:40]!r} is no field ({known}); text that holds a {operator} goes in quotes")
    if operator not in (":", "="):
        raise ValueError(f"{name} takes {name}:value, not {operator}")
    return {WORDS[name]: value}


def _bound(name: str, operator: str, value: str) -> dict[str, str]:
    """Return the bounds that a comparison sets; a strict one means the next number there is."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{name} is compared with a number, not {value[:40]!r}")
    stem = NUMBERS[name]
    match operator:
        case ">":
            return {f"{stem}_min": repr(math.nextafter(number, math.inf))}
        case "<":
            return {f"{stem}_max": repr(math.nextafter(number, -math.inf))}
        case ">=":
            return {f"{stem}_min": repr(number)}
        case "<=":
            return {f"{stem}_max": repr(number)}
    return {f"{stem}_min": repr(number), f"{stem}_max": repr(number)}


def said_bound(value: float, *, lower: bool) -> str:
    """Return a bound as a person would write it: `> 10`, not `≥ 10.000000000000002`."""
    before = math.nextafter(value, -math.inf if lower else math.inf)
    strict = len(repr(before)) < len(repr(value))
    sign = (">" if strict else "≥") if lower else ("<" if strict else "≤")
    return f"{sign} {(before if strict else value) + 0.0:.12g}"
