"""The private root of a run: what it may see, read-only, and one sized space it may write to.

Built by the first process of the run's namespaces, before any foreign code exists there. Nothing of the
machine's own tree stays reachable: the old root is detached at the end.
"""

import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from orphans.sandbox.kernel import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_RECURSIVE,
    MNT_DETACH,
    MOUNT_ATTR_IDMAP,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    MS_SLAVE,
    OPEN_TREE_CLONE,
    call,
    mount,
    seal,
)

BASE: Final = "/tmp"  # noqa: S108 # nosec B108 - covered in a mount namespace of our own
OLD: Final = "/.old"
SPACE: Final = "/.space"
SCRATCH: Final = "/scratch"
WRITABLE: Final = {"scratch": SCRATCH, "tmp": "/tmp", "shm": "/dev/shm"}  # noqa: S108 # nosec B108 - its own
DEVICES: Final = ("null", "zero", "full", "random", "urandom")
SYSTEM: Final = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
SETTINGS: Final = ("ld.so.cache", "alternatives", "localtime")
WORDS: Final = {
    "passwd": "run:x:{uid}:{gid}:run:/scratch:/bin/sh\n",
    "group": "run:x:{gid}:\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
INODES_EACH: Final = 8 * 2**10
"""Bytes of the space per inode: 64 MiB may hold 8192 files and folders."""


def build(plan: dict[str, Any]) -> None:
    """Make the private root; `/proc` stays writable until users were mapped (`seal` it then).

    `plan` says what it holds (`readable hidden disk uid gid owner_spaces`).

    Raises:
        OSError: the kernel or a container's policy refuses a part of it.
    """
    mount("none", "/", None, MS_REC | MS_SLAVE)
    mount("tmpfs", BASE, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m,nr_inodes=4k")
    os.mkdir(f"{BASE}{OLD}")  # noqa: PTH102 - this runs once a run, and pathlib costs
    call("pivot_root", os.fsencode(BASE), os.fsencode(BASE + OLD))
    os.chdir("/")
    _space(plan)
    _system()
    _words(plan)
    _see(plan)
    for name in DEVICES:
        _bind(f"/dev/{name}")
    Path("/proc").mkdir()
    # Before the old root goes: without rights over the machine, only a visible /proc may be made anew.
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    call("umount2", os.fsencode(OLD), MNT_DETACH)
    seal("/", MS_RDONLY | MS_NOSUID | MS_NODEV)
    for name in DEVICES:
        mount("none", f"/dev/{name}", None, MS_REMOUNT | MS_BIND | MS_NOSUID)
    mount("none", "/proc", None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for target in WRITABLE.values():
        mount("none", target, None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV)


def _space(plan: dict[str, Any]) -> None:
    """One tmpfs of limited size behind all writable places."""
    size, owner = plan["disk"], f"uid={plan['uid']},gid={plan['gid']}"
    limits = f"size={size},nr_inodes={max(256, size // INODES_EACH)}"
    os.mkdir(SPACE)  # noqa: PTH102
    mount("tmpfs", SPACE, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=700,{limits},{owner}")
    for name, target in WRITABLE.items():
        os.mkdir(f"{SPACE}/{name}")  # noqa: PTH102
        os.chmod(f"{SPACE}/{name}", 0o1777 if name != "scratch" else 0o700)  # noqa: PTH101
        os.chown(f"{SPACE}/{name}", plan["uid"], plan["gid"])
        _folder(target)
        mount(f"{SPACE}/{name}", target, None, MS_BIND)
    # It stays where it is: sealed with the rest, it shows what those three show, and detaching costs a wait.


def _system() -> None:
    """Programs and libraries of the machine, links kept as links."""
    for place in SYSTEM:
        try:
            linked = os.readlink(OLD + place)  # noqa: PTH115
        except FileNotFoundError:
            continue
        except OSError:
            _bind(place)
        else:
            os.symlink(linked, place)  # noqa: PTH211
    for link, place in {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}.items():
        os.symlink(place, f"/dev/{link}")  # noqa: PTH211


def _words(plan: dict[str, Any]) -> None:
    """What stands in /etc: a few files of the machine, and users and hosts made up for the run."""
    for name in SETTINGS:
        if os.path.exists(f"{OLD}/etc/{name}"):  # noqa: PTH110
            _bind(f"/etc/{name}")
    for name, text in WORDS.items():
        _file(f"/etc/{name}", text.format(**plan))


def _see(plan: dict[str, Any]) -> None:
    """Bind the places of the order, each at its own path, and cover what nobody may read."""
    for place in plan["readable"]:
        if not os.path.lexists(place):
            _bind(place, plan.get("owner_spaces", {}).get(place))
    for place in plan["hidden"]:
        with suppress(FileNotFoundError, NotADirectoryError):
            mode = os.stat(place, follow_symlinks=False).st_mode  # noqa: PTH116
            if stat.S_ISDIR(mode):
                mount("tmpfs", place, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV, "mode=555,size=4k")
            elif stat.S_ISREG(mode):
                mount("/etc/hosts", place, None, MS_BIND)


def _bind(place: str, spaces: int | None = None) -> None:
    """Show one file or folder of the machine at the same path."""
    source = OLD + place
    if stat.S_ISDIR(os.stat(source).st_mode):  # noqa: PTH116
        _folder(place)
    else:
        _file(place, "")
    if spaces is None:
        mount(source, place, None, MS_BIND | MS_REC)
        return
    tree = call("open_tree", AT_FDCWD, os.fsencode(source), OPEN_TREE_CLONE | AT_RECURSIVE)
    wanted = MOUNT_ATTR_IDMAP.to_bytes(8, "little") + bytes(16) + spaces.to_bytes(8, "little")
    call("mount_setattr", tree, b"", AT_EMPTY_PATH | AT_RECURSIVE, wanted, 32)
    call("move_mount", tree, b"", AT_FDCWD, os.fsencode(place), 4)
    os.close(tree)


def _file(place: str, text: str) -> None:
    _folder(place.rpartition("/")[0])
    file = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
    os.write(file, text.encode())
    os.close(file)


def _folder(place: str) -> None:
    """Make a folder and those above it; one that is there is fine."""
    try:
        os.mkdir(place)  # noqa: PTH102
    except FileExistsError:
        return
    except FileNotFoundError:
        _folder(place.rpartition("/")[0])
        os.mkdir(place)  # noqa: PTH102
