"""Cycles that are recorded while verdicts are made, by several at once: nothing is lost or stuck."""

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection

from forecasting.models import CycleMetrics, Verdict
from forecasting.services.foresight import recompute, recompute_due, record_cycle

pytestmark = pytest.mark.django_db(transaction=True)

SUBJECTS = ("alpha", "alpha/score", "beta")


def together(*works: Callable[[], object]) -> None:
    """Do all at once, each with a connection of its own; raise what any of them raised."""
    problems: list[Exception] = []

    def carried_out(work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as problem:  # noqa: BLE001 - told to the test below
            problems.append(problem)
        finally:
            connection.close()

    threads = [Thread(target=carried_out, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert problems == []


def recorder(first: int) -> Callable[[], None]:
    """Return what records ten cycles of every subject, in the order of their names."""

    def record() -> None:
        for cycle in range(first, first + 10):
            for subject in SUBJECTS:
                record_cycle(subject, cycle, roi=1.0 + cycle % 3)

    return record


def test_whoever_records_and_judges_at_once_loses_nothing() -> None:
    judge = [recompute_due, lambda: recompute(reversed(SUBJECTS)), recompute]
    together(recorder(0), recorder(10), *judge)
    assert CycleMetrics.objects.count() == 60
    assert set(Verdict.objects.values_list("marks", flat=True)) == {20}
    recompute_due()
    assert set(Verdict.objects.values_list("cycles", "due")) == {(20, False)}


def test_the_same_cycle_from_two_at_once_is_one_row() -> None:
    together(recorder(0), recorder(0))
    assert CycleMetrics.objects.count() == 30
    assert set(Verdict.objects.values_list("marks", flat=True)) == {20}


def test_two_batches_at_once_end_with_the_same_verdicts() -> None:
    recorder(0)()
    together(recompute, recompute)
    assert set(Verdict.objects.values_list("cycles", "due", "risk")) == {
        (10, False, Verdict.objects.first().risk)  # type: ignore[union-attr]
    }
