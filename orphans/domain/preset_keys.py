"""The keys of a scenario preset: unit, bounds, meaning; and how a given value is read and written.

A value may be a number in the key's unit or text with a unit (`"256"`, `"512Mi"`, `"0.2s"`, `"5%"`).
What is kept is canonical: one number in the key's unit, sizes as bytes.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Value = float | int | str

_TEXT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?)\s*([A-Za-z%]*)\Z", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}\Z", re.ASCII)
_LENGTH = 64

UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "cores": {"": 1, "m": 0.001},
    "bytes": {
        "": 2**20, "B": 1, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30,
        "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "K": 1e3, "M": 1e6, "G": 1e9,
    },
    "seconds": {"": 1, "s": 1, "ms": 0.001, "min": 60},
    "milliseconds": {"": 1, "ms": 1, "s": 1000},
    "share": {"": 1, "%": 0.01},
    "percent": {"": 1, "%": 1},
    "count": {"": 1},
    "megabits a second": {"": 1, "Mbps": 1, "kbps": 0.001, "Gbps": 1000},
}  # fmt: skip
"""Unit → what may stand behind a number, and how much of the unit that is; a plain size counts mebibytes."""

SIZES: Final = (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10))


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One thing that a preset can say."""

    name: str
    #: one of `UNITS`, or "name" for a word
    unit: str
    low: float = 0.0
    high: float = math.inf
    whole: bool = False
    #: what belongs together on a form: label, limits, network, inputs or concurrency
    group: str
    meaning: str
    #: the word of a machine's probe without which the key does nothing; empty: it always does
    needs: str = ""


def _key(name: str, unit: str, low: float, high: float, meaning: str, group: str, needs: str = "") -> Key:
    whole = unit in ("count", "bytes")
    return Key(
        name=name, unit=unit, low=low, high=high, whole=whole, group=group, meaning=meaning, needs=needs
    )


_NETWORK = "network"
_ALL: Final = (
    Key(name="SCENARIO_NAME", unit="name", group="label", meaning="Name that measurements are kept under."),
    Key(name="SEVERITY", unit="name", group="label", meaning="How hard: a word beside the name."),
    _key("CPU_LIMIT", "cores", 0.05, 64, "Cores a run may use on average over its time limit.",
         "limits", "cpu_limit"),
    _key("TIME_LIMIT", "seconds", 0.5, 3600, "Wall-clock time of a run; 120 without it.",
         "limits", "time_limit"),
    _key("MEMORY_LIMIT", "bytes", 32 * 2**20, 64 * 2**30, "Memory of all processes of a run.",
         "limits", "memory_limit"),
    _key("DISK_LIMIT", "bytes", 2**16, 64 * 2**30, "What a run may write.", "limits", "disk_limit"),
    _key("PROCESS_LIMIT", "count", 1, 4096, "Processes of a run at one time.", "limits", "process_limit"),
    _key("OPEN_FILES", "count", 32, 65536, "Files that one process may hold open.", "limits", "file_limit"),
    _key("SECURITY_LEVEL", "count", 1, 5, "How tight the fence is: fewer processes and open files; "
         "from 4 on no other processes, at 5 no API.", "limits", "process_limit"),
    _key("GPU_LIMIT", "count", 0, 16, "Graphics processors; runs are given none.", "limits", "gpu"),
    _key("NETWORK_LATENCY_MS", "milliseconds", 0, 60_000, "Time each request to the API travels.",
         _NETWORK, "stub"),
    _key("NETWORK_JITTER_MS", "milliseconds", 0, 60_000, "How far the latency varies either way.",
         _NETWORK, "stub"),
    _key("PACKET_LOSS", "share", 0, 1, "Share of requests whose connection is reset.", _NETWORK, "stub"),
    _key("BANDWIDTH_LIMIT", "megabits a second", 0.001, 100_000, "What all answers share.", _NETWORK, "stub"),
    _key("API_LATENCY_MS", "milliseconds", 0, 60_000, "Time the API thinks before it answers.",
         _NETWORK, "stub"),
    _key("UPSTREAM_FAILURES", "count", 0, 10_000, "How many of UPSTREAM_REQUESTS get a 503.",
         _NETWORK, "stub"),
    _key("UPSTREAM_REQUESTS", "count", 1, 10_000, "The window of UPSTREAM_FAILURES.", _NETWORK, "stub"),
    _key("SCHEMA_MISMATCHES", "count", 0, 10_000, "How many of SCHEMA_CHECKS answers have another shape.",
         _NETWORK, "stub"),
    _key("SCHEMA_CHECKS", "count", 1, 10_000, "The window of SCHEMA_MISMATCHES.", _NETWORK, "stub"),
    _key("INPUT_COUNT", "count", 1, 1000, "Inputs that are made and tried; 20 without it.", "inputs"),
    _key("THREAT_INTENSITY", "percent", 0, 100, "How many of a hundred inputs are hostile.", "inputs"),
    _key("MISUSE_RATE", "percent", 0, 100, "How many of a hundred inputs break the input's schema.",
         "inputs"),
    _key("THREAD_BURST", "count", 0, 500, "Threads that call at the same moment.", "concurrency"),
    _key("ASYNC_TASK_BURST", "count", 0, 2000, "asyncio tasks that call at the same moment.", "concurrency"),
    _key("MAX_THREADS", "count", 1, 1000, "Threads of a run beside its processes, the bursts' among them.",
         "concurrency", "process_limit"),
    _key("CONCURRENCY_LEVEL", "count", 1, 2500, "Calls that may be under way at one moment.",
         "concurrency"),
)  # fmt: skip

