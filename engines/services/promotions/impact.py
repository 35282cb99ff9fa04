"""What a promotion would do to the workflows that depend on what it changes."""

from engines.domain.results import Json
from engines.domain.workflows.graph import MODEL
from engines.models import Engine
from engines.services import bots, workflow_graph


def impact_of(engine: Engine, workflow: str, roi_gain: float | None) -> dict[str, Json] | None:
    """Return the change of ROI by dependant of a workflow, or of the model (""); None: not measured.

    A bot with no other workflow has no dependants, which is known without measuring. Else it takes a gain,
    and a graph that was measured of the very commit that the bot is at.
    """
    changed = workflow or MODEL
    if not set(bots.manifest_of(engine).workflows) - {workflow}:
        return {"dependants": {}, "source": "the manifest has no other workflow"}
    known = changed in workflow_graph.load(engine) and workflow_graph.of_today(engine)
    if roi_gain is None or not known:
        return None
    wave = workflow_graph.impact(engine, changed, roi_gain)
    felt = {name: each["roi"] for name, each in wave.items() if name != changed}
    return {"dependants": felt, "source": "the graph of model and workflows"}
