"""What a key does, and how a key that does nothing here is told."""

import pytest

from orphans.domain.preset_effects import WORDS, effects, faults_of, limits_of, without_effect
from orphans.domain.preset_keys import KEYS
from orphans.domain.preset_profiles import generate_canonical_presets, generate_presets
from orphans.domain.presets import read_preset
from orphans.sandbox.stub_api import Faults

ALL = dict.fromkeys(WORDS, True) | {"gpu": False}


def idle(keys: dict[str, object], probe: dict[str, bool] | None = None) -> dict[str, str]:
    found = without_effect(read_preset(keys), ALL if probe is None else probe)
    return {each.key: each.reason for each in found}


def test_every_key_says_what_it_does() -> None:
    told = [each for keys in generate_canonical_presets() for each in effects(read_preset(keys), ALL)]
    assert {each.key for each in told} > {"CPU_LIMIT", "PACKET_LOSS", "THREAT_INTENSITY", "SEVERITY"}
    assert all(each.how and each.held == (not each.reason) for each in told)


NEEDING = [key.name for key in KEYS.values() if key.needs]
TOGETHER: dict[str, object] = {
    "UPSTREAM_FAILURES": 1, "UPSTREAM_REQUESTS": 2, "SCHEMA_MISMATCHES": 1, "SCHEMA_CHECKS": 2,
    "NETWORK_LATENCY_MS": 9, "NETWORK_JITTER_MS": 9, "PACKET_LOSS": 0.5, "API_LATENCY_MS": 5,
    "BANDWIDTH_LIMIT": 1, "CPU_LIMIT": 1, "TIME_LIMIT": 5, "MEMORY_LIMIT": 64, "DISK_LIMIT": 1,
    "PROCESS_LIMIT": 2, "OPEN_FILES": 40, "MAX_THREADS": 7, "SECURITY_LEVEL": 3, "GPU_LIMIT": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", NEEDING)
def test_a_key_whose_layer_is_missing_is_told_with_the_reason(name: str) -> None:
    needs = KEYS[name].needs
    assert idle(TOGETHER, {**ALL, needs: False})[name] == WORDS[needs]
    assert set(idle(TOGETHER)) == {"GPU_LIMIT"}


def test_a_machine_that_was_not_asked_holds_nothing() -> None:
    assert set(idle({"CPU_LIMIT": 1, "SCENARIO_NAME": "x"}, {})) == {"CPU_LIMIT"}


@pytest.mark.parametrize(
    ("keys", "key", "word"),
    [
        ({"THREAD_BURST": 5, "CONCURRENCY_LEVEL": 6}, "CONCURRENCY_LEVEL", "never have more than 5"),
        ({"SECURITY_LEVEL": 4, "PROCESS_LIMIT": 9}, "PROCESS_LIMIT", "is tighter"),
        ({"SECURITY_LEVEL": 4, "OPEN_FILES": 90}, "OPEN_FILES", "is tighter"),
        ({"THREAT_INTENSITY": 0}, "THREAT_INTENSITY", "asks for nothing"),
        ({"GPU_LIMIT": 2}, "GPU_LIMIT", "no graphics processor"),
    ],
)
def test_a_key_that_another_one_makes_idle_is_told(keys: dict[str, object], key: str, word: str) -> None:
    assert word in idle(keys)[key]


@pytest.mark.parametrize("seed", range(20))
def test_no_made_preset_has_an_idle_key(seed: int) -> None:
    made = [*generate_canonical_presets(), *generate_presets(seed=seed, user_misuse=True)]
    assert [keys for keys in made if idle(dict(keys))] == []


def test_no_graphics_processor_is_what_every_run_has() -> None:
    assert idle({"GPU_LIMIT": 0}) == {}


def test_limits_hold_only_what_the_preset_says() -> None:
    assert limits_of(read_preset({"API_LATENCY_MS": 1})) == {}
    assert limits_of(read_preset({"CPU_LIMIT": 0.5})) == {"cpu_seconds": 60.0}
    given = {"CPU_LIMIT": 2, "TIME_LIMIT": 3, "MEMORY_LIMIT": 64, "DISK_LIMIT": 1, "MAX_THREADS": 9}
    assert limits_of(read_preset(given)) == {
        "cpu_seconds": 6.0, "wall_seconds": 3.0, "memory_bytes": 64 << 20, "disk_bytes": 1 << 20,
        "threads": 9,
    }  # fmt: skip


@pytest.mark.parametrize(("given", "processes"), [(3, 3), (30, 8)])
def test_the_tighter_of_level_and_limit_counts(given: int, processes: int) -> None:
    preset = read_preset({"SECURITY_LEVEL": 3, "PROCESS_LIMIT": given})
    assert limits_of(preset) == {"processes": processes, "open_files": 96}


def test_each_level_is_tighter_than_the_one_before() -> None:
    levels = [limits_of(read_preset({"SECURITY_LEVEL": level})) for level in range(1, 6)]
    for name in ("processes", "open_files"):
        values = [level[name] for level in levels]
        assert values == sorted(values, reverse=True)
        assert values[0] < {"processes": 32, "open_files": 256}[name]


def test_the_api_is_there_only_when_a_key_asks_for_it_and_takes_every_fault() -> None:
    assert faults_of(read_preset({"CPU_LIMIT": 1})) is None
    told = [faults_of(read_preset(keys)) for keys in generate_canonical_presets()]
    orders = [Faults(**each) for each in told if each is not None]
    assert len(orders) == 6
    assert orders[1] == Faults(latency_ms=500, jitter_ms=50, api_latency_ms=1000, loss=0.1)
