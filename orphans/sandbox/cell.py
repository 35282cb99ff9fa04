"""The two processes inside: the keeper (pid 1 of the run's namespaces) and the run's own first process.

The keeper builds the private root, starts the run, waits for it, counts what it left behind and goes; the
kernel then ends everything in its namespace. It shares its table of descriptors with the new process until
that has installed its filter: so the filter's listener can leave without an exception in the filter.
"""

import json
import os
import resource
import select
import signal
import socket
import struct
from contextlib import suppress
from fcntl import F_DUPFD, fcntl, ioctl
from pathlib import Path
from typing import Any, Final, NoReturn

from orphans.sandbox import filters, landlock, view
from orphans.sandbox.kernel import (
    CLONE_FILES,
    CLONE_NEWUSER,
    MS_RDONLY,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    call,
    clone,
    drop_capabilities,
    prctl,
    seal,
)

HIGH: Final = 200
"""Where descriptors are put aside while the low ones are given out."""
WORDS_BYTES: Final = 16 * 2**10
ADDRESS_SPACE_SLACK: Final = 2 * 2**30
"""Address space over the memory limit: libraries map far more than they ever touch."""
DATA_SLACK: Final = 256 * 2**20
LOADED_SLACK: Final = 3 * 2**30
"""Address space that a warm server's libraries may take before a run begins."""
CLOSE_RANGE_UNSHARE: Final = 2
NOBODY: Final = 65534
MOST_DESCRIPTORS: Final = 2**20


def keep(order: dict[str, Any], line: socket.socket, ends: dict[str, int]) -> NoReturn:
    """Be the keeper of one run; tells on `line` what holds, and at the end how the run ended."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        _keep(order, line, ends)
    except BaseException as error:  # noqa: BLE001 - told to the launcher, which refuses the run
        with suppress(OSError):
            line.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
    os._exit(0)


def _keep(order: dict[str, Any], line: socket.socket, ends: dict[str, int]) -> None:
    scratch = order["scratch"]
    if order["spaces"]:
        view.build(order["view"])
        wake_loopback()
    serving = _serve(order) if order["stub"] is not None else 0
    place = os.open(scratch, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    _bring(place, ends["inputs"], order)
    if order["warm"]:
        _keep_for_server(line, place, serving)
        return
    told, tells = os.pipe()
    go, goes = os.pipe()
    user_space = CLONE_NEWUSER if order["own_user_space"] else 0
    child = clone((CLONE_FILES if order["notify"] else 0) | user_space)
    if child == 0:
        enter(order, ends, tells, go)
    if user_space:
        map_user(child, order["uid"], order["uid"], order["gid"], order["gid"])
    if order["spaces"]:
        seal("/proc", MS_RDONLY)
    prctl(PR_SET_DUMPABLE, 0)
    os.write(goes, b"g")
    words = json.loads(os.read(told, WORDS_BYTES) or b'{"error": "the run could not be confined"}')
    listener = words.pop("listener", -1)
    fds = [place] if listener < 0 else [place, listener]
    socket.send_fds(line, [json.dumps(words).encode()], fds)
    for each in fds:
        os.close(each)
    status = _wait_for(child)
    ended: dict[str, Any] = {"status": status, "survivors": _left(order["spaces"], serving)}
    if order["spaces"]:
        _end_rest()
        ended["used"] = _used()
    line.send(json.dumps(ended).encode())


def _keep_for_server(line: socket.socket, place: int, serving: int) -> None:
    """Keep namespaces that a warm server puts the run's first process into; the launcher tells of its end."""
    seal("/proc", MS_RDONLY)
    prctl(PR_SET_DUMPABLE, 0)
    socket.send_fds(line, [b'{"ready": true}'], [place])
    os.close(place)
    while not select.select([line], [], [], 0.05)[0]:
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
    line.recv(WORDS_BYTES)
    survivors = _left(True, serving)
    _end_rest()
    line.send(json.dumps({"survivors": survivors, "used": _used()}).encode())


def _serve(order: dict[str, Any]) -> int:
    """Start the loopback API of this run, wait until it listens, and name its address to the run."""
    told, tells = os.pipe()
    server = os.fork()
    if server == 0:
        try:
            os.dup2(os.open(os.devnull, os.O_RDWR), 2)
            os.dup2(tells, 1)
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(*[NOBODY] * 3)
                os.setresuid(*[NOBODY] * 3)
            prctl(PR_SET_NO_NEW_PRIVS, 1)
            command = [order["python"], "-I", "-S", "-B", order["stub_script"], json.dumps(order["stub"])]
            os.execve(command[0], command, {"PATH": os.defpath})  # noqa: S606 - there must be no shell
        finally:
            os._exit(127)
    os.close(tells)
    with os.fdopen(told) as words:
        port = json.loads(words.readline() or "{}").get("port")
    if not port:
        raise OSError("the loopback API did not start")
    order["env"]["SANDBOX_STUB_URL"] = f"http://127.0.0.1:{port}"
    return server


def _bring(place: int, inputs: Any, order: dict[str, Any]) -> None:
    """Copy the inputs into scratch, each a new file of its own."""
    for name, source in inputs.items():
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=place)
        while os.sendfile(target, source, None, 2**24):
            pass
        if os.geteuid() == 0:
            os.fchown(target, order["uid"], order["gid"])
        os.close(target)
        os.close(source)


