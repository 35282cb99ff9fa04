"""The seccomp program of a run: what is refused, what is told to the supervisor, what just happens.

Decisions look at registers alone, which a program can't change while it is judged. What needs a look
into its memory (a path, an address) is only told, counted and then carried on by the kernel: the
walls that refuse are namespaces and Landlock, never the counter.
"""

import ctypes
import errno
import platform
import struct
from functools import cache
from typing import Final

from orphans.sandbox.kernel import CLONE_THREAD, NEW_SPACES, NUMBERS, call

KILL: Final = 0x80000000
ALLOW: Final = 0x7FFF0000
NOTIFY: Final = 0x7FC00000
ERROR: Final = 0x00050000

ARCHITECTURE: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7, "arm64": 0xC00000B7}
X32: Final = 0x40000000


def words(text: str) -> tuple[str, ...]:
    """Split a list that is written as a text."""
    return tuple(text.split())


REFUSED: Final = words("""
ptrace process_vm_readv process_vm_writev process_madvise kcmp pidfd_getfd mount umount2 pivot_root chroot
open_tree open_tree_attr move_mount fsopen fsconfig fsmount fspick mount_setattr unshare setns keyctl add_key
request_key bpf perf_event_open userfaultfd kexec_load kexec_file_load init_module finit_module delete_module
reboot swapon swapoff quotactl quotactl_fd nfsservctl acct settimeofday clock_settime adjtimex clock_adjtime
sethostname setdomainname iopl ioperm modify_ldt uselib sysfs sysctl name_to_handle_at open_by_handle_at
fanotify_init fanotify_mark lookup_dcookie syslog vhangup seccomp personality capset move_pages migrate_pages
mbind set_mempolicy shmget msgget semget mq_open
""")
"""Answered with EPERM: ways out, ways around, and memory that nobody could account for."""

ABSENT: Final = words("""
clone3 io_uring_setup io_uring_enter io_uring_register memfd_create memfd_secret inotify_init inotify_init1
statmount listmount
""")
"""Answered with ENOSYS, so that libraries take the older way."""

TOLD: Final = words("""
creat openat2 unlink unlinkat rename renameat renameat2 mkdir mkdirat rmdir truncate link linkat symlink
symlinkat mknod mknodat connect execve execveat fork vfork
""")

OF_OTHERS: Final = {
    "sched_setparam": 0, "sched_setscheduler": 0, "sched_setaffinity": 0, "sched_setattr": 0, "prlimit64": 0,
    "setpriority": 1, "ioprio_set": 1,
}  # fmt: skip
"""Calls that may change any process of the same user, and where they name it; 0 is the caller itself."""

MARKS: Final = words("""
setxattr lsetxattr fsetxattr setxattrat removexattr lremovexattr fremovexattr removexattrat
""")
"""Attributes of files, which are not Landlock's business."""

WRITES: Final = 0o1 | 0o2 | 0o100 | 0o1000 | 0o2000
"""O_WRONLY, O_RDWR, O_CREAT, O_TRUNC, O_APPEND."""
FAMILIES: Final = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6 and AF_NETLINK, which getaddrinfo asks for the machine's addresses."""
TERMINAL: Final = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: typing into somebody's terminal."""

FAST_OPEN: Final = 0x20000000
"""MSG_FASTOPEN: a connection without `connect`."""

LISTENER: Final = 8
WAIT_KILLABLE: Final = 32
"""Whoever waits for an answer is woken by nothing but its end (Linux 5.19)."""

Code = list[tuple[int, int, int, int]]


def load(offset: int) -> Code:
    """Put the 32-bit word at `offset` of `struct seccomp_data` into the accumulator."""
    return [(0x20, 0, 0, offset)]


def argument(index: int, high: bool = False) -> Code:
    """Load one half of a register."""
    return load(16 + 8 * index + (4 if high else 0))


def answer(value: int) -> Code:
    """End with `value`."""
    return [(0x06, 0, 0, value)]


def equals(value: int, then: Code) -> Code:
    """Carry out `then` when the accumulator holds `value`."""
    return [(0x15, 0, len(then), value), *then]


def has_bit(bits: int, then: Code) -> Code:
    """Carry out `then` when one of `bits` is set."""
    return [(0x45, 0, len(then), bits), *then]


