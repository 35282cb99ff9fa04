"""What a promotion would do to the workflows that depend on what it changes."""

from engines.domain.results import Json
from engines.models import Engine, WorkflowGraphState
from engines.services import bots, workflow_graph


def impact_of(engine: Engine, workflow: str, roi_gain: float | None) -> dict[str, Json] | None:
    """Return the change of ROI by dependant; None where it was not measured.

    A bot with no other workflow has no dependants, which is known without measuring. A model isn't a node of
    the graph of workflows, so that what a new one does to them is not projected.
    """
    others = set(bots.manifest_of(engine).workflows) - {workflow}
    if not others:
        return {"dependants": {}, "source": "the manifest has no other workflow"}
    measured = WorkflowGraphState.objects.filter(engine=engine, error="").exclude(commit="")
    if not workflow or roi_gain is None or not measured.exists():
        return None
    wave = workflow_graph.impact(engine, workflow, roi_gain)
    felt = {name: each["roi"] for name, each in wave.items() if name != workflow}
    return {"dependants": felt, "source": "the graph of workflows"}
