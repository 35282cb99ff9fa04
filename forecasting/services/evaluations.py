"""Writes how training was judged, and later what it was worth in the long run."""

import math
from typing import Final

from django.db import connection

from forecasting.models.tracking import SOURCE_CHARS, SUBJECT_CHARS, WORDS_CHARS

LONG: Final = 10
"""Events after an evaluation, and at most before it, that its long run consists of."""

RECORD: Final = """
INSERT INTO forecasting_evaluation AS v (subject, source, cv_score, passed, error, long_term_outcome)
VALUES (%(subject)s, %(source)s, %(cv_score)s, %(passed)s, %(error)s, '')
ON CONFLICT (subject, source) DO UPDATE SET
    cv_score = EXCLUDED.cv_score, passed = EXCLUDED.passed, error = EXCLUDED.error
"""

# a difference within two standard errors of the two means is level: no unit, no threshold
LONG_RUN: Final = """
UPDATE forecasting_evaluation v SET long_term_delta = c.delta, long_term_outcome =
    CASE WHEN abs(c.delta) <= c.noise THEN 'level' WHEN c.delta > 0 THEN 'rose' ELSE 'fell' END
FROM (
    SELECT e.id, later.mean - earlier.mean AS delta,
        2 * sqrt(later.spread / later.count + coalesce(earlier.spread, later.spread) / earlier.count) AS noise
    FROM (
        SELECT id, source FROM forecasting_evaluation WHERE subject = %(subject)s
        ORDER BY at DESC, id DESC LIMIT %(open)s
    ) e JOIN forecasting_roievent r ON r.subject = %(subject)s AND r.source = e.source
    CROSS JOIN LATERAL (
        SELECT count(*) AS count, avg(delta) AS mean, var_samp(delta) AS spread FROM (
            SELECT delta FROM forecasting_roievent
            WHERE subject = %(subject)s AND at >= r.at AND id > r.id ORDER BY at, id LIMIT %(long)s
        ) x
    ) later CROSS JOIN LATERAL (
        SELECT count(*) AS count, avg(delta) AS mean, var_samp(delta) AS spread FROM (
            SELECT delta FROM forecasting_roievent
            WHERE subject = %(subject)s AND at <= r.at AND id < r.id ORDER BY at DESC, id DESC LIMIT %(long)s
        ) x
    ) earlier
    WHERE later.count = %(long)s AND earlier.count > 0
) c WHERE v.id = c.id AND v.long_term_delta IS DISTINCT FROM c.delta
"""


def record_evaluation(
    subject: str,
    source: str,
    *,
    cv_score: float | None = None,
    passed: bool | None = None,
    error: str = "",
) -> None:
    """Keep how the training of `source` was judged, once; a repeated call replaces what was said.

    `cv_score`: of the best challenger, None when nothing was scored; `error`: why. What a code-writing engine
    would say of it stays empty until there is one. Raises ValueError for a bad name or a score that isn't
    finite.
    """
    if not 0 < len(subject) <= SUBJECT_CHARS or not 0 < len(source) <= SOURCE_CHARS:
        raise ValueError(f"a subject has 1 to {SUBJECT_CHARS} characters, a source 1 to {SOURCE_CHARS}")
    if cv_score is not None and not math.isfinite(cv_score):
        raise ValueError("cv_score must be finite")
    given = {"subject": subject, "source": source, "cv_score": cv_score, "passed": passed}
    with connection.cursor() as cursor:
        cursor.execute(RECORD, {**given, "error": error[:WORDS_CHARS]})


def settle_long_run(subject: str) -> None:
    """Say what the subject's newest evaluations were worth in the long run, from the events around them.

    The delta is the mean ROI delta of the ten events after it minus that of up to ten before it. Call it
    after an event was kept; repeated calls change nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(LONG_RUN, {"subject": subject, "long": LONG, "open": LONG + 2})
