"""Profiles of scenario presets, and presets made from them, seeded.

Six canonical profiles have a low and a high end. A made preset draws each value between the two ends
of its profile; the same seed makes the same presets on any machine.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Final

from orphans.domain.preset_keys import KEYS, Value
from orphans.domain.presets import CATEGORIES, MAX_PRESETS, Preset, PresetError, read_preset

Ends = tuple[Value, Value]

PROFILES: Final[Mapping[str, Mapping[str, Ends]]] = {
    "high_latency_api": {
        "NETWORK_LATENCY_MS": (200, 500), "NETWORK_JITTER_MS": (20, 50),
        "PACKET_LOSS": (0.05, 0.1), "API_LATENCY_MS": (500, 1000),
    },
    "hostile_input": {"THREAT_INTENSITY": (30, 90), "INPUT_COUNT": (20, 50)},
    "user_misuse": {"MISUSE_RATE": (30, 90), "INPUT_COUNT": (20, 50)},
    "concurrency_spike": {
        "THREAD_BURST": (10, 50), "ASYNC_TASK_BURST": (20, 100),
        "MAX_THREADS": (100, 200), "CONCURRENCY_LEVEL": (20, 100),
    },
    "schema_drift": {"SCHEMA_MISMATCHES": (5, 20), "SCHEMA_CHECKS": (100, 100)},
    "flaky_upstream": {"UPSTREAM_FAILURES": (1, 5), "UPSTREAM_REQUESTS": (20, 20)},
}  # fmt: skip
"""Profile → key → its value at the low and at the high end."""

ALIASES: Final = {
    "high_latency": "high_latency_api",
    "malicious_data": "hostile_input",
    "schema_mismatch": "schema_drift",
    "upstream_failure": "flaky_upstream",
}
SEVERITIES: Final = ("low", "high")
CANONICAL_LIMITS: Final[Mapping[str, Value]] = {"CPU_LIMIT": 1, "MEMORY_LIMIT": "512Mi"}
CPU_LADDER: Final = (0.5, 1, 2, 4)
MEMORY_LADDER: Final = ("256Mi", "512Mi", "1Gi", "2Gi")

BY_CATEGORY: Final[Mapping[str, tuple[str, ...]]] = {
    "baseline": ("baseline",),
    "stress": ("high_latency_api", "schema_drift", "flaky_upstream"),
    "security": ("hostile_input", "user_misuse"),
    "concurrency": ("concurrency_spike",),
}
"""Category → the profiles that are drawn from when it is asked for."""

NAMES: Final = (*PROFILES, *CATEGORIES)


def generate_canonical_presets() -> list[dict[str, Value]]:
    """Return every profile at its low and at its high end, with one core and 512 MiB."""
    return [
        _checked(name, {"SEVERITY": severity, **CANONICAL_LIMITS, **at_end(name, severity)})
        for name in PROFILES
        for severity in SEVERITIES
    ]


def generate_presets(
    count: int | None = None,
    profiles: Sequence[str] | None = None,
    *,
    seed: int = 0,
    user_misuse: bool = False,
) -> list[dict[str, Value]]:
    """Return `count` presets, taking turns among `profiles` (names of `NAMES` or `ALIASES`).

    Without profiles: a baseline, then every profile in turn, `user_misuse` only when asked for.
    Without a count: one of each. Preset i depends on `seed` and i alone, so that a longer list begins
    like a shorter one.

    Raises:
        PresetError: an unknown profile, none at all, or a count that is not from 1 to 1000.
    """
    wanted = [resolved(name) for name in profiles] if profiles is not None else _automatic(user_misuse)
    number = len(wanted) if count is None else count
    if not wanted:
        raise PresetError([("profiles", f"name at least one of {', '.join(NAMES)}")])
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= MAX_PRESETS:
        raise PresetError([("count", f"must be a whole number from 1 to {MAX_PRESETS}, not {number!r}")])
    return [_made(wanted[index % len(wanted)], seed, index) for index in range(number)]


def resolved(name: str) -> str:
    """Return the profile or category that a name or an alias means."""
    found = ALIASES.get(name, name)
    if found not in NAMES:
        raise PresetError([("profiles", f"{str(name)[:64]!r} is not known; known: {', '.join(NAMES)}")])
    return found


def _automatic(user_misuse: bool) -> list[str]:
    return ["baseline", *(name for name in PROFILES if name != "user_misuse" or user_misuse)]


def at_end(profile: str, severity: str) -> dict[str, Value]:
    """Return the keys of a profile at its low or high end."""
    return {key: ends[SEVERITIES.index(severity)] for key, ends in PROFILES[profile].items()}


def _made(name: str, seed: int, index: int) -> dict[str, Value]:
    """Make preset number `index`."""
    chance = random.Random(f"{seed}:{index}")  # noqa: S311 - nothing secret
    profile = chance.choice(BY_CATEGORY[name]) if name in BY_CATEGORY else name
    keys: dict[str, Value] = {
        "CPU_LIMIT": chance.choice(CPU_LADDER),
        "MEMORY_LIMIT": chance.choice(MEMORY_LADDER),
    }
    for key, (low, high) in PROFILES.get(profile, {}).items():
        keys[key] = _drawn(key, float(low), float(high), chance)
    return _checked(profile, _consistent(keys))


def _drawn(key: str, low: float, high: float, chance: random.Random) -> Value:
    """Draw between the two ends, in three digits, so that a file stays readable."""
    if KEYS[key].whole:
        return chance.randint(int(low), int(high))
    return float(f"{chance.uniform(low, high):.3g}")


def _consistent(keys: dict[str, Value]) -> dict[str, Value]:
    """Keep the calls at a time under the calls that there are, so that the level always holds some back."""
    if "CONCURRENCY_LEVEL" in keys:
        calls = int(keys["THREAD_BURST"]) + int(keys["ASYNC_TASK_BURST"])
        keys["CONCURRENCY_LEVEL"] = min(int(keys["CONCURRENCY_LEVEL"]), calls - 1)
    return keys


def _checked(profile: str, keys: Mapping[str, Value]) -> dict[str, Value]:
    preset: Preset = read_preset({"SCENARIO_NAME": profile, **keys})
    return preset.as_data()
