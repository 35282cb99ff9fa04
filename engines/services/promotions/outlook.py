"""Where the ROI of a candidate's subject goes: forecast, verdict and history, as evidence has them."""

from typing import Any, Final

from engines.domain.results import Json
from engines.models import Engine
from forecasting.domain.foresight import severity
from forecasting.domain.gate import INSUFFICIENT
from forecasting.models import Forecast, RoiEvent
from forecasting.services import foresight

HISTORY: Final = 60
"""Latest ROI levels that are frozen with the evidence."""
FORECAST_COLUMNS: Final = (
    "subject", "source", "at", "model", "seen", "horizon", "mean", "lower80", "upper80", "lower95", "upper95",
    "growth", "confidence", "risk", "p_collapse", "brittle", "collapse_in", "probabilities", "evidence",
    "reason",
)  # fmt: skip
VERDICT_COLUMNS: Final = ("risk", "p_collapse", "collapse_in", "probabilities", "evidence", "reason")
Document = dict[str, Json]


def forecast_of(engine: Engine, workflow: str = "") -> Document | None:
    """Return the newest forecast of the workflow, or of the whole bot where the workflow has none.

    What it says of a collapse is the worse of its own label and the latest verdict on the subject.
    """
    subjects = [f"{engine.name}/{workflow}"] if workflow else []
    for subject in (*subjects, engine.name):
        row = Forecast.objects.latest_of(subject)
        if row is not None:
            return _with_verdict(forecast_data(row))
    return None


def forecast_data(row: Forecast) -> Document:
    """Return what is frozen of a forecast."""
    return {name: getattr(row, name) for name in FORECAST_COLUMNS} | {"at": row.at.isoformat()}


def _with_verdict(forecast: Document) -> Document:
    """Return the forecast with the verdict on its subject where that is worse, or the forecast says nothing.

    A verdict that is due is made anew: it knows of every cycle, and of the risk-adjusted ROI.  `judged_by`
    says whose label it is.
    """
    own: Any = {**forecast, "judged_by": "forecast" if forecast["risk"] else None}
    verdict = foresight.verdict(str(own["subject"]))
    if verdict is None or verdict.risk == INSUFFICIENT:
        return dict(own)
    seen = verdict.brittle if verdict.elasticity is not None else None
    brittle = max((each for each in (own["brittle"], seen) if each is not None), default=None)
    found = {name: getattr(verdict, name) for name in VERDICT_COLUMNS}
    if not own["risk"] or severity(found) > severity(own):
        own |= {**found, "judged_by": "verdict"}
    return {**own, "brittle": brittle}


def history_of(subject: str) -> list[float]:
    """Return the latest measured ROI of a subject, oldest first."""
    rows = RoiEvent.objects.levels(subject).order_by("-at", "-id").values_list("roi_after", flat=True)
    return [level for level in reversed(rows[:HISTORY]) if level is not None]
