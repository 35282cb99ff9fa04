"""Presets that follow what is foreseen of synergy: each key moves by at most one rung of its ladder.

Each metric whose next value is foreseen votes by its sign for the keys of `RULES`; a key moves where its
votes don't cancel out. A metric whose forecasts were no better than "the same again" (reliability under 1/2)
has no vote, nor has one that was never measured. Only keys that a preset has are moved, and only to presets
that are allowed: a move that would contradict another key is left out.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from orphans.domain.preset_keys import Value
from orphans.domain.presets import Preset, PresetError, read_preset

LADDERS: Final[Mapping[str, tuple[float, ...]]] = {
    "CPU_LIMIT": (0.5, 1, 2, 4, 8),
    "MEMORY_LIMIT": tuple(size * 2**20 for size in (128, 256, 512, 1024, 2048, 4096)),
    "DISK_LIMIT": tuple(size * 2**20 for size in (16, 64, 256, 512, 1024)),
    "BANDWIDTH_LIMIT": (1, 5, 10, 50, 100),
    "NETWORK_LATENCY_MS": (10, 50, 100, 200, 500),
    "THREAT_INTENSITY": (10, 30, 50, 70, 90),
    "SECURITY_LEVEL": (1, 2, 3, 4, 5),
}
"""Key → its rungs, in the key's own unit."""

RULES: Final[Mapping[str, Mapping[str, int]]] = {
    "roi": {"THREAT_INTENSITY": 1, "NETWORK_LATENCY_MS": -1, "BANDWIDTH_LIMIT": 1},
    "efficiency": {"CPU_LIMIT": -1, "MEMORY_LIMIT": -1},
    "adaptability": {"CPU_LIMIT": -1, "MEMORY_LIMIT": -1},
    "antifragility": {"THREAT_INTENSITY": 1},
    "resilience": {"BANDWIDTH_LIMIT": 1},
    "safety_rating": {"THREAT_INTENSITY": 1},
    "risk_index": {"SECURITY_LEVEL": 1},
    "security_score": {"SECURITY_LEVEL": 1},
    "recovery_time": {"THREAT_INTENSITY": -1},
    "shannon_entropy": {"CPU_LIMIT": 1},
    "flexibility": {"MEMORY_LIMIT": -1},
    "energy_consumption": {"BANDWIDTH_LIMIT": -1},
    "profitability": {"DISK_LIMIT": 1},
    "revenue": {"MEMORY_LIMIT": 1},
    "maintainability": {"CPU_LIMIT": -1},
    "code_quality": {"THREAT_INTENSITY": 1},
    "network_latency": {"NETWORK_LATENCY_MS": 1},
    "throughput": {"BANDWIDTH_LIMIT": 1},
    "discrepancy_count": {"THREAT_INTENSITY": 1},
    "cpu_usage": {"CPU_LIMIT": 1},
    "memory_usage": {"MEMORY_LIMIT": 1},
    "long_term_lucrativity": {"DISK_LIMIT": 1},
}
"""Metric → where its positive synergy moves a key, 1 up or -1 down; a negative one moves it the other way.

`gpu_usage` and `projected_lucrativity` would move GPU_LIMIT, which does nothing: runs are given no graphics
processor.
"""

TRUSTED: Final = 0.5


class Foretells(Protocol):
    """What a tracker of synergy has, such as `ROITracker`."""

    def predict_synergy_metric(self, name: str) -> float | None:
        """Return the next value of a metric; None where it was never measured."""

    def reliability(self, metric: str) -> float | None:
        """Return how exact its forecasts were, 0 to 1; None before the first met its outcome."""


@dataclass(frozen=True, slots=True)
class Move:
    """Where one key goes, and why."""

    #: 1 up, -1 down
    direction: int
    #: metrics that voted for it
    because: tuple[str, ...]


def moves(tracker: Foretells) -> dict[str, Move]:
    """Return by key where the forecasts move it; keys that stay are absent."""
    votes: dict[str, dict[str, int]] = {}
    for metric, keys in RULES.items():
        sign = _sign(tracker, metric)
        for key, direction in keys.items() if sign else ():
            votes.setdefault(key, {})[metric] = sign * direction
    return {key: _move(given) for key, given in votes.items() if sum(given.values())}


def _move(votes: Mapping[str, int]) -> Move:
    way = 1 if sum(votes.values()) > 0 else -1
    return Move(way, tuple(name for name, vote in votes.items() if vote == way))


def _sign(tracker: Foretells, metric: str) -> int:
    foreseen = tracker.predict_synergy_metric(metric)
    trust = tracker.reliability(metric)
    if not foreseen or (trust is not None and trust < TRUSTED):
        return 0
    return 1 if foreseen > 0 else -1


def adapt_presets(tracker: Foretells, presets: Iterable[Mapping[str, Any]]) -> list[dict[str, Value]]:
    """Return the presets with their keys moved by what the tracker foresees; the given ones stay as they are.

    Raises:
        PresetError: a given preset is refused.
    """
    found = moves(tracker)
    return [adapted(read_preset(dict(preset)), found).as_data() for preset in presets]


def adapted(preset: Preset, found: Mapping[str, Move]) -> Preset:
    """Return a preset with the keys that it has moved by one rung each, as far as that is allowed."""
    for key, move in found.items():
        if key in preset.values:
            preset = _moved(preset, key, _rung(LADDERS[key], preset.number(key), move.direction))
    return preset


def _rung(ladder: Sequence[float], value: float, direction: int) -> float:
    """Return the next rung above or below; the value itself beyond either end."""
    if direction > 0:
        return next((rung for rung in ladder if rung > value), value)
    return next((rung for rung in reversed(ladder) if rung < value), value)


def _moved(preset: Preset, key: str, value: float) -> Preset:
    changed = Preset({**preset.values, key: type(preset.values[key])(value)})
    try:
        return read_preset(changed.as_data())
    except PresetError:
        return preset
