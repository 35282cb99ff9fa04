"""Run or skip, with every reason on both sides."""

from dataclasses import replace
from typing import Any

import pytest

from engines.domain.decide import STALE_AFTER, Observation, decide
from forecasting.domain.drift import Alarm, Contribution

HOUR = 3600.0
QUIET = Observation(since_last=2 * HOUR, interval=HOUR, drift_score=100.0, drift_threshold=1000.0, errors=0)
ALARM = Alarm(
    cycle=9,
    score=1500.0,
    threshold=1000.0,
    since=4,
    contributions=(
        Contribution("accuracy", 0.8, "down", -0.04, -2.13, 4),
        Contribution("rows", 0.2, "up", 100.0, None, 5),
    ),
)


def codes(seen: Observation, *, favouring: bool) -> list[str]:
    return [reason.code for reason in decide(seen).reasons if reason.favours_run is favouring]


def test_a_quiet_engine_is_left_alone_and_told_why() -> None:
    decision = decide(QUIET)
    assert not decision.run
    assert decision.energy is None
    assert codes(QUIET, favouring=False) == ["no_drift", "no_errors", "not_stale", "policy_not_configured"]
    quiet = decision.reasons[0]
    assert (quiet.value, quiet.threshold) == (100.0, 1000.0)
    assert "10%" in quiet.detail


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"asked_by": "ann"}, "manual"),
        ({"since_last": None}, "never_run"),
        ({"alarm": ALARM}, "drift"),
        ({"errors": 2}, "errors"),
        ({"since_last": STALE_AFTER * HOUR}, "stale"),
        ({"policy_advantage": 0.5}, "policy"),
    ],
)
def test_each_cause_alone_makes_it_run(change: dict[str, Any], code: str) -> None:
    seen = replace(QUIET, **change)
    assert decide(seen).run
    assert set(codes(seen, favouring=True)) == {code}
    assert codes(seen, favouring=False)


def test_reasons_for_running_come_first_and_are_sentences() -> None:
    decision = decide(replace(QUIET, alarm=ALARM, errors=1, last_error="KeyError: 'x'"))
    sides = [reason.favours_run for reason in decision.reasons]
    assert sides == sorted(sides, reverse=True)
    assert all(reason.detail.endswith(".") for reason in decision.reasons)
    assert "1 error since the last cycle, the newest: KeyError: 'x'." in [r.detail for r in decision.reasons]


def test_drift_names_every_metric_with_its_share() -> None:
    drifts = [reason for reason in decide(replace(QUIET, alarm=ALARM)).reasons if reason.code == "drift"]
    assert [reason.metric for reason in drifts] == ["accuracy", "rows"]
    assert drifts[0].detail == "accuracy went down by 2.1 standard deviations (80% of the evidence)."
    assert drifts[1].detail == "rows went up (20% of the evidence)."
    assert (drifts[0].value, drifts[0].threshold) == (1500.0, 1000.0)


def test_a_person_overrides_and_gets_the_energy_asked_for() -> None:
    poor = replace(QUIET, energy=2.0, roi_delta_ema=-9.0, roi_short_mean=-9.0, roi_spread=1.0, momentum=0.0)
    manual = decide(replace(poor, asked_by="ann"))
    assert (manual.energy, dict(manual.energy_factors)) == (2.0, {})
    assert "ann asked for it" in manual.reasons[0].detail
    scheduled = decide(replace(poor, errors=1))
    assert scheduled.energy == 1.0
    assert set(scheduled.energy_factors) == {"roi_delta_ema", "roi_short_mean", "momentum"}


def test_too_soon_is_said() -> None:
    seen = replace(QUIET, since_last=0.5 * HOUR)
    assert "interval_not_elapsed" in codes(seen, favouring=False)
    assert decide(replace(seen, alarm=ALARM)).run


def test_what_is_not_watched_is_said_and_never_counted() -> None:
    nothing = Observation(since_last=HOUR)
    assert not decide(nothing).run
    assert codes(nothing, favouring=False) == [
        "drift_not_measured",
        "errors_not_measured",
        "no_schedule",
        "policy_not_configured",
    ]
    assert all(reason.value is None for reason in decide(nothing).reasons if reason.code != "no_schedule")


def test_a_policy_may_speak_against() -> None:
    seen = replace(QUIET, policy_advantage=-0.25)
    assert not decide(seen).run
    assert "policy" in codes(seen, favouring=False)
