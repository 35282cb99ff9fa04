"""Changes what an engine's promotions take. It takes the right to decide, and a reason, and is audited."""

from typing import Any

from django.db import transaction

from engines.domain.errors import Conflict
from engines.domain.promotion import digest, plain
from engines.domain.promotion_policy import PromotionPolicy
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.promotions import evidence, rights
from engines.signals import acted


def set_policy(
    engine_id: int, *, actor: Actor, reason: str, seen: str = "", **changes: Any
) -> PromotionPolicy:
    """Change knobs of an engine's policy and return it whole; open promotions keep their verdict.

    `seen`: the `digest` of the policy that the person looked at; empty: whatever it is, as only the knobs
    that are named change.  Raises NotAllowed for who may not decide on promotions, InvalidInput for a wrong
    value or an empty reason, Conflict where somebody changed it since it was seen.
    """
    with transaction.atomic():
        engine = Engine.objects.select_for_update(no_key=True).get(pk=engine_id)
        rights.person(actor, engine, rights.DECIDE)
        said = rights.reasoned(reason)
        before = evidence.policy_of(engine)
        if seen and seen != digest(before.as_data()):
            raise Conflict("somebody changed the policy since you opened this page; load it again")
        after = before.changed(changes)
        was, now = before.as_data(), after.as_data()
        changed = {name: now[name] for name in now if now[name] != was[name]}
        kept = {**engine.promotion_policy, **changed}
        Engine.objects.filter(pk=engine_id).update(
            promotion_policy=plain(kept), promotion_policy_by=actor.user_id
        )
        detail = {"reason": said, "before": {name: was[name] for name in changed}, "after": changed}
        target = f"engine:{engine.name}"
        acted.send(sender=Engine, actor=actor, verb="promotion.policy", target=target, detail=detail)
    return after
