"""Promotions as pages show them: in words, nothing unseen. Evidence is shown as it was frozen."""

from collections.abc import Mapping
from typing import Any, Final

from engines.domain.promotion import OPEN, UNDER_WAY, Kind, PromotionState
from engines.domain.unseen import visible
from engines.domain.wording import word
from engines.models import Promotion, PromotionQuerySet
from engines.panels.pills import pills

Panel = dict[str, Any]

LIST_COLUMNS: Final = (
    "engine__name", "cycle_id", "kind", "version__sha256", "revision__workflow", "subject", "verdict",
    "decision", "requested_label", "created_at", "state", "message", "decided_label", "decided_at", "reason",
    "break_glass", "automatic", "applied_at", "alarm", "alarm_kept_at", "rolled_back_at", "rolled_back_label",
)  # fmt: skip
VERDICT_WORDS: Final = {
    "promote": "The gate would promote it",
    "hold": "The gate holds it",
    "block": "The gate blocks it",
}
VERDICT_STATES: Final = {"promote": "done", "hold": "late", "block": "failed"}
STATE_WORDS: Final = {
    PromotionState.WAITING: "waits for a person",
    PromotionState.HELD: "held",
    PromotionState.BLOCKED: "blocked",
}
STATES: Final = tuple(str(state) for state in PromotionState)
CODES: Final = {
    "p_collapse": "collapse",
    "brittle": "brittleness",
    "flags": "alignment flags",
    "self_tests": "self-tests",
}
MAX_REASONS: Final = 40
CURRENT: Final = (*OPEN, *UNDER_WAY)


def listed(promotions: PromotionQuerySet) -> PromotionQuerySet:
    """Return the same promotions with the columns of a list alone: evidence may be long."""
    return promotions.select_related("engine", "version", "revision").only(*LIST_COLUMNS)


def promotion_row(promotion: Promotion) -> Panel:
    """Return what a list shows of a promotion."""
    against = [reason for reason in reasons(promotion.decision) if reason["allows"] != "promote"]
    return {
        "id": promotion.pk,
        "engine": promotion.engine.name,
        "kind": promotion.kind,
        "candidate": candidate(promotion),
        "subject": visible(promotion.subject),
        "cycle": promotion.cycle_id,
        "revision": promotion.revision_id,
        "state": promotion.state,
        "word": state_word(promotion.state),
        "open": promotion.is_open,
        "moving": promotion.state in UNDER_WAY,
        "verdict": promotion.verdict,
        "verdict_state": VERDICT_STATES.get(promotion.verdict, "not_configured"),
        "why": against[0]["text"] if against else "",
        "more": max(0, len(against) - 1),
        "requested_label": visible(promotion.requested_label),
        "created_at": promotion.created_at,
        "decided_label": visible(promotion.decided_label),
        "decided_at": promotion.decided_at,
        "reason": visible(promotion.reason),
        "message": visible(promotion.message),
        "break_glass": promotion.break_glass,
        "automatic": promotion.automatic,
        "alarmed": promotion.rollback_proposed,
    }


def state_word(state: str) -> str:
    """Return a state in words."""
    return STATE_WORDS.get(PromotionState(state), word(state))


def candidate(promotion: Promotion) -> str:
    """Return what would go live: a model by its digest, a workflow by its name and revision."""
    if promotion.kind == Kind.MODEL and promotion.version is not None:
        return f"model {promotion.version.sha256[:12] or promotion.version_id}"
    if promotion.revision is not None:
        return f"workflow {visible(promotion.revision.workflow)}, revision {promotion.revision_id}"
    return promotion.kind


def reasons(decision: Any) -> list[Panel]:
    """Return the gate's reasons: code, ok (None: not measured), text, change, and what each allows."""
    found = decision.get("reasons") if isinstance(decision, Mapping) else None
    rows = [row for row in found if isinstance(row, Mapping)] if isinstance(found, list) else []
    return [_reason(row) for row in rows[:MAX_REASONS]]


def _reason(row: Mapping[str, Any]) -> Panel:
    ok, allows, code = row.get("ok"), visible(str(row.get("allows", "promote"))), str(row.get("code", ""))
    known = ok if isinstance(ok, bool) else None
    passes = allows == "promote"
    return {
        "code": visible(CODES.get(code, word(code))),
        "ok": known,
        "text": visible(str(row.get("text", ""))),
        "change": visible(str(row.get("what_would_change", ""))),
        "allows": allows,
        "state": "not_configured" if known is None and passes else VERDICT_STATES.get(allows, "late"),
        "word": "speaks for it" if known else ("not measured" if known is None else f"{allows}s"),
    }


def state_pills(promotions: PromotionQuerySet, chosen: tuple[str, ...] = ()) -> list[Panel]:
    """Return the states with their promotions; the first is what needs somebody, the last every state."""
    groups = {"": tuple(map(str, CURRENT)), **{state: (state,) for state in STATES}, "all": ()}
    said = {"": "to decide", "all": "all"}
    return pills(promotions, groups, chosen, lambda name: said.get(name) or state_word(name))


def of_cycle(cycle_id: int, limit: int = 20) -> list[Panel]:
    """Return the promotions that a cycle's gate opened, newest first."""
    rows = listed(Promotion.objects.filter(cycle=cycle_id))
    return [promotion_row(promotion) for promotion in rows.order_by("-id")[:limit]]
