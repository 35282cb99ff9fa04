"""Writes forecasts of subjects, and settles them when the numbers come that they spoke of.

Two halves, so that a cycle's step can do the heavy one outside of its transaction: `foresee` reads and
computes,
`keep` writes. Both, and `settle`, may be repeated: what was forecast from a source is kept once, and what
came is read from the events themselves, never added up.

The forecaster and the judge of collapse bring NumPy; they are loaded on use, which only workers do.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from itertools import pairwise
from statistics import fmean
from typing import Any, Final

from django.db import connection, transaction

from forecasting.domain.confidence import confidence_of
from forecasting.models import Forecast, RoiEvent
from forecasting.models.tracking import SCENARIO_CHARS, SOURCE_CHARS, SUBJECT_CHARS, WORDS_CHARS
from forecasting.services import predictor

HORIZON: Final = 5
WINDOW: Final = 200
"""Newest numbers that a forecast is made from."""
ERRORS: Final = 100
"""Newest errors of the subject that widen its intervals and make its confidence."""
OPEN: Final = 24
"""Newest forecasts that an event may still settle; longer horizons than this are refused."""

SHARE_OF_LEVEL: Final = 0.01

NEWEST: Final = 4 * OPEN
"""Newest events that are looked at for them."""

Made = dict[str, Any]
LISTS: Final = ("mean", "lower80", "upper80", "lower95", "upper95")

# what lies before the event of the source itself: a repeated forecast sees no more than the first one did;
# one probe an event, for a join compares each with all cycles where the planner believes them few
READ = """
WITH own AS (
    SELECT id, {value} AS value FROM {events}
    WHERE subject = %(subject)s AND {scene} AND source = %(source)s LIMIT 1
)
SELECT e.value, m.entropy, e.source = %(source)s FROM (
    (SELECT id, source, {value} AS value FROM {events}
    WHERE subject = %(subject)s AND {scene} AND {value} IS NOT NULL AND source <> %(source)s
        AND id < coalesce((SELECT id FROM own), 9223372036854775807)
    ORDER BY at DESC, id DESC LIMIT %(window)s)
    UNION ALL
    SELECT 9223372036854775807, %(source)s, coalesce(%(value)s::float8, (SELECT value FROM own))
) e LEFT JOIN LATERAL (
    SELECT entropy FROM forecasting_cyclemetrics
    WHERE subject = %(subject)s AND cycle = substring(e.source FROM '^cycle:([0-9]{{1,18}})$')::bigint LIMIT 1
) m ON true WHERE e.value IS NOT NULL ORDER BY e.id
"""

# the forecast before may wait for this very number: then its error is what it will be settled with
PAST_ERRORS = """
SELECT missed FROM (
    SELECT id, coalesce(error, abs(%(own)s::float8 - (mean ->> 0)::float8) / scale) AS missed
    FROM forecasting_forecast
    WHERE subject = %(subject)s AND scenario = %(scenario)s AND source <> %(source)s
        AND id < coalesce((SELECT id FROM forecasting_forecast
            WHERE subject = %(subject)s AND scenario = %(scenario)s AND source = %(source)s),
            9223372036854775807)
    ORDER BY at DESC, id DESC LIMIT %(errors)s
) f WHERE missed IS NOT NULL ORDER BY id
"""

# Newest events and forecasts by time: an order by id may be read off a primary key, past all others' rows.
# Limits are constants, so that the planner knows how few rows these are. What did not change is not written.
SETTLE = """
WITH newest AS MATERIALIZED (
    SELECT id, source, {value} AS value FROM {events} WHERE subject = %(subject)s AND {scene}
    ORDER BY at DESC, id DESC LIMIT %(events)s
), later AS MATERIALIZED (
    SELECT e.id, e.source, e.value FROM {events} own CROSS JOIN LATERAL (
        SELECT id, source, {value} AS value FROM {events}
        WHERE subject = %(subject)s AND {scene} AND at >= own.at ORDER BY at, id LIMIT %(events)s
    ) e WHERE own.subject = %(subject)s AND {scene} AND own.source = %(source)s
), recent AS MATERIALIZED (
    SELECT id, source, horizon, mean, scale FROM forecasting_forecast
    WHERE subject = %(subject)s AND scenario = %(scenario)s ORDER BY at DESC, id DESC LIMIT %(open)s
), own AS MATERIALIZED (
    SELECT id, source, horizon, mean, scale FROM forecasting_forecast
    WHERE subject = %(subject)s AND scenario = %(scenario)s AND source = %(source)s
        AND id NOT IN (SELECT id FROM recent)
), pairs AS (
    SELECT f.*, e.id AS event, n.id AS next, n.value
    FROM recent f JOIN newest e USING (source) JOIN newest n ON n.id > e.id AND n.value IS NOT NULL
    UNION ALL
    SELECT f.*, e.id, n.id, n.value
    FROM own f JOIN later e USING (source) JOIN later n ON n.id > e.id AND n.value IS NOT NULL
), came AS MATERIALIZED (
    SELECT id, event, horizon, to_jsonb((array_agg(value ORDER BY next))[1:horizon]) AS actual,
        abs((array_agg(value ORDER BY next))[1] - (mean ->> 0)::float8) / scale AS error
    FROM pairs GROUP BY id, event, horizon, mean, scale LIMIT %(open)s + 1
), settled AS (
    UPDATE forecasting_forecast f SET actual = c.actual, error = c.error,
        settled_at = CASE WHEN jsonb_array_length(c.actual) = c.horizon
            THEN coalesce(f.settled_at, statement_timestamp()) END
    FROM came c WHERE f.id = c.id AND (f.actual <> c.actual OR f.error IS DISTINCT FROM c.error)
    RETURNING f.id
)
{told}
"""
TOLD = """
UPDATE forecasting_roievent e SET actual_horizons = c.actual
FROM came c WHERE e.id = c.event AND e.actual_horizons IS DISTINCT FROM c.actual
"""

EVENTS: Final = {
    "events": "forecasting_roievent",
    "value": "roi_after",
    "scene": "%(scenario)s = ''",
    "told": TOLD,
}
SAMPLES: Final = {
    "events": "forecasting_synergysample",
    "value": "roi_delta",
    "scene": "scenario = %(scenario)s",
    "told": "SELECT count(*) FROM settled",
}

COLUMNS: Final = (
    "model", "seen", "horizon", *LISTS, "growth", "confidence", "scale", "risk", "p_collapse", "brittle",
    "collapse_in", "probabilities", "evidence", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What a forecast is made from."""

    #: ROI of the subject after each event, oldest first; deltas, where it is about a scenario
    values: list[float]
    #: entropy of each, as far as it was measured
    entropies: list[float | None]
    #: past scaled errors, oldest first
    errors: list[float]


