"""From a spec to the order that a spawner carries out: plain JSON, all paths absolute."""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Final

from orphans.sandbox import checkout, policy
from orphans.sandbox.spec import PROJECT_ROOT, Kind, Network, RunSpec, SpecError

STUB: Final = Path(__file__).resolve().parent / "stub_api.py"
THREAD_VARIABLES: Final = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
)


def written_order(spec: RunSpec, scratch: Path | None, key: str) -> bytes:
    """Return the order as JSON.

    `scratch` is the folder to use where a run can't have a file system of its own, `key` what its last
    words must carry. Raises SpecError for a payload that is no JSON and a checkout that can't be shown.
    """
    root = spec.checkout.resolve() if spec.checkout is not None else None
    if root is not None:
        checkout.refuse_impossible(root)
    order = {
        "env": {**ENVIRONMENT, **spec.env},
        "cwd": "" if root is None or _in_scratch(spec) else str(root),
        "limits": asdict(spec.limits),
        "inputs": list(spec.inputs),
        "scratch": "" if scratch is None else str(scratch),
        "readable": list(readable(spec, root)),
        "hidden": [] if root is None else checkout.hidden(root),
        "stub": (spec.stub or {}) if spec.network is Network.STUB else None,
        "stub_script": str(STUB),
        "child": _inside(spec, root, key),
    }
    try:
        return json.dumps(order, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SpecError(f"the payload can't be written as JSON: {error}") from None


def _inside(spec: RunSpec, root: Path | None, key: str) -> dict[str, Any]:
    """Return the part that the run's first process reads."""
    return {
        "kind": spec.kind.value,
        "target": _target(spec, root),
        "from_scratch": _in_scratch(spec),
        "arguments": list(spec.arguments),
        "payload": spec.payload,
        "bare": spec.bare,
        "code_path": str(PROJECT_ROOT),
        "import_paths": [str(root / path) for path in spec.import_paths] if root is not None else [],
        "checkout": None if root is None else str(root),
        "path": [*library_path(), *([] if spec.packages is None else [str(spec.packages.resolve())])],
        "prefix": sys.prefix,
        "count_calls": spec.count_calls,
        "key": key,
    }


def _target(spec: RunSpec, root: Path | None) -> str:
    if spec.kind is Kind.FILE and root is not None and not _in_scratch(spec):
        return str(root / spec.target)
    return spec.target


def _in_scratch(spec: RunSpec) -> bool:
    """Whether the run's code is one of its inputs: then scratch is where it lies and works."""
    if spec.kind is Kind.FILE:
        return spec.target in spec.inputs
    return spec.kind is Kind.CALL and f"{spec.target.partition(':')[0]}.py" in spec.inputs


ENVIRONMENT: Final = {
    "PATH": os.defpath,
    "LANG": "C.UTF-8",
    "PYTHONHASHSEED": "0",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONUNBUFFERED": "1",
    "CUDA_VISIBLE_DEVICES": "",
    **dict.fromkeys(THREAD_VARIABLES, "1"),
}
"""The variables of every run but its folders: nothing of the worker's own."""


def surroundings() -> dict[str, Any]:
    """Return what all runs of this process share: interpreter, variables, libraries, their places."""
    return {
        "python": sys.executable,
        "env": ENVIRONMENT,
        "path": list(library_path()),
        "places": list(interpreter_places()),
        "warm": policy.current().warm.as_data(),
    }


def readable(spec: RunSpec, root: Path | None) -> Iterator[str]:
    """Name what the run may read beside the system's own programs and the interpreter."""
    if spec.kind is Kind.JOB:
        yield from project_places()
    if spec.network is Network.STUB:
        yield str(STUB)
    if spec.packages is not None:
        yield str(spec.packages.resolve())
    if root is not None:
        yield str(root)


@cache
def interpreter_places() -> tuple[str, ...]:
    """Return the folders of the interpreter, its environment and its libraries."""
    executable = Path(sys.executable)
    found = {sys.prefix, sys.base_prefix, str(executable.resolve().parent), *_outer_libraries()}
    places = {str(Path(each).resolve()) for each in found if each} | {sys.prefix}
    kept = sorted(each for each in places if each not in ("/", "/usr") and not each.startswith("/usr/"))
    alone = (executable, executable.parent.parent / "pyvenv.cfg")  # an environment that was not entered
    outside = not str(executable).startswith((*(f"{each}/" for each in kept), "/usr/", "/bin/"))
    return (*kept, *(str(each) for each in alone if outside and each.is_file()))


def _outer_libraries() -> Iterator[str]:
    inside = (sys.prefix + "/", sys.base_prefix + "/")
    yield from (each for each in library_path() if not each.startswith(inside) and Path(each).is_dir())


@cache
def library_path() -> tuple[str, ...]:
    """Return where libraries are imported from: this interpreter's path without the project's own folders.

    It was worked out here once, hooks of `.pth` files included, and is handed to every run as it is.
    """
    kept = (sys.prefix + "/", sys.base_prefix + "/")
    named = ("site-packages", "dist-packages")
    return tuple(each for each in sys.path if each.startswith(kept) or Path(each).name in named)


@cache
def project_places() -> tuple[str, ...]:
    """Return the packages of this project, for its own jobs; nothing else that lies beside them."""
    return tuple(sorted(str(each.parent) for each in PROJECT_ROOT.glob("*/__init__.py")))
