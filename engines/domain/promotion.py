"""Promotions: their states, which moves are allowed, and how evidence is frozen.

Evidence is kept as canonical JSON, so that the same evidence always has the same bytes and the same SHA-256,
before and after a trip through the database. Whoever decides names that hash.
"""

import hashlib
import json
import math
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from engines.domain.results import Json


class Kind(StrEnum):
    """What a promotion would make live."""

    MODEL = "model"
    WORKFLOW = "workflow"


class PromotionState(StrEnum):
    """Where a promotion stands."""

    #: the gate says "promote"; a person decides
    WAITING = "waiting"
    #: the gate says "hold": evidence is missing or thin
    HELD = "held"
    #: the gate says "block": nobody can approve it
    BLOCKED = "blocked"
    #: somebody approved it; a worker applies it next
    APPROVED = "approved"
    #: a worker is at it
    APPLYING = "applying"
    APPLIED = "applied"
    REJECTED = "rejected"
    #: a newer candidate, or newer evidence on the same one, took its place
    SUPERSEDED = "superseded"
    #: its evidence is about a world that is gone: another commit, another champion, too old
    STALE = "stale"
    #: it was approved and could not be applied; nothing was changed
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"


OPEN: Final = (PromotionState.WAITING, PromotionState.HELD, PromotionState.BLOCKED)
"""States in which a promotion is before people."""

UNDER_WAY: Final = (PromotionState.APPROVED, PromotionState.APPLYING)
"""States from which a worker moves it on."""

ALIVE: Final = (*OPEN, *UNDER_WAY, PromotionState.APPLIED)
"""States of which a candidate can have one promotion at most."""

VERDICT_STATE: Final[Mapping[str, PromotionState]] = {
    "promote": PromotionState.WAITING,
    "hold": PromotionState.HELD,
    "block": PromotionState.BLOCKED,
}
"""The state that a promotion begins in, by the gate's verdict."""

_GONE: Final = frozenset({PromotionState.REJECTED, PromotionState.SUPERSEDED, PromotionState.STALE})

MOVES: Final[Mapping[PromotionState, frozenset[PromotionState]]] = {
    PromotionState.WAITING: _GONE | {PromotionState.APPROVED},
    PromotionState.HELD: _GONE | {PromotionState.APPROVED},
    PromotionState.BLOCKED: _GONE,
    PromotionState.APPROVED: _GONE | {PromotionState.APPLYING, PromotionState.FAILED},
    PromotionState.APPLYING: frozenset(
        {
            PromotionState.APPLYING,
            PromotionState.APPLIED,
            PromotionState.FAILED,
            PromotionState.STALE,
        }
    ),
    PromotionState.APPLIED: frozenset({PromotionState.ROLLED_BACK}),
    **dict.fromkeys((*_GONE, PromotionState.FAILED, PromotionState.ROLLED_BACK), frozenset()),
}
"""Allowed moves. What came to an end never comes back: fresh evidence makes a new promotion."""


def may_move(state: str, to: PromotionState) -> bool:
    """Tell whether a promotion in `state` may go to `to`."""
    return to in MOVES[PromotionState(state)]


def plain(value: Any) -> Json:
    """Return the value as JSON that PostgreSQL gives back unchanged.

    Whole numbers become integers (jsonb doesn't keep 1.0 apart from 1, nor -0.0 from 0), numbers that are
    none become None ("not measured"), texts lose what the database can't keep.
    """
    if isinstance(value, Mapping):
        return {_text(str(key)): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(each) for each in value]
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return _number(value)
    return _text(str(value))


def _number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() else value


def _text(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def canonical(value: Any) -> str:
    """Return the one text of a value: sorted keys, no spaces, no number that isn't one."""
    return json.dumps(
        plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical JSON, as 64 hexadecimal digits."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def changes(before: Mapping[str, Json], after: Mapping[str, Json], path: str = "") -> list[dict[str, Json]]:
    """Return what differs between two live states: dotted path, value before and value after."""
    found: list[dict[str, Json]] = []
    for key in sorted({*before, *after}):
        old, new, name = before.get(key), after.get(key), f"{path}{key}"
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += changes(old, new, f"{name}.")
        elif canonical(old) != canonical(new):
            found.append({"path": name, "before": plain(old), "after": plain(new)})
    return found
