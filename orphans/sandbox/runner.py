"""`SubprocessRunner`: runs in processes of their own, behind every wall that this machine has.

What holds in a run is said in its `guarantees`; what must hold is said by `orphans.sandbox.policy`.
"""

import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orphans.domain.ingest import clean_text
from orphans.sandbox import policy
from orphans.sandbox.artifacts import ArtifactError, collect
from orphans.sandbox.channel import Channel, Output
from orphans.sandbox.nursery import Nursery, shared
from orphans.sandbox.process import Process
from orphans.sandbox.scratch import scratch_folder
from orphans.sandbox.spec import Attempts, Cancel, Measurement, Outcome, Progress, RunSpec, StoredFile
from orphans.sandbox.verdict import Ending, judge

TICK = 0.1
GRACE = 5.0
"""Seconds that the launcher gets to end a run before the worker gives up on it."""


@dataclass
class _Run:
    """What is gathered while a run goes on."""

    spec: RunSpec
    channel: Channel
    output: Output
    missing: dict[str, str]
    started: float = field(default_factory=time.monotonic)
    cause: str = ""
    facts: dict[str, Any] | None = None
    ending: Ending | None = None
    artifacts: tuple[StoredFile, ...] = ()


class SubprocessRunner:
    """Carries out specs in confined processes. Safe to use from several threads."""

    def __init__(self, scratch_root: Path | None = None, nursery: Nursery | None = None) -> None:
        self._scratch_root = scratch_root
        self._nursery = nursery or shared()

    def run(
        self, spec: RunSpec, *, on_progress: Progress | None = None, cancel: Cancel | None = None
    ) -> Measurement:
        """Carry out one run and return what was observed. See `orphans.sandbox.spec.Runner`.

        Raises:
            SandboxUnavailable: this machine lacks a layer that the policy requires.
        """
        missing = self._nursery.missing()
        policy.current().check(missing)
        key = secrets.token_hex(16)
        channel = Channel(spec.limits.result_bytes, on_progress, key)
        run = _Run(spec, channel, Output(spec.limits.output_bytes), missing)
        with self._scratch("namespaces" in missing) as scratch:
            with Process(spec, scratch, self._nursery, key) as process:
                _follow(run, process, cancel)
                _judge(run, process.folder, scratch)
            return _measured(run)

    @contextmanager
    def _scratch(self, needed: bool) -> Iterator[Path | None]:
        """Make a folder where a run can't have a file system of its own."""
        if not needed:
            yield None
            return
        with scratch_folder(self._scratch_root) as folder:
            yield folder


def _follow(run: _Run, process: Process, cancel: Cancel | None) -> None:
    """Listen until the run's launcher has reported or is gone."""
    sinks = {"output": run.output.feed, "channel": run.channel.feed}
    deadline = run.started + run.spec.limits.wall_seconds + GRACE
    while not process.reported:
        process.read(TICK, sinks)
        if not run.cause and (cause := _cause(run, cancel)):
            run.cause = cause
            process.end()
        if time.monotonic() > deadline:
            run.cause = run.cause or "wall"
            process.end()
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


def _judge(run: _Run, folder: int | None, scratch: Path | None) -> None:
    """Decide how it ended, and copy out what a good run left."""
    error = (run.facts or {}).get("error")
    if error:
        raise policy.SandboxUnavailable(f"the run could not be confined: {error}")
    cause = run.cause or _cause(run, None)
    run.ending = judge(run.facts, cause, run.channel, run.spec.limits, run.spec.kind)
    if run.ending.outcome is not Outcome.OK or run.spec.store is None:
        return
    made = (
        None if folder is not None else os.open(scratch or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    )
    try:
        _collect(run, folder if made is None else made)
    finally:
        if made is not None:
            os.close(made)


def _collect(run: _Run, folder: int | None) -> None:
    """Copy the named files; one that is no honest file fails the run."""
    spec = run.spec
    if folder is None or spec.store is None:
        return
    try:
        limit = spec.limits.artifact_bytes
        found = [collect(folder, name, spec.store, limit) for name in spec.artifacts]
        run.artifacts = tuple(each for each in found if each is not None)
    except ArtifactError as error:
        run.ending = Ending(Outcome.FAILED, str(error), run.ending.exit_code if run.ending else None)


def _measured(run: _Run) -> Measurement:
    """Put everything that was observed together."""
    ending = run.ending or Ending(Outcome.CRASHED, "nothing is known of the run")
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
        artifacts=run.artifacts,
        attempts=_attempts(facts, run.channel),
        calls=run.channel.calls,
        warm=bool(facts.get("warm")),
        guarantees=guarantees(facts.get("held", {}), run.missing),
    )


def _attempts(facts: dict[str, Any], channel: Channel) -> Attempts | None:
    """Return the kernel's counts, or the hook's claim where the kernel doesn't count."""
    told = facts.get("attempts") or channel.attempts
    if not told:
        return None
    names = ("file_writes", "network_connections", "subprocesses")
    examples = {
        name: tuple(clean_text(each, 300) for each in told["examples"].get(name, ())) for name in names
    }
    return Attempts(**{name: told[name] for name in names}, examples=examples, exact=bool(told.get("exact")))


def guarantees(held: dict[str, Any], missing: dict[str, str]) -> dict[str, bool]:
    """Return which promises held, given what could be set and which layers the machine lacks."""
    spaces = "namespaces" not in missing
    return {
        "clean_environment": True,
        "own_session": True,
        "time_limit": True,
        "output_limit": True,
        "disk_limit": spaces or bool(held.get("subreaper")),
        "rlimits": bool(held.get("rlimits")),
        "nothing_survives": bool(held.get("subreaper")),
        "unprivileged_user": bool(held.get("unprivileged_user")),
        "namespaces": spaces,
        "landlock": "landlock" not in missing,
        "seccomp": "seccomp" not in missing,
        "counted_by_kernel": "notify" not in missing,
        "sockets_closed": bool(held.get("sockets_closed")),
        "files_confined": spaces or "landlock" not in missing,
        "network_denied": spaces or "seccomp" not in missing,
    }
