"""Cycles of subjects and their verdicts in a real database."""

import json
from collections.abc import Iterable, Sequence
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils.module_loading import import_string
from pytest_django.fixtures import Settings

from forecasting.domain.foresight import WINDOW
from forecasting.models import CycleMetrics, Verdict
from forecasting.services import foresight
from forecasting.services.foresight import recompute, recompute_due, record_cycle, tracker_of, verdict

pytestmark = pytest.mark.django_db


def test_a_cycle_is_kept_once_and_its_verdict_is_due() -> None:
    record_cycle("alpha", 7, roi=1.0, more={"trials": 3.0})
    record_cycle("alpha", 7, roi=2.0, entropy=0.25)
    row = CycleMetrics.objects.get()
    assert (row.cycle, row.roi, row.entropy, row.raroi, row.more) == (7, 2.0, 0.25, None, {"trials": 3.0})
    found = Verdict.objects.get()
    assert (found.risk, found.evidence, found.due, found.marks) == ("Insufficient data", "none", True, 2)


def test_what_was_not_measured_never_replaces_what_was() -> None:
    record_cycle("alpha", 7, roi=1.0, confidence=0.5)
    record_cycle("alpha", 7, entropy=0.1)
    row = CycleMetrics.objects.get()
    assert (row.roi, row.confidence, row.entropy) == (1.0, 0.5, 0.1)


@pytest.mark.parametrize(
    ("subject", "cycle", "numbers"),
    [("", 1, {}), ("a" * 129, 1, {}), ("alpha", -1, {}), ("alpha", 1, {"roi": float("nan")}),
     ("alpha", 1, {"more": {"x": float("inf")}})],
)  # fmt: skip
def test_what_is_no_measurement_is_refused(subject: str, cycle: int, numbers: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"subject|cycle|finite"):
        record_cycle(subject, cycle, **numbers)
    assert not CycleMetrics.objects.exists()


def test_a_tracker_has_the_engine_and_its_workflows_by_their_short_names() -> None:
    for cycle in range(1, 5):
        record_cycle("alpha", cycle, roi=float(cycle))
        record_cycle("alpha/score", cycle, roi=2.0 * cycle)
        record_cycle("alphabet", cycle, roi=9.0)
    tracker = tracker_of("alpha", max_cycles=3)
    assert tracker.window("alpha").roi == (2.0, 3.0, 4.0)
    assert tracker.window("score").roi == (4.0, 6.0, 8.0)
    assert tracker.cycles("alphabet") == []


def fill(subject: str, values: Iterable[float], *, first: int = 1, **more: Any) -> None:
    for cycle, value in enumerate(values, first):
        record_cycle(subject, cycle, roi=value, **more)


def known(subject: str) -> Verdict:
    found = verdict(subject)
    assert found is not None
    return found


def test_a_verdict_is_made_from_the_recorded_cycles() -> None:
    fill("alpha", [1.0, 0.8, 0.6, 0.4])
    assert recompute(["alpha"]) == 1
    found = Verdict.objects.get()
    assert (found.risk, found.collapse_in, found.brittle, found.evidence) == ("Slow decay", 4, False, "low")
    assert (found.cycles, found.cycle, found.due, found.template) == (4, 4, False, None)
    assert found.at is not None
    assert "4 cycles" in found.reason


def test_a_verdict_in_a_batch_is_the_one_of_its_own_history() -> None:
    histories = {
        f"bot{size}": [1.0 + 0.1 * (place % 3) for place in range(size)] for size in (9, 3, 12, 2, 5)
    }
    for subject, values in histories.items():
        fill(subject, values)
    assert recompute() == 5
    for subject, values in histories.items():
        tracker = tracker_of(subject)
        expected = tracker.predict_roi_collapse(subject)
        found = Verdict.objects.get(subject=subject)
        assert (found.risk, found.cycles, found.reason) == (expected["risk"], len(values), expected["reason"])


