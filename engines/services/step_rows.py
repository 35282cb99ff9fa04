"""The rows of a cycle's steps. Raw SQL: every step of every cycle passes here."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

from engines.domain.cycle import StepContext
from engines.domain.results import StepOutcome
from engines.domain.states import StepState

START = """
UPDATE engines_cyclestep SET
    state = 'running', attempt = attempt + 1, started_at = clock_timestamp(), progress = NULL, note = '',
    finished_at = NULL, duration = NULL
WHERE cycle_id = %(cycle)s AND name = %(next)s
"""

END = """
UPDATE engines_cyclestep SET
    state = %(state)s, finished_at = clock_timestamp(),
    duration = extract(epoch FROM clock_timestamp() - started_at)::float8, error = '', note = %(note)s,
    result = %(result)s, log = %(log)s, cpu_seconds = %(cpu)s, progress = %(progress)s
WHERE cycle_id = %(cycle)s AND name = %(name)s
"""

END_AND_START = f"WITH ended AS ({END} RETURNING 1) {START}"

BRIEF = """
UPDATE engines_cyclestep AS step SET
    state = brief.state, attempt = attempt + 1, error = '', note = brief.note, result = brief.result,
    log = brief.log, cpu_seconds = brief.cpu, progress = brief.progress, duration = brief.lasted,
    started_at = statement_timestamp() - (brief.ago + brief.lasted) * interval '1 second',
    finished_at = statement_timestamp() - brief.ago * interval '1 second'
FROM jsonb_to_recordset(%(brief)s) AS brief (
    name text, state text, note text, result jsonb, log text, cpu float8, progress float8,
    lasted float8, ago float8)
WHERE step.cycle_id = %(cycle)s AND step.name = brief.name
"""

BRIEF_AND_START = f"WITH ended AS ({BRIEF} RETURNING 1) {START}"

LOG_CHARS = 20_000
NOTE_CHARS = 500


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A step that came to its end and isn't written yet; times on this process' monotonic clock."""

    context: StepContext
    outcome: StepOutcome
    began: float
    ended: float = field(default_factory=time.monotonic)

    @property
    def name(self) -> str:
        """The step."""
        return self.context.step


def start(cycle_id: int, name: str) -> None:
    """Write that a step runs, as one attempt more."""
    _execute(START, {"cycle": cycle_id, "next": name})


def end(cycle_id: int, name: str, outcome: StepOutcome, following: str) -> None:
    """Write how a step ended and, unless `following` is empty, that that step runs now."""
    told = _told(outcome)
    values = {**told, "result": Jsonb(told["result"]), "cycle": cycle_id, "name": name, "next": following}
    _execute(END_AND_START if following else END, values)


def end_brief(cycle_id: int, steps: Sequence[Ended], following: str) -> None:
    """Write steps that began and ended since the last write, each as one attempt more; see `end`."""
    now = time.monotonic()
    rows = [
        {**_told(step.outcome), "name": step.name, "lasted": step.ended - step.began, "ago": now - step.ended}
        for step in steps
    ]
    values = {"cycle": cycle_id, "brief": Jsonb(rows), "next": following}
    _execute(BRIEF_AND_START if following else BRIEF, values)


def _told(outcome: StepOutcome) -> dict[str, Any]:
    """Return the columns that a step's outcome fills."""
    state = StepState(outcome.state)
    return {
        "state": state.value,
        "note": outcome.note[:NOTE_CHARS],
        "result": dict(outcome.result),
        "log": outcome.log[-LOG_CHARS:],
        "cpu": outcome.cpu_seconds,
        "progress": 1.0 if state == StepState.DONE else None,
    }


def _execute(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
