"""What a promotion would do to the workflows that depend on what it changes."""

from engines.domain.results import Json
from engines.models import Engine
from engines.services import bots


def impact_of(engine: Engine, kind: str, workflow: str, roi_gain: float | None) -> dict[str, Json] | None:
    """Return the change of ROI by dependant; None where it was not measured.

    A bot with no other workflow has no dependants, which is known without measuring.
    """
    others = set(bots.manifest_of(engine).workflows) - {workflow}
    if not others:
        return {"dependants": {}, "source": "the manifest has no other workflow"}
    return None
