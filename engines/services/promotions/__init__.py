"""Promotions: evidence, the gate's decision, people's decision, the effect, and the way back.

What is the champion, and which revision a workflow runs, changes here and nowhere else.
"""

from engines.services.promotions.applying import apply, left_over
from engines.services.promotions.deciding import approve, reject, why_not_approve
from engines.services.promotions.evidence import gather, policy_of, usual_policy
from engines.services.promotions.freshness import staleness
from engines.services.promotions.opening import (
    candidates_of,
    judge,
    open_promotion,
    reconsider,
    renew,
    supersede_gone,
)
from engines.services.promotions.policies import set_policy
from engines.services.promotions.rights import DECIDE, self_approval
from engines.services.promotions.rolling import keep, preview, rollback
from engines.services.promotions.watching import watch
from engines.services.promotions.withdrawing import withdraw

__all__ = [
    "DECIDE",
    "apply",
    "approve",
    "candidates_of",
    "gather",
    "judge",
    "keep",
    "left_over",
    "open_promotion",
    "policy_of",
    "preview",
    "reconsider",
    "reject",
    "renew",
    "rollback",
    "self_approval",
    "set_policy",
    "staleness",
    "supersede_gone",
    "usual_policy",
    "watch",
    "why_not_approve",
    "withdraw",
]
