"""One careful call of the git executable.

Every setting is overridden through which a repository could make git run a program (hooks, fsmonitor,
pagers, transports, signatures), the environment holds nothing of ours, and what comes back is capped in
time and size. See the git documentation on `safe.directory`, GIT_ALLOW_PROTOCOL and GIT_CONFIG_GLOBAL.
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

OBJECT: Final = re.compile(r"[0-9a-f]{40}\Z")
TIMEOUT: Final = 60.0
OUTPUT_BYTES: Final = 64 * 2**20

_SETTINGS: Final = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=",
    "core.pager=cat",
    "core.editor=false",
    "core.sshCommand=false",
    "core.askPass=",
    "core.attributesFile=/dev/null",
    "core.excludesFile=/dev/null",
    "credential.helper=",
    "diff.external=",
    "diff.ignoreSubmodules=all",
    "protocol.allow=never",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "log.showSignature=false",
    "commit.gpgSign=false",
    "tag.gpgSign=false",
    "gpg.program=false",
)


class GitError(MenaceError):
    """Git refused or failed; the message holds what it said."""


def named(name: str) -> str:
    """Accept a full object name; everything else could be an option or an expression."""
    if not OBJECT.match(name):
        raise GitError(f"{name[:60]!r} is no full object name of 40 hexadecimal digits")
    return name


def arguments(path: Path, *words: str) -> list[str]:
    """Return the command line of one call in the checkout `path`."""
    settings = [*_SETTINGS, f"safe.directory={path.resolve()}"]
    options = [word for setting in settings for word in ("-c", setting)]
    return ["git", "--no-pager", "--literal-pathspecs", *options, "-C", str(path), *words]


def environment() -> dict[str, str]:
    """Return the whole environment of a call."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


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
        process = _started(arguments(path, *words), given, problem, extra)
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
