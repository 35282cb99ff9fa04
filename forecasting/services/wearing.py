"""Whether the forecast model in use is worn out: the errors of a subject drifted since it came into use.

Asked after new numbers came, of the subjects that they are about. A model asks for its training once: where
the training finds nothing better, the daily one tries again, and no other follows from the same errors.
"""

import logging
from collections.abc import Iterable
from typing import Final

from django.conf import settings
from django.core.cache import cache

from forecasting.models import Forecast
from forecasting.services import predictor

log = logging.getLogger(__name__)

SUBJECTS: Final = 50
"""So many subjects are looked at in one go."""
ERRORS: Final = 100
"""Newest errors of each."""
FEWEST: Final = 20
"""Fewer are no drift."""
ONCE_SECONDS: Final = 7 * 24 * 3600
"""A model that asked for its training doesn't ask again for so long."""


def worn_out(subjects: Iterable[str]) -> str:
    """Return the first subject whose errors drifted under the model in use; empty: none, or it was told.

    Never with `MENACE_FORECAST_RETRAIN_HOURS=0`, which leaves training to people.
    """
    if not settings.SANDBOX.forecast_retrain_hours:
        return ""
    model = predictor.active()
    for subject in list(subjects)[:SUBJECTS]:
        if model.needs_retraining(_errors(subject, model.name)):
            key = f"forecast-worn:{model.name.replace(' ', '-')}"
            return subject if cache.add(key, subject, ONCE_SECONDS) else ""
    return ""


def _errors(subject: str, model: str) -> list[float]:
    """Return the newest scaled errors of what this very model foretold of a subject, oldest first."""
    settled = Forecast.objects.of(subject).filter(model=model[:64], error__isnull=False)
    errors = [error for error in settled.values_list("error", flat=True)[:ERRORS] if error is not None]
    return errors[::-1] if len(errors) >= FEWEST else []
