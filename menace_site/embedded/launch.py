"""Start a program that dies with its parent: `python -I -S launch.py SIGNAL PROGRAM [ARGUMENT…]`.

Where Linux offers it, the kernel sends SIGNAL to the program once the process that started it is gone,
however it went. With `--as-user` before SIGNAL the program sees an unprivileged user: PostgreSQL refuses to
run as root, and a user namespace satisfies it without making an account. Where those are forbidden (Docker's
default) it becomes `nobody`, keeping only the right to reach root's files. Elsewhere (macOS) the `leash` does
the watching. Run as a script of its own: a process with threads can't safely do this between fork and exec.
"""

import ctypes
import os
import pwd
import signal
import struct
import subprocess
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 47, 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
CLONE_NEWUSER = 0x10000000
INSIDE_ID = 1000


def enter_user_namespace(libc: ctypes.CDLL) -> bool:
    """Appear as an ordinary user from here on; False where the system forbids user namespaces."""
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        return False
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {gid} 1")
    return True


def can_enter_user_namespace() -> bool:
    """Tell whether the system allows it, by letting a child process try."""
    trial = f"import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare({CLONE_NEWUSER}) != 0)"
    return subprocess.run([sys.executable, "-I", "-S", "-c", trial], check=False).returncode == 0


def become_nobody(libc: ctypes.CDLL) -> None:
    """Give up root for good, but for reading and writing what lies in root's folders (capabilities(7))."""
    account = pwd.getpwnam("nobody")
    libc.prctl(PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    libc.capset(header, struct.pack("=6I", *[1 << CAP_DAC_OVERRIDE] * 3, 0, 0, 0))
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Prepare this process, then turn it into the program."""
    parent = os.getppid()
    as_user = arguments[0] == "--as-user"
    number, *command = arguments[1:] if as_user else arguments
    libc = ctypes.CDLL(None, use_errno=True)
    if as_user and not enter_user_namespace(libc):
        become_nobody(libc)
    if sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it went before the kernel was told to watch it
            os.kill(os.getpid(), signal.SIGKILL)
    os.execv(command[0], command)  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
