"""Throw-away folders for runs, removed whatever a run left in them."""

import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "menace-run-"
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def scratch_folder(root: Path | None = None) -> Iterator[Path]:
    """Make an empty folder (mode 700) under `root` or the system's temporary folder; remove it after."""
    parent = Path(tempfile.gettempdir()) if root is None else root
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent)).resolve()
    try:
        yield folder
    finally:
        remove_tree(folder)


def remove_tree(folder: Path) -> None:
    """Remove a folder of an untrusted program that has ended: no link is followed, closed folders are opened.

    However deep it is: what lies below is moved up first, so nothing recurses and two descriptors are enough.
    """
    if folder.is_symlink() or folder.is_file():
        folder.unlink()
        return
    if not folder.exists():
        return
    folder.chmod(0o700)
    top = os.open(folder, FOLDER)
    try:
        waiting = _emptied(top, top)
        while waiting:
            name = waiting.pop()
            place = os.open(name, FOLDER, dir_fd=top)
            try:
                waiting += _emptied(place, top)
            finally:
                os.close(place)
            os.rmdir(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _emptied(place: int, top: int) -> list[str]:
    """Remove what is no folder, move folders into `top`; return their names there."""
    moved = []
    for name in os.listdir(place):
        if not stat.S_ISDIR(os.stat(name, dir_fd=place, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=place)
            continue
        os.chmod(name, 0o700, dir_fd=place)
        new = f".{secrets.token_hex(16)}"
        os.rename(name, new, src_dir_fd=place, dst_dir_fd=top)
        moved.append(new)
    return moved
