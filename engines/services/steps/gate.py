"""Step *gate*: each candidate's evidence is gathered and judged, and put before people as a promotion.

`run` reads, and has a graph of yesterday measured anew; `commit` writes the promotions, ends those whose
candidate is gone, and proposes to roll back what left the band of its forecast. The champion and the live
workflows don't change here.
"""

from collections.abc import Mapping
from typing import Any, Final

from engines.domain.cycle import Idle, StepContext
from engines.domain.promotion import Kind, PromotionState, canonical
from engines.domain.results import StepOutcome
from engines.models import Engine, ModelVersion, Promotion, PromotionQuerySet, WorkflowRevision
from engines.services import workflow_graph
from engines.services.promotions import (
    candidates_of,
    gather,
    judge,
    open_promotion,
    policy_of,
    supersede_gone,
    watch,
)
from engines.services.promotions.evidence import Candidate, is_candidate

NONE: Final = "nothing is a candidate for promotion"


class Gate(Idle):
    """Asks the gate about everything that may be promoted today."""

    def run(self, context: StepContext) -> StepOutcome:
        """Return the evidence on each candidate whose promotion has to be opened, or opened anew."""
        engine = Engine.objects.get(pk=context.engine_id)
        policy = policy_of(engine)
        workflow_graph.bring_up_to_date(engine)
        found, said = [], []
        for candidate in candidates_of(engine):
            document = gather(candidate)
            decision = judge(candidate, document, policy)
            said.append(f"{document['kind']} {candidate.pk}: {decision.text}")
            if _to_open(candidate, context.cycle_id, document, decision.verdict):
                found.append({"kind": document["kind"], "id": candidate.pk, "evidence": document})
        return StepOutcome(state="done", note="; ".join(said) or NONE, result={"candidates": found})

    def commit(self, context: StepContext, outcome: StepOutcome) -> None:
        """Open the promotions; the step's row keeps their verdicts, not the evidence once more."""
        result: Any = outcome.result
        engine = Engine.objects.select_for_update(no_key=True).get(pk=context.engine_id)
        supersede_gone(engine.pk)
        opened = [_open(each, context.cycle_id) for each in result.pop("candidates")]
        promotions = [promotion for promotion in opened if promotion is not None]
        result["promotions"] = [
            {"id": each.pk, "kind": each.kind, "verdict": each.verdict, "text": each.decision["text"]}
            for each in promotions
        ]
        result["rollbacks_proposed"] = watch(engine)


def _to_open(candidate: Candidate, cycle_id: int, document: Mapping[str, Any], verdict: str) -> bool:
    """Tell whether people need fresh evidence: there is none, or what they have is about another world.

    What a person may be looking at right now isn't taken away from under them for nothing. A model that is
    held or blocked is told anew in each cycle how far it is.
    """
    before = _promotions(candidate).order_by("-pk").first()
    if before is None or candidate.cycle_id == cycle_id:
        return True
    if not before.is_open:
        return before.state in (PromotionState.STALE, PromotionState.FAILED)
    if before.kind == Kind.MODEL and before.verdict != "promote":
        return True
    moved = any(canonical(before.evidence[name]) != canonical(document[name]) for name in ("commit", "live"))
    return moved or before.verdict != verdict


def _promotions(candidate: Candidate) -> PromotionQuerySet:
    one = {"version": candidate.pk} if isinstance(candidate, ModelVersion) else {"revision": candidate.pk}
    return Promotion.objects.filter(**one)


def _open(found: Mapping[str, Any], cycle_id: int) -> Promotion | None:
    """Open one promotion; None where the candidate went away while the step ran."""
    model = ModelVersion if found["kind"] == Kind.MODEL else WorkflowRevision
    candidate = model.objects.select_related("engine").get(pk=found["id"])
    if not is_candidate(candidate):
        return None
    return open_promotion(candidate, cycle_id=cycle_id, document=found["evidence"])
