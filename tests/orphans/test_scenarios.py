"""Every key of a preset changes a real run."""

from pathlib import Path
from typing import Any

import pytest

from orphans.domain.errors import InvalidInput, NotConfigured
from orphans.domain.preset_effects import WORDS
from orphans.domain.presets import read_preset
from orphans.domain.schemas import infer
from orphans.sandbox import Kind, Limits, Measurement, Outcome, RunSpec, SandboxUnavailable
from orphans.services import scenarios
from orphans.services.scenarios import plan, run_scenario
from tests.fakes import CannedRunner

BOT = Path(__file__).parent / "scenario_bot"
ORDER = infer([{"lines": [{"amount": 2, "price": 9.5}]}])
TEXT = infer([{"text": "hello"}])


def spec(function: str, **fields: Any) -> RunSpec:
    return RunSpec(kind=Kind.CALL, target=f"flow:{function}", checkout=BOT, **fields)


def tried(function: str, schema: Any = None, **keys: Any) -> dict[str, Any]:
    keys.setdefault("INPUT_COUNT", 1)
    return run_scenario(read_preset(keys), spec(function), schema, seed=1)


def calls(found: dict[str, Any], kind: str = "valid") -> tuple[int, int]:
    return found["outcomes"][kind]["ok"], found["outcomes"][kind]["failed"]


# ------------------------------------------------------------------ limits


def test_without_a_limit_in_its_way_a_function_returns() -> None:
    found = tried("price", ORDER, CPU_LIMIT=1, INPUT_COUNT=5)
    assert (found["outcome"], calls(found), found["limits_hit"]) == ("ok", (5, 0), [])
    assert found["scenario"] == found["category"] == "baseline"


def test_cpu_is_limited_to_cores_times_seconds() -> None:
    found = tried("burn", CPU_LIMIT=0.05, TIME_LIMIT=40)
    assert (found["outcome"], found["calls"], found["latency"]) == ("timeout", None, None)
    assert "CPU" in found["limits_hit"][0]
    assert found["runs"][0]["cpu_seconds"] < 5


def test_time_is_limited() -> None:
    found = tried("sleep", TIME_LIMIT=1.5)
    assert found["outcome"] == "timeout"
    assert "wall" in found["limits_hit"][0]


def test_memory_is_limited() -> None:
    assert tried("grow", MEMORY_LIMIT="1Gi")["outcome"] == "ok"
    assert tried("grow", MEMORY_LIMIT="128Mi")["outcome"] == "oom"


def test_the_disk_is_limited() -> None:
    assert tried("write", DISK_LIMIT="64Mi")["outcome"] == "ok"
    found = tried("write", DISK_LIMIT="2Mi")
    assert (calls(found), found["errors"]) == ((0, 1), {"OSError": 1})


def test_processes_are_limited() -> None:
    assert calls(tried("spawn", PROCESS_LIMIT=8)) == (1, 0)
    for keys in ({"PROCESS_LIMIT": 1}, {"SECURITY_LEVEL": 4}):
        found = tried("spawn", **keys)
        assert found["outcome"] in ("killed", "denied") or calls(found) == (0, 1)


def test_threads_are_limited() -> None:
    assert calls(tried("start_threads", CPU_LIMIT=1)) == (1, 0)
    found = tried("start_threads", MAX_THREADS=10, PROCESS_LIMIT=2)
    assert (calls(found), found["errors"]) == ((0, 1), {"RuntimeError": 1})


def test_open_files_are_limited() -> None:
    assert calls(tried("open_many", OPEN_FILES=200)) == (1, 0)
    found = tried("open_many", OPEN_FILES=64)
    assert (calls(found), found["errors"]) == ((0, 1), {"OSError": 1})


# ------------------------------------------------------------------ the API


