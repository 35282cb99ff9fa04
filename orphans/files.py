"""Files of our own, and the JSON files about orphan modules: read carefully, replaced whole, and durable."""

import contextlib
import json
import os
import stat
import tempfile
from pathlib import Path
from typing import Any, Final

MAX_BYTES: Final = 32 * 2**20
MODULES: Final = "orphan_modules.json"
CLASSIFICATIONS: Final = "orphan_classifications.json"
MODULE_MAP: Final = "module_map.json"


class FileRefused(ValueError):
    """A file can't be used; the message names it and the reason. It is left as it is."""


def read_json(path: Path) -> Any | None:
    """Return a document, None when there is no such file.

    Links, pipes and devices are refused instead of followed or waited for. Raises FileRefused.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise FileRefused(f"{path} can't be read: {error.strerror}") from None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > MAX_BYTES:
            raise FileRefused(f"{path} is no regular file of at most {MAX_BYTES} bytes")
        with os.fdopen(handle, "rb", closefd=False) as file:
            data = file.read(MAX_BYTES)
    finally:
        os.close(handle)
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise FileRefused(f"{path} holds no JSON; repair or remove it") from None


def write_json(path: Path, document: Any) -> bool:
    """Replace the file by the document, whole or not at all; False when it says so already."""
    data = json.dumps(document, allow_nan=False, indent=2, sort_keys=True).encode() + b"\n"
    if path.is_file() and not path.is_symlink() and path.read_bytes() == data:
        return False
    write_atomically(path, data)
    return True


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace the file `path` by `data` so that a reader, or a crash, sees the old or the new one.

    A link at `path` is replaced, not followed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:40]}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    _make_durable(path.parent)


def _make_durable(folder: Path) -> None:
    """Write the folder's entries to disk, so that the rename survives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
