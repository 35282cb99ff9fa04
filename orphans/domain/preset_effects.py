"""What each key of a preset does to a run, and whether this machine can do it.

A machine is described by a probe: word → whether it holds. A key whose effect needs a word that
doesn't hold is reported with the reason, never passed over in silence.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from orphans.domain.preset_keys import KEYS
from orphans.domain.presets import BURSTS, Preset

DEFAULT_SECONDS: Final = 120.0
DEFAULT_INPUTS: Final = 20
LEVELS: Final[Mapping[int, Mapping[str, int]]] = {
    1: {"processes": 24, "open_files": 192},
    2: {"processes": 16, "open_files": 128},
    3: {"processes": 8, "open_files": 96},
    4: {"processes": 1, "open_files": 64},
    5: {"processes": 1, "open_files": 64},
}
"""SECURITY_LEVEL → limits, each tighter than those of a run without one; PROCESS_LIMIT and OPEN_FILES only
ever make them tighter."""

WORDS: Final[Mapping[str, str]] = {
    "cpu_limit": "CPU time of a run can't be limited here",
    "time_limit": "wall-clock time of a run can't be limited here",
    "memory_limit": "memory of a run can't be limited here",
    "disk_limit": "what a run writes can't be limited here",
    "process_limit": "processes of a run can't be counted here",
    "file_limit": "open files of a run can't be limited here",
    "gpu": "runs are given no graphics processor on any machine",
    "stub": "runs get no loopback of their own here, so that they can't be given an API",
}
"""Word of a probe → what is missing when it doesn't hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyEffect:
    """What one key of a preset does on one machine."""

    key: str
    #: what changes in the run, in words, with the value
    how: str
    #: whether it really does here
    held: bool
    #: why not; empty when it does
    reason: str = ""


def effects(preset: Preset, probe: Mapping[str, bool]) -> list[KeyEffect]:
    """Return the effect of every key of the preset, in the order of `KEYS`.

    `probe` says what this machine can do, by the words of `WORDS`; a missing word doesn't hold.
    """
    return [_effect(preset, name, probe) for name in KEYS if name in preset.values]


def without_effect(preset: Preset, probe: Mapping[str, bool]) -> list[KeyEffect]:
    """Return the keys that do nothing here."""
    return [each for each in effects(preset, probe) if not each.held]


def _effect(preset: Preset, name: str, probe: Mapping[str, bool]) -> KeyEffect:
    needs = KEYS[name].needs
    missing = WORDS[needs] if needs and not probe.get(needs, False) else ""
    if name == "GPU_LIMIT" and not preset.whole(name):
        missing = ""
    reason = missing or _idle(preset, name)
    return KeyEffect(key=name, how=how(preset, name), held=not reason, reason=reason)


def _idle(preset: Preset, name: str) -> str:
    """Return why a key changes nothing beside the other keys of its preset."""
    calls = sum(preset.whole(key) for key in BURSTS)
    if name == "CONCURRENCY_LEVEL" and preset.whole(name) >= calls:
        return f"the bursts never have more than {calls} calls under way"
    limits, level = limits_of(preset), preset.whole("SECURITY_LEVEL")
    tighter = {"PROCESS_LIMIT": "processes", "OPEN_FILES": "open_files"}
    if level and name in tighter and preset.whole(name) > limits[tighter[name]]:
        return f"SECURITY_LEVEL {level} is tighter"
    silent = {*BURSTS, "UPSTREAM_FAILURES", "SCHEMA_MISMATCHES", "THREAT_INTENSITY", "MISUSE_RATE"}
    silent |= {"NETWORK_LATENCY_MS", "NETWORK_JITTER_MS", "PACKET_LOSS", "API_LATENCY_MS"}
    return "0 asks for nothing" if name in silent and not preset.number(name) else ""


