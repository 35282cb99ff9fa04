"""The filter of cycles: the same URL parameters for pages, exports and the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Self

from django.db.models import Q
from django.utils import timezone

from engines.domain.errors import InvalidInput
from engines.domain.keyset import MAX_ID
from engines.domain.states import CycleState, Trigger
from engines.filters.reading import ListFilter, Parameters, Reader, moment, number, text
from engines.models import Engine
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


@dataclass(frozen=True)
class CycleFilter(ListFilter):
    """Which cycles a list shows. `errors` names each parameter that was refused; those filter nothing."""

    parameters: ClassVar[tuple[str, ...]] = PARAMETERS

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
        reader = Reader(params)
        return cls(
            state=reader.words("state", [str(state) for state in CycleState]),
            engine=reader.names("engine"),
            trigger=reader.words("trigger", [str(trigger) for trigger in Trigger]),
            range=reader.one("range", _known_range, ""),
            since=reader.one("since", moment, None),
            until=reader.one("until", moment, None),
            roi_min=reader.one("roi_min", number, None),
            roi_max=reader.one("roi_max", number, None),
            q=reader.one("q", text, ""),
            errors=reader.contradictions(),
        )

    def _checks(self) -> Iterable[Q]:
        """Return what must hold; a search for engines costs a statement here."""
        return (
            Q(trigger__in=self.trigger) if self.trigger else Q(),
            # ids, not a join: the planner knows how many rows an id has, and reads the right index
            Q(engine__in=_ids(name__in=self.engine)) if self.engine else Q(),
            self._period(),
            Q(roi_delta__gte=self.roi_min) if self.roi_min is not None else Q(),
            Q(roi_delta__lte=self.roi_max) if self.roi_max is not None else Q(),
            self._search(),
        )

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
        engines = _ids(name__startswith=self.q)
        return has_words("message", self.q) | (Q(engine__in=engines) if engines else Q(pk__in=[]))


def _known_range(text: str) -> str:
    if text not in RANGES:
        raise InvalidInput(f"known: {', '.join(RANGES)}")
    return text


def _ids(**wanted: Any) -> list[int]:
    return list(Engine.objects.filter(**wanted).values_list("pk", flat=True))
