"""Benchmarks of workflows under presets: every key of a preset changes the runs, or is named as idle."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest
from pytest_django.fixtures import Settings

from engines.domain.errors import InvalidInput
from engines.domain.roi import ValueModel
from engines.services.promotions.gains import of_revision
from engines.services.workflow_benchmark import REPEATS, SAVING_PAIRS, Bench, compare, presets
from forecasting.domain.gate import Evidence, Policy, significance
from orphans.domain.payloads import mixed
from orphans.domain.schemas import infer
from orphans.sandbox import Attempts, Cancel, Measurement, Network, Outcome, RunSpec
from orphans.services.flags import as_settings

EXAMPLE = {"orders": [1, 2], "shop": "north"}


class Recorder:
    """Keeps the runs it is asked for; each succeeds and measures `facts`."""

    def __init__(self, **facts: Any) -> None:
        self.specs: list[RunSpec] = []
        self._facts = facts

    def __call__(self, spec: RunSpec, *, cancel: Cancel | None = None) -> Measurement:
        """Note the run."""
        self.specs.append(spec)
        told = {"result": {"success": True}, "cpu_seconds": 0.1, **self._facts}
        return Measurement(outcome=Outcome.OK, **told)


def ran(place: Path, settings: Settings, *given: Mapping[str, Any]) -> tuple[list[RunSpec], dict[str, Any]]:
    (place / "input.json").write_text(json.dumps(EXAMPLE))
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"env_presets": list(given) or None})
    run = Recorder()
    bench = Bench(checkout=place, import_paths=(".",), input="input.json", seed=5, run=run)
    told = compare(bench, ["a:f"], ["a:f", "a:g"])
    return run.specs, told


def test_without_presets_the_baseline_is_run_on_the_input(tmp_path: Path, settings: Settings) -> None:
    specs, told = ran(tmp_path, settings)
    assert len(specs) == 2 * REPEATS + 2
    assert [spec.count_calls for spec in specs] == [False] * 2 * REPEATS + [True] * 2
    assert {spec.payload["input"] for spec in specs} == {"input.json"}
    assert {spec.network for spec in specs} == {Network.NONE}
    assert (told["worse"], told["idle"]) == (False, {})


def test_limits_and_faults_of_a_preset_reach_its_runs(tmp_path: Path, settings: Settings) -> None:
    slow = {"SCENARIO_NAME": "slow", "CPU_LIMIT": 0.5, "TIME_LIMIT": 10, "NETWORK_LATENCY_MS": 200}
    specs, _ = ran(tmp_path, settings, slow)
    last = [spec for spec in specs if spec.env["SANDBOX_SCENARIO_NAME"] == "slow"][-1]
    assert (last.limits.cpu_seconds, last.limits.wall_seconds) == (5.0, 10.0)
    assert last.network is Network.STUB
    assert last.stub is not None
    assert last.stub["latency_ms"] == 200


def test_both_sides_get_the_same_hostile_inputs(tmp_path: Path, settings: Settings) -> None:
    specs, _ = ran(tmp_path, settings, {"SCENARIO_NAME": "hostile", "THREAT_INTENSITY": 100})
    values = [spec.payload["value"] for spec in specs if "value" in spec.payload]
    expected = mixed(infer([EXAMPLE]), hostile=100, misuse=0, count=REPEATS, seed=5)
    assert values == [each.value for each in expected for _ in ("parent", "candidate")]


@pytest.mark.parametrize("text", ["", "[" * 100_000, "{", "\xff"])
def test_an_input_that_is_no_json_still_gets_hostile_ones(
    tmp_path: Path, settings: Settings, text: str
) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(
        update={"env_presets": [{"SCENARIO_NAME": "misuse", "MISUSE_RATE": 50}]}
    )
    (tmp_path / "input.json").write_text(text, encoding="latin-1")
    run = Recorder()
    compare(Bench(checkout=tmp_path, import_paths=(), input="input.json", seed=1, run=run), ["a:f"], ["a:g"])
    assert len([spec for spec in run.specs if "value" in spec.payload]) == 2 * REPEATS


def test_keys_that_change_nothing_are_named(tmp_path: Path, settings: Settings) -> None:
    burst = {"SCENARIO_NAME": "burst", "THREAD_BURST": 10, "INPUT_COUNT": 5, "GPU_LIMIT": 1}
    _, told = ran(tmp_path, settings, burst)
    assert set(told["idle"]["burst"]) == {"THREAD_BURST", "INPUT_COUNT", "GPU_LIMIT"}
    assert "once at a time" in told["idle"]["burst"]["THREAD_BURST"]


def test_a_file_of_presets_is_read(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "spike.json"
    file.write_text(json.dumps([{"SCENARIO_NAME": "spike", "THREAD_BURST": 4}]))
    with as_settings({"preset_file": str(file)}):
        assert [preset.name for preset in presets()] == ["baseline", "spike"]
    assert [preset.name for preset in presets()] == ["baseline"]


def test_a_bad_file_is_refused_before_anything_runs(tmp_path: Path) -> None:
    file = tmp_path / "bad.json"
    file.write_text('[{"THREAD_BURST": -1}]')
    with pytest.raises(InvalidInput, match="THREAD_BURST"), as_settings({"preset_file": str(file)}):
        raise AssertionError("it must not begin")


def measured(place: Path, **facts: Any) -> dict[str, Any]:
    """Return a benchmark of `a:f` with `b:g` in it, of runs with these facts."""
    bench = Bench(checkout=place, import_paths=(".",), input="", seed=5, run=Recorder(**facts))
    return compare(bench, ["a:f"], ["a:f", "b:g"])


def test_each_side_tells_what_was_seen_of_its_runs_from_outside(tmp_path: Path) -> None:
    tried = Attempts(file_writes=1, subprocesses=2)
    told = measured(tmp_path, wall_seconds=2.0, max_rss_bytes=4096, attempts=tried)
    side = told["presets"]["baseline"]["candidate"]
    assert (side["wall_seconds"], side["max_rss_bytes"], side["side_effects"]) == (2.0, 4096, 3.0)
    assert (side["refused"], side["course"]) == (1.0, [True] * REPEATS)
    assert told["cpu_seconds"] == pytest.approx(0.1 * (2 * REPEATS + 2))


def test_what_no_layer_counted_is_not_measured(tmp_path: Path) -> None:
    told = measured(tmp_path)
    side = told["presets"]["baseline"]["parent"]
    assert {side[name] for name in ("wall_seconds", "max_rss_bytes", "side_effects", "refused")} == {None}
    assert told["again"]["parent"] == {"entropy": None, "differed": None, "cpu_seconds": 0.1}


@pytest.mark.parametrize(
    ("digest", "differed"), [("5", 0.0), (5, None), (None, None), (["5"], None)]
)  # fmt: skip
def test_the_run_that_counts_calls_shows_whether_the_output_is_the_same(
    tmp_path: Path, digest: Any, differed: float | None
) -> None:
    said = {"success": True, "digest": digest}
    again = measured(tmp_path, result=said, calls={"a.py:f": 2, "b.py:g": 2})["again"]["candidate"]
    assert (again["entropy"], again["differed"]) == (1.0, differed)


def test_an_output_that_is_another_each_time_differs(tmp_path: Path) -> None:
    count = iter(range(99))

    def run(spec: RunSpec, cancel: Cancel | None = None) -> Measurement:
        return Measurement(outcome=Outcome.OK, result={"success": True, "digest": str(next(count))})

    told = compare(Bench(checkout=tmp_path, import_paths=(), input="", seed=1, run=run), ["a:f"], ["a:g"])
    assert told["again"]["parent"]["differed"] == told["again"]["candidate"]["differed"] == 1.0


def test_the_source_of_each_side_is_measured(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(value):\n    return value\n")
    (tmp_path / "b.py").write_text("import os\n\n\ndef g(value):\n    return eval(value)\n")
    source = measured(tmp_path)["source"]
    assert source["parent"] == {"maintainability_index": ANY, "lint_findings": 0.0, "security_findings": 0.0}
    assert source["candidate"]["maintainability_index"] < source["parent"]["maintainability_index"]
    assert source["candidate"]["lint_findings"] == pytest.approx(20.0)
    assert source["candidate"]["security_findings"] == pytest.approx(20.0)


def test_steps_whose_source_is_not_there_have_no_quality(tmp_path: Path) -> None:
    (tmp_path / "a.py").symlink_to("/etc/passwd")
    assert measured(tmp_path)["source"] == {"parent": None, "candidate": None}


class Timed(Recorder):
    """Runs that take the seconds of their side, the candidate's being the one with two steps."""

    def __init__(self, parent: float, candidate: float, **facts: Any) -> None:
        super().__init__(**facts)
        self.seconds = {1: parent, 2: candidate}

    def __call__(self, spec: RunSpec, *, cancel: Cancel | None = None) -> Measurement:
        found = super().__call__(spec, cancel=cancel)
        return replace(found, cpu_seconds=self.seconds[len(spec.payload["steps"])] + 0.001 * len(self.specs))