def rule(name: str, then: Code) -> Code:
    """Carry out `then`, which must end, for one system call; nothing where it doesn't exist."""
    return equals(NUMBERS[name], then) if name in NUMBERS else []


def program(notify: bool, network: bool, leaving: bool = False) -> Code:
    """Return the filter. Without `network` there is no namespace to hold traffic: it is refused here.

    `leaving`: also tell of processes that are about to end.
    """
    told = answer(NOTIFY if notify else ALLOW)
    code = [*load(4), (0x15, 1, 0, ARCHITECTURE.get(platform.machine(), 0)), *answer(KILL)]
    code += [*load(0), (0x35, 0, 1, X32), *answer(KILL)]
    for name in REFUSED:
        code += rule(name, answer(ERROR | errno.EPERM))
    for name in ABSENT:
        code += rule(name, answer(ERROR | errno.ENOSYS))
    for name in (*TOLD, *(["exit_group"] if notify and leaving else [])):
        code += rule(name, told)
    if not network:
        code += _strangers()
    return [*code, *_by_argument(told), *_sockets(told, notify, network), *answer(ALLOW)]


def _strangers() -> Code:
    """Without namespaces others of the same user can be named, and their files: not for changing them."""
    no = answer(ERROR | errno.EPERM)
    code = rule("pidfd_open", no)
    for name in MARKS:
        code += rule(name, no)
    for name, place in OF_OTHERS.items():
        code += rule(name, [*argument(place), *equals(0, answer(ALLOW)), *no])
    return code


def _by_argument(told: Code) -> Code:
    """Calls whose flags decide: opening, cloning, terminals."""
    allow = answer(ALLOW)
    ways_in = [part for number in TERMINAL for part in equals(number, answer(ERROR | errno.EPERM))]
    spaces = [*argument(0), *has_bit(NEW_SPACES & ~0x80, answer(ERROR | errno.EPERM))]
    clone = [*spaces, *has_bit(CLONE_THREAD, allow), *told]
    return [
        *rule("open", [*argument(1), *has_bit(WRITES, told), *allow]),
        *rule("openat", [*argument(2), *has_bit(WRITES, told), *allow]),
        *rule("clone", clone),
        *rule("ioctl", [*argument(1), *ways_in, *allow]),
    ]


def _sockets(told: Code, notify: bool, network: bool) -> Code:
    """Which families may be had, and which sends name a receiver (arg 4) and so are told."""
    refused = answer(ERROR | errno.EACCES)
    families = [part for number in FAMILIES for part in equals(number, answer(ALLOW))]
    if not network:
        families = told if notify else refused
    sending = [*argument(4), *equals(0, [*argument(4, high=True), *equals(0, answer(ALLOW))]), *told]
    fast = [] if network else [*argument(3), *has_bit(FAST_OPEN, refused)]
    return [
        *rule("socket", [*argument(0), *families, *answer(ERROR | errno.EAFNOSUPPORT)]),
        *rule("sendto", [*fast, *sending]),
        *rule("sendmsg", [*([] if network else [*argument(2), *has_bit(FAST_OPEN, refused)]), *told]),
        *rule("sendmmsg", [*fast, *told]),
    ]


@cache
def packed_program(notify: bool, network: bool, leaving: bool = False) -> bytes:
    """Return the filter as the kernel reads it; made once, before the forks that install it."""
    return packed(program(notify, network, leaving))


def packed(code: Code) -> bytes:
    """Return instructions as the kernel reads them."""
    return b"".join(struct.pack("<HBBI", *each) for each in code)


def install(notify: bool, network: bool) -> int:
    """Put the filter on this process and all it will start; return the supervisor's descriptor, or -1.

    Raises:
        OSError: the kernel has no seccomp filters, or no notification when one was asked for.
    """
    if not notify:
        put(packed_program(notify, network), 0)
        return -1
    try:
        return put(packed_program(notify, network, leaving=True), LISTENER | WAIT_KILLABLE)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return put(packed_program(notify, network), LISTENER)


def put(words: bytes, flags: int) -> int:
    """Hand packed instructions to the kernel."""
    room = ctypes.create_string_buffer(words, len(words))
    return call("seccomp", 1, flags, struct.pack("@HxxxxxxQ", len(words) // 8, ctypes.addressof(room)))
