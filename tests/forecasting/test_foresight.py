"""Cycles of subjects and their verdicts in a real database."""

import pytest

from forecasting.models import CycleMetrics, Verdict
from forecasting.services.foresight import record_cycle, tracker_of

pytestmark = pytest.mark.django_db


def test_a_cycle_is_kept_once_and_its_verdict_is_due():
    record_cycle("alpha", 7, roi=1.0, more={"trials": 3.0})
    record_cycle("alpha", 7, roi=2.0, entropy=0.25)
    row = CycleMetrics.objects.get()
    assert (row.cycle, row.roi, row.entropy, row.raroi, row.more) == (7, 2.0, 0.25, None, {"trials": 3.0})
    found = Verdict.objects.get()
    assert (found.risk, found.evidence, found.due, found.marks) == ("Insufficient data", "none", True, 2)


def test_what_was_not_measured_never_replaces_what_was():
    record_cycle("alpha", 7, roi=1.0, confidence=0.5)
    record_cycle("alpha", 7, entropy=0.1)
    row = CycleMetrics.objects.get()
    assert (row.roi, row.confidence, row.entropy) == (1.0, 0.5, 0.1)


@pytest.mark.parametrize(
    ("subject", "cycle", "numbers"),
    [("", 1, {}), ("a" * 129, 1, {}), ("alpha", -1, {}), ("alpha", 1, {"roi": float("nan")}),
     ("alpha", 1, {"more": {"x": float("inf")}})],
)  # fmt: skip
def test_what_is_no_measurement_is_refused(subject, cycle, numbers):
    with pytest.raises(ValueError, match=r"subject|cycle|finite"):
        record_cycle(subject, cycle, **numbers)
    assert not CycleMetrics.objects.exists()


def test_a_tracker_has_the_engine_and_its_workflows_by_their_short_names():
    for cycle in range(1, 5):
        record_cycle("alpha", cycle, roi=float(cycle))
        record_cycle("alpha/score", cycle, roi=2.0 * cycle)
        record_cycle("alphabet", cycle, roi=9.0)
    tracker = tracker_of("alpha", max_cycles=3)
    assert tracker.window("alpha").roi == (2.0, 3.0, 4.0)
    assert tracker.window("score").roi == (4.0, 6.0, 8.0)
    assert tracker.cycles("alphabet") == []
