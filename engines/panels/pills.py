"""Counts of a list's rows by state, as the pills above it show them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from engines.domain.wording import word

Panel = dict[str, Any]

PILL_CAP = 1_000


def pills(
    rows: QuerySet[Any],
    groups: Mapping[str, Sequence[str]],
    chosen: tuple[str, ...] = (),
    said: Callable[[str], str] = word,
) -> list[Panel]:
    """Return each group of states with the number of its rows, counted no further than 1,000.

    Args:
        rows: what the other filters let through.
        groups: parameter of the address → the states it stands for, in one statement for all; the empty
            parameter is what the list shows when nothing is chosen, a group without states is not counted.
        chosen: the parameters that are chosen.
        said: what a pill says of its parameter.
    """
    counted = [name for name, states in groups.items() if states]
    numbers = capped_counts([rows.filter(state__in=groups[name]) for name in counted])
    found: dict[str, int | None] = {**dict.fromkeys(groups), **dict(zip(counted, numbers, strict=True))}
    return [_pill(name, said(name), count, chosen) for name, count in found.items()]


def _pill(name: str, said: str, count: int | None, chosen: tuple[str, ...]) -> Panel:
    more = "+" if count is not None and count > PILL_CAP else ""
    return {
        "state": name,
        "word": said,
        "count": "" if count is None else f"{min(count, PILL_CAP):,}{more}",
        "number": count or 0,
        "chosen": name in chosen if name else not chosen,
    }


def matching(found: Sequence[Panel]) -> str:
    """Return how many rows match, from the pills that are chosen; from those of all states if none counts."""
    counted = [pill for pill in found if pill["chosen"] and pill["count"]]
    counted = counted or [pill for pill in found if pill["state"] and pill["count"]]
    total = sum(min(pill["number"], PILL_CAP) for pill in counted)
    return f"{total:,}" + ("+" if any(pill["count"].endswith("+") for pill in counted) else "")


def capped_counts(querysets: Sequence[QuerySet[Any]]) -> list[int]:
    """Return the sizes of several querysets up to the cap: one statement of many small counts."""
    parts = [_count_of(queryset.order_by().values("id")[: PILL_CAP + 1]) for queryset in querysets]
    statement = ", ".join(part for part, _ in parts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {statement}", [value for _, values in parts for value in values])
        return [int(found) for found in cursor.fetchone()]


def _count_of(queryset: Any) -> tuple[str, tuple[Any, ...]]:
    """Return an expression that counts the rows of a queryset, compiled by Django, and its parameters."""
    try:
        statement, values = queryset.query.sql_with_params()
    except EmptyResultSet:  # Django knows without asking that nothing matches
        return "0", ()
    return f"(SELECT count(*) FROM ({statement}) AS part)", values  # noqa: S608 # nosec B608 - see above
