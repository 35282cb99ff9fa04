"""Approves and rejects: admin, page, API and command all come through here, and every check is here."""

from django.db import transaction

from engines.domain.errors import Conflict, Stale
from engines.domain.promotion import OPEN, UNDER_WAY, PromotionState, digest
from engines.domain.results import Actor
from engines.domain.states import RevisionState, VersionState
from engines.models import ModelVersion, Promotion, WorkflowRevision
from engines.services.promotions import evidence, moving, rights
from engines.services.promotions.freshness import staleness
from forecasting.domain.gate import decide

REJECTABLE = (*OPEN, PromotionState.APPROVED)


def approve(
    promotion_id: int,
    *,
    actor: Actor,
    evidence_sha256: str,
    reason: str,
    break_glass: bool = False,
    overrule: bool = False,
) -> Promotion:
    """Approve a promotion on the evidence with that hash; a worker applies it next.

    `break_glass`: the requester approves alone, where the settings allow it; `overrule`: approve what the
    gate holds, where the engine's policy allows it.

    Raises:
        NotAllowed: the actor may not decide, or requested it.
        InvalidInput: the reason is empty or too long.
        Stale: something has changed since the evidence was gathered; the promotion is marked so.
        Conflict: it isn't open, the gate blocks or holds it, or the hash is another one's.
    """
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        user = rights.person(actor, promotion.engine, rights.DECIDE)
        said = rights.reasoned(reason)
        _check_open(promotion, evidence_sha256)
        broken = rights.check_self_approval(promotion, user, break_glass=break_glass)
        stale = staleness(promotion)
        if stale:
            moving.move(promotion, PromotionState.STALE, message="; ".join(stale)[:500])
        else:
            overruled = _check_gate(promotion, overrule=overrule)
            moving.decided(promotion, PromotionState.APPROVED, actor, said, break_glass=broken)
            verb = "promotion.break_glass" if broken else "promotion.approve"
            moving.audit(promotion, actor, verb, reason=said, overruled=overruled)
    if stale:
        raise Stale(f"the evidence is stale: {'; '.join(stale)}; have the gate look again")
    return promotion


def _other_evidence(promotion: Promotion, named: str) -> str:
    if named and promotion.evidence_sha256.startswith(named):
        return f"{named[:64]!r} is the beginning of the hash alone; name the whole of it"
    return (
        f"you decided on evidence {named[:12] or 'without a hash'}, but promotion {promotion.pk} stands "
        f"on {promotion.evidence_sha256[:12]}; look at it again"
    )


def _check_open(promotion: Promotion, named: str) -> None:
    if promotion.state not in OPEN:
        raise Conflict(f"promotion {promotion.pk} is {moving.said(promotion)}")
    if named != promotion.evidence_sha256:
        raise Conflict(_other_evidence(promotion, named))
    if digest(promotion.evidence) != promotion.evidence_sha256:
        raise Conflict(
            f"the evidence of promotion {promotion.pk} doesn't have its hash: it was tampered with"
        )


def _check_gate(promotion: Promotion, *, overrule: bool) -> bool:
    """Ask the gate again under today's policy; return whether its hold is overruled.

    Conflict when it blocks, or holds and that can't be or isn't overruled.
    """
    policy = evidence.policy_of(promotion.engine)
    hours = max(0.0, evidence.age_hours(promotion.evidence, evidence.now()))
    again = decide(evidence.evidence_of(promotion.evidence, age_hours=hours), evidence.knobs_of(policy))
    strictest = {promotion.verdict, again.verdict}
    text = again.text if again.verdict != "promote" else promotion.decision["text"]
    if "block" in strictest:
        raise Conflict(f"the gate blocks it, and nobody can approve that. {text}")
    if "hold" not in strictest:
        return False
    if not policy.overrule_holds:
        raise Conflict(f"the gate holds it, and the engine's policy lets nobody overrule that. {text}")
    if not overrule:
        raise Conflict(f"the gate holds it; approve it as overruled if you mean that. {text}")
    return True


def reject(promotion_id: int, *, actor: Actor, reason: str, evidence_sha256: str = "") -> Promotion:
    """Reject a promotion that is open, or approved and not begun; its candidate is rejected with it.

    Raises NotAllowed, InvalidInput and Conflict as `approve`; a hash is checked where one is given.
    """
    with transaction.atomic():
        promotion = moving.locked(promotion_id)
        rights.person(actor, promotion.engine, rights.DECIDE)
        said = rights.reasoned(reason)
        if promotion.state not in REJECTABLE:
            raise Conflict(f"promotion {promotion.pk} is {moving.said(promotion)}")
        if evidence_sha256 and evidence_sha256 != promotion.evidence_sha256:
            raise Conflict(
                f"promotion {promotion.pk} stands on other evidence than you saw; look at it again"
            )
        moving.decided(promotion, PromotionState.REJECTED, actor, said)
        _reject_candidate(promotion)
        moving.audit(promotion, actor, "promotion.reject", reason=said)
    return promotion


def _reject_candidate(promotion: Promotion) -> None:
    versions = ModelVersion.objects.filter(promotions=promotion, state=VersionState.CANDIDATE)
    versions.update(state=VersionState.REJECTED)
    revisions = WorkflowRevision.objects.filter(promotions=promotion, state=RevisionState.CANDIDATE)
    revisions.update(
        state=RevisionState.REJECTED, decided_label=promotion.decided_label, decided_at=promotion.decided_at
    )


def why_not_approve(promotion: Promotion, user_id: int | None) -> str:
    """Say why a person with the right to decide can't approve it now; empty when they can.

    A glance for pages: staleness is asked for by `staleness`, rights by the view.
    """
    if promotion.state in UNDER_WAY:
        return f"it is {moving.said(promotion)}, and a worker applies it"
    if promotion.state not in OPEN:
        return f"it is {moving.said(promotion)}"
    if promotion.verdict == "block":
        return "the gate blocks it, and nobody can approve that"
    if promotion.verdict == "hold" and not evidence.policy_of(promotion.engine).overrule_holds:
        return "the gate holds it, and the engine's policy lets nobody overrule that"
    return rights.self_approval(promotion, user_id)
