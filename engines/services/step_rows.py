"""The rows of a cycle's steps. Raw SQL: every step of every cycle passes here."""

from typing import Any

from django.db import connection
from psycopg.types.json import Jsonb

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

LOG_CHARS = 20_000
NOTE_CHARS = 500


def start(cycle_id: int, name: str) -> None:
    """Write that a step runs, as one attempt more."""
    _execute(START, {"cycle": cycle_id, "next": name})


def end(cycle_id: int, name: str, outcome: StepOutcome, following: str) -> None:
    """Write how a step ended and, unless `following` is empty, that that step runs now."""
    state = StepState(outcome.state)
    values = {
        "cycle": cycle_id,
        "name": name,
        "next": following,
        "state": state.value,
        "note": outcome.note[:NOTE_CHARS],
        "result": Jsonb(dict(outcome.result)),
        "log": outcome.log[-LOG_CHARS:],
        "cpu": outcome.cpu_seconds,
        "progress": 1.0 if state == StepState.DONE else None,
    }
    _execute(END_AND_START if following else END, values)


def _execute(statement: str, values: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
