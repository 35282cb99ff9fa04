"""The job that carries out a workflow of a bot inside a run: its steps in order, each timed."""

import hashlib
import importlib
import json
import resource
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from engines.domain.workflows.drift import drifted

INPUT_BYTES: Final = 8 * 2**20
SUMMARY_LENGTH: Final = 2_000
KEYS: Final = 200
KEY_LENGTH: Final = 200
ERROR_LENGTH: Final = 500

Json = Any


class Job(Protocol):
    """What the sandbox hands to a job."""

    scratch: Path
    checkout: Path | None

    def progress(self, fraction: float | None, message: str = "") -> None:
        """Tell how far the job is."""
        ...


class WorkflowError(ValueError):
    """The workflow can't be started; the message says why."""


def workflow(payload: Mapping[str, Any], job: Job) -> dict[str, Json]:
    """Run `payload["steps"]` (`module:function`) in order on the JSON file `payload["input"]`.

    A `payload["value"]` is the input itself, in the file's place. With `payload["drift"]` (`seed`, `share`)
    a share of its records has another shape. The run is a success when every step returned and the last
    payload is plain JSON. Returns `success`, `steps` (name, seconds, cpu_seconds, error or None; the ones
    that ran), `error`, `output`, the beginning of the last payload as JSON text, `digest`, the SHA-256 of
    all of it, and `keys`, those of that payload or of its first item.
    """
    value = payload["value"] if "value" in payload else _input(payload.get("input"), job.checkout)
    if payload.get("drift"):
        value = drifted(value, **payload["drift"])
    functions = [(name, _function(name)) for name in payload["steps"]]
    done: list[dict[str, Json]] = []
    for index, (name, function) in enumerate(functions):
        job.progress(index / len(functions), name)
        value, row = _carried_out(name, function, value)
        done.append(row)
        if row["error"] is not None:
            return {"success": False, "steps": done, "error": row["error"], "output": ""}
    return _finished(value, done)


def _input(name: str | None, checkout: Path | None) -> Json:
    """Read the input file of the workflow."""
    if name is None:
        return None
    if checkout is None:
        raise WorkflowError("a workflow with an input needs a checkout")
    place = (checkout / name).resolve()
    if not place.is_relative_to(checkout.resolve()) or place.stat().st_size > INPUT_BYTES:
        raise WorkflowError(f"input {name} is outside of the repository or larger than {INPUT_BYTES} bytes")
    return json.loads(place.read_bytes())


def _function(name: str) -> Callable[[Json], Json]:
    module, _, attribute = name.partition(":")
    function = getattr(importlib.import_module(module), attribute)
    if not callable(function):
        raise WorkflowError(f"step {name} is no function")
    return function  # type: ignore[no-any-return]


def _carried_out(name: str, function: Callable[[Json], Json], value: Json) -> tuple[Json, dict[str, Json]]:
    """Call one step; an exception is its result, not ours."""
    wall, cpu = time.perf_counter(), _cpu()
    error = None
    try:
        value = function(value)
    except Exception as problem:  # noqa: BLE001 - whatever a step raises is what it is measured by
        error = f"{type(problem).__name__}: {problem}"[:ERROR_LENGTH]
    seconds = {"seconds": time.perf_counter() - wall, "cpu_seconds": _cpu() - cpu}
    return value, {"step": name, **seconds, "error": error}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _finished(value: Json, done: list[dict[str, Json]]) -> dict[str, Json]:
    """Check that the last payload is JSON and return its beginning."""
    try:
        text = json.dumps(value, allow_nan=False, sort_keys=True)
    except (TypeError, ValueError, RecursionError) as problem:
        error = f"the last step returned no plain JSON: {problem}"[:ERROR_LENGTH]
        return {"success": False, "steps": done, "error": error, "output": ""}
    digest = hashlib.sha256(text.encode()).hexdigest()
    told = {"output": text[:SUMMARY_LENGTH], "digest": digest, "keys": _keys(value)}
    return {"success": True, "steps": done, "error": None, **told}


def _keys(value: Json) -> list[str]:
    """Return the keys of a payload that is an object, or of the first of a list of objects."""
    first = value[0] if isinstance(value, list) and value else value
    return sorted(str(key)[:KEY_LENGTH] for key in list(first)[:KEYS]) if isinstance(first, dict) else []
