"""Compares what promotions brought with what was forecast, and proposes to roll back where they part."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from engines.domain.promotion import PromotionState
from engines.domain.promotion_watch import left_band
from engines.domain.results import SYSTEM
from engines.models import Engine, Promotion
from engines.services.promotions import moving
from engines.signals import promotion_changed
from forecasting.models import RoiEvent

NEWEST: Final = 10
"""Latest applied promotions of an engine that are watched."""


def watch(engine: Engine) -> list[int]:
    """Propose to roll back what left its forecast's band; return the ids of those promotions."""
    watched = Promotion.objects.filter(engine=engine, state=PromotionState.APPLIED, alarm__isnull=True)
    found = []
    for promotion in watched.order_by("-id")[:NEWEST]:
        alarm = alarm_of(promotion)
        if alarm is not None and _propose(promotion.pk, alarm):
            found.append(promotion.pk)
    return found


def alarm_of(promotion: Promotion) -> dict[str, Any] | None:
    """Return how the realised ROI left the band of the frozen forecast; None while it hasn't."""
    forecast = promotion.evidence["forecast"]
    if not forecast or promotion.applied_at is None:
        return None
    realised = realised_by_place(promotion, len(forecast["mean"]))
    return left_band(realised, forecast["lower80"], forecast["lower95"])


def realised_by_place(promotion: Promotion, horizon: int) -> dict[int, float]:
    """Return the ROI of the cycles since it was applied, by their place after the forecast.

    The band was drawn while the old candidate was live: who falls out of it downwards is worse than staying
    would have been, whatever was gained on paper.
    """
    forecast, applied = promotion.evidence["forecast"], promotion.applied_at
    levels = RoiEvent.objects.levels(forecast["subject"]).filter(
        at__gt=datetime.fromisoformat(forecast["at"])
    )
    return {
        place: event.roi_after
        for place, event in enumerate(levels.order_by("id")[:horizon])
        if applied is not None and event.at > applied and event.roi_after is not None
    }


def _propose(promotion_id: int, alarm: dict[str, Any]) -> bool:
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        if promotion.state != PromotionState.APPLIED or promotion.alarm is not None:
            return False
        Promotion.objects.filter(pk=promotion_id).update(alarm=alarm, alarm_at=Now())
        promotion.refresh_from_db()
        moving.audit(promotion, SYSTEM, "promotion.alarm", why=alarm["text"])
        promotion_changed.send(sender=Promotion, promotion=promotion)
    return True
