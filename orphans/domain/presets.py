"""A scenario preset: limits, faults, inputs and bursts of one run, checked as a whole.

A preset is a mapping of the keys of `preset_keys.KEYS`. It is refused when a key is unknown, a value
has the wrong unit or is impossible, or when keys contradict each other or could have no effect; every
fault is told with the key and the reason.
"""

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from orphans.domain.preset_keys import KEYS, Value, read_value, written

CATEGORIES: Final = ("baseline", "stress", "security", "concurrency")
MAX_PRESETS: Final = 1000

NETWORK: Final = tuple(key.name for key in KEYS.values() if key.group == "network")
BURSTS: Final = ("THREAD_BURST", "ASYNC_TASK_BURST")
HOSTILE: Final = ("THREAT_INTENSITY", "MISUSE_RATE")

Problem = tuple[str, str]
"""A key and what is wrong with it."""


class PresetError(ValueError):
    """A preset was refused; `problems` has every key with its reason."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{key}: {reason}" if key else reason for key, reason in self.problems))


@dataclass(frozen=True, slots=True)
class Preset:
    """A checked preset. `values` has canonical values: seconds, bytes, shares … see `preset_keys`."""

    values: Mapping[str, Value]

    @property
    def name(self) -> str:
        """What measurements are kept under."""
        return str(self.values.get("SCENARIO_NAME", self.category))

    @property
    def category(self) -> str:
        """Which of `CATEGORIES` it belongs to: by the hardest thing that it does."""
        if any(self.number(key) for key in HOSTILE):
            return "security"
        if any(self.number(key) for key in BURSTS):
            return "concurrency"
        return "stress" if self.uses_network else "baseline"

    @property
    def uses_network(self) -> bool:
        """Whether a run under it gets the API."""
        return any(key in self.values for key in NETWORK)

    def number(self, key: str, default: float = 0.0) -> float:
        """Return the value of a numeric key, or the default."""
        return float(self.values.get(key, default))

    def whole(self, key: str, default: int = 0) -> int:
        """Return the value of a whole key, or the default."""
        return int(self.values.get(key, default))

    def as_data(self) -> dict[str, Value]:
        """Return the preset as it is written down, in the order of `KEYS`."""
        return {name: written(key, self.values[name]) for name, key in KEYS.items() if name in self.values}


def read_preset(given: Any) -> Preset:
    """Check a mapping of keys and return the preset.

    Raises:
        PresetError: names every key that is unknown, of a wrong unit, impossible or without effect.
    """
    if not isinstance(given, Mapping):
        raise PresetError([("", f"a preset must be an object of keys, not {type(given).__name__}")])
    values: dict[str, Value] = {}
    problems: list[Problem] = []
    for name, value in given.items():
        try:
            values[name] = _value(name, value)
        except ValueError as error:
            problems.append((_shown(name), str(error)))
    preset = Preset(values)
    if problems := problems or list(contradictions(preset)):
        raise PresetError(problems)
    if not set(values) - {"SCENARIO_NAME", "SEVERITY"}:
        raise PresetError([("", "the preset changes nothing; give it at least one limit, fault or burst")])
    return preset


def _value(name: Any, given: Any) -> Value:
    if name not in KEYS:
        near = difflib.get_close_matches(str(name).upper()[:64], KEYS, 1)
        raise ValueError(f"is not known; did you mean {near[0]}?" if near else "is not known")
    return read_value(KEYS[name], given)


def _shown(name: Any) -> str:
    return name if name in KEYS else str(name).encode("ascii", "replace").decode()[:64]


def contradictions(preset: Preset) -> Iterable[Problem]:
    """Yield each key that contradicts another one, or could have no effect for want of another one."""
    yield from _network_faults(preset)
    yield from _burst_faults(preset)
    total = sum(preset.number(key) for key in HOSTILE)
    if total > 100:
        yield "MISUSE_RATE", f"is {total:g} percent together with THREAT_INTENSITY; 100 is all there is"
    if preset.whole("SECURITY_LEVEL") == 5 and preset.uses_network:
        first = next(key for key in NETWORK if key in preset.values)
        yield first, "can't hold at SECURITY_LEVEL 5, which takes the API away"


def _network_faults(preset: Preset) -> Iterable[Problem]:
    if preset.number("NETWORK_JITTER_MS") > preset.number("NETWORK_LATENCY_MS"):
        yield (
            "NETWORK_JITTER_MS",
            "must not be over NETWORK_LATENCY_MS: no request arrives before it was sent",
        )
    pairs = (("UPSTREAM_FAILURES", "UPSTREAM_REQUESTS"), ("SCHEMA_MISMATCHES", "SCHEMA_CHECKS"))
    for some, window in pairs:
        if (some in preset.values) != (window in preset.values):
            given, missing = (some, window) if some in preset.values else (window, some)
            yield given, f"has no effect without {missing}"
        elif preset.whole(some) > preset.whole(window):
            yield some, f"must not be over {window}, {preset.whole(window)}"


def _burst_faults(preset: Preset) -> Iterable[Problem]:
    calls = sum(preset.whole(key) for key in BURSTS)
    if "CONCURRENCY_LEVEL" in preset.values and calls == 0:
        yield "CONCURRENCY_LEVEL", f"has no effect without {' or '.join(BURSTS)}"
    most = preset.whole("MAX_THREADS", calls)
    needed = preset.whole("THREAD_BURST") + (preset.whole("ASYNC_TASK_BURST") > 0)
    if calls and most < needed:
        yield "MAX_THREADS", f"is {most}, but the bursts need at least {needed}"


def read_presets(text: str) -> list[Preset]:
    """Return the presets of a JSON text: one object, or a list of them.

    Raises:
        PresetError: not JSON, empty, too many, or a preset of it is refused; keys are then
            named with the place of the preset, such as `2.CPU_LIMIT`.
    """
    try:
        data = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    except PresetError:
        raise
    except (ValueError, RecursionError) as error:
        raise PresetError([("", f"not JSON: {str(error)[:120]}")]) from None
    return read_all(data)


def read_all(data: Any) -> list[Preset]:
    """Return the presets of parsed JSON; see `read_presets`."""
    entries = data if isinstance(data, list) else [data]
    if not 1 <= len(entries) <= MAX_PRESETS:
        raise PresetError([("", f"{len(entries)} presets; from 1 to {MAX_PRESETS} can be read")])
    found: list[Preset] = []
    problems: list[Problem] = []
    for place, entry in enumerate(entries, 1):
        try:
            found.append(read_preset(entry))
        except PresetError as error:
            lone = not isinstance(data, list)
            problems += [(key if lone else f"{place}.{key}", reason) for key, reason in error.problems]
    if problems:
        raise PresetError(problems)
    return found


def _no_constant(name: str) -> Any:
    raise PresetError([("", f"{name} is no number")])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, _ in pairs if sum(name == other for other, _ in pairs) > 1)
        raise PresetError([(_shown(twice), "stands twice in one preset")])
    return found
