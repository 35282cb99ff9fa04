"""Small stand-ins that keep the contract of what they stand for."""

import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orphans.sandbox import Cancel, Kind, Measurement, Outcome, Progress, RunSpec, scratch_folder
from orphans.sandbox.artifacts import ArtifactError, collect
from orphans.sandbox.child import find
from orphans.sandbox.spec import Json


class InProcessRunner:
    """A runner for code that the tests themselves wrote: calls it here, without any protection.

    Keeps the contract of `orphans.sandbox.Runner` but for limits, survivors and crashes.
    """

    def __init__(self) -> None:
        #: what was asked for, in order
        self.specs: list[RunSpec] = []

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        self.specs.append(spec)
        if cancel is not None and cancel.is_set():
            return Measurement(outcome=Outcome.CANCELLED, reason="cancelled")
        with scratch_folder() as scratch:
            job = InProcessJob(scratch, spec.checkout, on_progress)
            for name, source in spec.inputs.items():
                (scratch / name).write_bytes(source.read_bytes())
            try:
                result = _called(spec, job)
                return Measurement(
                    outcome=Outcome.OK,
                    exit_code=0,
                    result=result,
                    cpu_seconds=0.5,
                    artifacts=_kept(spec, scratch),
                )
            except ArtifactError as error:
                return Measurement(outcome=Outcome.FAILED, reason=str(error), exit_code=0)
            except Exception as error:  # noqa: BLE001 - as the real one: told, not raised
                told = "".join(traceback.format_exception(error))
                return Measurement(outcome=Outcome.FAILED, exit_code=1, exception=told)


class InProcessJob:
    """What a job gets beside its payload."""

    def __init__(self, scratch: Path, checkout: Path | None, listener: Progress | None) -> None:
        self.scratch = scratch
        self.checkout = checkout
        self._listener = listener

    def progress(self, fraction: float | None, message: str = "") -> None:
        if self._listener is not None:
            self._listener(fraction, message)


class CannedRunner:
    """A runner that answers every spec with the measurements it was given, the last one for ever."""

    def __init__(self, *answers: Measurement) -> None:
        self._answers = list(answers)
        self.specs: list[RunSpec] = []

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        self.specs.append(spec)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


class Flag:
    """A cancel wish, as `threading.Event` without threads."""

    def __init__(self, wanted: bool = True) -> None:
        self.wanted = wanted

    def is_set(self) -> bool:
        return self.wanted


def _called(spec: RunSpec, job: InProcessJob) -> Json:
    paths = [str(spec.checkout / each) for each in spec.import_paths] if spec.checkout else []
    with _importing_from(paths, job.scratch):
        function = find(spec.target)
        return function(spec.payload, job) if spec.kind is Kind.JOB else function(spec.payload)


@contextmanager
def _importing_from(paths: list[str], scratch: Path) -> Iterator[None]:
    """Import from `paths` and forget those modules again, so that two checkouts don't mix."""
    before, environment = set(sys.modules), dict(os.environ)
    sys.path[:0] = paths
    os.environ["TMPDIR"] = str(scratch)
    try:
        yield
    finally:
        del sys.path[: len(paths)]
        os.environ.clear()
        os.environ.update(environment)
        for name in set(sys.modules) - before:
            origin = getattr(sys.modules[name], "__file__", None) or ""
            if any(origin.startswith(path) for path in paths):
                del sys.modules[name]
        importlib.invalidate_caches()


def _kept(spec: RunSpec, scratch: Path) -> tuple:  # type: ignore[type-arg]
    if spec.store is None:
        return ()
    folder = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY)
    try:
        found = [collect(folder, name, spec.store, spec.limits.artifact_bytes) for name in spec.artifacts]
        return tuple(each for each in found if each is not None)
    finally:
        os.close(folder)