KEYS: Final[Mapping[str, Key]] = {key.name: key for key in _ALL}
"""Every key by its name, in the order of forms and documents."""


def read_value(key: Key, given: Any) -> Value:
    """Return `given` as the key's canonical value.

    Raises:
        ValueError: says what is wrong with it, in words that follow the key's name.
    """
    if key.unit == "name":
        if not isinstance(given, str) or not _WORD.match(given):
            raise ValueError("must be letters, digits, _, . or -, 63 at most")
        return given
    number = _number(key, given)
    if not math.isfinite(number):
        raise ValueError("must be a finite number")
    number = _rounded(key, number)
    if not key.low <= number <= key.high:
        low, high = (written(key, bound) for bound in (key.low, key.high))
        raise ValueError(f"must lie between {low} and {high}{_of(key)}, not {written(key, number)}")
    return number


def _number(key: Key, given: Any) -> float:
    """Return a number or text with a unit in the key's unit."""
    units = UNITS[key.unit]
    if isinstance(given, bool) or not isinstance(given, int | float | str):
        raise ValueError(f"must be a number{_of(key)}, not {_kind(given)}")
    if isinstance(given, int | float):
        return _times(given, units[""])
    match = _TEXT.match(given.strip()) if len(given) <= _LENGTH else None
    if match is None:
        raise ValueError(f"must be a number{_of(key)}, not {given[:_LENGTH]!r}")
    if match[2] not in units:
        known = ", ".join(repr(unit) for unit in units if unit) or "none"
        raise ValueError(f"has the unit {match[2]!r}; known: {known}")
    return _times(float(match[1]), units[match[2]])


def _times(number: float, factor: float) -> float:
    """Multiply; a whole number too large for a float is as good as infinite here."""
    try:
        return float(number) * factor
    except OverflowError:
        return math.inf


def _rounded(key: Key, number: float) -> float | int:
    """Return whole keys as integers, refusing fractions of what has none; others to 9 digits."""
    if not key.whole:
        return float(f"{number:.9g}")
    if key.unit == "count" and number != int(number):
        raise ValueError(f"must be a whole number, not {number:g}")
    return round(number)


def written(key: Key, value: Value) -> Value:
    """Return a canonical value as it stands in a preset: sizes with a unit, whole numbers without a point."""
    if isinstance(value, str):
        return value
    if key.unit == "bytes":
        return _size(int(value))
    return int(value) if value == int(value) else value


def _size(number: int) -> str:
    for unit, factor in SIZES:
        if number % factor == 0:
            return f"{number // factor}{unit}"
    return f"{number}B"


def _of(key: Key) -> str:
    return {"count": "", "share": ""}.get(key.unit, f" of {key.unit}")


def _kind(given: Any) -> str:
    names = {type(None): "nothing", bool: "true or false", list: "a list", dict: "an object"}
    return names.get(type(given), type(given).__name__)
