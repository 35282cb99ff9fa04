"""Which walls this machine has, found out once by trying each of them in a process made for it."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from orphans.sandbox import filters, landlock, view
from orphans.sandbox.cell import wake_loopback
from orphans.sandbox.confining import map_user
from orphans.sandbox.kernel import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_REC,
    MS_SLAVE,
    NUMBERS,
    PR_SET_NO_NEW_PRIVS,
    call,
    clone,
    mount,
    prctl,
)
from orphans.sandbox.launcher import SPACES

NAMES: Final = ("namespaces", "landlock", "seccomp", "notify")


def trial() -> dict[str, str]:
    """Return why each layer doesn't hold here; an empty text: it holds.

    Enters a user namespace for good where this process isn't root and may do so.
    """
    if sys.platform != "linux" or not NUMBERS:
        return dict.fromkeys(NAMES, "only Linux on x86_64 and aarch64 has it")
    rises = _rise()
    return {
        "namespaces": rises or _tried(_namespaces, SPACES),
        "landlock": "" if landlock.version() else "the kernel has no Landlock",
        "seccomp": _tried(_filtered),
        "notify": _tried(_notified),
    }


def _rise() -> str:
    """Get the rights to make namespaces, and mounts that the rest of the machine never sees.

    As root the rights are there, else they come with a user namespace of one's own.
    """
    user, group = os.geteuid(), os.getegid()
    try:
        call("unshare", CLONE_NEWNS | (CLONE_NEWUSER if user else 0))
        if user:
            map_user(os.getpid(), user, user, group, group)
        mount("none", "/", None, MS_REC | MS_SLAVE)
    except OSError as error:
        return f"no namespaces: {error.strerror or error}"
    return ""


def _tried(attempt: Callable[[], None], flags: int = 0) -> str:
    """Make the attempt in a process of its own; return what went wrong."""
    told, tells = os.pipe()
    try:
        child = clone(flags)
    except OSError as error:
        return str(error.strerror)
    if child == 0:
        try:
            attempt()
        except BaseException as error:  # noqa: BLE001 - told to the parent
            os.write(tells, str(error)[:500].encode() or b"?")
        os._exit(0)
    os.close(tells)
    with os.fdopen(told, "rb") as answer:
        reason = answer.read().decode()
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return reason


def _namespaces() -> None:
    user, group = (65534, 65534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    taken = view.tree("/usr")
    view.build({"places": [], "owner_spaces": {}, "disk": 2**20, "uid": user, "gid": group})
    wake_loopback()
    view.furnish({"/trial": taken}, [], 2**21)
    if not Path("/proc/self/stat").exists():
        raise OSError("no /proc could be mounted")


def _filtered() -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    filters.install(notify=False, network=True)


def _notified() -> None:
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    call("close_range", 2**31, 2**31, 2)
    os.close(filters.install(notify=True, network=True))
