"""The forecast model in use, and its training on the recorded history of all subjects.

Rows hold the models; the one that is `active` answers, without one the shipped model does. NumPy is loaded
on use and scikit-learn by training alone, so web processes have neither. A model that can't be read any
more is logged and the shipped one answers: forecasts go on, and say who made them.
"""

import logging
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction

from forecasting.domain.acting import Acting
from forecasting.files import write_whole
from forecasting.models import Forecast, ForecastModel
from forecasting.signals import acted

log = logging.getLogger(__name__)

MOST_SUBJECTS: Final = 500
"""Subjects that are trained on: those with the newest events."""

NEWEST: Final = 400
"""Newest events of each."""

KEPT_ARRAYS: Final = 5
"""Newest models whose arrays are kept; of older ones the cards stay."""

LONG_TERM: Final = 10
"""Events after which a long-term delta is known."""

LOCK: Final = 0x4D454E46
BUSY: Final = "another training ended first; nothing was changed"

# an event's long-term delta is made of the ten events after it: it counts from the tenth on, never before
HISTORIES: Final = """
WITH newest AS (
    SELECT subject FROM forecasting_roievent WHERE %s::text IS NULL OR subject = %s
    GROUP BY subject ORDER BY max(id) DESC LIMIT %s
)
SELECT n.subject, e.roi_after, e.confidence, v.gpt_feedback_score, v.gpt_feedback_tokens,
    lag(v.long_term_delta, %s) OVER (PARTITION BY n.subject ORDER BY e.id) AS long_term_delta
FROM newest n CROSS JOIN LATERAL (
    SELECT id, source, roi_after, confidence FROM forecasting_roievent
    WHERE subject = n.subject AND roi_after IS NOT NULL ORDER BY id DESC LIMIT %s
) e LEFT JOIN forecasting_evaluation v ON v.subject = n.subject AND v.source = e.source
ORDER BY n.subject, e.id
"""
FIELDS: Final = ("confidence", "gpt_feedback_score", "gpt_feedback_tokens", "long_term_delta")


def answer(values: Sequence[float], horizon: int, errors: Sequence[float] = ()) -> Any:
    """Return the active model's `forecasting.domain.forecast.Forecast` of the next `horizon` values.

    `errors`: past scaled errors of the subject, oldest first. Raises ValueError for bad numbers.
    """
    return active().predict(values, horizon, errors)


def active() -> Any:
    """Return the `AdaptiveROIPredictor` in use; its `problem` says why a row can't be used."""
    row = ForecastModel.objects.active()
    return _of(None) if row is None else _of(row.digest)


@lru_cache(maxsize=2)
def _of(digest: str | None) -> Any:
    """Return the predictor of a row's arrays; they are read and checked once a process."""
    predictor = import_module("forecasting.domain.predictor")
    if digest is None:
        return predictor.AdaptiveROIPredictor()
    row = ForecastModel.objects.get(digest=digest)
    found = predictor.AdaptiveROIPredictor.load_or_shipped(
        bytes(row.arrays), digest=digest, context=row.context or None, recipe=row.chosen
    )
    if found.problem:
        log.error("forecast model %s: %s; the shipped one answers", row.version, found.problem)
    return found


def of_subject(subject: str, horizon: int) -> Any:
    """Return the active model's forecast of a recorded subject, with the intervals its own errors ask for.

    Raises LookupError for a subject without events, ValueError for a bad horizon.
    """
    history = histories(subject).get(subject)
    if history is None:
        raise LookupError(f"nothing was recorded of {subject!r:.140}; see `manage.py engines list`")
    settled = Forecast.objects.of(subject).filter(error__isnull=False)
    errors = list(settled.values_list("error", flat=True)[:100])[::-1]
    return active().predict(history.values, horizon, errors, history.fields[-1])


def export(path: Path) -> None:
    """Write the arrays of the model in use to a file, which `adaptive_roi forecast --model` takes."""
    write_whole(path, active().dump())


def histories(subject: str | None = None) -> dict[str, Any]:
    """Return the recorded ROI of the subjects, or of one, and what was known beside each, by age."""
    history = import_module("forecasting.domain.predictor_context").History
    with connection.cursor() as cursor:
        cursor.execute(HISTORIES, [subject, subject, MOST_SUBJECTS, LONG_TERM, NEWEST])
        rows = cursor.fetchall()
    found = {}
    for subject, own in groupby(rows, key=lambda row: row[0]):
        events = list(own)
        fields = [dict(zip(FIELDS, event[2:], strict=True)) for event in events]
        found[subject] = history([event[1] for event in events], fields)
    return found


def retrain(*, actor: Acting, quick: bool = False, seed: int = 0) -> Any:
    """Train on the recorded histories and put a better model in use; return the `Training`, with its reason.

    The recipe in use is judged beside the others by what none of them was given (walk-forward). Nothing is
    written where too little is recorded. `quick`: no trees are grown anew. Raises RuntimeError when another
    training ended meanwhile.
    """
    before = ForecastModel.objects.active()
    domain = import_module("forecasting.domain.predictor")
    predictor = domain.AdaptiveROIPredictor(recipe=before.chosen if before else domain.SHIPPED, seed=seed)
    training = predictor.train(histories(), quick=quick)
    if training.changed:
        _put_in_use(predictor, training, before, actor)
    return training


def _put_in_use(predictor: Any, training: Any, before: ForecastModel | None, actor: Acting) -> None:
    shipped = training.chosen == import_module("forecasting.domain.predictor").SHIPPED
    data = b"" if shipped else predictor.dump()
    parent = before.version if before else "shipped"
    with transaction.atomic():
        _lock(before)
        ForecastModel.objects.filter(state=ForecastModel.ACTIVE).update(state=ForecastModel.RETIRED)
        if not shipped:
            _keep(data, predictor, training, parent, actor)
        detail = {"recipe": training.chosen, "reason": training.reason, "parent": parent}
        detail |= {"series": training.series, "points": training.points}
        acted.send(
            sender=ForecastModel,
            actor=actor,
            verb="retrain",
            target=f"forecast:{predictor.name}",
            detail=detail,
        )


def _lock(before: ForecastModel | None) -> None:
    """Let one training write at a time; raise when the active model changed during the training."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    now = ForecastModel.objects.active()
    if (now and now.pk) != (before and before.pk):
        raise RuntimeError(BUSY)


def _keep(data: bytes, predictor: Any, training: Any, parent: str, actor: Acting) -> None:
    """Write the row and forget the arrays of models that are long out of use."""
    digest = import_module("forecasting.domain.forecast_shipped").digest_of(data)
    ForecastModel.objects.update_or_create(
        digest=digest,
        defaults={
            "version": digest[:12],
            "arrays": data,
            "chosen": training.chosen,
            "parent": parent,
            "series": training.series,
            "points": training.points,
            "rows": training.rows,
            "context": predictor.context.to_dict() if predictor.context else {},
            "backtest": training.backtest,
            "state": ForecastModel.ACTIVE,
            "made_by": actor.label[:150],
        },
    )
    newest = ForecastModel.objects.order_by("-id").values_list("pk", flat=True)[:KEPT_ARRAYS]
    old = ForecastModel.objects.filter(state=ForecastModel.RETIRED).exclude(pk__in=list(newest))
    old.exclude(arrays=b"").update(arrays=b"")
