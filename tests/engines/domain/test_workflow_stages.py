"""The temporal stages, what their runs amount to, and inputs of another shape."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.workflows.drift import drifted
from engines.domain.workflows.stages import (
    NORMAL,
    STAGES,
    Trial,
    degradation,
    drift_share,
    measured,
    preset_of,
    slowdown,
    summed,
)
from orphans.domain.preset_effects import faults_of, limits_of

LEAVES = st.one_of(st.none(), st.integers(-9, 9), st.text("ab", max_size=3))
RECORDS = st.lists(st.dictionaries(st.sampled_from("xyz"), LEAVES, max_size=3), max_size=4)
VALUES = st.one_of(LEAVES, RECORDS, st.dictionaries(st.sampled_from("pq"), RECORDS, max_size=2))
FEW = settings(max_examples=30, deadline=None)


def stage(
    runs: int = 3, successes: int = 3, seconds: float = 1.0, lost: float | None = None
) -> dict[str, Any]:
    return {"runs": runs, "successes": successes, "seconds": seconds, "degradation": lost, "entropy": None}


def test_the_stages_are_the_five_and_the_first_is_plain() -> None:
    assert STAGES == ("normal", "high_latency", "resource_strain", "schema_drift", "chaotic_failure")
    assert preset_of(NORMAL).as_data() == {"SCENARIO_NAME": "normal"}
    assert limits_of(preset_of(NORMAL)) == {}
    assert faults_of(preset_of(NORMAL)) is None
    with pytest.raises(KeyError):
        preset_of("holiday")


def faults(name: str) -> dict[str, Any]:
    found = faults_of(preset_of(name))
    assert found is not None
    return found


def test_each_hard_stage_does_what_it_is_called() -> None:
    assert faults("high_latency")["latency_ms"] == 500
    strain = limits_of(preset_of("resource_strain"))
    assert (strain["memory_bytes"], strain["processes"], strain["open_files"]) == (256 * 2**20, 4, 64)
    assert faults("schema_drift")["drifts"] == 20
    assert faults("chaotic_failure")["failures"] == 5
    assert limits_of(preset_of("chaotic_failure"))["memory_bytes"] == 256 * 2**20


def test_only_two_stages_change_the_input() -> None:
    shares = {name: drift_share(name) for name in STAGES}
    assert {name for name, share in shares.items() if share} == {"schema_drift", "chaotic_failure"}
    assert shares["schema_drift"] == 0.2


def test_runs_amount_to_successes_medians_and_entropy() -> None:
    trials = [
        Trial(success=True, outcome="ok", seconds=9.0, cpu_seconds=8.0, calls={"a": 5, "b": 5}, keys=("k",)),
        Trial(success=True, outcome="ok", seconds=1.0, cpu_seconds=0.5),
        Trial(success=True, outcome="ok", seconds=3.0, cpu_seconds=1.5),
        Trial(success=False, outcome="timeout", seconds=60.0, error="too slow"),
    ]
    found = measured(trials)
    assert (found["runs"], found["successes"], found["seconds"], found["cpu_seconds"]) == (4, 3, 2.0, 1.0)
    assert (found["entropy"], found["keys"]) == (pytest.approx(1.0), ["k"])
    assert (found["outcomes"], found["error"]) == (["ok", "timeout"], "too slow")


@pytest.mark.parametrize(
    ("calls", "files"),
    [
        ({"pkg/a.py:load": 3, "pkg/a.py:Cls.method": 1, "pkg/b.py:<module>": 1}, ["pkg/a.py"]),
        ({"b.py:f": 1, "a.py:f": 1}, ["a.py", "b.py"]),
        ({"a.py:<module>": 1}, []),
        ({}, None),
        (None, None),
    ],
)
def test_a_file_was_called_where_a_function_of_it_was(calls: Any, files: list[str] | None) -> None:
    assert measured([Trial(success=True, outcome="ok", calls=calls)])["called"] == files


def test_where_only_a_counted_run_succeeded_its_time_counts() -> None:
    found = measured([Trial(success=True, outcome="ok", seconds=2.0, calls={})])
    assert (found["seconds"], found["cpu_seconds"], found["entropy"]) == (2.0, None, None)


def test_nothing_run_is_nothing_measured() -> None:
    found = measured([])
    assert (found["runs"], found["seconds"], found["entropy"], found["keys"]) == (0, None, None, [])


def trials(*seconds: float, won: int | None = None, cpu: float | None = 1.0) -> list[Trial]:
    """Return runs with these wall-clock seconds, the first `won` of them successful."""
    count = len(seconds) if won is None else won
    return [
        Trial(success=place < count, outcome="ok", seconds=each, cpu_seconds=cpu)
        for place, each in enumerate(seconds)
    ]


@pytest.mark.parametrize(
    ("hard", "lost"),
    [
        (trials(1.0, 1.0, 1.0), 0.0),
        (trials(0.5, 0.5, 0.5), 0.0),
        (trials(2.4, 2.4, 2.4), 0.5),
        (trials(1.0, 1.0, 1.0, won=2), 1 / 3),
        (trials(2.4, 2.4, 2.4, won=2), 2 / 3),
        (trials(9.0, 9.0, 9.0, won=0), 1.0),
        ([], None),
    ],
)
def test_degradation_is_lost_success_and_lost_time(hard: list[Trial], lost: float | None) -> None:
    normal = trials(1.2, 1.2, 1.2)
    assert degradation("high_latency", hard, normal) == (None if lost is None else pytest.approx(lost))


def test_runs_that_overlap_with_normal_ones_are_not_slower() -> None:
    normal = trials(1.0, 3.0)
    assert slowdown("high_latency", trials(2.9, 9.0), normal) == 1.0
    assert slowdown("high_latency", trials(3.1, 4.9), normal) == pytest.approx(2.0)


def test_where_nothing_waits_only_cpu_time_counts() -> None:
    normal = trials(1.0, 1.0)
    assert slowdown("resource_strain", trials(5.0, 5.0), normal) == 1.0
    assert slowdown("resource_strain", trials(1.0, 1.0, cpu=3.0), normal) == pytest.approx(3.0)
    assert slowdown("resource_strain", trials(1.0, cpu=None), normal) == 1.0


def test_with_a_failing_normal_stage_there_is_nothing_to_lose() -> None:
    assert degradation("high_latency", trials(1.0), trials(1.0, won=0)) is None


def test_a_set_sums_its_hard_stages() -> None:
    rows = {
        NORMAL: {**stage(), "entropy": 2.5},
        "high_latency": stage(lost=0.5),
        "schema_drift": stage(successes=0, lost=1.0),
        "chaotic_failure": stage(runs=0, successes=0),
    }
    assert summed(rows) == {"degradation": 0.75, "resilience": 0.5, "entropy": 2.5}


def test_what_was_not_measured_stays_none() -> None:
    nothing = {"degradation": None, "resilience": None, "entropy": None}
    assert summed({}) == nothing
    assert summed({NORMAL: stage(), "high_latency": stage(runs=0, successes=0)}) == nothing
    assert summed({NORMAL: stage(successes=0), "high_latency": stage()}) == nothing


def test_a_share_of_the_records_drifts() -> None:
    records = [{"age": age, "name": "x"} for age in range(10)]
    found = drifted(records, seed=1, share=0.2)
    assert sum(before != after for before, after in zip(records, found, strict=True)) == 2


def test_records_may_lie_one_key_down() -> None:
    given: dict[str, Any] = {"orders": [{"price": 1}, {"price": 2}], "few": [{"x": 1}], "total": 3}
    found = drifted(given, seed=3, share=1.0)
    assert (found["few"], found["total"]) == (given["few"], 3)
    assert all(before != after for before, after in zip(given["orders"], found["orders"], strict=True))


@pytest.mark.parametrize("value", [None, 3, "text", [], {}, [1, 2], [[]], [{}]])
def test_without_records_nothing_drifts(value: Any) -> None:
    assert drifted(value, seed=0, share=1.0) == value


def test_every_change_happens_with_some_seed() -> None:
    found = {json.dumps(drifted({"age": 3}, seed=seed, share=1.0)) for seed in range(60)}
    assert found == {
        '{"age_v2": 3}', "{}", '{"age": null}', '{"age": "3"}', '{"age": 3, "age_unit": "unknown"}'
    }  # fmt: skip


@FEW
@given(VALUES, st.integers(0, 99), st.floats(0, 1))
def test_a_drift_is_repeatable_and_leaves_its_input_alone(value: Any, seed: int, share: float) -> None:
    before = copy.deepcopy(value)
    found = drifted(value, seed=seed, share=share)
    assert value == before
    assert drifted(value, seed=seed, share=share) == found
    json.dumps(found)
