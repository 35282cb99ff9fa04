"""Writes what cycles measured of a subject, and the verdicts on where its ROI is going."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Q

from forecasting.domain.foresight import (
    WINDOW,
    ForesightTracker,
    Template,
    Window,
    lend,
    template_from,
    window_of,
    worst,
)
from forecasting.models import CycleMetrics, Verdict

BATCH: Final = 1_000
PEERS: Final = 50
"""At most so many other subjects lend their course to one without history."""
PEER_CYCLES: Final = 8
NUMBERS: Final = ("roi", "entropy", "raroi", "confidence", "resilience")

RECORD = """
INSERT INTO forecasting_cyclemetrics AS m
    (subject, cycle, roi, entropy, raroi, confidence, resilience, more)
VALUES (%(subject)s, %(cycle)s, %(roi)s, %(entropy)s, %(raroi)s, %(confidence)s, %(resilience)s, %(more)s)
ON CONFLICT (subject, cycle) DO UPDATE SET
    roi = coalesce(EXCLUDED.roi, m.roi), entropy = coalesce(EXCLUDED.entropy, m.entropy),
    raroi = coalesce(EXCLUDED.raroi, m.raroi), confidence = coalesce(EXCLUDED.confidence, m.confidence),
    resilience = coalesce(EXCLUDED.resilience, m.resilience), more = m.more || EXCLUDED.more
"""

MARK = """
INSERT INTO forecasting_verdict AS v
    (subject, risk, brittle, curve, probabilities, reason, evidence, cycles, marks, due)
VALUES (%(subject)s, 'Insufficient data', false, '[]', '{}', 'no verdict was made yet', 'none', 0, 1, true)
ON CONFLICT (subject) DO UPDATE SET marks = v.marks + 1, due = true
"""

READ = """
SELECT given.subject, m.cycle, m.roi, m.entropy, m.raroi
FROM unnest(%(subjects)s::text[]) AS given (subject) CROSS JOIN LATERAL (
    SELECT cycle, roi, entropy, raroi FROM forecasting_cyclemetrics
    WHERE subject = given.subject AND roi IS NOT NULL ORDER BY cycle DESC LIMIT %(count)s
) AS m ORDER BY given.subject, m.cycle
"""

BEGINNINGS = """
SELECT given.subject, m.roi
FROM unnest(%(subjects)s::text[]) AS given (subject) CROSS JOIN LATERAL (
    SELECT cycle, roi FROM forecasting_cyclemetrics
    WHERE subject = given.subject AND roi IS NOT NULL ORDER BY cycle LIMIT %(count)s
) AS m ORDER BY given.subject, m.cycle
"""

# a measurement that came in meanwhile raised the marks: the verdict then stays due
KEEP = """
INSERT INTO forecasting_verdict AS v
    (subject, risk, brittle, p_collapse, collapse_in, curve, probabilities, elasticity, reason, evidence,
     template, cycles, cycle, at, marks, due)
SELECT subject, risk, brittle, p_collapse, collapse_in, curve, probabilities, elasticity, reason, evidence,
     template, cycles, cycle, statement_timestamp(), marks, false
FROM jsonb_to_recordset(%(rows)s::jsonb) AS given (
    subject text, risk text, brittle boolean, p_collapse float8, collapse_in integer, curve jsonb,
    probabilities jsonb, elasticity float8, reason text, evidence text, template jsonb, cycles integer,
    cycle bigint, marks bigint)
ORDER BY subject
ON CONFLICT (subject) DO UPDATE SET
    risk = EXCLUDED.risk, brittle = EXCLUDED.brittle, p_collapse = EXCLUDED.p_collapse,
    collapse_in = EXCLUDED.collapse_in, curve = EXCLUDED.curve, probabilities = EXCLUDED.probabilities,
    elasticity = EXCLUDED.elasticity, reason = EXCLUDED.reason, evidence = EXCLUDED.evidence,
    template = EXCLUDED.template, cycles = EXCLUDED.cycles, cycle = EXCLUDED.cycle, at = EXCLUDED.at,
    due = v.marks <> EXCLUDED.marks
"""

Cycles = list[dict[str, Any]]


def record_cycle(
    subject: str,
    cycle: int,
    *,
    roi: float | None = None,
    entropy: float | None = None,
    raroi: float | None = None,
    confidence: float | None = None,
    resilience: float | None = None,
    more: Mapping[str, float] | None = None,
) -> None:
    """Keep what `cycle` measured of `subject`, once; its verdict is due then.

    None is not measured: it never replaces what the same cycle said before. Repeated numbers do. Callers that
    record several subjects in one transaction do so in the order of their names.

    Raises ValueError for a subject of no or over 128 characters, a negative cycle, or a number that isn't
    finite.
    """
    numbers = dict(zip(NUMBERS, (roi, entropy, raroi, confidence, resilience), strict=True))
    _check(subject, cycle, {**(more or {}), **numbers})
    given = {"subject": subject, "cycle": cycle, **numbers, "more": json.dumps(dict(more or {}))}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(RECORD, given)
        cursor.execute(MARK, given)


def _check(subject: str, cycle: int, numbers: Mapping[str, float | None]) -> None:
    if not 0 < len(subject) <= 128:
        raise ValueError("a subject has 1 to 128 characters")
    if cycle < 0:
        raise ValueError(f"cycle: at least 0, got {cycle}")
    for name, value in numbers.items():
        if value is not None and not math.isfinite(value):
            raise ValueError(f"{name} must be finite")


def recompute(subjects: Iterable[str] | None = None) -> int:
    """Make the verdicts of `subjects` anew, of all that were ever measured without any; return how many.

    Batches of a thousand, each a transaction of its own: an end in the middle loses nothing.
    """
    wanted = Verdict.objects.values_list("subject", flat=True) if subjects is None else subjects
    ordered = sorted(set(wanted))
    return sum(_recompute(ordered[place : place + BATCH]) for place in range(0, len(ordered), BATCH))


def recompute_due(limit: int = 10_000) -> int:
    """Make the verdicts anew whose subjects were measured since; return how many."""
    return recompute(due_subjects(limit))


def due_subjects(limit: int) -> list[str]:
    """Return the subjects that were measured since their verdict was made, by name."""
    return list(Verdict.objects.due().order_by("subject").values_list("subject", flat=True)[:limit])


def verdict(subject: str) -> Verdict | None:
    """Return the subject's verdict, made anew when it is due; None when nothing was ever measured."""
    found = Verdict.objects.filter(subject=subject).first()
    if found is not None and found.due:
        recompute([subject])
        found.refresh_from_db()
    return found


