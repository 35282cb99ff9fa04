"""Copy the named files out of a run's scratch folder into a store where the digest is the name.

The folder was in the hands of an untrusted program, so its descriptor is held from before the run,
and only a regular file with a single link, within the size limit, is read. Nothing is ever parsed.
"""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from orphans.sandbox.spec import StoredFile

CHUNK = 2**20


class ArtifactError(ValueError):
    """A file that a run left can't be taken; the message says why."""


def collect(folder: int, name: str, store: Path, limit: int) -> StoredFile | None:
    """Copy the file `name` of the open folder into `store/<first two digits>/<digest>`; None: not there.

    Raises:
        ArtifactError: no regular file, more than one link, or over `limit` bytes.
    """
    try:
        source = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ArtifactError(f"artifact {name}: {error.strerror}") from None
    try:
        _check(os.fstat(source), name, limit)
        return _copy(source, name, store, limit)
    finally:
        os.close(source)


def _check(info: os.stat_result, name: str, limit: int) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise ArtifactError(f"artifact {name} is no regular file")
    if info.st_nlink != 1:
        raise ArtifactError(f"artifact {name} has {info.st_nlink} links")
    if info.st_size > limit:
        raise ArtifactError(f"artifact {name} of {info.st_size} bytes is over the limit of {limit}")


def _copy(source: int, name: str, store: Path, limit: int) -> StoredFile:
    """Copy to a temporary file beside its place, make it durable, then rename it there."""
    store.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    size = 0
    handle, temporary = tempfile.mkstemp(dir=store, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as target:
            while chunk := os.read(source, CHUNK):
                size += len(chunk)
                if size > limit:
                    raise ArtifactError(f"artifact {name} grew over the limit of {limit} bytes")
                digest.update(chunk)
                target.write(chunk)
            target.flush()
            os.fsync(target.fileno())
        place = _settle(Path(temporary), store, digest.hexdigest())
    finally:
        Path(temporary).unlink(missing_ok=True)
    return StoredFile(name=name, sha256=digest.hexdigest(), size=size, path=place)


def _settle(temporary: Path, store: Path, digest: str) -> Path:
    """Give the file its name; the same content twice is the same file."""
    place = artifact_path(store, digest)
    place.parent.mkdir(exist_ok=True)
    temporary.chmod(0o440)
    temporary.replace(place)
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return place


def artifact_path(store: Path, digest: str) -> Path:
    """Return where the file with this SHA-256 lies in the store."""
    if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
        raise ArtifactError("a digest is 64 lower-case hexadecimal digits")
    return store / digest[:2] / digest
