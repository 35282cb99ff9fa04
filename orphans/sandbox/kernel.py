"""The system calls that Python's library doesn't have, by name, for x86_64 and aarch64.

Only `ctypes` and libc's `syscall` are used, so nothing has to be installed. Numbers are those of
`asm/unistd_64.h` and `asm-generic/unistd.h`; calls from 424 on have one number everywhere.
"""

import ctypes
import errno
import os
import platform
from typing import Final

MACHINE: Final = platform.machine() if os.name == "posix" else ""

_X86_64: Final = """
madvise:28 setpriority:141 sched_setparam:142 sched_setscheduler:144 sched_setaffinity:203 ioprio_set:251
prlimit64:302 sched_setattr:314 setxattr:188 lsetxattr:189 fsetxattr:190 removexattr:197 lremovexattr:198
fremovexattr:199
open:2 fork:57 vfork:58 creat:85 unlink:87 rename:82 mkdir:83 rmdir:84 link:86 symlink:88 mknod:133
uselib:134 sysfs:139 modify_ldt:154 iopl:172 ioperm:173 inotify_init:253 sysctl:156 ioctl:16 shmget:29
socket:41 connect:42 sendto:44 sendmsg:46 bind:49 clone:56 execve:59 semget:64 msgget:68 truncate:76
ptrace:101 syslog:103 capset:126 personality:135 vhangup:153 pivot_root:155 prctl:157 adjtimex:159
chroot:161 acct:163 settimeofday:164 mount:165 umount2:166 swapon:167 swapoff:168 reboot:169 sethostname:170
setdomainname:171 mprotect:10 init_module:175 delete_module:176 quotactl:179 nfsservctl:180 lookup_dcookie:212
clock_settime:227 mbind:237 set_mempolicy:238 mq_open:240 kexec_load:246 add_key:248 request_key:249
keyctl:250 inotify_add_watch:254 migrate_pages:256 openat:257 mkdirat:258 mknodat:259 unlinkat:263
renameat:264 linkat:265 symlinkat:266 unshare:272 move_pages:279 inotify_init1:294 perf_event_open:298
fanotify_init:300 fanotify_mark:301 name_to_handle_at:303 open_by_handle_at:304 clock_adjtime:305
sendmmsg:307 setns:308 process_vm_readv:310 process_vm_writev:311 kcmp:312 finit_module:313 renameat2:316
exit_group:231 seccomp:317 memfd_create:319 kexec_file_load:320 bpf:321 execveat:322 userfaultfd:323
"""

_AARCH64: Final = """
madvise:233 setpriority:140 sched_setparam:118 sched_setscheduler:119 sched_setaffinity:122 ioprio_set:30
prlimit64:261 sched_setattr:274 setxattr:5 lsetxattr:6 fsetxattr:7 removexattr:14 lremovexattr:15
fremovexattr:16
ioctl:29 shmget:194 socket:198 connect:203 sendto:206 sendmsg:211 bind:200 clone:220 execve:221 semget:190
msgget:186 truncate:45 ptrace:117 syslog:116 capset:91 personality:92 vhangup:58 pivot_root:41 prctl:167
adjtimex:171 chroot:51 acct:89 settimeofday:170 mount:40 umount2:39 swapon:224 swapoff:225 reboot:142
sethostname:161 setdomainname:162 init_module:105 delete_module:106 quotactl:60 nfsservctl:42
lookup_dcookie:18 clock_settime:112 mbind:235 set_mempolicy:237 mq_open:180 kexec_load:104 add_key:217
request_key:218 keyctl:219 inotify_add_watch:27 migrate_pages:238 openat:56 mkdirat:34 mknodat:33
unlinkat:35 renameat:38 linkat:37 symlinkat:36 unshare:97 move_pages:239 inotify_init1:26
perf_event_open:241 fanotify_init:262 fanotify_mark:263 name_to_handle_at:264 open_by_handle_at:265
clock_adjtime:266 sendmmsg:269 setns:268 process_vm_readv:270 process_vm_writev:271 kcmp:272
finit_module:273 renameat2:276 seccomp:277 memfd_create:279 kexec_file_load:294 bpf:280 execveat:281
userfaultfd:282 exit_group:94 mprotect:226
"""

