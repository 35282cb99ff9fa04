"""`SubprocessRunner`: runs as plain processes under limits, watched by a launcher.

What holds: a clean environment, limits of time, memory, processes, files and output for the run as a
whole, and no process left behind (Linux). What doesn't, and is said in `guarantees`: the run still
sees the files and the network that the worker's user may reach.
"""

import os
import shutil
import time
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orphans.sandbox.artifacts import ArtifactError, collect
from orphans.sandbox.channel import Channel, Output
from orphans.sandbox.process import Process
from orphans.sandbox.scratch import scratch_folder
from orphans.sandbox.spec import Cancel, Measurement, Outcome, Progress, RunSpec, SpecError, StoredFile
from orphans.sandbox.verdict import Ending, judge

TICK = 0.1
GRACE = 5.0
"""Seconds that the launcher gets to end a run before the worker does it itself."""


@dataclass
class _Run:
    """What is gathered while a run goes on."""

    spec: RunSpec
    channel: Channel
    output: Output
    started: float = field(default_factory=time.monotonic)
    cause: str = ""
    facts: dict[str, Any] | None = None
    artifacts: tuple[StoredFile, ...] = ()


class SubprocessRunner:
    """Carries out specs in plain processes of the same user."""

    def __init__(self, scratch_root: Path | None = None) -> None:
        self._scratch_root = scratch_root

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        """Carry out one run and return what was observed. See `orphans.sandbox.spec.Runner`."""
        run = _Run(spec, Channel(spec.limits.result_bytes, on_progress), Output(spec.limits.output_bytes))
        made = scratch_folder(self._scratch_root) if spec.scratch is None else nullcontext(spec.scratch)
        with made as scratch:
            folder = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                _bring(spec, scratch)
                _follow(run, scratch.resolve(), cancel)
                return _measured(run, folder)
            finally:
                os.close(folder)


def _bring(spec: RunSpec, scratch: Path) -> None:
    """Copy the inputs into scratch, each a new file of its own."""
    for name, source in spec.inputs.items():
        try:
            shutil.copyfile(source, scratch / name)
        except OSError as error:
            raise SpecError(f"input {name}: {error.strerror}") from None


def _follow(run: _Run, scratch: Path, cancel: Cancel | None) -> None:
    """Start the run and listen until its launcher has reported or is gone."""
    sinks = {"output": run.output.feed, "channel": run.channel.feed}
    deadline = run.started + run.spec.limits.wall_seconds + GRACE
    with Process(run.spec, scratch) as process:
        while not process.reported:
            process.read(TICK, sinks)
            if not run.cause and (cause := _cause(run, cancel)):
                run.cause = cause
                process.end()
            if time.monotonic() > deadline:
                run.cause = run.cause or "wall"
                process.kill()
                deadline += GRACE
        process.drain(sinks)
        run.facts = process.facts()


def _cause(run: _Run, cancel: Cancel | None) -> str:
    """Return why the worker should end the run now, or an empty string."""
    if cancel is not None and cancel.is_set():
        return "cancelled"
    if run.output.overflown:
        return "output"
    return "result" if run.channel.overflown else ""


def _measured(run: _Run, folder: int) -> Measurement:
    """Judge the run and put everything that was observed together."""
    cause = run.cause or _cause(run, None)
    ending = judge(run.facts, cause, run.channel, run.spec.limits, run.spec.kind)
    ending, artifacts = _collected(run.spec, ending, folder)
    facts = run.facts or {}
    return Measurement(
        outcome=ending.outcome,
        reason=ending.reason,
        exit_code=ending.exit_code,
        signal=ending.signal,
        result=run.channel.result if ending.outcome is Outcome.OK else None,
        exception=run.channel.exception,
        wall_seconds=time.monotonic() - run.started,
        cpu_seconds=facts.get("cpu"),
        max_rss_bytes=facts.get("rss"),
        output_tail=run.output.tail(),
        output_bytes=run.output.size,
        survivors=facts.get("survivors"),
        artifacts=artifacts,
        guarantees=guarantees(facts.get("held", {})),
    )


def _collected(spec: RunSpec, ending: Ending, folder: int) -> tuple[Ending, tuple[StoredFile, ...]]:
    """Copy the artifacts that a good run left; one that is no honest file fails the run."""
    if ending.outcome is not Outcome.OK or spec.store is None:
        return ending, ()
    try:
        limit = spec.limits.artifact_bytes
        found = (collect(folder, name, spec.store, limit) for name in spec.artifacts)
        return ending, tuple(each for each in found if each is not None)
    except ArtifactError as error:
        return Ending(Outcome.FAILED, str(error), ending.exit_code), ()


def guarantees(held: dict[str, bool]) -> dict[str, bool]:
    """Return which promises held, given what the launcher could set."""
    return {
        "clean_environment": True,
        "own_session": True,
        "time_limit": True,
        "output_limit": True,
        "rlimits": held.get("rlimits", False),
        "nothing_survives": held.get("subreaper", False),
        "unprivileged_user": os.geteuid() != 0,
        "files_confined": False,
        "network_denied": False,
    }
