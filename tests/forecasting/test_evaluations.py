"""How training was judged, and what it was worth in the long run."""

import math

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from forecasting.models import Evaluation, RoiEvent
from forecasting.services.evaluations import LONG, record_evaluation, settle_long_run

pytestmark = pytest.mark.django_db


def events(deltas: list[float], first: int = 1, subject: str = "alpha") -> None:
    """Keep an event for each delta."""
    RoiEvent.objects.bulk_create(
        RoiEvent(subject=subject, source=f"cycle:{number}", action="cycle", delta=delta)
        for number, delta in enumerate(deltas, first)
    )


def told(before: list[float], after: list[float]) -> tuple[float | None, str]:
    """Return the long run of an evaluation with these deltas around it."""
    events([*before, 0.5, *after])
    record_evaluation("alpha", f"cycle:{len(before) + 1}", cv_score=0.8, passed=True)
    settle_long_run("alpha")
    row = Evaluation.objects.get()
    return row.long_term_delta, row.long_term_outcome


@pytest.mark.parametrize(
    ("after", "delta", "outcome"),
    [([3.0] * LONG, 2.0, "rose"), ([1.0] * LONG, 0.0, "level"), ([0.0] * LONG, -1.0, "fell")],
)
def test_the_long_run_is_the_ten_events_after_beside_those_before(
    after: list[float], delta: float, outcome: str
) -> None:
    assert told([1.0] * 4, [*after, 99.0]) == (delta, outcome)


def test_a_difference_within_the_noise_is_level() -> None:
    delta, outcome = told([1.0, -1.0] * 5, [1.4, -0.9] * 5)
    assert delta == pytest.approx(0.25)
    assert outcome == "level"


@pytest.mark.parametrize(("before", "after"), [(4, LONG - 1), (0, LONG)])
def test_before_the_long_run_is_over_nothing_is_known(before: int, after: int) -> None:
    assert told([1.0] * before, [3.0] * after) == (None, "")


def test_an_evaluation_is_kept_once_and_says_why_there_is_no_score() -> None:
    record_evaluation("alpha", "cycle:1", cv_score=0.8, passed=True)
    record_evaluation("alpha", "cycle:1", passed=False, error="x" * 900)
    row = Evaluation.objects.get()
    assert (row.cv_score, row.passed, len(row.error)) == (None, False, 500)
    assert (row.gpt_feedback, row.gpt_feedback_score, row.gpt_feedback_tokens) == (None, None, None)


def test_settling_again_writes_nothing_new_and_a_measured_anew_event_counts() -> None:
    first = told([1.0] * 4, [3.0] * LONG)
    settle_long_run("alpha")
    assert told_again() == first
    RoiEvent.objects.filter(source="cycle:6").update(delta=13.0)
    settle_long_run("alpha")
    assert told_again() == (3.0, "rose")


def told_again() -> tuple[float | None, str]:
    row = Evaluation.objects.get()
    return row.long_term_delta, row.long_term_outcome


def test_settling_takes_one_statement_however_many_events_there_are() -> None:
    events([1.0] * 500)
    for number in range(400, 440):
        record_evaluation("alpha", f"cycle:{number}", cv_score=0.5)
    with CaptureQueriesContext(connection) as asked:
        settle_long_run("alpha")
    assert len([each for each in asked if "UPDATE" in each["sql"]]) == 1
    assert Evaluation.objects.exclude(long_term_delta=None).count() == LONG + 2


@pytest.mark.parametrize(
    ("subject", "source", "score"),
    [("", "s", 0.5), ("a", "", 0.5), ("a", "s", math.nan), ("a", "s" * 65, None)],
)
def test_bad_values_are_refused(subject: str, source: str, score: float | None) -> None:
    with pytest.raises(ValueError):
        record_evaluation(subject, source, cv_score=score)
