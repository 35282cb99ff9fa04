"""The filter of orphan modules: the same URL parameters for the queue, exports, acts and the API."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Final, Self

from django.db.models import Q

from engines.domain.errors import InvalidInput
from engines.filters.reading import ListFilter, Parameters, Reader, number, text
from engines.panels.orphans import EVERY, OPEN
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState

ORPHAN_ORDERS: Final = ("id", "path", "confidence", "side_effects", "updated_at")
ORPHAN_PARAMETERS: Final = ("state", "engine", "classification", "confidence_min", "confidence_max", "q")


@dataclass(frozen=True)
class OrphanFilter(ListFilter):
    """Which modules a list shows: those in the queue, unless states (or `all`) are named.

    `errors` names each parameter that was refused; those filter nothing.
    """

    parameters: ClassVar[tuple[str, ...]] = ORPHAN_PARAMETERS

    state: tuple[str, ...] = ()
    engine: tuple[str, ...] = ()
    classification: tuple[str, ...] = ()
    confidence_min: float | None = None
    confidence_max: float | None = None
    q: str = ""
    errors: Mapping[str, str] = field(default_factory=dict, compare=False)

    @classmethod
    def parse(cls, params: Parameters) -> Self:
        """Return the filter of a query string."""
        reader = Reader(params)
        return cls(
            state=reader.words("state", [*map(str, ModuleState), EVERY]),
            engine=reader.names("engine"),
            classification=reader.words("classification", [str(each) for each in Classification]),
            confidence_min=reader.one("confidence_min", _share, None),
            confidence_max=reader.one("confidence_max", _share, None),
            q=reader.one("q", text, ""),
            errors=reader.errors,
        )

    @property
    def states(self) -> tuple[str, ...]:
        """The states that pass; empty: all."""
        return () if EVERY in self.state else self.state or OPEN

    def _checks(self) -> Iterable[Q]:
        return (
            Q(subject__in=self.engine) if self.engine else Q(),
            Q(classification__in=self.classification) if self.classification else Q(),
            Q(confidence__gte=self.confidence_min) if self.confidence_min is not None else Q(),
            Q(confidence__lte=self.confidence_max) if self.confidence_max is not None else Q(),
            Q(path__icontains=self.q) if self.q else Q(),
        )


def _share(text: str) -> float:
    value = number(text)
    if not 0.0 <= value <= 1.0:
        raise InvalidInput("a number from 0 to 1")
    return value