def _recompute(subjects: Sequence[str]) -> int:
    # the marks before the cycles: what comes in between makes a verdict due once more, never less
    marks = dict(Verdict.objects.filter(subject__in=subjects).values_list("subject", "marks"))
    cycles = _read(subjects)
    windows = [window_of(cycles.get(subject, [])) for subject in subjects]
    lent = _Lenders()
    rows = [
        _row(subject, answer, window, cycles.get(subject, []), lent) | {"marks": marks.get(subject, 0)}
        for subject, answer, window in zip(subjects, _answers(windows), windows, strict=True)
    ]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(KEEP, {"rows": json.dumps(rows, allow_nan=False)})
    return len(rows)


def _answers(windows: Sequence[Window]) -> list[Mapping[str, Any]]:
    """Return the verdict on each window; those of one length one after the other, as they share tables."""
    asked = [(place, item) for place, window in enumerate(windows) for item in window.as_items()]
    by_length = sorted(range(len(asked)), key=lambda number: len(asked[number][1]["roi"]))
    predict = import_module("forecasting.domain.collapse").predict_batch
    answers = zip(by_length, predict([asked[number][1] for number in by_length]), strict=True)
    found: list[list[dict[str, Any]]] = [[] for _ in windows]
    for number, answer in sorted(answers, key=lambda pair: pair[0]):
        found[asked[number][0]].append(answer)
    return [worst(verdicts) for verdicts in found]


def _read(subjects: Sequence[str], count: int = WINDOW) -> dict[str, Cycles]:
    """Return the latest measured cycles of each subject, oldest first."""
    found: dict[str, Cycles] = {}
    with connection.cursor() as cursor:
        cursor.execute(READ, {"subjects": list(subjects), "count": count})
        for subject, cycle, roi, entropy, raroi in cursor.fetchall():
            row = {"cycle": cycle, "roi": roi, "entropy": entropy, "raroi": raroi}
            found.setdefault(subject, []).append(row)
    return found


class _Lenders:
    """Templates from others of the same kind, looked up when the first subject without history comes by."""

    def __init__(self) -> None:
        self._known: dict[bool, Template] = {}

    def of(self, subject: str) -> Template:
        """Return what workflows lend to a workflow, and engines to an engine."""
        nested = "/" in subject
        if nested not in self._known:
            self._known[nested] = template_from(_beginnings(nested))
        return self._known[nested]


def _beginnings(nested: bool) -> Iterator[list[float]]:
    """Yield the first cycles' ROI of subjects with a longer history."""
    kind = Q(subject__contains="/")
    peers = Verdict.objects.filter(kind if nested else ~kind, cycles__gte=PEER_CYCLES).order_by("subject")
    found: dict[str, list[float]] = {}
    with connection.cursor() as cursor:
        names = list(peers.values_list("subject", flat=True)[:PEERS])
        cursor.execute(BEGINNINGS, {"subjects": names, "count": PEER_CYCLES})
        for subject, roi in cursor.fetchall():
            found.setdefault(subject, []).append(roi)
    yield from found.values()


def _row(
    subject: str, answer: Mapping[str, Any], window: Window, cycles: Cycles, lent: _Lenders
) -> dict[str, Any]:
    return {
        "subject": subject,
        **{name: answer[name] for name in ("risk", "brittle", "p_collapse", "collapse_in")},
        "curve": list(answer["curve"]),
        "probabilities": dict(answer["probabilities"]),
        "elasticity": answer.get("elasticity"),
        "reason": str(answer["reason"])[:500],
        "evidence": answer["evidence"],
        "template": lend(lent.of(subject), window.roi) if window.is_cold else None,
        "cycles": len(window.roi),
        "cycle": cycles[-1]["cycle"] if cycles else None,
    }


def tracker_of(engine: str, *, max_cycles: int = WINDOW) -> ForesightTracker:
    """Return a tracker of a subject and all that is below it: `score` stands for `ENGINE/score`."""
    tracker = ForesightTracker(max_cycles, template=_Lenders().of(f"{engine}/"))
    rows = Verdict.objects.filter(Q(subject=engine) | Q(subject__startswith=f"{engine}/"))
    for subject in rows.order_by("subject").values_list("subject", flat=True):
        for row in CycleMetrics.objects.newest(subject, max_cycles):
            numbers = {name: getattr(row, name) for name in NUMBERS}
            tracker.record_cycle_metrics(subject.removeprefix(f"{engine}/"), numbers, cycle=row.cycle)
    return tracker
