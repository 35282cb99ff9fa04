"""The command that measures verdicts on collapse: its cases are what it says, and a missed bar is said."""

import importlib
import math
from types import ModuleType

import numpy as np
import pytest
from django.conf import settings

from forecasting.domain.collapse_labels import IMMEDIATE
from forecasting.domain.collapse_simulate import Subject, subjects


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands import each other by bare name."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))


@pytest.fixture
def cases() -> ModuleType:
    """Replays and real cases."""
    return importlib.import_module("collapse_cases")


def subject(family: str, roi: list[float], label: str, collapses_at: int | None) -> Subject:
    values = np.array(roi)
    return Subject(
        values[:-5], np.zeros(len(roi) - 5), values[-5:], values, label, False, family, collapses_at
    )


def low(roi: np.ndarray, _entropy: np.ndarray) -> str:
    return "Immediate collapse risk" if roi[-1] <= 0.7 else "Stable"


def test_a_replay_counts_cycles_of_warning_and_false_warnings(cases: ModuleType) -> None:
    falling = [1.0] * 12 + [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    calm = [1.0, 0.6] * 10 + [1.0] * 5
    found = cases.online(
        [subject("steep decline", falling, "x", 16), subject("level", calm, "Stable", None)], low
    )
    assert found["online_lead"] == 2
    assert found["online_caught"] == 1
    assert found["online_false_per_100"] == pytest.approx(100 * 7 / 13)
    assert math.isnan(cases.online([], low)["online_lead"])


def test_knobs_count_what_they_miss_and_what_they_block_falsely() -> None:
    command = importlib.import_module("collapse")
    gone, fine = subject("drop", [1.0] * 25, IMMEDIATE, 18), subject("level", [1.0] * 25, "Stable", None)

    def verdict(risk: str, chance: float, score: float) -> dict[str, object]:
        return {"risk": risk, "brittle": False, "p_collapse": chance, "risk_score": score}

    cases = [gone, gone, fine, fine]
    verdicts = [
        verdict("Volatile", 0.01, 0.01), verdict("Stable", 0.9, 0.9),
        verdict("Stable", 0.01, 0.9), verdict("Slow decay", 0.005, 0.01),
    ]  # fmt: skip
    found = command.knob(cases, verdicts)
    assert (found["knob_missed"], found["knob_false_block"]) == (0.5, 0.5)
    assert (found["gate_knob_missed"], found["gate_knob_false_block"]) == (0.0, 0.0)
    assert found["p_collapse_false_block"] == 0.0
    unknown = command.knob(
        [fine], [{**verdict("Insufficient data", 0, 0), "p_collapse": None, "risk_score": None}]
    )
    assert (unknown["knob_false_block"], unknown["gate_knob_false_block"]) == (1.0, 1.0)


def test_real_cases_are_labelled_by_what_came_next(cases: ModuleType) -> None:
    wiggle = 0.02 * np.sin(np.arange(29.0))
    series = {
        "level": 1 + wiggle,
        "gone": np.where(np.arange(29) < 24, 1.0, 0.2) + wiggle,
        "fell": np.where(np.arange(29) < 24, 1.0, 0.85) + wiggle,
        "short": np.ones(10),
        "negative": -np.ones(40),
    }
    series = {name: np.append(values, values[-1]) for name, values in series.items()}
    found = cases.real_cases(series, 1, each=1)
    assert [item.label for item in found] == ["Stable", "Immediate collapse risk", "Slow decay"]
    assert all(len(item.roi) == 24 and len(item.future) == 5 for item in found)


def test_wilsons_interval_is_the_known_one(cases: ModuleType) -> None:
    assert cases.wilson(0.2, 10) == pytest.approx((0.0567, 0.5098), abs=1e-3)
    assert math.isnan(cases.wilson(0.2, 0)[0])


def test_rules_answer_for_every_subject_and_the_slope_rule_hears_units() -> None:
    rules = importlib.import_module("collapse_rules")
    drawn = subjects(30, 3)
    for rule in rules.FIXED.values():
        labels, brittle = rule(drawn)
        assert labels.shape == brittle.shape == (30,)
    falling = np.linspace(1, 0.5, 20)
    assert rules.theil_sen(falling, np.zeros(20)) == rules.theil_sen(1000 * falling, np.zeros(20))
    assert rules.rule_of_thumb(falling, np.zeros(20)) != rules.rule_of_thumb(1000 * falling, np.zeros(20))


def test_a_bar_that_is_missed_or_not_measured_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    command = importlib.import_module("collapse")
    found = command.spread([command.measure(1, 24, [], {})])
    rows = command.bars(found)
    assert {row["met"] for row in rows if row["kind"] == "real noise"} == {None}
    assert all(row["met"] is not None for row in rows if row["what"] == "same_in_another_unit")
    rows[0]["met"] = False
    command.show(found, rows)
    shown = capsys.readouterr().out
    assert "MISSED" in shown
    assert "not measured" in shown