def map_user(pid: int, inner: int, outer: int, inner_group: int, outer_group: int) -> None:
    """Give a new user namespace its one user and group."""
    place = Path(f"/proc/{pid}")
    with suppress(FileNotFoundError):
        (place / "setgroups").write_text("deny")
    (place / "gid_map").write_text(f"{inner_group} {outer_group} 1")
    (place / "uid_map").write_text(f"{inner} {outer} 1")


def wake_loopback() -> None:
    """Bring up 127.0.0.1 of this network namespace; nothing else exists in it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        ioctl(any_socket, 0x8914, struct.pack("16sH22x", b"lo", 1))


def _wait_for(child: int) -> int:
    """Reap whatever ends until the run's first process does; return its status."""
    while True:
        pid, status = os.waitpid(-1, 0)
        if pid == child:
            return status


def _left(spaces: bool, serving: int) -> int:
    """Count processes that outlived the first one."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    if spaces:
        return sum(name.isdigit() for name in os.listdir("/proc")) - 1 - bool(serving)  # noqa: PTH208
    return len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


def _end_rest() -> None:
    """Kill and collect what is left in the namespace, so that its CPU time counts."""
    with suppress(ChildProcessError):
        while True:
            with suppress(ProcessLookupError):
                os.kill(-1, signal.SIGKILL)
            os.waitpid(-1, 0)


def _used() -> dict[str, float]:
    """Return what all processes of the run took, its keeper's part included."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
    return {"cpu": cpu, "rss": others.ru_maxrss * 1024}


def enter(order: dict[str, Any], ends: dict[str, int], tells: int, go: int) -> NoReturn:
    """Confine this process and become the run. Leaves with 127 when something doesn't hold."""
    try:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        os.read(go, 1)
        held, listener = confine(order)
        os.write(tells, json.dumps({"held": held, "listener": listener}).encode())
        separate(ends, order)
        os.execve(order["argv"][0], order["argv"], order["env"])  # noqa: S606 - there must be no shell
    except BaseException as error:  # noqa: BLE001 - told to the keeper
        words = f"{type(error).__name__}: {error}"
        with suppress(OSError):  # the second is for what fails when the first is closed already
            os.write(tells, json.dumps({"error": words}).encode())
        with suppress(OSError):
            os.write(2, f"could not start: {words}\n".encode())
    finally:
        os._exit(127)


def confine(order: dict[str, Any]) -> tuple[dict[str, Any], int]:
    """Give up what the launcher may do; return what holds and the listener of the filter, or -1.

    Raises:
        OSError: a layer that this machine has could not be set.
    """
    os.setsid()
    os.umask(0o077)
    os.chdir(order["cwd"])
    held: dict[str, Any] = {"rlimits": set_limits(order)}
    held["unprivileged_user"] = change_user(order)
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if order["landlock"]:
        held["landlock"] = landlock.confine(order["may_read"], order["may_write"], order["spaces"])
    drop_capabilities()
    listener = -1
    if order["seccomp"]:
        listener = filters.install(order["notify"], order["spaces"])
    return held, listener


def change_user(order: dict[str, Any]) -> bool:
    """As root, become the run's own user; return whether this process is nobody's root."""
    if os.geteuid() == 0 and order["uid"]:
        os.setgroups([])
        os.setresgid(*[order["gid"]] * 3)
        os.setresuid(*[order["uid"]] * 3)
    return os.geteuid() != 0


def separate(ends: dict[str, int], order: dict[str, Any]) -> None:
    """Take a table of descriptors of one's own, with the five that a run gets and no other."""
    if order["notify"]:
        call("close_range", 2**31, 2**31, CLOSE_RANGE_UNSHARE)
    wanted = (ends["null"], ends["output"], ends["output"], ends["order"], ends["channel"])
    for number, aside in enumerate([fcntl(each, F_DUPFD, HIGH) for each in wanted]):
        os.dup2(aside, number)
    os.closerange(len(wanted), MOST_DESCRIPTORS)
    _set_limit(resource.RLIMIT_NOFILE, (int(order["limits"]["open_files"]),) * 2)


def set_limits(order: dict[str, Any]) -> bool:
    """Set the limits of one process; False when the system refused one of them."""
    limits = order["limits"]
    seconds = int(limits["cpu_seconds"]) + 2
    memory = int(limits["memory_bytes"])
    loaded = LOADED_SLACK if order["warm"] else 0
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
    if order["count_tasks"]:
        wanted[resource.RLIMIT_NPROC] = (int(limits["processes"] + limits["threads"]),) * 2
    held = [_set_limit(kind, pair) for kind, pair in wanted.items()]
    return all(held)


def _set_limit(kind: int, pair: tuple[int, ...]) -> bool:
    """Lower one limit, never over what already holds."""
    hard = resource.getrlimit(kind)[1]
    soft, top = (value if hard == resource.RLIM_INFINITY else min(value, hard) for value in pair)
    try:
        resource.setrlimit(kind, (soft, top))
    except (ValueError, OSError):
        return False
    return True
