"""The few things that are ever written: a new repository, and branches moved from a known place."""

import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.domain.errors import Conflict
from engines.git.command import GitError, named, run
from engines.git.reading import git_folder, head

_BRANCH: Final = re.compile(r"(?!.*(\.\.|//|/\.|\.lock(/|\Z)))[A-Za-z0-9][A-Za-z0-9._/-]{0,198}(?<![./])\Z")
LOCK_AGE: Final = 2.0
"""Seconds that a lock file must be old before it may count as left behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """A commit to be made: files are added to those of the commit before."""

    message: str
    author: str
    #: ISO 8601 with offset; also the committer's, so that the same input gives the same commit
    at: str
    files: Mapping[str, bytes]


def create(path: Path, commits: Sequence[NewCommit], *, branch: str = "main") -> str:
    """Make a repository in the new folder `path` with these commits; return the last one's name."""
    path.mkdir(parents=True)
    run(path, "init", "--quiet", "--template=", f"--initial-branch={branch}")
    for each in commits:
        for name, data in each.files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        run(path, "add", "--all")
        run(path, "commit", "--quiet", "--no-verify", f"--message={each.message}", extra=_identity(each))
    return head(path)


def _identity(commit: NewCommit) -> dict[str, str]:
    mail = f"{commit.author.lower().replace(' ', '.')}@example.org"
    parts = {"NAME": commit.author, "EMAIL": mail, "DATE": commit.at}
    return {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in parts.items()}


def update_ref(path: Path, name: str, new: str, expected: str | None) -> None:
    """Let a branch name another commit, only if it still names `expected` (None: it doesn't exist yet).

    Raises:
        Conflict: somebody moved it meanwhile.
    """
    if not _BRANCH.match(name):
        raise GitError(f"{name[:80]!r} is no acceptable branch name")
    old = "0" * 40 if expected is None else named(expected)
    goal, reference = named(new), f"refs/heads/{name}"
    clear_stale_lock(path, f"{reference}.lock")
    try:
        run(path, "update-ref", "--no-deref", "--end-of-options", reference, goal, old)
    except GitError as error:
        raise Conflict(f"branch {name} was moved meanwhile: {error}") from None


def clear_stale_lock(path: Path, name: str = "index.lock") -> bool:
    """Remove a lock that a killed git left: old enough, and no living process has it open.

    Returns whether one was removed.
    """
    lock = git_folder(path) / name
    with suppress(FileNotFoundError):
        info = lock.lstat()
        if time.time() - info.st_mtime >= LOCK_AGE and not _is_open(info):
            lock.unlink()
            return True
    return False


def _is_open(info: os.stat_result) -> bool:
    """Whether a process that we may look at holds the file open (Linux; elsewhere age alone decides)."""
    return any((found.st_dev, found.st_ino) == (info.st_dev, info.st_ino) for found in _open_files())


def _open_files() -> Iterator[os.stat_result]:
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):
            yield descriptor.stat()
