"""Opens promotions: freezes a candidate's evidence, asks the gate, and puts the outcome before people."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now

from engines.domain.errors import Conflict
from engines.domain.promotion import ALIVE, OPEN, VERDICT_STATE, Kind, PromotionState, digest
from engines.domain.promotion_policy import PromotionPolicy
from engines.domain.results import SYSTEM, Actor
from engines.domain.states import RevisionState, VersionState
from engines.models import Engine, Promotion
from engines.services.endings import seconds
from engines.services.promotions import evidence, freshness, moving, rights
from engines.services.promotions.evidence import Candidate
from engines.signals import promotion_changed
from forecasting.domain.gate import Decision, decide

FRESH = "fresh evidence was gathered"
DAY_SECONDS = 86_400
OWN_POLICY = "who requested it wrote the policy, which then is no second person"


def judge(candidate: Candidate, document: Mapping[str, Any], policy: PromotionPolicy) -> Decision:
    """Ask the gate about evidence that was gathered a moment ago."""
    hours = evidence.age_hours(document, evidence.now())
    stale = freshness.staleness_of(candidate, document)
    looked_at = evidence.evidence_of(document, stale=stale, age_hours=max(0.0, hours))
    return decide(looked_at, evidence.knobs_of(policy))


def open_promotion(
    candidate: Candidate,
    *,
    cycle_id: int | None = None,
    document: Mapping[str, Any] | None = None,
    requested_by: Actor | None = None,
) -> Promotion:
    """Freeze the candidate's evidence with the gate's decision, and return the promotion.

    An open promotion of the same candidate is superseded; one that was approved or applied is returned as
    it is.  `document`: evidence that was gathered before; `requested_by`: the person who asked for the
    candidate, where no cycle tells.  Raises Conflict when it is no candidate any more.
    """
    with transaction.atomic():
        engine = Engine.objects.select_for_update(no_key=True).get(pk=candidate.engine_id)
        before = _alive(candidate)
        if before is not None and before.state not in OPEN:
            return before
        candidate.refresh_from_db()
        if not evidence.is_candidate(candidate):
            raise Conflict(f"{candidate} is {candidate.state}; only a candidate can be promoted")
        found = dict(document or evidence.gather(candidate))
        found["requested_by"] = _requester(found, _requested(candidate), requested_by)
        policy = evidence.policy_of(engine)
        decision = judge(candidate, found, policy)
        if before is not None:
            moving.move(before, PromotionState.SUPERSEDED, message=FRESH)
        promotion = _create(candidate, found, decision, policy, cycle_id)
        if not promotion.policy["left_to_people"]:
            _approve_by_policy(promotion, policy, decision)
    return promotion


def _alive(candidate: Candidate) -> Promotion | None:
    return Promotion.objects.filter(_same(candidate), state__in=ALIVE).select_for_update().first()


def _requested(candidate: Candidate) -> Promotion | None:
    """Return the candidate's first promotion that somebody requested, whatever became of it."""
    return Promotion.objects.filter(_same(candidate), requested_by__isnull=False).order_by("pk").first()


def _same(candidate: Candidate) -> Q:
    kind = evidence.kind_of(candidate)
    return Q(version=candidate.pk) if kind == Kind.MODEL else Q(revision=candidate.pk)


def _requester(
    document: Mapping[str, Any], before: Promotion | None, asked: Actor | None
) -> Mapping[str, Any]:
    """Return who requested the candidate: fresh evidence doesn't make another person the requester."""
    if before is not None:
        return {"id": before.requested_by_id, "label": before.requested_label}
    if document["requested_by"]["id"] is None and asked is not None and asked.user_id is not None:
        return {"id": asked.user_id, "label": asked.label}
    return dict(document["requested_by"])


def _create(
    candidate: Candidate,
    document: Mapping[str, Any],
    decision: Decision,
    policy: PromotionPolicy,
    cycle_id: int | None,
) -> Promotion:
    kind = evidence.kind_of(candidate)
    left = _left_to_people(candidate.engine, document, policy, decision)
    promotion = Promotion.objects.create(
        engine_id=candidate.engine_id,
        cycle_id=cycle_id,
        kind=kind,
        version_id=candidate.pk if kind == Kind.MODEL else None,
        revision_id=candidate.pk if kind == Kind.WORKFLOW else None,
        subject=document["subject"],
        verdict=decision.verdict,
        evidence=document,
        evidence_sha256=digest(document),
        decision=decision.as_data(),
        policy=policy.as_data() | {"gate": asdict(evidence.knobs_of(policy)), "left_to_people": left},
        requested_by_id=document["requested_by"]["id"],
        requested_label=document["requested_by"]["label"][:150],
        state=VERDICT_STATE[decision.verdict],
    )
    moving.audit(promotion, SYSTEM, "promotion.open", verdict=decision.verdict)
    promotion_changed.send(sender=Promotion, promotion=promotion)
    return promotion