_HOW: Final[Mapping[str, str]] = {
    "SCENARIO_NAME": "measurements are kept under {}",
    "SEVERITY": "measurements carry the word {}",
    "TIME_LIMIT": "a run ends as timeout after {} s",
    "MEMORY_LIMIT": "a run ends as oom over {}",
    "DISK_LIMIT": "a run can't write more than {}",
    "PROCESS_LIMIT": "a run ends as killed over {} processes",
    "OPEN_FILES": "a process of the run can hold {} files open",
    "SECURITY_LEVEL": "fence of level {}",
    "GPU_LIMIT": "{} graphics processors",
    "NETWORK_LATENCY_MS": "each request to the API takes {} ms longer",
    "NETWORK_JITTER_MS": "the latency varies by {} ms either way",
    "PACKET_LOSS": "a share of {} of the requests is reset",
    "BANDWIDTH_LIMIT": "answers share {} Mbit/s",
    "API_LATENCY_MS": "the API thinks {} ms before each answer",
    "UPSTREAM_FAILURES": "{} requests of each window get a 503",
    "UPSTREAM_REQUESTS": "the window of failures is {} requests",
    "SCHEMA_MISMATCHES": "{} answers of each window have another shape",
    "SCHEMA_CHECKS": "the window of other shapes is {} answers",
    "INPUT_COUNT": "{} inputs are made",
    "THREAT_INTENSITY": "{} of a hundred inputs are hostile",
    "MISUSE_RATE": "{} of a hundred inputs break the schema",
    "THREAD_BURST": "{} threads call at once",
    "ASYNC_TASK_BURST": "{} asyncio tasks call at once",
    "MAX_THREADS": "the run can't have more than {} threads beside its processes",
    "CONCURRENCY_LEVEL": "at most {} calls are under way",
}


def how(preset: Preset, name: str) -> str:
    """Return in words what a key changes in a run."""
    if name == "CPU_LIMIT":
        return f"a run ends as timeout after {limits_of(preset)['cpu_seconds']:g} s of CPU time"
    return _HOW[name].format(preset.as_data()[name])


def limits_of(preset: Preset) -> dict[str, Any]:
    """Return the limits that the preset sets: cpu_seconds, wall_seconds, memory_bytes, disk_bytes,
    processes, threads, open_files; only those that it says something about.

    CPU time is CPU_LIMIT times TIME_LIMIT: so many cores on average, however they are spread over the run.
    """
    found: dict[str, Any] = {}
    wall = preset.number("TIME_LIMIT", DEFAULT_SECONDS)
    if "TIME_LIMIT" in preset.values:
        found["wall_seconds"] = wall
    if "CPU_LIMIT" in preset.values:
        found["cpu_seconds"] = preset.number("CPU_LIMIT") * wall
    found |= LEVELS.get(preset.whole("SECURITY_LEVEL"), {})
    plain = {"MEMORY_LIMIT": "memory_bytes", "DISK_LIMIT": "disk_bytes", "MAX_THREADS": "threads"}
    tightening = {"PROCESS_LIMIT": "processes", "OPEN_FILES": "open_files"}
    for key, name in (plain | tightening).items():
        if key in preset.values:
            found[name] = min(preset.whole(key), found.get(name, preset.whole(key)))
    return found


def faults_of(preset: Preset) -> dict[str, Any] | None:
    """Return the faults of the loopback API, by the fields of its order; None: the run gets none."""
    if not preset.uses_network:
        return None
    return {
        "latency_ms": preset.number("NETWORK_LATENCY_MS"),
        "jitter_ms": preset.number("NETWORK_JITTER_MS"),
        "api_latency_ms": preset.number("API_LATENCY_MS"),
        "loss": preset.number("PACKET_LOSS"),
        "failures": preset.whole("UPSTREAM_FAILURES"),
        "failure_window": preset.whole("UPSTREAM_REQUESTS", 1),
        "drifts": preset.whole("SCHEMA_MISMATCHES"),
        "drift_window": preset.whole("SCHEMA_CHECKS", 1),
        "mbps": preset.number("BANDWIDTH_LIMIT"),
    }
