"""The command that measures verdicts: what it fills in, and how a missed bar is said."""

import importlib
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings

from forecasting.models import CycleMetrics, Verdict
from forecasting.services import foresight


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    module = importlib.import_module("verdicts")
    monkeypatch.setattr(module, "RECORDS", 2)
    return module


def report(**changes: Any) -> dict[str, Any]:
    return {
        "subjects": 10_000,
        "rows": 1_000_000,
        "load": 1.0,
        "batch": {"wall_s": 20.0, "cpu_s": 18.0, "database_cpu_s": 1.0},
        "ms each": 1.9,
        "anchor_ms_each": 0.8,
        "record_us": {"empty": 900.0, "full": 990.0, "growth": 1.1},
        "risks": {"Stable": 10_000},
        "left_due": 0,
        **changes,
    }


@pytest.mark.django_db
def test_subjects_get_courses_of_every_kind_and_all_get_verdicts(bench: ModuleType) -> None:
    bench.fill(8, 20)
    assert CycleMetrics.objects.count() == 160
    assert Verdict.objects.due().count() == 8
    assert foresight.recompute() == 8
    risks = dict(Verdict.objects.values_list("subject", "risk"))
    assert {risks["bot4"], risks["bot8"]} == {"Stable"}
    assert {risks["bot3"], risks["bot7"]} == {"Immediate collapse risk"}
    assert bench.anchor(["bot1", "bot2"]) >= 0


@pytest.mark.django_db
def test_recording_and_time_are_measured_for_real(bench: ModuleType) -> None:
    assert bench.recording() >= 0
    assert CycleMetrics.objects.filter(subject="recorded").count() == 2
    wall, own, database = bench.timed(lambda: sum(range(200_000)))
    assert wall > 0
    assert own > 0
    assert database >= 0


def test_every_bar_is_judged_and_a_missed_one_is_said(
    bench: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.tell(report())
    assert "MISSED" not in capsys.readouterr().out
    bench.tell(report(batch={"wall_s": 40.0, "cpu_s": 30.0, "database_cpu_s": 1.0}))
    assert capsys.readouterr().out.count("MISSED") == 1
    slow = report(record_us={"empty": 900.0, "full": 9000.0, "growth": 10.0})
    assert [name for name, value, bar in bench.judged(slow) if value > bar] == ["record, full / empty"]


def test_the_bar_of_the_batch_grows_with_the_subjects(bench: ModuleType) -> None:
    bars = {subjects: next(bench.judged(report(subjects=subjects)))[2] for subjects in (10_000, 20_000)}
    assert bars == {10_000: 30.0, 20_000: 60.0}
