"""Which part does which step. A step that nothing is configured for says so instead of pretending."""

from engines.domain.cycle import NotConfiguredPart, Part
from engines.services.pipeline import ModelAutomationPipeline
from engines.services.steps.gate import Gate
from engines.services.steps.inspect import Inspect
from engines.services.steps.measure import Measure
from engines.services.steps.orphans import Orphans
from engines.services.steps.retrain import Retrain

NOT_YET = {
    "patch": "no code-writing engine is attached",
    "evolve": "workflow evolution is not part of this version",
    "learn": "policy and synergy learners are not part of this version",
    "flag": "no step changed the bot's code, and no flagger is attached",
    "snapshot": "snapshots are not part of this version",
}


def default_parts(pipeline: ModelAutomationPipeline | None = None) -> dict[str, Part]:
    """Return the part of each step by the step's name; `pipeline` replaces the usual one."""
    return {
        "inspect": Inspect(pipeline),
        "retrain": Retrain(pipeline),
        "orphans": Orphans(),
        "measure": Measure(),
        "gate": Gate(),
        **{step: NotConfiguredPart(why) for step, why in NOT_YET.items()},
    }
