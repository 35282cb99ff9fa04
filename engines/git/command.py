"""One careful call of the git executable.

Its command line and environment are those of `orphans.domain.git_call`: nothing of the repository is run,
nothing of ours is told. What comes back is capped in time and size.
"""

import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final, cast

from engines.domain.errors import MenaceError, NotConfigured
from orphans.domain import git_call

OBJECT: Final = re.compile(r"[0-9a-f]{40}\Z")
TIMEOUT: Final = 60.0
OUTPUT_BYTES: Final = 64 * 2**20


class GitError(MenaceError):
    """Git refused or failed; the message holds what it said."""


def named(name: str) -> str:
    """Accept a full object name; everything else could be an option or an expression."""
    if not OBJECT.match(name):
        raise GitError(f"{name[:60]!r} is no full object name of 40 hexadecimal digits")
    return name


def environment() -> dict[str, str]:
    """Return the whole environment of a call."""
    return git_call.environment(os.environ.get("PATH", os.defpath))


def run(path: Path, *words: str, extra: dict[str, str] | None = None, limit: int = OUTPUT_BYTES) -> bytes:
    """Run git and return what it printed.

    Raises:
        GitError: it failed, took too long or printed more than `limit` bytes.
        NotConfigured: there is no git on this machine.
    """
    with stream(path, *words, extra=extra) as output:
        data = output.read(limit + 1)
        if len(data) > limit:
            raise GitError(f"git {words[0]} printed more than {limit} bytes")
    return data


@contextmanager
def stream(
    path: Path, *words: str, stdin: bytes = b"", extra: dict[str, str] | None = None
) -> Iterator[IO[bytes]]:
    """Run git and give its output as a stream; see `run` for the errors, raised on leaving."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as problem:
        given.write(stdin)
        given.seek(0)
        process = _started(git_call.arguments(str(path.resolve()), *words), given, problem, extra)
        timer = threading.Timer(TIMEOUT, _end, [process])
        timer.start()
        try:
            yield cast(IO[bytes], process.stdout)
        except BaseException:
            _end(process)
            raise
        finally:
            if process.stdout is not None:
                process.stdout.close()
            process.wait()
            timer.cancel()
        if process.returncode != 0:
            problem.seek(0)
            raise GitError(
                f"git {words[0]}: {_said(problem.read(4096)) or f'exit code {process.returncode}'}"
            )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill git and all it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _started(
    command: list[str], given: IO[bytes], problem: IO[bytes], extra: dict[str, str] | None
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=problem,
            env=environment() | (extra or {}),
            start_new_session=True,
        )
    except FileNotFoundError:
        raise NotConfigured("git is not installed; install it to take repositories under care") from None


def _said(problem: bytes) -> str:
    """Return git's complaint as one short line."""
    lines = problem.decode("utf-8", "replace").split("\n")
    return " ".join(line.strip() for line in lines if line.strip())[:300]