def _left_to_people(
    engine: Engine, document: Mapping[str, Any], policy: PromotionPolicy, decision: Decision
) -> list[str]:
    """Return why the engine's policy doesn't approve it by itself; empty when it does."""
    forecast, by = document["forecast"] or {}, engine.promotion_policy_by_id
    found = policy.objections(
        document["kind"],
        verdict=decision.verdict,
        unmeasured=decision.unmeasured,
        confidence=forecast.get("confidence"),
        p_collapse=forecast.get("p_collapse"),
        today=_approved_today(engine.pk),
    )
    # it would stand in for a second person, and the requester wrote it
    own = settings.SANDBOX.two_person_rule and by is not None and by == document["requested_by"]["id"]
    more = {OWN_POLICY: own, evidence.SWITCHED_OFF: not engine.enabled}
    return [*found, *(text for text, holds in more.items() if holds)]


def _approve_by_policy(promotion: Promotion, policy: PromotionPolicy, decision: Decision) -> None:
    """Approve it in the policy's name."""
    actor = Actor(label=f"policy of {promotion.engine.name}")
    missing = list(decision.unmeasured)
    borne = f"; not measured, which the policy bears: {', '.join(missing)}" if missing else ""
    reason = f"automatic: within the limits of the engine's policy, {policy.auto_per_day} a day{borne}"
    moving.decided(promotion, PromotionState.APPROVED, actor, reason, automatic=True)
    detail = {"reason": reason, "automatic": True, "not_measured": missing}
    moving.audit(promotion, actor, "promotion.approve", **detail)


def _approved_today(engine_id: int) -> int:
    since = Now() - seconds(DAY_SECONDS)
    rows = Promotion.objects.filter(engine=engine_id, automatic=True, decided_at__gt=since)
    return int(rows.count())


def reconsider(promotion_id: int, *, actor: Actor) -> Promotion:
    """Gather fresh evidence on the same candidate and ask the gate again; return the new promotion.

    Whoever may operate the engine or decide may ask. Raises Conflict when it is no candidate any more, or the
    promotion is under way.
    """
    promotion = Promotion.objects.select_related("engine", "version", "revision").get(pk=promotion_id)
    rights.person(actor, promotion.engine, rights.DECIDE, rights.OPERATE)
    candidate = freshness.candidate_of(promotion)
    with transaction.atomic():
        Engine.objects.select_for_update(no_key=True).get(pk=promotion.engine_id)
        before = _alive(candidate)
        if before is not None and before.state not in OPEN:
            raise Conflict(f"promotion {before.pk} is {moving.said(before)}")
        fresh = open_promotion(
            candidate,
            requested_by=Actor(user_id=promotion.requested_by_id, label=promotion.requested_label),
        )
        moving.audit(fresh, actor, "promotion.reconsider", before=promotion_id)
    return fresh


def renew(engine_id: int, workflow: str) -> list[int]:
    """Ask the gate anew about a workflow's candidates that it holds, and return the new promotions' ids.

    Only where it says something else by now, or was shown other runs through the hard stages: nobody's page
    goes stale for nothing.
    """
    held = Promotion.objects.filter(engine=engine_id, state=PromotionState.HELD, revision__workflow=workflow)
    opened = []
    for promotion in held.select_related("engine", "revision__engine").order_by("pk"):
        candidate = freshness.candidate_of(promotion)
        document = evidence.gather(candidate)
        verdict = judge(candidate, document, evidence.policy_of(promotion.engine)).verdict
        if verdict == promotion.verdict and document["stages"] == promotion.evidence.get("stages"):
            continue
        try:
            opened.append(open_promotion(candidate, document=document).pk)
        except Conflict:  # it is no candidate any more
            continue
    return opened


def supersede_gone(engine_id: int) -> int:
    """End the open promotions whose candidate is none any more; return how many."""
    ended = 0
    gone = ~Q(version__state=VersionState.CANDIDATE) & Q(kind=Kind.MODEL)
    taken_back = ~Q(revision__state=RevisionState.CANDIDATE) & Q(kind=Kind.WORKFLOW)
    with transaction.atomic():
        rows = Promotion.objects.open().filter(gone | taken_back, engine=engine_id)
        for pk in list(rows.order_by("pk").values_list("pk", flat=True)):
            promotion = moving.locked(pk)
            if promotion.state in OPEN:
                state = freshness.candidate_of(promotion).state
                moving.move(promotion, PromotionState.SUPERSEDED, message=f"the candidate is {state} by now")
                ended += 1
    return ended


def candidates_of(engine: Engine) -> Iterable[Candidate]:
    """Return what may be promoted today: the model that won last, and the proposed revisions."""
    versions = engine.versions.filter(state=VersionState.CANDIDATE).select_related("engine", "cycle")
    revisions = engine.workflow_revisions.filter(state=RevisionState.CANDIDATE)
    return [
        *versions.order_by("-pk")[:1],
        *revisions.select_related("engine", "cycle").order_by("-pk")[:MOST_REVISIONS],
    ]


MOST_REVISIONS = 50
"""Newest proposed revisions of an engine that a cycle's gate looks at."""
