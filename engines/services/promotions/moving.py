"""How a promotion goes from one state to the next: locked, allowed, audited and told."""

from typing import Any

from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.promotion import PromotionState, may_move
from engines.domain.results import Actor
from engines.models import Engine, Promotion
from engines.signals import acted, promotion_changed


def locked(promotion_id: int) -> Promotion:
    """Return the promotion, locked after its engine's row, inside the caller's transaction.

    Everything that promotes or rolls back takes these two locks in this order.
    """
    engine_id = Promotion.objects.values_list("engine", flat=True).get(pk=promotion_id)
    Engine.objects.select_for_update(no_key=True).get(pk=engine_id)
    rows = Promotion.objects.select_for_update(of=("self",))
    return rows.select_related("engine", "version", "revision").get(pk=promotion_id)


def move(promotion: Promotion, to: PromotionState, **columns: Any) -> None:
    """Write the new state with its columns; Conflict when the present one doesn't lead there."""
    if not may_move(promotion.state, to):
        raise Conflict(f"promotion {promotion.pk} is {said(promotion)}, so it can't become {_words(to)}")
    Promotion.objects.filter(pk=promotion.pk).update(state=to, **columns)
    promotion.refresh_from_db()
    promotion_changed.send(sender=Promotion, promotion=promotion)


def decided(promotion: Promotion, to: PromotionState, actor: Actor, reason: str, **columns: Any) -> None:
    """Write a person's or the policy's decision."""
    who = {"decided_by_id": actor.user_id, "decided_label": actor.label[:150], "decided_at": Now()}
    move(promotion, to, reason=reason, **who, **columns)


def audit(promotion: Promotion, actor: Actor, verb: str, **detail: Any) -> None:
    """Append the act to the audit log."""
    base = {
        "engine": promotion.engine.name,
        "kind": promotion.kind,
        "candidate": promotion.version_id or promotion.revision_id,
        "evidence_sha256": promotion.evidence_sha256,
    }
    target = f"promotion:{promotion.pk}"
    acted.send(sender=Promotion, actor=actor, verb=verb, target=target, detail={**base, **detail})


def said(promotion: Promotion) -> str:
    """Return the state in words, with who decided where somebody did."""
    by = f" by {promotion.decided_label}" if promotion.decided_label else ""
    return f"{_words(promotion.state)} already{by}"


def _words(state: str) -> str:
    return state.replace("_", " ")
