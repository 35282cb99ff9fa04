"""Reads parameters of an address one by one, and says what is wrong with each."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Protocol, Self, TypeVar
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from engines.domain.errors import InvalidInput
from engines.models.engine import NAME

MAX_TEXT = 100
MAX_CHOICES = 50
Value = TypeVar("Value")
Rows = TypeVar("Rows", bound=QuerySet[Any])


class Parameters(Protocol):
    """What Django's `QueryDict` offers and this module needs."""

    def getlist(self, key: str) -> list[str]:
        """Return every value of a parameter."""


def written(value: object) -> str:
    """Return a parameter's value as it stands in an address."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


class ListFilter:
    """Which rows a list shows: a dataclass of its address's parameters, which can be written as one again.

    `errors` names each parameter that was refused; those filter nothing.
    """

    parameters: ClassVar[tuple[str, ...]]

    state: tuple[str, ...]
    engine: tuple[str, ...]
    errors: Mapping[str, str]

    @classmethod
    def parse(cls, params: Parameters) -> Self:
        """Return the filter of a query string."""
        raise NotImplementedError

    @property
    def active(self) -> bool:
        """Whether anything is filtered beyond what the list is."""
        return self != type(self)()

    @property
    def states(self) -> tuple[str, ...]:
        """The states that pass; empty: all."""
        return self.state

    def apply(self, rows: Rows) -> Rows:
        """Return the rows that pass."""
        return self.in_states(self.apart_from_state(rows))

    def in_states(self, rows: Rows) -> Rows:
        """Return the rows whose state passes."""
        return rows.filter(state__in=self.states) if self.states else rows

    def apart_from_state(self, rows: Rows) -> Rows:
        """Return the rows that pass whatever their state."""
        return rows.filter(*self._checks())

    def _checks(self) -> Iterable[Q]:
        raise NotImplementedError

    def query(self, **more: str) -> str:
        """Return the filter as a query string, with further parameters; empty ones are left out."""
        pairs = [(name, written(getattr(self, name))) for name in self.parameters] + list(more.items())
        return urlencode([(name, value) for name, value in pairs if value])

    def without(self, *names: str) -> Self:
        """Return the filter without some of its parameters."""
        kept = {name: getattr(self, name) for name in self.parameters if name not in names}
        return type(self)(**kept)


class Reader:
    """Reads parameters one by one and remembers what was wrong with each."""

    def __init__(self, params: Parameters) -> None:
        self.params = params
        self.errors: dict[str, str] = {}
        self.seen: set[str] = set()

    def many(self, name: str) -> tuple[str, ...]:
        """Return every value, of repeated parameters and of lists with commas."""
        found = [part for value in self.params.getlist(name) for part in value.split(",") if part]
        if found:
            self.seen.add(name)
        return tuple(dict.fromkeys(found))

    def words(self, name: str, known: list[str]) -> tuple[str, ...]:
        """Return values that all are known words."""
        found = self.many(name)
        if set(found) <= set(known):
            return found
        self.errors[name] = f"known: {', '.join(known)}"
        return ()

    def names(self, name: str) -> tuple[str, ...]:
        """Return names of engines."""
        found = self.many(name)
        if len(found) <= MAX_CHOICES and all(re.fullmatch(NAME, part) for part in found):
            return found
        self.errors[name] = f"up to {MAX_CHOICES} names of engines"
        return ()

    def one(self, name: str, parse: Callable[[str], Value], default: Value) -> Value:
        """Return the last value as `parse` reads it."""
        texts = [text.strip() for text in self.params.getlist(name) if text.strip()]
        if not texts:
            return default
        self.seen.add(name)
        try:
            return parse(texts[-1])
        except (InvalidInput, ValueError) as error:
            self.errors[name] = str(error) if isinstance(error, InvalidInput) else "this can't be read"
            return default

    def contradictions(self) -> dict[str, str]:
        """Return what was wrong, and which parameters exclude each other."""
        if "range" in self.seen and self.seen & {"since", "until"}:
            self.errors.setdefault("range", "either range, or since and until")
        return self.errors


def moment(text: str) -> datetime:
    """Return a moment; a day means its first instant, and without a zone the viewer's is meant."""
    day = parse_date(text)
    # a + that was not escaped arrives as a blank
    escaped = re.sub(r"(T\S+) (\d\d:?\d\d)$", r"\1+\2", text)
    found = datetime(day.year, day.month, day.day) if day else parse_datetime(escaped)
    if found is None or not 1970 <= found.year <= 9000:
        raise InvalidInput("a day (2026-01-31) or a time (2026-01-31T12:00:00Z) from 1970 to 9000")
    return timezone.make_aware(found) if timezone.is_naive(found) else found


def number(text: str) -> float:
    """Return a finite number."""
    value = float(text)
    if not math.isfinite(value):
        raise InvalidInput("a finite number")
    return value


def text(given: str) -> str:
    """Return a short printable text."""
    if len(given) > MAX_TEXT or not given.isprintable():
        raise InvalidInput(f"up to {MAX_TEXT} printable characters")
    return given
