"""The raw numbers of a benchmark's two sides, and what makes a preset a scenario of a kind."""

from typing import Any

import pytest

from engines.domain.roi import ValueModel
from engines.domain.workflows.sides import Ran, kinds_of, raw_of, raw_of_all, recovery, side_of
from forecasting.domain.metrics import METRICS, RAW, measured
from orphans.domain.preset_profiles import PROFILES, generate_canonical_presets
from orphans.domain.presets import read_preset

PRICES = ValueModel(metric="accuracy", value_per_success=3.0, cpu_hour_cost=3600.0)
GOOD = Ran(
    success=True, outcome="ok", cpu_seconds=1.0, wall_seconds=2.0, max_rss_bytes=1e6, side_effects=0.0,
    refused=False,
)  # fmt: skip
SOURCE = {"maintainability_index": 80.0, "lint_findings": 1.0, "security_findings": 0.5}


def ran(*successes: bool, **more: Any) -> dict[str, Any]:
    """Return a side of runs that succeed or fail in this order."""
    facts = {"cpu_seconds": 1.0, "wall_seconds": 2.0, "max_rss_bytes": 1e6, "side_effects": 0.0, **more}
    return side_of([Ran(success=each, outcome="ok", refused=False, **facts) for each in successes])


def benchmark(**sides: dict[str, Any]) -> dict[str, Any]:
    """Return a benchmark of the candidate under presets, each of the kind of its name."""
    again = {"candidate": {"entropy": 1.5, "differed": 0.0}}
    presets = {name: {"candidate": side} for name, side in sides.items()}
    kinds = {name: [] if name == "baseline" else [name] for name in sides}
    return {"presets": presets, "kinds": kinds, "again": again, "source": {"candidate": SOURCE}}


def test_a_side_is_the_medians_of_its_runs_and_their_order() -> None:
    bad = Ran(success=False, outcome="denied", cpu_seconds=9.0, refused=True)
    side = side_of([GOOD, bad, GOOD])
    assert side["course"] == [True, False, True]
    assert (side["runs"], side["successes"], side["cpu_seconds"]) == (3, 2, 1.0)
    assert side["refused"] == pytest.approx(1 / 3)
    assert side["outcomes"] == ["denied", "ok"]
    assert side_of([bad])["wall_seconds"] is None


def test_without_prices_there_is_no_value_and_without_runs_no_rate() -> None:
    assert raw_of(ran(True), None)["value"] is raw_of(ran(True), None)["cost"] is None
    assert raw_of(ran(True), PRICES)["value"] == 3.0
    empty = raw_of(side_of([]), PRICES)
    assert set(empty.values()) == {None}


def test_a_side_of_an_older_cycle_has_what_was_measured_then() -> None:
    old = {"runs": 3, "successes": 3, "cpu_seconds": 1.0, "outcomes": ["ok"]}
    told = raw_of(old, None)
    assert (told["success_rate"], told["wall_seconds"], told["refused"]) == (1.0, None, None)
    assert raw_of_all({"presets": {"baseline": {"parent": old}}}, "parent", None)["success_rate"] == 1.0


def test_all_that_a_full_benchmark_measures() -> None:
    """Of the 25, only energy, GPU and what needs a history are left."""
    full = benchmark(
        baseline=ran(True, True, True),
        stress=ran(True, True, False),
        fault=ran(True, False, True),
        varied=ran(False, True, True),
        latency=ran(True, True, True, wall_seconds=5.0),
    )
    raw = raw_of_all(full, "candidate", PRICES)
    assert set(raw) <= set(RAW)
    history = {"projected_lucrativity", "long_term_lucrativity", "reliability"}
    assert set(METRICS) - set(measured(raw)) == {"energy_consumption", "gpu_usage"} | history
    assert raw["stress_success_rate"] == pytest.approx(2 / 3)
    assert (raw["recovery_runs"], raw["latency_seconds"], raw["calls_entropy"]) == (1.0, 3.0, 1.5)
    assert measured(raw)["antifragility"] == pytest.approx(-1 / 3)


def test_only_the_baseline_says_nothing_of_hard_scenarios() -> None:
    raw = raw_of_all(benchmark(baseline=ran(True)), "candidate", PRICES)
    hard = ("scenario", "stress", "fault", "varied")
    assert {raw[f"{kind}_success_rate"] for kind in hard} == {None}
    assert raw["recovery_runs"] is raw["latency_seconds"] is None
    assert (raw["success_rate"], raw["baseline_success_rate"]) == (1.0, 1.0)


def test_a_number_that_one_preset_lacks_has_no_mean() -> None:
    raw = raw_of_all(benchmark(baseline=ran(True), fault=ran(True, max_rss_bytes=None)), "candidate", None)
    assert raw["max_rss_bytes"] is None
    assert raw["cpu_seconds"] == 1.0


def test_runs_that_fail_did_not_wait_to_the_end() -> None:
    slow = ran(True, False, wall_seconds=5.0)
    assert (
        raw_of_all(benchmark(baseline=ran(True), latency=slow), "candidate", None)["latency_seconds"] is None
    )
    quick = ran(True, wall_seconds=1.0)
    raw = raw_of_all(benchmark(baseline=ran(True), latency=quick), "candidate", None)
    assert raw["latency_seconds"] == 0.0


@pytest.mark.parametrize(
    ("course", "mean"),
    [
        ([True, True], None), ([False, False], None), ([False, True], 1.0), ([True, False, False, True], 2.0),
        ([False, True, False, False, False, True], 2.0), ([], None), ([True, False], None),
    ],
)  # fmt: skip
def test_recovery_counts_from_a_failure_to_the_next_success(course: list[bool], mean: float | None) -> None:
    assert recovery([course]) == mean


def test_each_canonical_profile_is_a_scenario_of_its_kind_and_its_usual_limits_are_no_strain() -> None:
    found = {each["SCENARIO_NAME"]: kinds_of(read_preset(each), ()) for each in generate_canonical_presets()}
    assert found == {
        "high_latency_api": ["fault", "latency"],
        "hostile_input": ["varied"],
        "user_misuse": ["varied"],
        "concurrency_spike": [],
        "schema_drift": ["varied"],
        "flaky_upstream": ["fault"],
    }
    assert set(found) == set(PROFILES)


def test_a_key_that_does_nothing_here_makes_no_scenario() -> None:
    preset = read_preset({"MEMORY_LIMIT": "256Mi", "CPU_LIMIT": 2})
    assert kinds_of(preset, ()) == ["stress"]
    assert kinds_of(preset, ["MEMORY_LIMIT"]) == []
