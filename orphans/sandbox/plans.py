"""What is the same for every run of a spawner, and what one order adds to it."""

import marshal
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

from orphans.sandbox import view
from orphans.sandbox.cell import piece
from orphans.sandbox.child import BOOT
from orphans.sandbox.confining import map_user
from orphans.sandbox.kernel import CLONE_NEWUSER, call

FIRST_USER: Final = 0x70000000
"""Above every user that a system gives out: as root each run is a user of its own, by its launcher's id."""
USUAL_DISK: Final = 64 * 2**20
SYSTEM_PLACES: Final = (
    *view.SYSTEM,
    "/etc/ld.so.cache",
    "/etc/alternatives",
    "/etc/localtime",
    "/proc",
    "/dev",
)
"""What a run may read when Landlock alone keeps it from the rest."""


class Owners:
    """User namespaces that show files of one owner as the run's own: made once for each owner."""

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self._spaces: dict[tuple[int, int], int] = {}

    def of(self, place: str) -> int | None:
        """Return the namespace to show a place with; None when everybody may read it, or we aren't root."""
        if os.geteuid() != 0:
            return None
        info = os.stat(place)  # noqa: PTH116 - at every run
        return None if info.st_mode & 0o005 == 0o005 else self.space(info.st_uid, info.st_gid)

    def foresee(self) -> None:
        """Make the one that most orders would need: checkouts are the worker's own."""
        if os.geteuid() == 0:
            self.space(os.geteuid(), os.getegid())

    def space(self, owner: int, group: int) -> int:
        """Return a descriptor of the namespace in which `owner` is the run's user."""
        if (owner, group) not in self._spaces:
            self._spaces[owner, group] = _user_space(owner, group, self._uid)
        return self._spaces[owner, group]


def general(held: dict[str, str], around: dict[str, Any], code: bytes, warm: bool) -> dict[str, Any]:
    """Return the plan of runs that this process will launch, before their order is known.

    `held` tells why a layer isn't there, `around` what the worker said of its interpreter
    (`python env path places`), `code` is what a cold interpreter reads first.
    """
    root, spaces = os.geteuid() == 0, not held["namespaces"]
    uid = _free_user() if root else os.geteuid()
    gid = uid if root else os.getegid()
    return {
        "spaces": spaces,
        "landlock": not held["landlock"],
        "seccomp": not held["seccomp"],
        "notify": not held["notify"],
        # whether the first process can wait for its order: its end is known by notices, its places by walls
        "ahead": spaces and not held["notify"],
        "warm": warm,
        "uid": uid,
        "gid": gid,
        "own_user_space": spaces and not root,
        "count_tasks": spaces or (root and uid >= FIRST_USER),
        "limits": None,
        "python": around["python"],
        "argv": [around["python"], "-S", "-s", "-P", "-B", "-c", BOOT],
        "env": around["env"] | dict.fromkeys(("HOME", "TMPDIR"), view.SCRATCH),
        "cwd": view.SCRATCH,
        "code": code,
        "may_read": ["/"],
        "may_list": [],
        "may_write": [view.SCRATCH, view.WRITABLE["tmp"], "/dev"],
        "view": {"places": around["places"], "disk": USUAL_DISK, "uid": uid, "gid": gid},
    }


def show_owners(plan: dict[str, Any], owners: Owners) -> None:
    """Fill in how the interpreter's places are shown to the run's user."""
    if not plan["spaces"]:
        return
    found = {place: owners.of(place) for place in plan["view"]["places"]}
    plan["view"]["owner_spaces"] = {place: space for place, space in found.items() if space is not None}


def trees(plan: dict[str, Any], order: dict[str, Any], owners: Owners) -> dict[str, int]:
    """Take what the order shows beside the interpreter's places; return descriptors by place."""
    if not plan["spaces"]:
        return {}
    shown = [*view.SYSTEM, *plan["view"]["places"]]
    found: dict[str, int] = {}
    for place in order["readable"]:
        if not any(place == each or place.startswith(f"{each}/") for each in shown):
            found[place] = view.tree(place, owners.of(place))
            shown.append(place)
    return found


