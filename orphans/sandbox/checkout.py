"""What a run may not see of a checkout: repositories in it at any depth, and whatever is no file or folder.

A folder is listed again only when it changed since: a look at a checkout that is known costs one `stat` for
each of its folders.
"""

import os
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from orphans.sandbox.spec import SpecError

REPOSITORIES: Final = frozenset({".git", ".hg", ".svn"})
"""Remotes with passwords, hooks, history: of the checkout itself and of others inside of it."""
DATA: Final = "sandbox_data"
"""The data folder of a site, at the top of its checkout."""
OWN: Final = ("/dev/shm", "/etc", "/proc", "/scratch", "/sys", "/tmp")  # noqa: S108 # nosec B108
"""Places of the private root: a checkout that holds one would take its place."""
MOST: Final = 2_000
KNOWN_CHECKOUTS: Final = 8
SETTLED: Final = 2 * 10**9
"""Nanoseconds after which a folder's time of change is sure to tell of the next change."""


@dataclass(frozen=True, slots=True)
class _Folder:
    #: when it changed last, in nanoseconds; None: too lately to tell of the next change
    changed: int | None
    below: tuple[str, ...]
    hidden: tuple[str, ...]


_known: OrderedDict[str, dict[str, _Folder]] = OrderedDict()
_lock = Lock()


def hidden(root: Path) -> list[str]:
    """Return what is to be covered: repositories, sockets, pipes and devices; absolute paths, none twice.

    Raises:
        SpecError: there are more of them than could be covered.
    """
    top = str(root)
    with _lock:
        before = _known.pop(top, {})
    found = [f"{top}/{DATA}"] if (root / DATA).is_dir() else []
    now: dict[str, _Folder] = {}
    waiting = [top]
    while waiting:
        place = waiting.pop()
        folder = _looked_at(place, before.get(place))
        if folder is None:
            continue
        now[place] = folder
        found += folder.hidden
        waiting += folder.below
        if len(found) > MOST:
            raise SpecError(f"{top} holds over {MOST} repositories, sockets, pipes and devices")
    with _lock:
        _known[top] = now
        while len(_known) > KNOWN_CHECKOUTS:
            _known.popitem(last=False)
    return found


def _looked_at(place: str, before: _Folder | None) -> _Folder | None:
    """Return a folder as it is; None when this user can't list it, and so no run can."""
    try:
        changed = os.stat(place, follow_symlinks=False).st_mtime_ns  # noqa: PTH116 - for each folder, each run
        if before is not None and before.changed == changed:
            return before
        return _listed(place, changed if time.time_ns() - changed > SETTLED else None)
    except OSError:
        return None


def _listed(place: str, changed: int | None) -> _Folder:
    below, covered = [], []
    with os.scandir(place) as entries:
        for entry in entries:
            if entry.name in REPOSITORIES:
                covered.append(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                below.append(entry.path)
            elif not entry.is_file(follow_symlinks=False) and not entry.is_symlink():
                covered.append(entry.path)
    return _Folder(changed, tuple(below), tuple(covered))


def refuse_impossible(root: Path) -> None:
    """Refuse a checkout that can't be shown.

    Raises:
        SpecError: it is no folder, or a place of the private root, or above one.
    """
    top = str(root)
    if not root.is_dir():
        raise SpecError(f"there is no folder {top}")
    within = top.startswith(("/proc/", "/sys/")) or top == "/"
    if within or any(each == top or each.startswith(f"{top}/") for each in OWN):
        raise SpecError(f"{top} can't be a checkout: a run has places of its own there")
