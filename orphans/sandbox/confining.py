"""How the first process of a run gives up what its launcher may do: user, limits, files, system calls."""

import json
import os
import resource
import signal
from contextlib import suppress
from fcntl import F_DUPFD, fcntl
from pathlib import Path
from typing import Any, Final, NoReturn

from orphans.sandbox import filters, landlock
from orphans.sandbox.kernel import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, call, drop_capabilities, prctl

HIGH: Final = 200
"""Where descriptors are put aside while the low ones are given out."""
ADDRESS_SPACE_SLACK: Final = 2 * 2**30
"""Address space over the memory limit: libraries map far more than they ever touch."""
DATA_SLACK: Final = 256 * 2**20
LOADED_SLACK: Final = 3 * 2**30
"""Address space that a warm server's libraries may take before a run begins."""
CLOSE_RANGE_UNSHARE: Final = 2
MOST_DESCRIPTORS: Final = 2**20
FIRST_ENDS: Final = ("null", "output", "output", "words", "channel")
"""What the descriptors 0 to 4 of a run's first process are."""


def map_user(pid: int, inner: int, outer: int, inner_group: int, outer_group: int) -> None:
    """Give a new user namespace its one user and group."""
    place = Path(f"/proc/{pid}")
    with suppress(FileNotFoundError):
        (place / "setgroups").write_text("deny")
    (place / "gid_map").write_text(f"{inner_group} {outer_group} 1")
    (place / "uid_map").write_text(f"{inner} {outer} 1")


def enter(plan: dict[str, Any], ends: dict[str, int], tells: int, go: int) -> NoReturn:
    """Confine this process and become the run's interpreter. Leaves with 127 when something doesn't hold."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.read(go, 1)
        held, listener = confine(plan)
        os.write(tells, json.dumps({"held": held, "listener": listener}).encode())
        separate(ends, plan)
        os.execve(plan["argv"][0], plan["argv"], plan["env"])  # noqa: S606 - there must be no shell
    except BaseException as error:  # noqa: BLE001 - told to the keeper
        words = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the second is for what fails when the first is closed already
            os.write(tells, json.dumps({"error": words}).encode())
        with suppress(OSError):
            os.write(2, f"could not start: {words}\n".encode())
    finally:
        os._exit(127)


def confine(plan: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Give up what the launcher may do; return what holds and the listener of the filter, or -1.

    Limits are set here when the order is known (`limits` of the plan), else by the launcher when it is.

    Raises:
        OSError: a layer that this machine has could not be set.
    """
    os.setsid()
    os.umask(0o077)
    os.chdir(plan["cwd"])
    held: dict[str, Any] = {}
    if plan["limits"]:
        held["rlimits"] = set_limits(plan["limits"], plan["count_tasks"])
    held["unprivileged_user"] = change_user(plan)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if plan["landlock"]:
        held["landlock"] = landlock.confine(
            plan["may_read"], plan["may_write"], plan["spaces"], plan["may_list"]
        )
    drop_capabilities()
    listener = -1
    if plan["seccomp"]:
        listener = filters.install(plan["notify"], plan["spaces"])
    return held, listener


def change_user(plan: dict[str, Any]) -> bool:
    """As root, become the run's own user; return whether this process is nobody's root."""
    if os.geteuid() == 0 and plan["uid"]:
        os.setgroups([])
        os.setresgid(*[plan["gid"]] * 3)
        os.setresuid(*[plan["uid"]] * 3)
    return os.geteuid() != 0


def separate(ends: dict[str, int], plan: dict[str, Any]) -> None:
    """Take a table of descriptors of one's own, with the five that a run gets and no other."""
    if plan["notify"]:
        call("close_range", 2**31, 2**31, CLOSE_RANGE_UNSHARE)
    for number, aside in enumerate([fcntl(ends[name], F_DUPFD, HIGH) for name in FIRST_ENDS]):
        os.dup2(aside, number)
    os.closerange(len(FIRST_ENDS), MOST_DESCRIPTORS)
    if plan["limits"]:
        _set_limit(resource.RLIMIT_NOFILE, (int(plan["limits"]["open_files"]),) * 2, 0)


def set_limits(limits: dict[str, float], count_tasks: bool, warm: bool = False, pid: int = 0) -> bool:
    """Set the limits of one process (0: this one); False when the system refused one of them."""
    seconds = int(limits["cpu_seconds"]) + 2
    memory = int(limits["memory_bytes"])
    loaded = LOADED_SLACK if warm else 0
    wanted = {
        resource.RLIMIT_CPU: (seconds, seconds + 1),
        resource.RLIMIT_AS: (memory + ADDRESS_SPACE_SLACK + loaded,) * 2,
        resource.RLIMIT_DATA: (memory + DATA_SLACK + loaded,) * 2,
        resource.RLIMIT_FSIZE: (int(limits["file_bytes"]),) * 2,
        # With 1 no dump is made, also where the system pipes dumps to a program; 0 wouldn't stop those.
        resource.RLIMIT_CORE: (1, 1),
    }
    if hasattr(resource, "RLIMIT_MSGQUEUE"):
        wanted[resource.RLIMIT_MSGQUEUE] = (0, 0)
    if pid:
        wanted[resource.RLIMIT_NOFILE] = (int(limits["open_files"]),) * 2
    if count_tasks:
        wanted[resource.RLIMIT_NPROC] = (int(limits["processes"] + limits["threads"]),) * 2
    held = [_set_limit(kind, pair, pid) for kind, pair in wanted.items()]
    return all(held)


def _set_limit(kind: int, pair: tuple[int, ...], pid: int) -> bool:
    """Lower one limit, never over what already holds."""
    hard = resource.prlimit(pid, kind)[1]
    soft, top = (value if hard == resource.RLIM_INFINITY else min(value, hard) for value in pair)
    try:
        resource.prlimit(pid, kind, (soft, top))
    except (ValueError, OSError):
        return False
    return True
