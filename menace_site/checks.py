"""What `manage.py check` says of this installation beyond Django's own checks."""

import os
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Warning, register

from menace_site.sandbox_settings import SandboxSettings

MARGIN_SECONDS = 90


@register
def misspelt_settings(**_: Any) -> list[CheckMessage]:
    """Warn of variables that look like misspelt settings."""
    return [
        Warning(f"{variable} is no setting and has no effect; did you mean {near}?", id="menace.W001")
        for variable, near in SandboxSettings.misspelt(os.environ)
    ]


@register
def time_limits(**_: Any) -> list[CheckMessage]:
    """Warn when a step may take longer than the task that runs it."""
    sandbox = settings.SANDBOX
    if sandbox.step_timeout + MARGIN_SECONDS <= sandbox.task_time_limit:
        return []
    hint = f"Set MENACE_TASK_TIME_LIMIT to {sandbox.step_timeout + MARGIN_SECONDS:g} or more."
    return [
        Warning(
            "A step may take longer than its task: the worker is killed in the middle.",
            hint,
            id="menace.W002",
        )
    ]
