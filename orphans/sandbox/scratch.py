"""Throw-away folders for runs, removed whatever a run left in them."""

import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PREFIX = "menace-run-"


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
    """Remove a folder of an untrusted program: no link is followed, closed folders are opened."""
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder, onerror=_open_and_retry)


def _open_and_retry(function: Callable[[str], object], path: str, _problem: object) -> None:
    """Give the owner back the rights that a run took away, then try once more."""
    for each in (Path(path).parent, Path(path)):
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(each.lstat().st_mode):
                each.chmod(0o700)
    with suppress(FileNotFoundError):
        if Path(path).is_dir() and not Path(path).is_symlink():
            shutil.rmtree(path)
        else:
            Path(path).unlink()