def make(
    subject: str,
    source: str,
    *,
    value: float | None = None,
    scenario: str = "",
    horizon: int = HORIZON,
) -> Forecast | None:
    """Forecast the events after `source` and keep it; None where nothing was ever measured of the subject.

    `value`: what `source` itself measured, where its event isn't kept yet. Raises ValueError for a bad name.
    """
    made = foresee(subject, source, value=value, scenario=scenario, horizon=horizon)
    return None if made is None else keep(subject, source, made, scenario=scenario)


def foresee(
    subject: str,
    source: str,
    *,
    value: float | None = None,
    scenario: str = "",
    horizon: int = HORIZON,
) -> Made | None:
    """Return the forecast of the events after `source` as plain JSON for `keep`; nothing is written."""
    _check(subject, source, scenario, horizon)
    known = _known(subject, source, scenario, value)
    if not known.values:
        return None
    foretold = predictor.answer(known.values, horizon, known.errors)
    return {**_told(foretold, known, horizon), **_risk(known)}


def _check(subject: str, source: str, scenario: str, horizon: int) -> None:
    if not 0 < len(subject) <= SUBJECT_CHARS or not 0 < len(source) <= SOURCE_CHARS:
        raise ValueError(f"a subject has 1 to {SUBJECT_CHARS} characters, a source 1 to {SOURCE_CHARS}")
    if len(scenario) > SCENARIO_CHARS:
        raise ValueError(f"a scenario has at most {SCENARIO_CHARS} characters")
    if not 1 <= horizon < OPEN:
        raise ValueError(f"horizon: from 1 to {OPEN - 1}, got {horizon}")


