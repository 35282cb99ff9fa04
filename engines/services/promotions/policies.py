"""Changes what an engine's promotions take. It takes the right to decide, and a reason, and is audited."""

from typing import Any

from django.db import transaction

from engines.domain.promotion import plain
from engines.domain.promotion_policy import PromotionPolicy
from engines.domain.results import Actor
from engines.models import Engine
from engines.services.promotions import evidence, rights
from engines.signals import acted


def set_policy(engine_id: int, *, actor: Actor, reason: str, **changes: Any) -> PromotionPolicy:
    """Change knobs of an engine's policy and return it whole; open promotions keep their verdict.

    Raises NotAllowed for who may not decide on promotions, InvalidInput for a wrong value or an empty reason.
    """
    with transaction.atomic():
        engine = Engine.objects.select_for_update(no_key=True).get(pk=engine_id)
        rights.person(actor, engine, rights.DECIDE)
        said = rights.reasoned(reason)
        before = evidence.policy_of(engine)
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
