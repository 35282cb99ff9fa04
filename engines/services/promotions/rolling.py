"""Takes an applied promotion back: what was live before is live again, byte by byte, or nothing happens."""

from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.promotion import Kind, PromotionState, canonical, changes, digest
from engines.domain.results import Actor
from engines.models import Promotion
from engines.services.promotions import live, moving, rights


def preview(promotion_id: int) -> dict[str, Any]:
    """Return what a roll-back would change, without changing anything.

    `possible` and `why_not`; `now` and `then`, the live states with their hashes; `changes`, each with its
    dotted path, value before and after.
    """
    promotion = Promotion.objects.select_related("engine", "version", "revision").get(pk=promotion_id)
    now, then = live.live_of(promotion), promotion.before
    why_not = _objection(promotion, now)
    return {
        "promotion": promotion.pk,
        "possible": not why_not,
        "why_not": why_not,
        "now": now,
        "now_sha256": digest(now),
        "then": then,
        "then_sha256": promotion.before_sha256,
        "changes": [] if then is None else changes(now, then),
    }


def _objection(promotion: Promotion, now: live.Document) -> str:
    """Say why it can't be rolled back; empty when it can."""
    if promotion.state != PromotionState.APPLIED or promotion.before is None:
        state = promotion.state.replace("_", " ")
        return f"promotion {promotion.pk} is {state}; only an applied one can be rolled back"
    if canonical(now) != canonical(promotion.after):
        return "something else went live since; roll that back first"
    champion = promotion.before.get("champion") if promotion.kind == Kind.MODEL else None
    return "" if champion is None else live.missing_file(champion["sha256"], champion["size"])


def rollback(promotion_id: int, *, actor: Actor, reason: str) -> Promotion:
    """Make live again what was live before the promotion, at once and without a worker.

    It takes one person with the right to decide, the approver or the requester included: the way back must
    not wait for a second one.

    Raises:
        NotAllowed: the actor may not decide.
        InvalidInput: the reason is empty or too long.
        Conflict: it isn't applied, something else went live since, or the old model's file isn't as it was.
    """
    wrong = _wrong_file(promotion_id)  # read whole before anything is locked
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        rights.person(actor, promotion.engine, rights.DECIDE)
        said = rights.reasoned(reason)
        live.lock(promotion)
        if objection := _objection(promotion, live.live_of(promotion)) or wrong:
            raise Conflict(objection)
        live.swap_back(promotion, actor)
        if digest(live.live_of(promotion)) != promotion.before_sha256:
            raise Conflict("what was live before can't be restored as it was; nothing was changed")
        who = {"rolled_back_by_id": actor.user_id, "rolled_back_label": actor.label[:150]}
        done = {**who, "rolled_back_at": Now(), "rolled_back_reason": said}
        moving.move(promotion, PromotionState.ROLLED_BACK, **done)
        moving.audit(promotion, actor, "promotion.rollback", reason=said, restored=promotion.before_sha256)
    return promotion


def _wrong_file(promotion_id: int) -> str:
    """Say why the file of the model that was live before can't go live again; empty where it can."""
    before = Promotion.objects.values_list("before", flat=True).get(pk=promotion_id) or {}
    champion = before.get("champion")
    return "" if champion is None else live.wrong_file(champion["sha256"], champion["size"])


def keep(promotion_id: int, *, actor: Actor, reason: str) -> Promotion:
    """Answer a proposed roll-back with "keep it"; no other is proposed for this promotion.

    Raises NotAllowed and InvalidInput as `rollback`, Conflict when no roll-back is proposed.
    """
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        rights.person(actor, promotion.engine, rights.DECIDE)
        said = rights.reasoned(reason)
        if not promotion.rollback_proposed:
            raise Conflict(f"no roll-back of promotion {promotion.pk} is proposed")
        Promotion.objects.filter(pk=promotion.pk).update(
            alarm_kept_label=actor.label[:150], alarm_kept_at=Now(), alarm_kept_reason=said
        )
        promotion.refresh_from_db()
        moving.audit(promotion, actor, "promotion.keep", reason=said)
    return promotion
