"""Which files a checkout has: looked at without following a link, opening a pipe or leaving the checkout."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from orphans.domain.rules import BUILD_FOLDERS, QUIET_TEXTS, SKIPPED_FOLDERS, is_text

MAX_SOURCE: Final = 4_000_000
"""Bytes of a Python file; larger ones are generated, and reported."""
MAX_TEXT: Final = 400_000
MAX_FILES: Final = 400_000
MAX_DEPTH: Final = 60
SOURCES: Final = (".py", ".pyw")
EXTENSIONS: Final = (".pyx", ".pxd", ".pxi")
DOCUMENTS: Final = (".rst", ".md", ".txt")


class TooLargeError(ValueError):
    """The checkout has more files than a scan takes."""


class Stamp(NamedTuple):
    """What tells that a file didn't change, without reading it."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    executable: bool

    @property
    def key(self) -> list[int]:
        """Return it as a JSON row."""
        return [self.size, self.mtime_ns, self.ctime_ns, self.inode]


class Tree:
    """The files of a checkout that matter, by repository-relative POSIX path."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.python: dict[str, Stamp] = {}
        self.extensions: dict[str, Stamp] = {}
        self.notebooks: dict[str, Stamp] = {}
        self.texts: dict[str, Stamp] = {}
        self.documents: dict[str, Stamp] = {}
        #: folders of installed distributions and virtual environments
        self.unreadable: dict[str, str] = {}
        self.count = 0

    def read(self, path: str, limit: int = MAX_SOURCE) -> bytes:
        """Return the file's bytes. Raises OSError when it is no regular file any more, or gone."""
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        handle = os.open(f"{self.root}/{path}", flags)
        try:
            status = os.fstat(handle)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(f"{path!r} is no regular file")
            return os.read(handle, min(status.st_size, limit))
        finally:
            os.close(handle)


def walk(checkout: Path, skip: Collection[str] = ()) -> Tree:
    """Return the files of a checkout, without the folders of the names `skip`.

    Raises:
        NotADirectoryError: there is no such folder.
        TooLargeError: it has more than `MAX_FILES` files.
    """
    root = os.path.realpath(checkout)
    if not Path(root).is_dir():
        raise NotADirectoryError(f"{checkout} is no folder")
    tree = Tree(root)
    skipped = SKIPPED_FOLDERS.union(skip)
    todo = [("", 0)]
    while todo:
        folder, depth = todo.pop()
        todo += [(each, depth + 1) for each in _folder(tree, folder, skipped) if depth < MAX_DEPTH]
    return tree


def _folder(tree: Tree, folder: str, skipped: Collection[str]) -> Iterator[str]:
    """Note the files of one folder and yield the folders in it."""
    try:
        entries = list(os.scandir(f"{tree.root}/{folder}"))
    except OSError as error:
        tree.unreadable[folder] = str(error.strerror or error)
        return
    names = {each.name for each in entries}
    if folder and ("pyvenv.cfg" in names or "conda-meta" in names):
        return
    start = f"{folder}/" if folder else ""
    for entry in entries:
        path = start + entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name not in skipped and not _is_made(tree, path, entry.name):
                yield path
        else:
            _file(tree, path, entry)


def _is_made(tree: Tree, path: str, name: str) -> bool:
    """Tell whether packaging tools made the folder."""
    if name.endswith((".egg-info", ".dist-info")):
        return True
    return name in BUILD_FOLDERS and not os.path.lexists(f"{tree.root}/{path}/__init__.py")


def _file(tree: Tree, path: str, entry: os.DirEntry[str]) -> None:
    tree.count += 1
    if tree.count > MAX_FILES:
        raise TooLargeError(f"more than {MAX_FILES} files")
    kind, limit = _kind(tree, path, entry.name)
    if kind is None:
        return
    try:
        status = entry.stat(follow_symlinks=False)
    except OSError as error:
        tree.unreadable[path] = str(error.strerror or error)
        return
    problem = _problem(tree, path, status, limit)
    if problem is None:
        executable = bool(status.st_mode & 0o111)
        kind[path] = Stamp(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, executable)
    elif kind is tree.python and problem:
        tree.unreadable[path] = problem


def _kind(tree: Tree, path: str, name: str) -> tuple[dict[str, Stamp] | None, int]:
    if name.endswith(SOURCES):
        return tree.python, MAX_SOURCE
    if name.endswith(EXTENSIONS):
        return tree.extensions, MAX_SOURCE
    if name.endswith(".ipynb"):
        return tree.notebooks, MAX_SOURCE
    if is_text(name, path[: -len(name) - 1].rpartition("/")[2]) and not QUIET_TEXTS.search(path):
        return tree.texts, MAX_TEXT
    return (tree.documents, MAX_TEXT) if name.endswith(DOCUMENTS) else (None, 0)


def _problem(tree: Tree, path: str, status: os.stat_result, limit: int) -> str | None:
    """Return why a file is left out; the empty string when nobody needs to know."""
    if stat.S_ISLNK(status.st_mode):
        target = os.path.realpath(f"{tree.root}/{path}")
        return "" if target.startswith(f"{tree.root}/") else "a link out of the checkout"
    if not stat.S_ISREG(status.st_mode):
        return "no regular file"
    return f"larger than {limit} bytes" if status.st_size > limit else None
