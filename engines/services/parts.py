"""Which part does which step. A step that nothing is configured for says so instead of pretending."""

from engines.domain.cycle import NotConfiguredPart, Part
from engines.services.steps.inspect import Inspect
from engines.services.steps.measure import Measure
from engines.services.steps.retrain import Retrain

NOT_YET = {
    "patch": "not configured: no code-writing engine is attached",
    "orphans": "not configured: orphan discovery is not part of this version",
    "evolve": "not configured: workflow evolution is not part of this version",
    "learn": "not configured: policy and synergy learners are not part of this version",
    "flag": "not configured: no step changed the bot's code, and no flagger is attached",
    "gate": "not configured: the promotion gate is not part of this version",
    "snapshot": "not configured: snapshots are not part of this version",
}


def default_parts() -> dict[str, Part]:
    """Return the part of each step by the step's name."""
    return {
        "inspect": Inspect(),
        "retrain": Retrain(),
        "measure": Measure(),
        **{step: NotConfiguredPart(why) for step, why in NOT_YET.items()},
    }
