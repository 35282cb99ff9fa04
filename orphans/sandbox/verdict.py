"""From observed facts to an outcome. What the run says of itself decides only between ok and failed."""

import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orphans.sandbox.channel import Channel
from orphans.sandbox.spec import Kind, Limits, Outcome

READ_ONLY = "[Errno 30]"
"""How an attempt to write outside of scratch ends."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended, as an outcome and in words."""

    outcome: Outcome
    reason: str = ""
    exit_code: int | None = None
    signal: int | None = None


def judge(
    facts: Mapping[str, Any] | None, cause: str, channel: Channel, limits: Limits, kind: Kind
) -> Ending:
    """Decide the outcome.

    `facts` is the launcher's report (None when it died), `cause` why the worker ended the run itself
    (`cancelled output result wall` or empty).
    """
    early = cause or ("" if facts is None or facts["cause"] == "lifeline" else facts["cause"])
    if early:
        return _ended_by_us(early, limits)
    if facts is None or facts["status"] is None:
        return Ending(Outcome.CRASHED, "the launcher of the run was killed")
    if os.WIFSIGNALED(facts["status"]):
        return _signalled(os.WTERMSIG(facts["status"]), limits)
    return _exited(os.WEXITSTATUS(facts["status"]), channel, limits, kind)


def _ended_by_us(cause: str, limits: Limits) -> Ending:
    """Name the limit that was passed, or the wish to stop."""
    return {
        "cancelled": Ending(Outcome.CANCELLED, "cancelled"),
        "wall": Ending(Outcome.TIMEOUT, f"over {limits.wall_seconds:g} s of wall-clock time"),
        "cpu": Ending(Outcome.TIMEOUT, f"over {limits.cpu_seconds:g} s of CPU time"),
        "memory": Ending(Outcome.OOM, f"over {limits.memory_bytes >> 20} MiB of memory"),
        "disk": Ending(Outcome.KILLED, f"over {limits.disk_bytes >> 20} MiB in its scratch folder"),
        "keeper": Ending(Outcome.CRASHED, "the first process of its namespace ended"),
        "processes": Ending(Outcome.KILLED, f"over {limits.processes} processes"),
        "output": Ending(Outcome.KILLED, f"over {limits.output_bytes} bytes of output"),
        "result": Ending(Outcome.KILLED, f"over {limits.result_bytes} bytes of result"),
    }[cause]


def _signalled(number: int, limits: Limits) -> Ending:
    """Tell the system's own limits from a crash."""
    if number == signal.SIGXCPU:
        return Ending(Outcome.TIMEOUT, f"over {limits.cpu_seconds:g} s of CPU time", signal=number)
    if number == signal.SIGSYS:
        return Ending(Outcome.DENIED, "made a system call that no run may make", signal=number)
    if number == signal.SIGXFSZ:
        return Ending(Outcome.KILLED, f"wrote a file over {limits.file_bytes} bytes", signal=number)
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return Ending(Outcome.CRASHED, f"ended by {name}", signal=number)


def _exited(code: int, channel: Channel, limits: Limits, kind: Kind) -> Ending:
    """Judge a run that left by itself."""
    if channel.refused:
        return Ending(Outcome.FAILED, f"result refused: {channel.refused}", code)
    if channel.exception is not None:
        if channel.error_type == "MemoryError":
            return Ending(Outcome.OOM, f"out of memory, limit {limits.memory_bytes >> 20} MiB", code)
        if channel.error_type == "PermissionError" or READ_ONLY in channel.exception:
            return Ending(Outcome.DENIED, "stopped at something it may not do", code)
        return Ending(Outcome.FAILED, "", code)
    if code != 0:
        return Ending(Outcome.FAILED, f"exit code {code}", code)
    if not channel.finished and kind is not Kind.FILE:
        return Ending(Outcome.FAILED, "ended without a result", code)
    return Ending(Outcome.OK, "", code)
