"""The evaluation dashboard: how good the forecasts of subjects were, as plain mappings.

The same mappings feed the pages, the figures, the API and notebooks. They are made from the newest forecasts
of which a number came, so they cost the same after a million cycles.
"""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from django.db import connection

from forecasting.domain.accuracy import Outcome, coverage, prediction_panel
from forecasting.panels.outcomes import MAX_OUTCOMES, Row, by_model, by_step, newest, outcomes
from forecasting.panels.scenarios import scenario_panel

Panel = dict[str, Any]
MAX_SUBJECTS = 2_000

# a loose index scan, one probe a subject: DISTINCT would read every forecast
SUBJECTS = """
WITH RECURSIVE found (subject) AS (
    (SELECT subject FROM forecasting_forecast ORDER BY subject LIMIT 1)
    UNION ALL
    SELECT (
        SELECT f.subject FROM forecasting_forecast f
        WHERE f.subject > found.subject ORDER BY f.subject LIMIT 1
    ) FROM found WHERE found.subject IS NOT NULL
)
SELECT subject FROM found WHERE subject IS NOT NULL LIMIT %(most)s
"""


@runtime_checkable
class HasSubject(Protocol):
    """A tracker whose history is kept in rows."""

    subject: str


@runtime_checkable
class HasOutcomes(Protocol):
    """A tracker that keeps its history itself."""

    def outcomes(self) -> Sequence[Outcome]:
        """Return its forecasts of which a number came, oldest first."""


Tracked = str | Sequence[str] | HasSubject | HasOutcomes


class EvaluationDashboard:
    """How good forecasts were. `manager`: the tracker, or the subjects, meant where a call names none.

    >>> stats = EvaluationDashboard().roi_prediction_panel(tracker)  # doctest: +SKIP
    >>> stats["mae"], stats["accuracy"], stats["mae_trend"][-1]  # doctest: +SKIP
    """

    def __init__(self, manager: Tracked | None = None) -> None:
        self.manager = manager

    def roi_prediction_panel(self, tracker: Tracked | None = None) -> Panel:
        """Return errors, classes, trends, calibration, workflows and scenarios."""
        return roi_prediction_panel(self._of(tracker))

    def calibration_panel(self, tracker: Tracked | None = None) -> list[Panel]:
        """Return for each level of interval how often it held."""
        return coverage(_read(self._of(tracker))[0])

    def scenario_panel(self, tracker: Tracked | None = None) -> Panel:
        """Return what each scenario did to the ROI and to the metrics of synergy."""
        return scenario_panel(subjects_of(self._of(tracker)))

    def _of(self, tracker: Tracked | None) -> Tracked:
        chosen = self.manager if tracker is None else tracker
        if chosen is None:
            raise ValueError("tracker: a tracker, a subject or several subjects")
        return chosen


def roi_prediction_panel(tracker: Tracked) -> Panel:
    """Return everything that the dashboard says of forecasts: the keys of `prediction_panel`, and more.

    `tracker`: a tracker, the name of a subject (its workflows, `subject/...`, belong to it), or several
    subjects. Further keys: `steps` (error and coverage by step of the horizon), `models` (error by model that
    answered), those of `scenario_panel`, and `cut` (older outcomes were left out).
    """
    found, rows = _read(tracker)
    return {
        **prediction_panel(found),
        "steps": by_step(rows),
        "models": by_model(rows),
        **scenario_panel(subjects_of(tracker)),
        "cut": len(found) >= MAX_OUTCOMES,
    }


def _read(tracker: Tracked) -> tuple[list[Outcome], list[Row]]:
    """Return what a tracker, or the rows of subjects, know of forecasts and of what came, oldest first."""
    if isinstance(tracker, HasOutcomes):
        return list(tracker.outcomes())[-MAX_OUTCOMES:], []
    rows = newest(subjects_of(tracker))
    return outcomes(rows), rows


def subjects_of(tracker: Tracked) -> list[str]:
    """Return the subjects of which rows are read: a name stands for its workflows too."""
    if isinstance(tracker, HasOutcomes):
        return []
    if isinstance(tracker, str):
        return list(dict.fromkeys((tracker, *forecast_subjects(of=tracker))))
    return subjects_of(tracker.subject) if isinstance(tracker, HasSubject) else list(tracker)[:MAX_SUBJECTS]


def forecast_subjects(of: str = "") -> list[str]:
    """Return the subjects of which a forecast was made, by name; `of`: that subject and its workflows."""
    with connection.cursor() as cursor:
        cursor.execute(SUBJECTS, {"most": MAX_SUBJECTS})
        found = [subject for (subject,) in cursor.fetchall()]
    return [name for name in found if not of or name == of or name.startswith(f"{of}/")]
