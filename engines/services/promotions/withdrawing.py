"""Takes a proposed revision back. One that is live goes by the roll-back of its promotion, nothing else."""

from django.db import transaction

from engines.domain.errors import Conflict
from engines.domain.promotion import PromotionState
from engines.domain.results import Actor
from engines.domain.states import RevisionState
from engines.models import Engine, Promotion, WorkflowRevision
from engines.services import workflows
from engines.services.promotions.opening import supersede_gone


def withdraw(revision_id: int, *, actor: Actor) -> WorkflowRevision:
    """Take a candidate back and end its open promotion.

    Conflict when it is live, which only the roll-back of its promotion changes, or no candidate.
    """
    with transaction.atomic():
        engine_id = WorkflowRevision.objects.values_list("engine", flat=True).get(pk=revision_id)
        Engine.objects.select_for_update(no_key=True).get(pk=engine_id)
        revision = WorkflowRevision.objects.get(pk=revision_id)
        if revision.state == RevisionState.ACTIVE and revision.parent_id is not None:
            applied = Promotion.objects.filter(revision=revision, state=PromotionState.APPLIED).first()
            how = f"roll back promotion {applied.pk}" if applied else "no promotion made it so"
            raise Conflict(f"revision {revision_id} is live; {how}")
        found = workflows.revert(revision_id, actor=actor)
        supersede_gone(engine_id)
    return found
