"""Celery's tasks of this app: verdicts that are due are made anew."""

from celery import shared_task

from forecasting.services import foresight


@shared_task(name="forecasting.tasks.refresh_verdicts")
def refresh_verdicts() -> None:
    """Make the verdicts anew whose subjects were measured since."""
    foresight.recompute_due()
