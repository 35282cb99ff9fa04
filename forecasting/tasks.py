"""Celery's tasks of this app: verdicts that are due are made anew, and the forecast model is trained."""

import logging
from dataclasses import dataclass

from celery import shared_task

from forecasting.services import foresight, predictor, wearing

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """Who acts when the time has come."""

    user_id: int | None = None
    label: str = "schedule"
    kind: str = "system"


@shared_task(name="forecasting.tasks.retrain_forecasts")
def retrain_forecasts() -> None:
    """Train the forecast model on what was recorded; a better one is put in use."""
    try:
        training = predictor.retrain(actor=Schedule())
    except RuntimeError as error:
        log.info("forecast model: %s", error)
        return
    log.info("forecast model: %s, %s", training.chosen, training.reason)


@shared_task(name="forecasting.tasks.refresh_verdicts")
def refresh_verdicts() -> None:
    """Make the verdicts anew whose subjects were measured since; have a worn out forecast model trained."""
    measured = foresight.due_subjects(wearing.SUBJECTS)
    foresight.recompute_due()
    subject = wearing.worn_out(measured)
    if subject:
        log.info("forecast model: the errors of %s drifted, so it is trained anew", subject)
        retrain_forecasts.delay()
