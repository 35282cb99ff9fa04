"""Compares what promotions brought with what was forecast, and proposes to roll back where they part."""

from datetime import datetime
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from engines.domain.promotion import Kind, PromotionState
from engines.domain.promotion_watch import left_band, retained
from engines.domain.results import SYSTEM
from engines.models import Engine, Promotion
from engines.services import bots
from engines.services.promotions import moving
from engines.signals import promotion_changed
from forecasting.models import MetricPoint, RoiEvent

NEWEST: Final = 10
"""Latest applied promotions of an engine that are watched."""


def watch(engine: Engine) -> list[int]:
    """Propose to roll back what left its forecast's band; return the ids of those promotions."""
    watched = Promotion.objects.filter(engine=engine, state=PromotionState.APPLIED, alarm=None)
    found = []
    for promotion in watched.order_by("-id")[:NEWEST]:
        alarm = alarm_of(promotion, engine)
        if alarm is not None and _propose(promotion.pk, alarm):
            found.append(promotion.pk)
    return found


def alarm_of(promotion: Promotion, engine: Engine) -> dict[str, Any] | None:
    """Return how the realised ROI left the band of the frozen forecast; None while it hasn't."""
    forecast = promotion.evidence["forecast"]
    if not forecast or promotion.applied_at is None:
        return None
    realised = realised_by_place(promotion, engine, len(forecast["mean"]))
    return left_band(realised, forecast["lower80"], forecast["lower95"])


def realised_by_place(promotion: Promotion, engine: Engine, horizon: int) -> dict[int, float]:
    """Return what the cycles since it was applied brought, by their place after the forecast.

    A model's own gain is added to each (see `retained`); where its metric was not measured in a cycle, that
    cycle can't be compared and is left out.
    """
    forecast, applied = promotion.evidence["forecast"], promotion.applied_at
    events = RoiEvent.objects.filter(
        subject=forecast["subject"], at__gt=datetime.fromisoformat(forecast["at"])
    )
    found: dict[int, float] = {}
    for place, event in enumerate(events.order_by("id")[:horizon]):
        gained = _retained(promotion, engine, event.source)
        if applied is not None and event.at > applied and gained is not None:
            found[place] = event.delta + gained
    return found


def _retained(promotion: Promotion, engine: Engine, source: str) -> float | None:
    if promotion.kind != Kind.MODEL:
        return 0.0
    gain, prices = promotion.evidence["gain"], bots.value_model(bots.manifest_of(engine))
    measured = MetricPoint.objects.filter(subject=engine.name, source=source, name=gain["metric"] or "")
    value = measured.values_list("value", flat=True).first()
    if value is None or gain["before"] is None or prices is None:
        return None
    return retained(gain["before"], value, maximise=prices.direction == "max", unit_value=prices.unit_value)


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
