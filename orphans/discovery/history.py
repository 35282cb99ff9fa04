"""What git knows of modules that nothing reaches: when work on them stopped, and who stopped importing them.

Git is asked with the settings of `orphans.domain.git_call`, without programs for diffs and texts, for a
bounded number of commits, bytes and seconds. What isn't found in time is left out; nothing is written.
"""

import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from orphans.domain.git_call import arguments, environment
from orphans.domain.history import ModuleHistory, RemovedImport
from orphans.domain.import_lines import names_of, removed_import

SECONDS: Final = 20.0
"""For all modules of one call together."""
COMMITS: Final = 12
"""So many commits are looked at for the imports of one module."""
OUTPUT_BYTES: Final = 4 * 2**20
_DAY: Final = 86400.0
_COMMIT: Final = "--format=%x00%H %ct"
_PLAIN: Final = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-mailmap", "--no-show-signature")
_FILE: Final = re.compile(r"^diff --git ", re.MULTILINE)
_OLD: Final = re.compile(r"^--- a/(.+)$", re.MULTILINE)
_NEW: Final = re.compile(r"^\+\+\+ b/(.+)$", re.MULTILINE)
_HEAD: Final = re.compile(r"([0-9a-f]{40,64}) (\d{1,15})\Z")


class HistoryUnavailable(Exception):
    """Git isn't there, refused, or took too long; the message says which."""


def histories(checkout: Path, paths: Iterable[str], seconds: float = SECONDS) -> dict[str, ModuleHistory]:
    """Return what the past of a checkout says about modules.

    Args:
        checkout: the top of a working copy.
        paths: the modules, relative to it.
        seconds: time for all of them; those that it doesn't last for are missing from the answer.

    Without git, without commits, or in a folder that is no checkout the answer is empty.
    """
    past = _Past(checkout.resolve(), time.monotonic() + seconds)
    found: dict[str, ModuleHistory] = {}
    with suppress(HistoryUnavailable):
        newest = past.newest()
        for path in paths:
            found[path] = past.of(path, newest)
    return found


class _Past:
    """Questions about one checkout until a moment of the monotonic clock."""

    def __init__(self, checkout: Path, until: float) -> None:
        self._checkout = checkout
        self._until = until

    def newest(self) -> int:
        """Return when the checked-out commit was made, in seconds since the epoch."""
        if not (self._checkout / ".git").exists():
            raise HistoryUnavailable(f"{self._checkout} is no git checkout")
        commits = list(_commits(self._ask("log", "-1", _COMMIT)))
        if not commits:
            raise HistoryUnavailable(f"{self._checkout} has no commit")
        return commits[0][1]

    def of(self, path: str, newest: int) -> ModuleHistory:
        """Return the history of one module."""
        last, former = self._own(path)
        return ModuleHistory(
            idle_days=None if last is None else max(0.0, (newest - last) / _DAY),
            former_paths=former,
            removed_imports=tuple(self._removed(path)),
        )

    def _own(self, path: str) -> tuple[int | None, tuple[str, ...]]:
        """Return when the module was last committed, and the paths it had before."""
        limit = f"--max-count={COMMITS}"
        data = self._ask("log", "--follow", limit, "--name-only", _COMMIT, *_PLAIN, "--", path)
        commits = list(_commits(data))
        names = (line for _commit, _at, text in commits for line in text.split("\n") if line)
        return (commits[0][1] if commits else None), tuple(
            dict.fromkeys(name for name in names if name != path)
        )

    def _removed(self, path: str) -> Iterator[RemovedImport]:
        """Yield commits that took imports of the module away, newest first."""
        names = names_of(path)
        word = max(names, key=len).rpartition(".")[2]
        pattern = rf"^[[:space:]]*(from|import)[[:space:]].*[^[:alnum:]_]{re.escape(word)}([^[:alnum:]_]|$)"
        options = ("--unified=0", "--no-renames", "--src-prefix=a/", "--dst-prefix=b/")
        limit = f"--max-count={COMMITS}"
        data = self._ask(
            "log", "-p", f"-G{pattern}", limit, _COMMIT, *options, *_PLAIN, "--", "**/*.py", glob=True
        )
        for commit, at, text in _commits(data):
            for importer, diff in _files(text):
                instead = None if importer == path else removed_import(diff, importer, names)
                if instead is not None:
                    yield RemovedImport(commit=commit, at=at, importer=importer, instead=instead)

    def _ask(self, *words: str, glob: bool = False) -> str:
        """Return what git prints, at most `OUTPUT_BYTES` of it."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise HistoryUnavailable("the time for git's history is used up")
        pathspecs = "--glob-pathspecs" if glob else "--literal-pathspecs"
        return _output(arguments(str(self._checkout), *words, pathspecs=pathspecs), left)


def _output(command: list[str], seconds: float) -> str:
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(os.environ.get("PATH", os.defpath)),
            start_new_session=True,
        )
    except OSError as error:
        raise HistoryUnavailable(f"git can't be started: {error.strerror}") from None
    timer = threading.Timer(seconds, _end, [process])
    timer.start()
    try:
        data = process.stdout.read(OUTPUT_BYTES) if process.stdout else b""
    finally:
        _end(process)
        process.communicate()
        timer.cancel()
    whole = data if len(data) < OUTPUT_BYTES else data.rpartition(b"\0")[0]
    return whole.decode("utf-8", "replace")


def _end(process: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _commits(data: str) -> Iterator[tuple[str, int, str]]:
    """Yield name, time and text of every commit in what `_COMMIT` printed."""
    for record in data.split("\0"):
        head, _, text = record.partition("\n")
        if match := _HEAD.match(head):
            yield match[1], int(match[2]), text


def _files(text: str) -> Iterator[tuple[str, str]]:
    """Yield path and hunks of every file in a diff; files that came, went or have odd names are left out."""
    for part in _FILE.split(text)[1:]:
        old, new = _OLD.search(part), _NEW.search(part)
        if old and new and old[1] == new[1]:
            yield new[1].rstrip("\t"), part[new.end() :]
