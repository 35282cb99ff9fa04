"""The keeper: process 1 of a run's namespaces, and what it does for the run.

It builds the private root and starts the run's first process, which waits; then it takes the order, adds what
this run has of its own, hands the order on, waits for the end, counts what was left behind and goes; the
kernel then ends everything in its namespace. It shares its table of descriptors with the new process until
that has installed its filter: so the filter's listener can leave without an exception in the filter.
"""

import json
import marshal
import os
import resource
import select
import signal
import socket
import struct
from contextlib import suppress
from fcntl import ioctl
from pathlib import Path
from typing import Any, Final, NoReturn

from orphans.sandbox import view
from orphans.sandbox.child import LEAD
from orphans.sandbox.confining import enter, map_user
from orphans.sandbox.kernel import (
    CLONE_FILES,
    CLONE_NEWUSER,
    MS_RDONLY,
    PR_SET_CHILD_SUBREAPER,
    PR_SET_DUMPABLE,
    PR_SET_NO_NEW_PRIVS,
    PR_SET_PDEATHSIG,
    clone,
    prctl,
    seal,
)

WORDS_BYTES: Final = 64 * 2**10
MAX_DESCRIPTORS: Final = 250
NOBODY: Final = 65534


def piece(value: Any) -> bytes:
    """Return one piece of what a run's first process reads: its length and the value, marshalled."""
    words = marshal.dumps(value)
    return len(words).to_bytes(LEAD, "little") + words


def keep(plan: dict[str, Any], line: socket.socket, ends: dict[str, int]) -> NoReturn:
    """Be the keeper of one run; tells on `line` what holds, and at the end how the run ended.

    `ends` has what the run's first process gets (`null output channel words`), and `order`, where its words
    are written to.
    """
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        _keep(plan, line, ends)
    except BaseException as error:  # noqa: BLE001 - told to the launcher, which refuses the run
        with suppress(OSError):
            line.send(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
    os._exit(0)


def _keep(plan: dict[str, Any], line: socket.socket, ends: dict[str, int]) -> None:
    child = 0
    if plan["spaces"]:
        view.build(plan["view"])
        wake_loopback()
    if plan["ahead"]:
        child = _begin_ahead(plan, line, ends)
    order, parcel, place, serving = _furnished(plan, line)
    if plan["ahead"]:
        for name in ("words", "output", "channel"):  # the first process has a table of its own by now
            os.close(ends[name])
        _hand_over(parcel, order, ends["order"])
        os.close(ends["order"])
    else:
        plan |= order["plan"]
        ends["words"] = _filed(plan, parcel, order)
        child = _begin(plan, line, ends, [place])
    os.close(place)
    if plan["warm"]:
        _wait_for_word(line)
        ended: dict[str, Any] = {}
    else:
        ended = {"status": _wait_for(child)}
    ended["survivors"] = _left(plan["spaces"], serving)
    if plan["spaces"]:
        _end_rest()
        ended["used"] = _used()
    line.send(json.dumps(ended).encode())


def _begin_ahead(plan: dict[str, Any], line: socket.socket, ends: dict[str, int]) -> int:
    """Have the first process wait for its words; a warm server makes it when this is ready."""
    if not plan["warm"]:
        os.write(ends["order"], plan["code"])
        return _begin(plan, line, ends, [])
    seal("/proc", MS_RDONLY)
    prctl(PR_SET_DUMPABLE, 0)
    line.send(b'{"ready": true}')
    return 0


def _begin(plan: dict[str, Any], line: socket.socket, ends: dict[str, int], fds: list[int]) -> int:
    """Start the run's first process and tell what holds, with `fds` and the filter's listener."""
    told, tells = os.pipe()
    go, goes = os.pipe()
    user_space = CLONE_NEWUSER if plan["own_user_space"] else 0
    child = clone((CLONE_FILES if plan["notify"] else 0) | user_space)
    if child == 0:
        enter(plan, ends, tells, go)
    if user_space:
        map_user(child, plan["uid"], plan["uid"], plan["gid"], plan["gid"])
    if plan["spaces"]:
        seal("/proc", MS_RDONLY)
    prctl(PR_SET_DUMPABLE, 0)
    os.write(goes, b"g")
    words = json.loads(os.read(told, WORDS_BYTES) or b'{"error": "the run could not be confined"}')
    listener = words.pop("listener", -1)
    fds = fds if listener < 0 else [*fds, listener]
    words["counts"] = listener >= 0
    socket.send_fds(line, [json.dumps(words).encode()], fds)
    if listener >= 0:
        os.close(listener)
    return child


def _furnished(plan: dict[str, Any], line: socket.socket) -> tuple[dict[str, Any], int, int, int]:
    """Take the order and add what it asks for; return it, its parcel, its scratch, its API's process."""
    words, fds, _, _ = socket.recv_fds(line, 1, MAX_DESCRIPTORS)
    if not words:
        os._exit(0)
    written, parcel, *rest = fds
    with open(written, "rb") as file:  # noqa: PTH123 - a descriptor
        order = marshal.loads(file.read())  # noqa: S302 # nosec B302 - our launcher's
    trees, held = dict(zip(order["trees"], rest, strict=False)), True  # without namespaces none is connected
    if plan["spaces"]:
        held = view.furnish(trees, order["hidden"], order["disk"], order["checkout"])
    serving = _serve(plan, order) if order["stub"] is not None else 0
    place = os.open(order["scratch"], os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    _bring(place, dict(zip(order["inputs"], rest[len(trees) :], strict=True)), plan)
    for each in trees.values():
        os.close(each)
    told = {"held": {"sockets_closed": held}}
    socket.send_fds(line, [json.dumps(told).encode()], [place] if plan["ahead"] else [])
    return order, parcel, place, serving


def _hand_over(parcel: int, order: dict[str, Any], target: int) -> None:
    """Write what the first process waits for: variables that only this side knows, and the order."""
    with suppress(BrokenPipeError):  # it was killed meanwhile, which its status will tell
        os.write(target, piece(order["env"]))
        while os.sendfile(target, parcel, None, 2**20):
            pass
    os.close(parcel)


def _filed(plan: dict[str, Any], parcel: int, order: dict[str, Any]) -> int:
    """Put all of it into a file without a name; return its descriptor, at its start."""
    place = os.memfd_create("words", os.MFD_CLOEXEC)
    os.write(place, plan["code"])
    _hand_over(parcel, order, place)
    os.lseek(place, 0, os.SEEK_SET)
    return place


def _wait_for_word(line: socket.socket) -> None:
    """Collect what ends until the launcher tells that the first process, a warm server's child, has ended."""
    while not select.select([line], [], [], 0.05)[0]:
        with suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
    line.recv(WORDS_BYTES)


def _serve(plan: dict[str, Any], order: dict[str, Any]) -> int:
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
            command = [plan["python"], "-I", "-S", "-B", order["stub_script"], json.dumps(order["stub"])]
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


def _bring(place: int, inputs: dict[str, int], plan: dict[str, Any]) -> None:
    """Copy the inputs into scratch, each a new file of its own."""
    for name, source in inputs.items():
        target = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600, dir_fd=place)
        while os.sendfile(target, source, None, 2**24):
            pass
        if os.geteuid() == 0:
            os.fchown(target, plan["uid"], plan["gid"])
        os.close(target)
        os.close(source)


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