def _known(subject: str, source: str, scenario: str, value: float | None) -> Known:
    given = {"subject": subject, "source": source, "scenario": scenario, "value": value}
    with connection.cursor() as cursor:
        cursor.execute(_statement(READ, scenario), {**given, "window": WINDOW})
        rows = cursor.fetchall()[-WINDOW:]
        own = rows[-1][0] if rows and rows[-1][2] else None
        cursor.execute(PAST_ERRORS, {**given, "own": own, "errors": ERRORS})
        errors = [error for (error,) in cursor.fetchall()]
    return Known([row[0] for row in rows], [row[1] for row in rows], errors)


def _statement(text: str, scenario: str) -> str:
    """Return the statement on ROI events, or on the samples of a scenario."""
    return text.format(**(SAMPLES if scenario else EVENTS))


def _domain(module: str, name: str) -> Any:
    return getattr(import_module(f"forecasting.domain.{module}"), name)


def _told(foretold: Any, known: Known, horizon: int) -> Made:
    return {
        "model": foretold.model[:64],
        "seen": len(known.values),
        "horizon": horizon,
        **{name: [float(value) for value in getattr(foretold, name)] for name in LISTS},
        "growth": foretold.growth,
        "confidence": confidence_of(known.errors),
        "scale": _scale(known.values),
    }


def _scale(values: list[float]) -> float | None:
    """Return the size of an error that is as large as that of the naive forecast, the mean step.

    Where nothing ever moved, a hundredth of the level stands for it: a forecast that was right has an error
    of 0 then, and one that was wrong a large one. None where there is neither step nor level.
    """
    steps = [abs(after - before) for before, after in pairwise(values)]
    return (fmean(steps) or SHARE_OF_LEVEL * fmean(map(abs, values)) or None) if steps else None


def _risk(known: Known) -> Made:
    """Return where the ROI is going; the entropy takes part where it was measured of every event."""
    entropies = [each for each in known.entropies if each is not None]
    whole = entropies if len(entropies) == len(known.values) else None
    verdict = _domain("collapse", "predict")(known.values, whole)
    names = ("risk", "p_collapse", "collapse_in", "probabilities", "evidence", "reason")
    # without changes of entropy nobody has seen what they cost
    brittle = verdict["brittle"] if verdict["elasticity"] is not None else None
    told = {name: verdict[name] for name in names}
    return {**told, "brittle": brittle, "reason": verdict["reason"][:WORDS_CHARS]}


def keep(subject: str, source: str, made: Mapping[str, Any], *, scenario: str = "") -> Forecast:
    """Write a forecast that `foresee` made, once, and settle the subject's forecasts. Return its row.

    A repeated one replaces what was kept of the same source. The event of the source, which must be kept
    before, gets what was foretold.
    """
    columns = {name: made[name] for name in COLUMNS}
    row = Forecast(subject=subject, source=source, scenario=scenario, **columns)
    with transaction.atomic(savepoint=False):
        Forecast.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["subject", "scenario", "source"],
            update_fields=COLUMNS,
        )
        if not scenario:
            event = RoiEvent.objects.filter(subject=subject, source=source)
            event.update(confidence=row.confidence, predicted_horizons=row.mean)
        settle(subject, source=source, scenario=scenario)
    return row


def settle(subject: str, *, source: str = "", scenario: str = "") -> None:
    """Fill in what came of the subject's newest forecasts, and of that of `source`, from its events.

    Call it after an event was kept; repeated calls change nothing. The first number ahead makes the error,
    |actual - mean| / scale.
    """
    with connection.cursor() as cursor:
        given: dict[str, str | int] = {"subject": subject, "source": source, "scenario": scenario}
        given |= {"open": OPEN, "events": NEWEST}
        cursor.execute(_statement(SETTLE, scenario), given)
