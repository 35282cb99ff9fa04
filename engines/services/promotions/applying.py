"""Applies what was approved, exactly once, however often it is asked and wherever a worker dies.

Three steps: a lease is taken and what is live is written down (one transaction), the model's file is read
whole, and the candidate goes live together with the mark that it did (one transaction). A worker that dies in
between leaves a lease that runs out; the next one begins anew, since nothing was live yet.
"""

import logging

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.promotion import PromotionState, digest
from engines.domain.results import SYSTEM, Actor
from engines.models import Promotion
from engines.services.endings import seconds
from engines.services.promotions import evidence, live, moving
from engines.services.promotions.freshness import staleness

log = logging.getLogger(__name__)

LEASE_SECONDS = 60.0
LATE_SECONDS = 5.0
"""An approval that no worker took up for so long is sent again."""
BATCH = 100


def apply(promotion_id: int) -> str:
    """Make an approved candidate live; return the state that the promotion was left in.

    Asked again, or while another worker is at it, nothing happens.
    """
    if not Promotion.objects.filter(pk=promotion_id).exists():
        log.warning("promotion %s is gone, with its engine", promotion_id)
        return "gone"
    attempt = _begin(promotion_id)
    if attempt is not None:
        _finish(promotion_id, attempt, _wrong_file(promotion_id))
    return str(Promotion.objects.values_list("state", flat=True).get(pk=promotion_id))


def _begin(promotion_id: int) -> int | None:
    """Take the lease and write down what is live; None when there is nothing to do."""
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        if not _is_due(promotion):
            return None
        if promotion.attempts >= settings.SANDBOX.max_attempts:
            _fail(promotion, f"its worker died {promotion.attempts} times in a row; nothing was changed")
            return None
        # how old the evidence may be was asked at the approval
        if stale := (*staleness(promotion, with_age=False), *_called_off(promotion)):
            moving.move(promotion, PromotionState.STALE, message="; ".join(stale)[:500])
            moving.audit(promotion, SYSTEM, "promotion.stale", why=list(stale))
            return None
        before = live.live_of(promotion)
        moving.move(
            promotion,
            PromotionState.APPLYING,
            attempts=F("attempts") + 1,
            apply_until=Now() + seconds(LEASE_SECONDS),
            before=before,
            before_sha256=digest(before),
        )
        return promotion.attempts


def _called_off(promotion: Promotion) -> tuple[str, ...]:
    """Return why what no person approved must not go live after all: the policy's limits count until then."""
    why = evidence.objection_to_automatic(promotion.engine) if promotion.automatic else ""
    return (why,) if why else ()


def _lease_over() -> Q:
    """Return which leases nobody holds: they ran out, or are dated by a clock that was set back."""
    return Q(apply_until__lt=Now()) | Q(apply_until__gt=Now() + seconds(2 * LEASE_SECONDS))


def _is_due(promotion: Promotion) -> bool:
    """Tell whether it was approved and no other worker is at it."""
    if promotion.state == PromotionState.APPROVED:
        return True
    mine = Promotion.objects.filter(pk=promotion.pk, state=PromotionState.APPLYING)
    return mine.filter(_lease_over()).exists()


def _wrong_file(promotion_id: int) -> str:
    """Say why the model's file isn't the one that was judged; empty for workflows, too."""
    version = Promotion.objects.select_related("version").get(pk=promotion_id).version
    return "" if version is None else live.wrong_file(version.sha256, version.size)


def _finish(promotion_id: int, attempt: int, wrong: str) -> None:
    """Let the candidate go live, unless another worker took over or something changed meanwhile."""
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        if promotion.state != PromotionState.APPLYING or promotion.attempts != attempt:
            log.warning("promotion %s: another worker took over, nothing was written", promotion_id)
            return
        live.lock(promotion)
        if digest(live.live_of(promotion)) != promotion.before_sha256:
            moving.move(promotion, PromotionState.STALE, message="something else went live meanwhile")
            return
        wrong = wrong or _swapped_in(promotion)
        if wrong:
            _fail(promotion, wrong)
        else:
            _mark_applied(promotion)


def _swapped_in(promotion: Promotion) -> str:
    """Let the candidate go live; say why it couldn't."""
    try:
        with transaction.atomic():
            live.swap_in(promotion, _decider(promotion))
    except Conflict as error:
        return str(error)
    return ""


def _mark_applied(promotion: Promotion) -> None:
    after = live.live_of(promotion)
    columns = {"after": after, "after_sha256": digest(after), "applied_at": Now(), "apply_until": None}
    moving.move(promotion, PromotionState.APPLIED, **columns)
    moving.audit(promotion, _decider(promotion), "promotion.apply", before=promotion.before_sha256)


def _decider(promotion: Promotion) -> Actor:
    """Return who is behind the effect: whoever approved it; the worker only carries it out."""
    kind = "system" if promotion.automatic else "person"
    return Actor(user_id=promotion.decided_by_id, label=promotion.decided_label, kind=kind)


def _fail(promotion: Promotion, why: str) -> None:
    moving.move(promotion, PromotionState.FAILED, message=why[:500], apply_until=None)
    moving.audit(promotion, SYSTEM, "promotion.fail", why=why)


def left_over() -> list[int]:
    """Return the ids of approved promotions that no worker took up in time, or whose worker died."""
    late = Q(state=PromotionState.APPROVED, decided_at__lt=Now() - seconds(LATE_SECONDS))
    died = Q(state=PromotionState.APPLYING) & _lease_over()
    return list(Promotion.objects.filter(late | died).order_by("id").values_list("id", flat=True)[:BATCH])