def test_with_fewer_than_three_cycles_there_is_no_verdict_but_a_template() -> None:
    for peer in range(5):
        fill(f"peer{peer}", [1.0, 1.0, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5])
    fill("young", [2.0])
    recompute()
    found = Verdict.objects.get(subject="young")
    assert (found.risk, found.p_collapse, found.evidence) == ("Insufficient data", None, "none")
    assert found.template is not None
    assert found.template["name"] == "no change"
    recompute(["young"])
    lent = known("young").template
    assert lent is not None
    assert lent["name"] == "median course of 5 other subjects"
    assert lent["curve"][-1] == pytest.approx(2.0 * (0.2 + 0.8 * 0.5))


def test_workflows_lend_to_workflows_only() -> None:
    for peer in range(5):
        fill(f"peer{peer}", [1.0] * 8)
    fill("alpha/score", [2.0])
    recompute()
    recompute(["alpha/score"])
    lent = known("alpha/score").template
    assert lent is not None
    assert lent["name"] == "no change"


def test_only_what_was_measured_since_is_due() -> None:
    fill("alpha", [1.0, 1.0, 1.0])
    fill("beta", [1.0, 1.0, 1.0])
    assert recompute_due(limit=1) == 1
    assert recompute_due() == 1
    assert recompute_due() == 0
    record_cycle("beta", 4, roi=0.1)
    assert list(Verdict.objects.due().values_list("subject", flat=True)) == ["beta"]


def test_asking_for_a_verdict_brings_it_up_to_date() -> None:
    assert verdict("alpha") is None
    fill("alpha", [1.0, 0.9, 1.1])
    assert known("alpha").risk == "Stable"
    fill("alpha", [0.1, 0.0], first=4)
    assert known("alpha").risk == "Immediate collapse risk"


def test_what_is_measured_during_the_recompute_stays_due(monkeypatch: pytest.MonkeyPatch) -> None:
    fill("alpha", [1.0, 1.0, 1.0])
    read = foresight._read

    def read_and_be_overtaken(subjects: Sequence[str]) -> dict[str, foresight.Cycles]:
        found = read(subjects)
        record_cycle("alpha", 4, roi=0.0)
        return found

    monkeypatch.setattr(foresight, "_read", read_and_be_overtaken)
    recompute(["alpha"])
    found = Verdict.objects.get()
    assert (found.cycles, found.due) == (3, True)


def test_only_the_latest_cycles_count() -> None:
    fill("alpha", [0.1] * 3 + [1.0] * WINDOW)
    recompute(["alpha"])
    assert Verdict.objects.get().cycles == WINDOW
    assert [row.cycle for row in CycleMetrics.objects.newest("alpha", 2)] == [WINDOW + 2, WINDOW + 3]


def test_a_subject_that_was_never_measured_gets_an_empty_verdict() -> None:
    assert recompute(["nobody"]) == 1
    found = Verdict.objects.get()
    assert (found.risk, found.cycles, found.cycle, found.due) == ("Insufficient data", 0, None, False)


def test_a_million_rows_are_read_by_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {foresight.READ}", {"subjects": ["alpha"], "count": 60})
        plan = " ".join(row[0] for row in cursor.fetchall())
    assert "one_row_per_subject_cycle" in plan
    assert "Seq Scan" not in plan


def test_beat_refreshes_what_is_due(settings: Settings) -> None:
    fill("alpha", [1.0, 1.0, 1.0])
    import_string(settings.CELERY_BEAT_SCHEDULE["refresh-verdicts"]["task"])()
    assert not Verdict.objects.due().exists()


def told(*words: str) -> list[str]:
    out = StringIO()
    call_command("foresight", "verdicts", *words, stdout=out)
    return out.getvalue().splitlines()


def test_the_command_brings_verdicts_up_to_date_and_shows_them() -> None:
    fill("alpha", [1.0, 0.8, 0.6, 0.4])
    fill("alpha/score", [1.0])
    fill("beta", [1.0, 1.1, 1.2])
    lines = told()
    assert [line.split()[0] for line in lines] == ["alpha", "alpha/score", "beta"]
    assert "Slow decay: Only 4 cycles" in lines[0]
    assert [json.loads(line)["risk"] for line in told("alpha", "--json")] == [
        "Slow decay",
        "Insufficient data",
    ]
    before = Verdict.objects.get(subject="beta").at
    assert before is not None
    told("beta")
    assert Verdict.objects.get(subject="beta").at == before
    told("beta", "--all")
    after = Verdict.objects.get(subject="beta").at
    assert after is not None
    assert after > before
