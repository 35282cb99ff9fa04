"""What a step's error means: gone by itself, a cut connection, or a failure that the row keeps."""

import traceback

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError

from engines.domain.cycle import StepFailed, StepTimeout, TransientStepError
from engines.services.step_rows import LOG_CHARS

TRANSIENT = (TransientStepError, StepTimeout, SoftTimeLimitExceeded, OSError, OperationalError)
"""What may go away by itself; another error would only come again."""

AWAY = ("08", "57P", "53300")
"""SQLSTATE: connection exceptions, shutdown of the server, too many connections."""


def cut(error: Exception) -> bool:
    """Tell whether the error means that the database's connection is gone, not that a statement failed."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(AWAY)


def report_of(error: Exception) -> dict[str, str]:
    """Return what the row keeps of an error: expected ones as their message, others with their trace."""
    if isinstance(error, StepFailed):
        return {"error": str(error)[:LOG_CHARS], "log": error.log[-LOG_CHARS:]}
    return {"error": "".join(traceback.format_exception(error))[-LOG_CHARS:]}
