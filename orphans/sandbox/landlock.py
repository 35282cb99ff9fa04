"""Landlock through ctypes: what a process may do with files, whatever its user may.

Handled rights are masked by the version that the kernel has (1 to 7), as its documentation advises.
"""

import os
import stat
import struct
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from orphans.sandbox.kernel import call

EXECUTE: Final = 1
READ_FILE: Final = 1 << 2
READ_DIR: Final = 1 << 3
READ: Final = EXECUTE | READ_FILE | READ_DIR
IOCTL: Final = 1 << 15
ON_FILES: Final = EXECUTE | 1 << 1 | READ_FILE | 1 << 14 | IOCTL
"""Rights that mean something for a file; the others are of folders."""
ALL_OF_VERSION: Final = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 4: (1 << 15) - 1}
ALL: Final = (1 << 16) - 1
TCP: Final = 3
SCOPES: Final = 3
"""Abstract sockets and signals of processes outside."""


def version() -> int:
    """Return the version of Landlock that the kernel has; 0: none."""
    try:
        return call("landlock_create_ruleset", None, 0, 1)
    except OSError:
        return 0


def confine(
    readable: Iterable[str], writable: Iterable[str], network: bool, listable: Iterable[str] = ()
) -> int:
    """Restrict this process to the given places; return the version that did it.

    `listable` are folders of which only the names are told. `network` False also refuses TCP where the
    version knows of it. Needs no_new_privs.

    Raises:
        OSError: the kernel has no Landlock, or refused.
    """
    known = version()
    handled = ALL_OF_VERSION.get(known, ALL)
    ports = TCP if known >= 4 and not network else 0
    scopes = SCOPES if known >= 6 else 0
    attributes = struct.pack("<QQQ", handled, ports, scopes)
    size = 24 if known >= 6 else 16 if known >= 4 else 8
    rules = call("landlock_create_ruleset", attributes[:size], size, 0)
    try:
        for place in readable:
            _allow(rules, place, handled & READ)
        for place in listable:
            _allow(rules, place, handled & READ_DIR)
        for place in writable:
            _allow(rules, place, handled)
        call("landlock_restrict_self", rules, 0)
    finally:
        os.close(rules)
    return known


def _allow(rules: int, place: str, rights: int) -> None:
    """Add one place with all below it; one that isn't there is left out."""
    with suppress(FileNotFoundError):
        target = os.open(place, os.O_PATH | os.O_CLOEXEC)
        try:
            if not stat.S_ISDIR(os.fstat(target).st_mode):
                rights &= ON_FILES
            call("landlock_add_rule", rules, 1, struct.pack("<Qi", rights, target), 0)
        finally:
            os.close(target)