def saved(place: Path, run: Recorder, **prices: Any) -> dict[str, Any]:
    """Return a benchmark of a candidate with another run time."""
    value = ValueModel(metric="accuracy", cpu_hour_cost=3600.0, **prices)
    bench = Bench(checkout=place, import_paths=(".",), input="", seed=5, run=run, value=value)
    return compare(bench, ["a:f"], ["b:f", "b:g"])


def test_a_candidate_that_seems_to_save_is_asked_in_fresh_runs(tmp_path: Path) -> None:
    run = Timed(2.0, 1.0)
    told = saved(tmp_path, run)

    assert len(run.specs) == 2 * REPEATS + 2 * SAVING_PAIRS + 2
    last = [len(spec.payload["steps"]) for spec in run.specs[-2 * SAVING_PAIRS :]]
    assert last[:4] == [2, 1, 1, 2], "both sides go first in turns"
    assert told["savings"]["roi"] == pytest.approx(1.0, abs=0.01)
    gain = of_revision(told)
    assert (gain["significant"], gain["metric"]) == (True, "cpu_seconds")
    assert gain["roi_gain"] == told["savings"]["roi"]
    assert gain["test"]["p_value"] == pytest.approx(2 / 2**SAVING_PAIRS)


@pytest.mark.parametrize("candidate", [2.0, 1.9, 3.0])
def test_who_saves_little_or_nothing_is_not_asked(tmp_path: Path, candidate: float) -> None:
    run = Timed(2.0, candidate)
    told = saved(tmp_path, run)

    assert (told["savings"], len(run.specs)) == (None, 2 * REPEATS + 2)
    assert of_revision(told)["significant"] is False


def test_who_fails_saves_nothing(tmp_path: Path) -> None:
    assert saved(tmp_path, Timed(2.0, 1.0, result={"success": False}))["savings"] is None


def test_what_is_billed_by_the_minute_saves_no_money_in_seconds(tmp_path: Path) -> None:
    told = saved(tmp_path, Timed(2.0, 1.0), cpu_billing_seconds=60.0)

    gain = of_revision(told)
    assert (gain["significant"], gain["roi_gain"]) == (True, 0.0)
    decision = significance(Evidence(significant=True, gain=0.0), Policy())
    assert (decision.allows, "worth +0" in decision.text) == ("block", True)


def test_more_successes_and_a_saving_share_the_error(tmp_path: Path) -> None:
    runs = {"parent": {"runs": 5, "successes": 0}, "candidate": {"runs": 5, "successes": 5}}
    both = {"presets": {"baseline": runs}, "roi": 1.5, "savings": {"parent": [1.0], "candidate": [1.0]}}

    alone, shared = of_revision({**both, "savings": None}), of_revision(both)
    assert shared["test"]["p_value"] == pytest.approx(2 * alone["test"]["p_value"])
    assert (shared["significant"], shared["metric"], shared["roi_gain"]) == (True, "successes", 1.5)
