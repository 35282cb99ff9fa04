"""Files that the services write: whole or not at all, and durable before anybody relies on them."""

import json
import os
import stat
from pathlib import Path
from typing import Any, Final

from engines.domain.errors import InvalidInput
from orphans.files import write_atomically

__all__ = ["read_bytes", "read_json", "write_atomically", "write_json"]

Json = Any
MAX_JSON_BYTES: Final = 8 * 2**20


def write_json(path: Path, document: Json) -> None:
    """Write a document atomically; NaN and infinity raise ValueError before anything is touched."""
    text = json.dumps(document, allow_nan=False, indent=2, sort_keys=True)
    write_atomically(path, text.encode() + b"\n")


def read_json(path: Path) -> Json | None:
    """Return the document of a file, or None when there is no such file.

    Raises:
        InvalidInput: it is too large, no regular file or no JSON.
    """
    data = read_bytes(path, MAX_JSON_BYTES)
    if data is None:
        return None
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput(f"{path} holds no JSON; repair or remove it", field="path") from None


def read_bytes(path: Path, limit: int) -> bytes | None:
    """Return the content of a regular file of at most `limit` bytes, or None when there is none.

    Pipes and devices are refused instead of waited for, and so is a link in the last place.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidInput(f"{path} can't be read: {error.strerror}", field="path") from None
    try:
        info = os.fstat(handle)
        if not stat.S_ISREG(info.st_mode) or info.st_size > limit:
            raise InvalidInput(f"{path} is no regular file of at most {limit} bytes", field="path")
        with os.fdopen(handle, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(handle)