def test_latency_is_added_to_what_the_function_waits_for() -> None:
    slow = tried("fetch", NETWORK_LATENCY_MS=150, NETWORK_JITTER_MS=10, API_LATENCY_MS=100, INPUT_COUNT=4)
    fast = tried("fetch", API_LATENCY_MS=0, INPUT_COUNT=4)
    assert calls(slow) == calls(fast) == (4, 0)
    assert slow["latency"]["p50"] >= 0.24
    assert slow["latency"]["p50"] - fast["latency"]["p50"] >= 0.2


def test_lost_requests_reach_the_function_as_errors() -> None:
    assert calls(tried("fetch", PACKET_LOSS=1, INPUT_COUNT=3)) == (0, 3)
    assert 0 < calls(tried("fetch", PACKET_LOSS=0.5, INPUT_COUNT=20))[1] < 20


def test_failures_of_the_upstream_come_as_often_as_asked() -> None:
    found = tried("fetch", UPSTREAM_FAILURES=5, UPSTREAM_REQUESTS=20, INPUT_COUNT=20)
    assert (calls(found), found["errors"]) == ((15, 5), {"HTTPError": 5})


def test_answers_of_another_shape_break_a_function_that_trusts_them() -> None:
    found = tried("fetch", SCHEMA_MISMATCHES=20, SCHEMA_CHECKS=20, INPUT_COUNT=20)
    assert found["errors"]["KeyError"] > 0


def test_bandwidth_slows_large_answers() -> None:
    found = tried("fetch_page", BANDWIDTH_LIMIT="500kbps", INPUT_COUNT=2)
    assert found["latency"]["max"] >= 0.1


def test_without_a_key_that_asks_for_it_there_is_no_api() -> None:
    assert tried("fetch", CPU_LIMIT=1)["errors"] == {"KeyError": 1}


# ------------------------------------------------------------------ inputs and bursts


def test_misuse_reaches_the_function() -> None:
    found = tried("price", ORDER, MISUSE_RATE=50, INPUT_COUNT=20)
    assert calls(found) == (10, 0)
    assert sum(calls(found, "misuse")) == 10
    assert calls(found, "misuse")[1] > 5
    assert {"KeyError", "TypeError"} <= set(found["errors"])


def test_hostile_inputs_reach_the_function() -> None:
    found = tried("shout", TEXT, THREAT_INTENSITY=100, INPUT_COUNT=40)
    assert found["category"] == "security"
    assert sum(calls(found, "hostile")) == 40
    assert found["errors"]["PermissionError"] >= 1
    assert found["errors"]["UnicodeEncodeError"] >= 1


def test_bursts_are_threads_and_tasks_at_the_same_moment() -> None:
    found = tried("wait", THREAD_BURST=6, ASYNC_TASK_BURST=10, MAX_THREADS=10)
    assert found["calls"] == 1 + 16
    assert found["threads"] == 6 + 4
    assert 6 <= found["under_way"] <= 10
    assert [run["part"] for run in found["runs"]] == ["inputs", "burst"]


def test_an_async_function_is_called_in_tasks_of_one_thread() -> None:
    found = tried("wait_async", ASYNC_TASK_BURST=12)
    assert (found["threads"], found["under_way"], calls(found)) == (1, 12, (13, 0))


def test_the_level_bounds_the_calls_under_way() -> None:
    found = tried("wait", THREAD_BURST=8, CONCURRENCY_LEVEL=2)
    assert (found["under_way"], found["calls"]) == (2, 9)
    assert tried("wait_async", ASYNC_TASK_BURST=8, CONCURRENCY_LEVEL=3)["under_way"] == 3


def test_a_burst_gets_the_threads_that_it_asks_for() -> None:
    found = tried("wait", THREAD_BURST=200)
    assert (found["threads"], found["calls"], found["outcome"]) == (200, 201, "ok")


def test_a_machine_without_what_is_required_is_told() -> None:
    class Refusing:
        def run(self, spec: RunSpec, **_: Any) -> Measurement:
            raise SandboxUnavailable("SANDBOX_REQUIRE names landlock")

    with pytest.raises(NotConfigured, match="landlock"):
        run_scenario(read_preset({"CPU_LIMIT": 1}), spec("price"), runner=Refusing())


