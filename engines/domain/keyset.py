"""Orders and cursors of lists that are paged by key: no OFFSET, no COUNT, stable under inserts.

A cursor names one row by its sort value and id, the order it belongs to and the direction to read. It is
plain text for URLs; it carries nothing secret and is checked like any other input.
"""

import base64
import binascii
import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import TypeGuard

from engines.domain.errors import InvalidInput

Key = str | int | float | None
"""A sort value as JSON can hold it; None: the row has no value in the column."""

MAX_CURSOR = 512
MAX_ID = 2**63 - 1


@dataclass(frozen=True)
class Order:
    """One column and a direction; rows with equal values follow by id in the same direction."""

    column: str
    descending: bool

    def __str__(self) -> str:
        return f"-{self.column}" if self.descending else self.column


NEWEST = Order("id", descending=True)


@dataclass(frozen=True)
class Cursor:
    """The row next to which a page begins."""

    order: Order
    value: Key
    pk: int
    #: read towards the start of the list
    backward: bool = False


def parse_order(text: str, columns: Collection[str]) -> Order:
    """Return the order that `text` (`column` or `-column`) names.

    Raises:
        InvalidInput: the column is not one of `columns`.
    """
    column = text.removeprefix("-")
    if column not in columns:
        known = ", ".join(name for column in columns for name in (column, f"-{column}"))
        raise InvalidInput(f"can't order by this; known: {known}", field="order")
    return Order(column, text.startswith("-"))


def encode(cursor: Cursor) -> str:
    """Return the cursor as text that is safe in a URL."""
    data = [str(cursor.order), cursor.value, cursor.pk, int(cursor.backward)]
    packed = json.dumps(data, separators=(",", ":"), allow_nan=False).encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def decode(text: str, order: Order) -> Cursor:
    """Return the cursor that `text` holds.

    Raises:
        InvalidInput: it is no cursor, or one of another order.
    """
    match _unpack(text):
        case [str() as name, value, int() as pk, 0 | 1 as backward] if _is_key(value) and _is_id(pk):
            if name != str(order):
                raise InvalidInput(f"this cursor belongs to the order {name[:40]!r}", field="cursor")
            return Cursor(order, value, pk, bool(backward))
    raise InvalidInput("this is no cursor of this list; start without one", field="cursor")


def _unpack(text: str) -> object:
    if len(text) > MAX_CURSOR or not text.isascii():
        return None
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        return json.loads(packed)
    except (ValueError, binascii.Error, RecursionError):
        return None


def _is_id(value: int) -> bool:
    return not isinstance(value, bool) and 0 <= value <= MAX_ID


def _is_key(value: object) -> TypeGuard[Key]:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= sign <= "\udfff" for sign in value)
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or (isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_ID)
