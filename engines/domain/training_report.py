"""What a training run hands over, read with suspicion: shapes, lengths and finiteness are checked here.

The document already went through `orphans.domain.ingest.read_result`, so it is plain JSON with finite
numbers; here it becomes values that the rest may rely on. The numbers themselves remain claims of the
run until a stronger sandbox and a judge of their own vouch for them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from engines.domain.results import Json
from orphans.domain.ingest import IngestError, read_metrics

MAX_FOLDS: Final = 1_000
MAX_ROWS: Final = 100_000
MAX_PARAMS: Final = 200
LARGEST: Final = 1e100
"""Largest absolute value taken, as of stored metrics: the squares and sums of the judge stay finite."""


class ReportError(ValueError):
    """The run's report has another shape than it should; the message says where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two models that were compared."""

    params: Mapping[str, Json]
    #: one number a fold, more is better
    fold_scores: tuple[float, ...]
    #: on the held-out rows
    metrics: Mapping[str, float]
    #: per held-out row, more is better; None when the metric isn't a mean over rows
    contributions: tuple[float, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
    """A training run in numbers."""

    task: str
    metric: str
    direction: str
    #: development rows: what the search and the folds saw
    rows: int
    #: held-out rows
    test_rows: int
    #: parts that the development rows were divided into, some times over
    folds: int
    #: SHA-256 of the data
    digest: str
    champion: Side
    #: None when the search found nothing but the champion
    challenger: Side | None
    search: Mapping[str, Json] = field(default_factory=dict)
    data: Mapping[str, float] = field(default_factory=dict)

    @property
    def uplift(self) -> float | None:
        """How much better the challenger is on the held-out rows; None when it wasn't measured."""
        sides = (self.champion, self.challenger)
        values = [side.metrics.get(self.metric) for side in sides if side is not None]
        if len(values) < 2 or values[0] is None or values[1] is None:
            return None
        return values[1] - values[0] if self.direction == "max" else values[0] - values[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationReport:
    """What is deployed, in numbers."""

    metrics: Mapping[str, float]
    data: Mapping[str, float]
    digest: str
    metric: str
    params: Mapping[str, Json]
    #: the metric of the best constant answer on the same rows; None: not measured
    naive: float | None = None


def read_training(document: Json) -> TrainingReport:
    """Return the report of a `train` job.

    Raises:
        ReportError: something is missing or has another shape.
    """
    parts = _mapping(document, "report")
    champion = _side(parts.get("champion"), "champion")
    challenger = None if parts.get("challenger") is None else _side(parts["challenger"], "challenger")
    _check_pair(champion, challenger)
    direction = _word(parts, "direction")
    if direction not in ("max", "min"):
        raise ReportError(f"direction is {direction!r}")
    return TrainingReport(
        task=_word(parts, "task"),
        metric=_word(parts, "metric"),
        direction=direction,
        rows=_count(parts, "rows"),
        test_rows=_count(parts, "test_rows"),
        folds=max(2, _count(parts, "folds")),
        digest=_word(parts, "digest"),
        champion=champion,
        challenger=challenger,
        search=_mapping(parts.get("search", {}), "search"),
        data=_metrics(parts.get("data", {}), "data"),
    )


def read_evaluation(document: Json) -> EvaluationReport:
    """Return the report of an `evaluate` job; raises ReportError as `read_training` does."""
    parts = _mapping(document, "report")
    return EvaluationReport(
        metrics=_metrics(parts.get("metrics"), "metrics"),
        data=_metrics(parts.get("data", {}), "data"),
        digest=_word(parts, "digest"),
        metric=_word(parts, "metric"),
        params=_params(parts.get("params"), "params"),
        naive=None if parts.get("naive") is None else _numbers([parts["naive"]], "naive", 1)[0],
    )


def _side(document: Json, name: str) -> Side:
    parts = _mapping(document, name)
    contributions = parts.get("contributions")
    return Side(
        params=_params(parts.get("params"), f"{name}.params"),
        fold_scores=_numbers(parts.get("fold_scores"), f"{name}.fold_scores", MAX_FOLDS),
        metrics=_metrics(parts.get("metrics"), f"{name}.metrics"),
        contributions=None
        if contributions is None
        else _numbers(contributions, f"{name}.contributions", MAX_ROWS),
    )


def _check_pair(champion: Side, challenger: Side | None) -> None:
    """Refuse two sides that can't have been measured on the same folds and rows."""
    if challenger is None:
        return
    if len(champion.fold_scores) != len(challenger.fold_scores):
        raise ReportError("champion and challenger were scored on different folds")
    rows = [
        None if side.contributions is None else len(side.contributions) for side in (champion, challenger)
    ]
    if rows[0] != rows[1]:
        raise ReportError("champion and challenger were scored on different rows")


def _mapping(document: Json, name: str) -> dict[str, Any]:
    if not isinstance(document, dict):
        raise ReportError(f"{name} is no mapping")
    return document


def _word(parts: Mapping[str, Any], name: str) -> str:
    value = parts.get(name)
    if not isinstance(value, str) or not value or len(value) > 100:
        raise ReportError(f"{name} is no short text")
    return value


def _count(parts: Mapping[str, Any], name: str) -> int:
    value = parts.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ReportError(f"{name} is no count")
    return value


def _numbers(value: Json, name: str, most: int) -> tuple[float, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) > most:
        raise ReportError(f"{name} is no list of at most {most} numbers")
    if any(isinstance(each, bool) or not isinstance(each, int | float) for each in value):
        raise ReportError(f"{name} holds something that is no number")
    if not all(-LARGEST <= each <= LARGEST for each in value):
        raise ReportError(f"{name} holds a number beyond {LARGEST:g}")
    return tuple(float(each) for each in value)


def _metrics(value: Json, name: str) -> dict[str, float]:
    try:
        found = read_metrics(value)
    except IngestError as error:
        raise ReportError(f"{name}: {error}") from None
    if large := [each for each, number in found.items() if abs(number) > LARGEST]:
        raise ReportError(f"{name}: {large[0]} is beyond {LARGEST:g}")
    return found


def _params(value: Json, name: str) -> dict[str, Json]:
    parts = _mapping(value, name)
    if len(parts) > MAX_PARAMS:
        raise ReportError(f"{name} holds more than {MAX_PARAMS} parameters")
    return parts