_BOTH: Final = """
pidfd_send_signal:424 io_uring_setup:425 io_uring_enter:426 io_uring_register:427 open_tree:428
move_mount:429 fsopen:430 fsconfig:431 fsmount:432 fspick:433 pidfd_open:434 clone3:435 close_range:436
openat2:437 pidfd_getfd:438 process_madvise:440 mount_setattr:442 quotactl_fd:443
setxattrat:463 removexattrat:466
landlock_create_ruleset:444 landlock_add_rule:445 landlock_restrict_self:446 memfd_secret:447 statmount:457
listmount:458 open_tree_attr:467
"""

CLONE_FILES: Final = 0x400
CLONE_THREAD: Final = 0x10000
CLONE_NEWNS: Final = 0x20000
CLONE_NEWUTS: Final = 0x4000000
CLONE_NEWIPC: Final = 0x8000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000
CLONE_NEWNET: Final = 0x40000000
NEW_SPACES: Final = 0x7E020000 | 0x80
"""Every flag of `clone` that makes a namespace, the one of time (0x80) included."""

PR_SET_PDEATHSIG: Final = 1
PR_SET_DUMPABLE: Final = 4
PR_SET_CHILD_SUBREAPER: Final = 36
PR_SET_NO_NEW_PRIVS: Final = 38

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_NOATIME: Final = 1024
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18
MS_SLAVE: Final = 1 << 19
MNT_DETACH: Final = 2
AT_FDCWD: Final = -100
AT_RECURSIVE: Final = 0x8000
AT_EMPTY_PATH: Final = 0x1000
OPEN_TREE_CLONE: Final = 1
MOVE_MOUNT_F_EMPTY_PATH: Final = 4
MOUNT_ATTR_IDMAP: Final = 0x100000


def _table() -> dict[str, int]:
    """Return the numbers of this machine; empty on one that isn't known."""
    own = {"x86_64": _X86_64, "aarch64": _AARCH64, "arm64": _AARCH64}.get(MACHINE)
    if own is None:
        return {}
    pairs = (word.split(":") for word in (own + _BOTH).split())
    return {name: int(number) for name, number in pairs}


NUMBERS: Final = _table()
_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long


def call(name: str, *arguments: int | bytes | None) -> int:
    """Make one system call; a pointer is given as bytes or an address.

    Raises:
        OSError: the call's error, or ENOSYS on a machine whose numbers aren't known.
    """
    number = NUMBERS.get(name)
    if number is None:
        raise OSError(errno.ENOSYS, f"{name}: {os.strerror(errno.ENOSYS)}")
    given = [ctypes.c_long(each) if isinstance(each, int) else each for each in arguments]
    result = int(_LIBC.syscall(ctypes.c_long(number), *given))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


def prctl(option: int, value: int) -> bool:
    """Set a process attribute; False where that doesn't exist."""
    try:
        return call("prctl", option, value, 0, 0, 0) == 0
    except OSError:
        return False


def clone(flags: int) -> int:
    """Fork with namespaces or a shared table of descriptors; return 0 in the new process.

    The caller has one thread and no hooks for forking, so libc's wrapper isn't needed.
    """
    if not flags:
        return os.fork()
    return call("clone", flags | 17, 0, 0, 0, 0)


def mount(source: str, target: str, kind: str | None, flags: int, data: str | None = None) -> None:
    """Mount as `mount(2)` does."""
    words = [None if each is None else os.fsencode(each) for each in (source, target, kind, data)]
    call("mount", words[0], words[1], words[2], flags, words[3])


def seal(target: str, attributes: int) -> None:
    """Set attributes (MS_RDONLY, MS_NOSUID, MS_NODEV) on a mount and on all below it."""
    wanted = attributes.to_bytes(8, "little") + bytes(24)
    try:
        call("mount_setattr", AT_FDCWD, os.fsencode(target), AT_RECURSIVE, wanted, 32)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        mount("none", target, None, MS_REMOUNT | MS_BIND | attributes)


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    header = (0x20080522).to_bytes(4, "little") + bytes(4)
    call("capset", header, bytes(24))


def read_memory(pid: int, address: int, size: int) -> bytes:
    """Return up to `size` bytes of another process, fewer where its memory ends.

    Raises:
        OSError: not allowed, gone, or nothing is mapped there.
    """
    room = ctypes.create_string_buffer(size)
    here = (ctypes.c_uint64 * 2)(ctypes.addressof(room), size)
    there = (ctypes.c_uint64 * 2)(address, size)
    got = call("process_vm_readv", pid, ctypes.addressof(here), 1, ctypes.addressof(there), 1, 0)
    return room.raw[:got]
