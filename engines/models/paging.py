"""Keyset pages of querysets: the same cost on the first and on the last page of a million rows.

Rows without a value in the order's column come last in both directions. PostgreSQL can't read that order off
one index, so such a list is read as two stretches (rows with a value, rows without), each in index order.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan

from engines.domain.errors import InvalidInput
from engines.domain.keyset import Cursor, Key, Order, decode, encode

Row = TypeVar("Row")
Rows = models.QuerySet[Any, Any]
CAP = 10_000
MAX_SIZE = 200


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list in its order, and the cursors of the pages beside them (None: there is none)."""

    rows: list[Row]
    next: str | None
    previous: str | None


class Count(NamedTuple):
    """How many rows there are; `capped`: at least so many."""

    number: int
    capped: bool

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.capped else f"{self.number:,}"


def capped_count(queryset: Rows, cap: int = CAP) -> Count:
    """Return the number of rows, counting no further than `cap`."""
    number = queryset.order_by()[: cap + 1].count()
    return Count(min(number, cap), number > cap)


def page(queryset: Rows, *, order: Order, cursor: str = "", size: int = 50) -> Page[Any]:
    """Return one page of model instances, or of dicts when the queryset is a `.values()` one.

    A `.values()` queryset must hold `id` and the order's column. `size` is cut to 1..200.

    Raises:
        InvalidInput: the cursor is not one of this list.
    """
    at = decode(cursor, order) if cursor else None
    size = max(1, min(size, MAX_SIZE))
    backward = at is not None and at.backward
    rows: list[Any] = []
    for stretch in _stretches(queryset, order, at):
        rows += stretch[: size + 1 - len(rows)]
        if len(rows) > size:
            break
    more = len(rows) > size
    rows = rows[:size]
    if backward:
        rows.reverse()
    return Page(
        rows,
        next=_cursor_at(rows, -1, order) if (more or backward) else None,
        previous=_cursor_at(rows, 0, order) if (more if backward else at is not None) else None,
    )


def _cursor_at(rows: list[Any], index: int, order: Order) -> str | None:
    if not rows:
        return None
    row = rows[index]
    value, pk = (
        (row[order.column], row["id"]) if isinstance(row, dict) else (getattr(row, order.column), row.pk)
    )
    key: Key = value.isoformat() if isinstance(value, datetime) else value
    return encode(Cursor(order, key, pk, backward=index == 0))


def _stretches(queryset: Rows, order: Order, at: Cursor | None) -> Iterator[Rows]:
    """Yield the parts of the list from the cursor on, in reading direction, each sliceable by itself."""
    field = queryset.model._meta.get_field(order.column)
    backward = at is not None and at.backward
    descending = order.descending != backward
    sign = "-" if descending else ""
    columns = dict.fromkeys((order.column, "id"))
    ordered = queryset.order_by(*(f"{sign}{column}" for column in columns))
    if not getattr(field, "null", False):
        yield ordered if at is None else _beyond(ordered, field, at, descending)
        return
    present = ordered.filter(**{f"{order.column}__isnull": False})
    absent = ordered.filter(**{f"{order.column}__isnull": True})
    parts = [absent, present] if backward else [present, absent]
    if at is None:
        yield from parts
        return
    here = parts.index(absent if at.value is None else present)
    yield _beyond(parts[here], field, at, descending)
    yield from parts[here + 1 :]


def _beyond(queryset: Rows, field: Any, at: Cursor, descending: bool) -> Rows:
    """Keep the rows after the cursor in reading direction."""
    word = "lt" if descending else "gt"
    if at.order.column == "id" or (at.value is None and field.null):
        return queryset.filter(**{f"id__{word}": at.pk})
    compare = TupleLessThan if descending else TupleGreaterThan
    return queryset.filter(compare(Tuple(F(at.order.column), F("id")), (_typed(field, at.value), at.pk)))


def _typed(field: Any, value: Key) -> Any:
    """Return a cursor's value as the column's type."""
    refusal = InvalidInput("this is no cursor of this list; start without one", field="cursor")
    try:
        if value is None:
            raise refusal
        if isinstance(field, models.DateTimeField):
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
            if moment is None or moment.tzinfo is None:
                raise refusal
            return moment
        return field.to_python(value)
    except (ValueError, ValidationError):
        raise refusal from None