def completed(plan: dict[str, Any], order: dict[str, Any]) -> dict[str, Any]:
    """Return what a plan lacked where the order has to be known before the first process is made."""
    if plan["ahead"]:
        return {}
    found: dict[str, Any] = {"limits": order["limits"]}
    if plan["spaces"]:
        return found | {"cwd": order["cwd"] or view.SCRATCH}
    scratch = order["scratch"]
    places = [*SYSTEM_PLACES, *plan["view"]["places"]]
    own = [part for each in order["readable"] for part in beside(each, order["hidden"])]
    return found | {
        "cwd": order["cwd"] or scratch,
        "env": plan["env"] | dict.fromkeys(("HOME", "TMPDIR"), scratch),
        "may_read": [*places, *own],
        "may_list": order["readable"],
        "may_write": [scratch, *(f"/dev/{name}" for name in view.DEVICES)],
    }


def beside(place: str, hidden: list[str]) -> list[str]:
    """Return places that together hold all below `place` but what is hidden, where nothing can be covered.

    A link is left out: what it leads to is read where that lies.
    """
    if place in hidden or os.path.islink(place):  # noqa: PTH114
        return []
    below = [each for each in hidden if each.startswith(f"{place}/")]
    if not below:
        return [place]
    found = []
    for name in sorted(os.listdir(place)):  # noqa: PTH208
        found += beside(f"{place}/{name}", below)
    return found


def parcel(order: dict[str, Any], plan: dict[str, Any], code: dict[str, Any]) -> int:
    """Put the order for the run's first process into a file that has no name."""
    scratch = order["scratch"]
    inside = order["child"] | {"scratch": scratch, "cwd": order["cwd"] or scratch}
    inside["env"] = order["env"] | dict.fromkeys(("HOME", "TMPDIR"), scratch)
    inside["hook"] = None if plan["notify"] else code["hook"]
    inside["testing"] = code["testing"] if inside["kind"] == "pytest" else None
    return filed(piece(inside))


def filed(words: bytes) -> int:
    """Put words into a file without a name; return its descriptor, at its start."""
    place = os.memfd_create("order", os.MFD_CLOEXEC)
    while words:
        words = words[os.write(place, words) :]
    os.lseek(place, 0, os.SEEK_SET)
    return place


def for_keeper(order: dict[str, Any], plan: dict[str, Any], taken: dict[str, int]) -> int:
    """Write down what the keeper has to know; return the descriptor."""
    words = {name: order[name] for name in ("hidden", "stub", "stub_script", "inputs", "scratch")}
    words |= {"trees": list(taken), "disk": int(order["limits"]["disk_bytes"]), "env": {}}
    words["checkout"] = order["child"]["checkout"] or ""
    return filed(marshal.dumps(words | {"plan": completed(plan, order)}))


def _free_user() -> int:
    """Return a user that nobody else has while this launcher lives; nobody where such ids can't be had."""
    wanted = FIRST_USER + os.getpid()
    return wanted if wanted in known_users() else 65534


@cache
def known_users() -> range:
    """Return the users that there are; asked for once, before the forks that need it."""
    first, _, count = Path("/proc/self/uid_map").read_text().split()[:3]
    return range(int(first), int(first) + int(count))


def _user_space(owner: int, group: int, uid: int) -> int:
    """Make a user namespace in which `owner` is `uid`; return a descriptor of it."""
    go, goes = os.pipe()
    ready, says = os.pipe()
    helper = os.fork()
    if helper == 0:
        os.close(goes)  # it sees by that, too, that its launcher is gone
        try:
            call("unshare", CLONE_NEWUSER)
            os.write(says, b"1")
            os.read(go, 1)
        finally:
            os._exit(0)
    os.close(says)
    os.read(ready, 1)
    map_user(helper, owner, uid, group, uid)
    place = os.open(f"/proc/{helper}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    os.write(goes, b"1")
    for each in (go, goes, ready):
        os.close(each)
    os.waitpid(helper, 0)
    return place
