"""The private root of a run: what it may see, read-only, and one sized space it may write to.

Built by the first process of the run's namespaces, before any foreign code exists there. Nothing of the
machine's own tree stays reachable: the old root is detached at the end.
"""

import os
import stat
import struct
from contextlib import suppress
from typing import Any, Final

from orphans.sandbox.kernel import (
    AT_EMPTY_PATH,
    AT_FDCWD,
    AT_RECURSIVE,
    MNT_DETACH,
    MOUNT_ATTR_IDMAP,
    MOVE_MOUNT_F_EMPTY_PATH,
    MS_BIND,
    MS_NOATIME,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
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
NOTHING: Final = "/.nothing"
NO_FILE: Final = "/.no-file"
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
    """Make the private root as every run has it; `/proc` stays writable until users were mapped.

    `plan` says what it holds (`places disk uid gid owner_spaces`); `seal` the rest when users were mapped.

    Raises:
        OSError: the kernel or a container's policy refuses a part of it.
    """
    mount("none", "/", None, MS_REC | MS_SLAVE)
    # Without times of access: to note one is to write, and while somebody writes nothing can be sealed.
    mount("tmpfs", BASE, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOATIME, "mode=755,size=1m,nr_inodes=8k")
    os.mkdir(f"{BASE}{OLD}")  # noqa: PTH102 - this runs once a run, and pathlib costs
    call("pivot_root", os.fsencode(BASE), os.fsencode(BASE + OLD))
    os.chdir("/")
    _space(plan)
    _system()
    _words(plan)
    for place in plan["places"]:
        if not os.path.lexists(place):
            _bind(place, plan["owner_spaces"].get(place))
    for name in DEVICES:
        _bind(f"/dev/{name}")
    os.mkdir("/proc")  # noqa: PTH102
    # Before the old root goes: without rights over the machine, only a visible /proc may be made anew.
    mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    call("umount2", os.fsencode(OLD), MNT_DETACH)
    seal("/", MS_RDONLY | MS_NOSUID | MS_NODEV)
    for name in DEVICES:
        mount("none", f"/dev/{name}", None, MS_REMOUNT | MS_BIND | MS_NOSUID)
    mount("none", "/proc", None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for target in WRITABLE.values():
        mount("none", target, None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV)


def furnish(trees: dict[str, int], hidden: list[str], disk: int, checkout: str = "") -> bool:
    """Add what one run has of its own: trees taken by `tree`, by their places, and the size of its space.

    `hidden` is covered by an empty folder or file. No foreign code exists yet that could use the moment in
    which the root is writable. Returns whether the doors of `checkout` are closed; True when there is none.
    """
    mount("none", SCRATCH, None, MS_REMOUNT | MS_NOSUID | MS_NODEV, _size(disk))
    if not trees:
        return True
    mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV)
    for place, taken in trees.items():
        if stat.S_ISDIR(os.fstat(taken).st_mode):
            _folder(place)
        else:
            _file(place, "")
        call("move_mount", taken, b"", AT_FDCWD, os.fsencode(place), MOVE_MOUNT_F_EMPTY_PATH)
    mount("none", "/", None, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV)
    closed = close_doors(checkout) if checkout in trees else not checkout
    for place in hidden:
        with suppress(FileNotFoundError, NotADirectoryError):
            folder = stat.S_ISDIR(os.stat(place, follow_symlinks=False).st_mode)  # noqa: PTH116
            mount(NOTHING if folder else NO_FILE, place, None, MS_BIND)
    return closed


def close_doors(place: str) -> bool:
    """Put a file system of its own over a folder that is shown; False where the system has none.

    Files are the same ones, but a socket or a pipe in it leads nowhere, also one that is made later.
    """
    try:
        layers = f"{_escaped(place)}:{NOTHING}"
        mount("overlay", place, "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV, f"lowerdir={layers}")
    except OSError:
        return False
    return True


def _escaped(place: str) -> str:
    for sign in "\\:,":
        place = place.replace(sign, f"\\{sign}")
    return place


def tree(place: str, owners: int | None = None) -> int:
    """Take a folder or file of this machine as a mount of its own, read-only; return its descriptor.

    Nothing that is mounted on it later reaches the machine. `owners` is a user namespace that shows its
    owner as another one.
    """
    taken = call("open_tree", AT_FDCWD, os.fsencode(place), OPEN_TREE_CLONE | AT_RECURSIVE | os.O_CLOEXEC)
    wanted = MS_RDONLY | MS_NOSUID | MS_NODEV | (MOUNT_ATTR_IDMAP if owners is not None else 0)
    words = struct.pack("<QQQQ", wanted, 0, MS_PRIVATE, owners or 0)
    try:
        call("mount_setattr", taken, b"", AT_EMPTY_PATH | AT_RECURSIVE, words, len(words))
    except OSError:
        os.close(taken)
        raise
    return taken


def _size(disk: int) -> str:
    return f"size={disk},nr_inodes={max(256, disk // INODES_EACH)}"


def _space(plan: dict[str, Any]) -> None:
    """One tmpfs of limited size behind all writable places."""
    owner = f"uid={plan['uid']},gid={plan['gid']}"
    os.mkdir(SPACE)  # noqa: PTH102
    mount("tmpfs", SPACE, "tmpfs", MS_NOSUID | MS_NODEV, f"mode=700,{_size(plan['disk'])},{owner}")
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
    os.mkdir(NOTHING, 0o555)  # noqa: PTH102
    _file(NO_FILE, "")


def _bind(place: str, spaces: int | None = None) -> None:
    """Show one file or folder of the machine at the same path; a link stays a link."""
    source = OLD + place
    if os.path.islink(source):  # noqa: PTH114
        _folder(place.rpartition("/")[0])
        os.symlink(os.readlink(source), place)  # noqa: PTH115, PTH211
        return
    if stat.S_ISDIR(os.stat(source).st_mode):  # noqa: PTH116
        _folder(place)
    else:
        _file(place, "")
    if spaces is None:
        mount(source, place, None, MS_BIND | MS_REC)
        return
    taken = tree(source, spaces)
    call("move_mount", taken, b"", AT_FDCWD, os.fsencode(place), MOVE_MOUNT_F_EMPTY_PATH)
    os.close(taken)


def _file(place: str, text: str) -> None:
    _folder(place.rpartition("/")[0] or "/")
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
