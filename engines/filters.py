"""Filters of lists: the same URL parameters for pages, exports and the API."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, Self, TypeVar
from urllib.parse import urlencode

from django.db.models import Q
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from engines.domain.errors import InvalidInput
from engines.domain.keyset import MAX_ID
from engines.domain.states import CycleState, Trigger
from engines.models import CycleQuerySet, Engine
from engines.models.engine import NAME
from engines.models.search import has_words

RANGES: Mapping[str, timedelta] = {
    "15m": timedelta(minutes=15),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
CYCLE_ORDERS = ("id", "created_at", "roi_delta", "duration")
ENGINE_ORDERS = ("name", "id")
PARAMETERS = ("state", "engine", "trigger", "range", "since", "until", "roi_min", "roi_max", "q")
MAX_TEXT = 100
MAX_CHOICES = 50
Value = TypeVar("Value")


class Parameters(Protocol):
    """What Django's `QueryDict` offers and this module needs."""

    def getlist(self, key: str) -> list[str]:
        """Return every value of a parameter."""


@dataclass(frozen=True)
class CycleFilter:
    """Which cycles a list shows. `errors` names each parameter that was refused; those filter nothing."""

    state: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    trigger: tuple[str, ...] = ()
    range: str = ""
    since: datetime | None = None
    until: datetime | None = None
    roi_min: float | None = None
    roi_max: float | None = None
    q: str = ""
    errors: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, params: Parameters) -> Self:
        """Return the filter of a query string (`state=done&state=failed` or `state=done,failed`)."""
        reader = _Reader(params)
        return cls(
            state=reader.words("state", [str(state) for state in CycleState]),
            engine=reader.names("engine"),
            trigger=reader.words("trigger", [str(trigger) for trigger in Trigger]),
            range=reader.one("range", _known_range, ""),
            since=reader.one("since", _moment, None),
            until=reader.one("until", _moment, None),
            roi_min=reader.one("roi_min", _number, None),
            roi_max=reader.one("roi_max", _number, None),
            q=reader.one("q", _text, ""),
            errors=reader.contradictions(),
        )

    @property
    def active(self) -> bool:
        """Whether anything is filtered."""
        return self != type(self)()

    def query(self, **more: str) -> str:
        """Return the filter as a query string, with further parameters; empty ones are left out."""
        pairs = [(name, _words(getattr(self, name))) for name in PARAMETERS] + list(more.items())
        return urlencode([(name, value) for name, value in pairs if value])

    def without(self, *names: str) -> Self:
        """Return the filter without some of its parameters."""
        kept = {name: getattr(self, name) for name in PARAMETERS if name not in names}
        return type(self)(**kept)

    def apply(self, queryset: CycleQuerySet) -> CycleQuerySet:
        """Return the rows of `queryset` that pass."""
        checks = [
            Q(state__in=self.state) if self.state else Q(),
            Q(trigger__in=self.trigger) if self.trigger else Q(),
            # ids, not a join: the planner knows how many rows an id has, and reads the right index
            Q(engine__in=_ids(Engine.objects.filter(name__in=self.engine))) if self.engine else Q(),
            self._period(),
            Q(roi_delta__gte=self.roi_min) if self.roi_min is not None else Q(),
            Q(roi_delta__lte=self.roi_max) if self.roi_max is not None else Q(),
            self._search(),
        ]
        return queryset.filter(*checks)

    def _period(self) -> Q:
        since = timezone.now() - RANGES[self.range] if self.range else self.since
        period = Q() if since is None else Q(created_at__gte=since)
        return period if self.until is None else period & Q(created_at__lt=self.until)

    def _search(self) -> Q:
        if not self.q:
            return Q()
        number = self.q.removeprefix("#")
        if number.isascii() and number.isdigit() and int(number) <= MAX_ID:
            return Q(pk=int(number))
        engines = _ids(Engine.objects.filter(name__startswith=self.q))
        return has_words("message", self.q) | (Q(engine__in=engines) if engines else Q(pk__in=[]))


def _ids(engines: Iterable[Engine]) -> list[int]:
    return [engine.pk for engine in engines]


def _words(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, datetime):
        return value.isoformat()
    return "" if value is None else str(value)


class _Reader:
    """Reads parameters one by one and remembers what was wrong with each."""

    def __init__(self, params: Parameters) -> None:
        self.params = params
        self.errors: dict[str, str] = {}
        self.seen: set[str] = set()

    def many(self, name: str) -> tuple[str, ...]:
        found = [part for value in self.params.getlist(name) for part in value.split(",") if part]
        if found:
            self.seen.add(name)
        return tuple(dict.fromkeys(found))

    def words(self, name: str, known: list[str]) -> tuple[str, ...]:
        found = self.many(name)
        if set(found) <= set(known):
            return found
        self.errors[name] = f"known: {', '.join(known)}"
        return ()

    def names(self, name: str) -> tuple[str, ...]:
        found = self.many(name)
        if len(found) <= MAX_CHOICES and all(re.fullmatch(NAME, part) for part in found):
            return found
        self.errors[name] = f"up to {MAX_CHOICES} names of engines"
        return ()

    def one(self, name: str, parse: Callable[[str], Value], default: Value) -> Value:
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
        if "range" in self.seen and self.seen & {"since", "until"}:
            self.errors.setdefault("range", "either range, or since and until")
        return self.errors


def _known_range(text: str) -> str:
    if text not in RANGES:
        raise InvalidInput(f"known: {', '.join(RANGES)}")
    return text


def _moment(text: str) -> datetime:
    """Return a moment; a day means its first instant, and without a zone the viewer's is meant."""
    day = parse_date(text)
    # a + that was not escaped arrives as a blank
    escaped = re.sub(r"(T\S+) (\d\d:?\d\d)$", r"\1+\2", text)
    moment = datetime(day.year, day.month, day.day) if day else parse_datetime(escaped)
    if moment is None or not 1970 <= moment.year <= 9000:
        raise InvalidInput("a day (2026-01-31) or a time (2026-01-31T12:00:00Z) from 1970 to 9000")
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InvalidInput("a finite number")
    return number


def _text(text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise InvalidInput(f"up to {MAX_TEXT} printable characters")
    return text