def test_the_function_knows_the_name_of_its_scenario() -> None:
    found = tried("tell_name", SCENARIO_NAME="spike-7", TIME_LIMIT=20, SEVERITY="mild")
    assert (found["messages"], found["severity"]) == ({"RuntimeError": "spike-7"}, "mild")


# ------------------------------------------------------------------ the plan and what is told


def test_limits_of_the_preset_take_the_place_of_the_spec_s() -> None:
    given = spec("price", limits=Limits(wall_seconds=9, memory_bytes=2**30, open_files=99))
    (part,) = plan(read_preset({"MEMORY_LIMIT": "64Mi", "CPU_LIMIT": 2}), given)
    assert part.spec.limits.memory_bytes == 64 << 20
    assert (part.spec.limits.wall_seconds, part.spec.limits.open_files) == (9, 99)
    assert part.spec.limits.cpu_seconds == 240


def test_a_plan_is_the_same_for_the_same_seed() -> None:
    preset = read_preset({"THREAT_INTENSITY": 40, "THREAD_BURST": 3})
    assert plan(preset, spec("price"), ORDER, seed=4) == plan(preset, spec("price"), ORDER, seed=4)
    assert plan(preset, spec("price"), ORDER, seed=4) != plan(preset, spec("price"), ORDER, seed=5)


def test_only_functions_are_tried() -> None:
    script = RunSpec(kind=Kind.FILE, target="flow.py", checkout=BOT)
    with pytest.raises(InvalidInput, match="calls a function"):
        plan(read_preset({"CPU_LIMIT": 1}), script)


GOOD = {"input": 0, "way": "call", "error": None, "seconds": 0.5}


@pytest.mark.parametrize(
    "told",
    [
        None,
        {"calls": [GOOD] * 2, "messages": {}, "threads": 1, "under_way": 1},
        {"calls": [], "messages": {}, "threads": 1, "under_way": 1},
        {"calls": [{**GOOD, "seconds": -1}], "messages": {}, "threads": 1, "under_way": 1},
        {"calls": [{**GOOD, "input": 7}], "messages": {}, "threads": 1, "under_way": 1},
        {"calls": [{**GOOD, "way": "dream"}], "messages": {}, "threads": 1, "under_way": 1},
        {"calls": [GOOD], "messages": {}, "threads": 99, "under_way": 1},
        {"calls": [GOOD], "messages": [], "threads": 1, "under_way": 1},
    ],
)
def test_what_a_run_tells_is_refused_when_it_can_not_be(told: Any) -> None:
    runner = CannedRunner(Measurement(outcome=Outcome.OK, result=told))
    preset = read_preset({"CPU_LIMIT": 1, "INPUT_COUNT": 1})
    found = run_scenario(preset, spec("price"), runner=runner)
    assert found["calls"] is found["latency"] is None
    assert "told" in found["runs"][0]["reason"]


def test_the_worst_outcome_counts() -> None:
    runner = CannedRunner(Measurement(outcome=Outcome.OOM, reason="over"), Measurement(outcome=Outcome.OK))
    found = run_scenario(read_preset({"THREAD_BURST": 2}), spec("price"), runner=runner)
    assert (found["outcome"], found["limits_hit"]) == ("oom", ["over"])


def test_every_key_is_told_with_what_it_did() -> None:
    found = tried("price", ORDER, CPU_LIMIT=1, GPU_LIMIT=1)
    assert {each["key"]: each["held"] for each in found["effects"]} == {
        "CPU_LIMIT": True, "GPU_LIMIT": False, "INPUT_COUNT": True,
    }  # fmt: skip


def test_this_machine_holds_every_key_but_graphics() -> None:
    assert [word for word, held in scenarios.probe().items() if not held] == ["gpu"]
    assert set(scenarios.probe()) == set(WORDS)
