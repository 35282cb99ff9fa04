"""Write the files of a commit into a fresh folder without `.git`.

The objects are read and written here instead of by `git archive` or `git checkout`, because those run
the filters that a repository's settings name. Line endings and keywords stay as they were committed.
"""

import os
import posixpath
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Final

from engines.git.command import GitError, stream
from engines.git.reading import TreeEntry, files

MAX_FILES: Final = 200_000
MAX_BYTES: Final = 4 * 2**30
CHUNK: Final = 2**20


def export(path: Path, commit: str, target: Path) -> int:
    """Write all files of `commit` below `target` (made here, must not exist); return how many.

    Submodules stay empty folders. Raises GitError for a link that leaves the tree, for a path that no
    honest tree holds, and over `MAX_FILES` or `MAX_BYTES`.
    """
    entries = files(path, commit)
    _check(entries)
    target.mkdir(mode=0o700, parents=True)
    for folder in sorted({posixpath.dirname(each.path) for each in entries}):
        (target / folder).mkdir(parents=True, exist_ok=True)
    plain = [each for each in entries if each.mode in ("100644", "100755", "100664")]
    links = [each for each in entries if each.mode == "120000"]
    with stream(path, "cat-file", "--batch", stdin=_wanted([*plain, *links])) as output:
        for entry in plain:
            _write(output, entry, target)
        for entry in links:
            _link(output, entry, target)
    for entry in entries:
        if entry.mode == "160000":
            (target / entry.path).mkdir(exist_ok=True)
    return len(plain) + len(links)


def _check(entries: list[TreeEntry]) -> None:
    if len(entries) > MAX_FILES:
        raise GitError(f"the commit holds {len(entries)} files, more than {MAX_FILES}")
    if sum(each.size for each in entries) > MAX_BYTES:
        raise GitError(f"the commit holds more than {MAX_BYTES >> 30} GiB")
    for each in entries:
        parts = each.path.split("/")
        if any(part in ("", ".", "..") or part.lower().rstrip(" .") in (".git", "git~1") for part in parts):
            raise GitError(f"the commit holds the path {each.path!r}, which would leave the folder")


def _wanted(entries: Iterable[TreeEntry]) -> bytes:
    return b"".join(each.object.encode() + b"\n" for each in entries)


def _write(output: IO[bytes], entry: TreeEntry, target: Path) -> None:
    """Copy the next object into a new file; a link in the way is never followed."""
    left = _size(output, entry)
    mode = 0o700 if entry.mode == "100755" else 0o600
    handle = os.open(target / entry.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        while left:
            chunk = output.read(min(left, CHUNK))
            if not chunk:
                raise GitError(f"the object of {entry.path!r} is cut short")
            file.write(chunk)
            left -= len(chunk)
    output.read(1)


def _link(output: IO[bytes], entry: TreeEntry, target: Path) -> None:
    """Make a symbolic link that stays inside the tree, after all files were written."""
    size = _size(output, entry)
    if size > 4096:
        raise GitError(f"the link {entry.path!r} is too long")
    goal = output.read(size).decode("utf-8", "surrogateescape")
    output.read(1)
    reached = posixpath.normpath(posixpath.join(posixpath.dirname(entry.path), goal))
    if goal.startswith("/") or "\0" in goal or reached == ".." or reached.startswith("../"):
        raise GitError(f"the link {entry.path!r} leaves the repository")
    (target / entry.path).symlink_to(goal)
    if not (target / entry.path).resolve().is_relative_to(target.resolve()):
        raise GitError(f"the link {entry.path!r} leaves the repository by way of another link")


def _size(output: IO[bytes], entry: TreeEntry) -> int:
    """Read the header of the next object."""
    words = output.readline(200).split()
    if len(words) != 3 or words[0].decode() != entry.object or words[1] != b"blob":
        raise GitError(f"the object of {entry.path!r} is missing from the repository")
    return int(words[2])
