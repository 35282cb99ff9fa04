"""What scans remember of a checkout: the last result, and facts, edges and syntax of each file.

A JSON file per checkout, written whole beside its place and renamed, so that scans at the same time never see
half of one; the last writer wins. A file that can't be read, has another version or another shape counts as
none. Entries are keyed by what the file system says of a file: size, times and inode.
"""

import json
import os
from _blake2 import blake2b  # `hashlib` loads OpenSSL first, a tenth of the start of a scan
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from orphans.discovery.walk import Stamp, Tree

_HERE: Final = Path(__file__).resolve().parent
MAX_STORE: Final = 200_000_000
FRESH_NS: Final = 2_000_000_000
"""A file that changed this shortly before it was read may change again within the same tick."""


@cache
def version() -> str:
    """Return what names this very code: what another one remembered may mean something else."""
    digest = blake2b(digest_size=16)
    for folder in (_HERE, _HERE.parent / "domain"):
        for place in sorted(folder.glob("*.py")):
            status = place.stat()
            digest.update(f"{place.name} {status.st_size} {status.st_mtime_ns}".encode())
    return digest.hexdigest()


class Store:
    """The memory of one checkout; `None` as folder remembers nothing."""

    def __init__(self, folder: Path | None, root: str) -> None:
        name = blake2b(root.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
        self._folder = folder
        self._files = folder / f"{name}.files.json" if folder is not None else None
        self._result = folder / f"{name}.result.json" if folder is not None else None
        self._old: dict[str, Any] = {}
        self._notes: dict[str, Any] = {}

    def load(self) -> None:
        """Read what is known of each file."""
        found = _read(self._files)
        known = found if found.get("version") == version() else {}
        files, notes = known.get("files"), known.get("notes")
        self._old = files if isinstance(files, dict) else {}
        self._notes = notes if isinstance(notes, dict) else {}

    def known(self, path: str, stamp: Stamp) -> dict[str, Any]:
        """Return what was kept of a file that didn't change since, else nothing."""
        row = self._old.get(path)
        if isinstance(row, dict) and row.get("key") == stamp.key:
            return row
        return {}

    def noted(self, path: str, stamp: Stamp) -> list[Any] | None:
        """Return what was noted of a file around the code that didn't change since, else None."""
        row = self._notes.get(path)
        is_known = isinstance(row, dict) and row.get("key") == stamp.key and isinstance(row.get("rows"), list)
        return row["rows"] if isinstance(row, dict) and is_known else None

    @property
    def paths(self) -> frozenset[str]:
        """The files that are known."""
        return frozenset(self._old)

    def keep(self, rows: Mapping[str, Mapping[str, Any]], notes: Mapping[str, Mapping[str, Any]]) -> None:
        """Write what is known of each module, and of each file around the code, now."""
        _write(self._files, {"version": version(), "files": rows, "notes": notes})

    def result(self, key: str) -> dict[str, Any] | None:
        """Return the last result when it was made from the same files with the same options."""
        found = _read(self._result)
        made = found.get("scan")
        return made if found.get("key") == key and isinstance(made, dict) else None

    def keep_result(self, key: str, made: Mapping[str, Any]) -> None:
        """Write the result."""
        _write(self._result, {"key": key, "scan": made})


def tree_key(tree: Tree, options: str) -> str:
    """Return what names this very state of a checkout, and the options."""
    digest = blake2b(f"{version()} {options} {tree.root}".encode("utf-8", "surrogateescape"), digest_size=16)
    for kind in _kinds(tree):
        rows = sorted((path, *stamp.key, stamp.executable) for path, stamp in kind.items())
        digest.update(repr(rows).encode("utf-8", "surrogateescape"))
    digest.update(repr(sorted(tree.unreadable.items())).encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def settled(tree: Tree, now_ns: int) -> bool:
    """Tell whether no file changed so shortly ago that a further change could look the same."""
    stamps = (each for kind in _kinds(tree) for each in kind.values())
    newest = max((max(each.mtime_ns, each.ctime_ns) for each in stamps), default=0)
    return now_ns - newest > FRESH_NS


def _kinds(tree: Tree) -> tuple[dict[str, Stamp], ...]:
    """Return all files that a scan reads: of documents too, for they show how to import a module."""
    return tree.python, tree.extensions, tree.notebooks, tree.texts, tree.documents


def _read(place: Path | None) -> dict[str, Any]:
    if place is None:
        return {}
    try:
        with place.open("rb") as file:
            found = json.loads(file.read(MAX_STORE))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(place: Path | None, content: Mapping[str, Any]) -> None:
    """Write a file whole or not at all; a folder that can't be written costs time, no answer."""
    if place is None:
        return
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{place.parent}/.store-{os.getpid()}-{os.urandom(8).hex()}"
        with os.fdopen(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(json.dumps(content, separators=(",", ":")))
        Path(name).replace(place)
    except OSError:
        return
