"""The filter of promotions: the same URL parameters for the list, its exports and the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from django.db.models import Q

from engines.domain.promotion import OPEN, UNDER_WAY, Kind, PromotionState
from engines.filters.reading import ListFilter, Parameters, Reader

EVERY: Final = "all"
CURRENT: Final = tuple(str(state) for state in (*OPEN, *UNDER_WAY))
"""States of promotions that somebody or some worker still has to do something about."""
VERDICTS: Final = ("promote", "hold", "block")
PROMOTION_ORDERS: Final = ("id", "decided_at")
PROMOTION_PARAMETERS: Final = ("state", "engine", "kind", "verdict", "alarm")


@dataclass(frozen=True)
class PromotionFilter(ListFilter):
    """Which promotions a list shows: those that still need somebody, unless states (or `all`) are named.

    `alarm`: those alone whose roll-back is proposed. `errors` names each parameter that was refused; those
    filter nothing.
    """

    parameters: ClassVar[tuple[str, ...]] = PROMOTION_PARAMETERS

    state: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    verdict: tuple[str, ...] = ()
    alarm: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, params: Parameters) -> Self:
        """Return the filter of a query string."""
        reader = Reader(params)
        return cls(
            state=reader.words("state", [*map(str, PromotionState), EVERY]),
            engine=reader.names("engine"),
            kind=reader.words("kind", [str(kind) for kind in Kind]),
            verdict=reader.words("verdict", list(VERDICTS)),
            alarm=reader.words("alarm", ["1"]),
            errors=reader.errors,
        )

    @property
    def states(self) -> tuple[str, ...]:
        """The states that pass; empty: all. A proposed roll-back is of what was applied."""
        if EVERY in self.state or (self.alarm and not self.state):
            return ()
        return self.state or CURRENT

    def _checks(self) -> Iterable[Q]:
        proposed = Q(state=PromotionState.APPLIED, alarm__isnull=False, alarm_kept_at=None)
        return (
            Q(engine__name__in=self.engine) if self.engine else Q(),
            Q(kind__in=self.kind) if self.kind else Q(),
            Q(verdict__in=self.verdict) if self.verdict else Q(),
            proposed if self.alarm else Q(),
        )
