"""Keeps that a training failed: the step *measure* of such a cycle, which keeps all others, never comes."""

from typing import Any

from django.dispatch import receiver

from engines.domain.states import CycleState
from engines.models import Cycle
from engines.signals import cycle_finished
from forecasting.services.evaluations import record_evaluation


@receiver(cycle_finished)
def keep_failure(*, cycle: Cycle, **_: Any) -> None:
    """Keep the training of a cycle that failed in its step *retrain*, and why."""
    if cycle.state == CycleState.FAILED and cycle.step == "retrain":
        subject = cycle.engine.name
        record_evaluation(subject, f"cycle:{cycle.pk}", passed=False, error=cycle.message)
