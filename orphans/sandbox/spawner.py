"""The resident process that starts the runs of one worker: `python -I -S -B spawner.py DESCRIPTOR`.

It has one thread and few modules, so that forking it costs little; it holds none of the worker's memory,
variables or descriptors. First it finds out, by trying, which walls this machine has, and says so; then
each message on its socket is one run, with the descriptors that belong to it. It ends with its worker, or
when nothing was asked of it for a while.
"""

import gc
import json
import marshal
import os
import resource
import signal
import socket
import sys
import types
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NoReturn

HERE: Final = Path(__file__).resolve().parent
for _name, _place in {"orphans": HERE.parent, "orphans.sandbox": HERE}.items():
    # Only the modules named below are wanted; the package's own front would bring the worker's half.
    if _name not in sys.modules:
        _package = types.ModuleType(_name)
        _package.__path__ = [str(_place)]
        sys.modules[_name] = _package

from orphans.sandbox import filters, layers, view, zygote  # noqa: E402
from orphans.sandbox.cell import map_user  # noqa: E402
from orphans.sandbox.child import BOOT  # noqa: E402
from orphans.sandbox.kernel import CLONE_NEWUSER, PR_SET_PDEATHSIG, call, prctl  # noqa: E402
from orphans.sandbox.launcher import supervise  # noqa: E402

IDLE_SECONDS: Final = 120.0
ORDER_BYTES: Final = 64 * 2**10
MAX_DESCRIPTORS: Final = 250
FUTURE: Final = 0x1000000
"""`annotations` of `__future__`, without the module."""
FIRST_USER: Final = 0x70000000
"""Above every user that a system gives out: as root each run is a user of its own, by its launcher's id."""


class Spawner:
    """Starts runs, one forked launcher each."""

    def __init__(self, control: socket.socket, without: list[str]) -> None:
        self._control = control
        self._held = {**layers.trial(), **dict.fromkeys(without, "left out on demand")}
        if self._held["seccomp"]:
            self._held["notify"] = self._held["notify"] or "there is no seccomp filter to tell of anything"
        #: profile → its warm server, and whether that has loaded everything
        self._servers: dict[str, tuple[socket.socket, bool]] = {}
        self._null = os.open(os.devnull, os.O_RDONLY)
        filters.packed_program(not self._held["notify"], not self._held["namespaces"])
        self._code = {name: compiled(name) for name in ("child", "hook", "testing")}

    def serve(self) -> None:
        """Say which layers hold, then start runs until the worker is gone or silent."""
        self._control.send(json.dumps(self._held).encode())
        self._control.settimeout(IDLE_SECONDS)
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        gc.freeze()
        gc.disable()  # a collection in a fork would copy every page it looks at
        next_one = self._standby()
        while True:
            try:
                words, fds, _, _ = socket.recv_fds(self._control, ORDER_BYTES, MAX_DESCRIPTORS)
            except TimeoutError:
                return
            if not words:
                return
            server = self._server(json.loads(words))
            warm = [server.fileno()] if server else []
            with suppress(OSError):  # it was killed: the worker sees that no report comes
                socket.send_fds(next_one, [b"w" if server else b"c"], [*fds, *warm])
            next_one.close()
            for each in fds:
                os.close(each)
            next_one = self._standby()

    def _standby(self) -> socket.socket:
        """Fork the launcher of the next run before it is asked for; return where it waits."""
        mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork():
            its.close()
            return mine
        try:
            mine.close()
            self._control.close()
            prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            words, fds, _, _ = socket.recv_fds(its, 16, MAX_DESCRIPTORS)
            if words:
                self._launch(fds, fds.pop() if words == b"w" else -1)
        finally:
            os._exit(0)

    def _server(self, wish: dict[str, Any]) -> socket.socket | None:
        """Return the warm server of a profile once it is ready; start it when there is none."""
        profile = wish["profile"]
        if not profile or any(self._held.values()):
            return None
        if profile in self._servers and not self._lives(profile):
            self._servers.pop(profile)[0].close()
        if profile not in self._servers:
            self._servers[profile] = (self._new_server(profile, wish["path"]), False)
        server, ready = self._servers[profile]
        return server if ready else None

    def _lives(self, profile: str) -> bool:
        """Hear whether a warm server has got ready; False when it is gone."""
        server, ready = self._servers[profile]
        try:
            said = server.recv(16, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self._servers[profile] = (server, ready or bool(said))
        return bool(said)

    def _new_server(self, profile: str, path: list[str]) -> socket.socket:
        """Fork a warm server; return where it takes requests."""
        server, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            self._control.close()
            server.close()
            zygote.be(profile, path, its)
        its.close()
        return server

    def _launch(self, fds: list[int], server: int) -> NoReturn:
        """Be the launcher of one run: read its order, add what only this side knows."""
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            with open(fds[0], "rb") as file:  # noqa: PTH123 - a descriptor
                order = json.loads(file.read())
            report = socket.socket(fileno=fds[1])
            ends: dict[str, Any] = dict(zip(("lifeline", "output", "channel"), fds[2:5], strict=True))
            ends["null"] = self._null
            order["warm"] = server >= 0 and order["stub"] is None
            ends["server"] = server
            ends["inputs"] = dict(zip(order["inputs"], fds[5:], strict=True))
            self._settle(order)
            ends["order"] = self._parcel(order)
            supervise(order, ends, report)
        finally:
            os._exit(1)

    def _settle(self, order: dict[str, Any]) -> None:
        """Choose user and layers."""
        held = self._held
        order["spaces"] = not held["namespaces"]
        order["landlock"], order["seccomp"] = not held["landlock"], not held["seccomp"]
        order["notify"] = not held["notify"]
        root = os.geteuid() == 0
        order["uid"] = order["gid"] = _free_user() if root else os.geteuid()
        order["own_user_space"] = order["spaces"] and not root
        order["count_tasks"] = order["spaces"] or (root and order["uid"] >= FIRST_USER)
        if not order["spaces"] and root:
            os.chown(order["scratch"], order["uid"], order["gid"])
        order["scratch"] = view.SCRATCH if order["spaces"] else order["scratch"]
        order["cwd"] = order["cwd"] or order["scratch"]
        for name in ("HOME", "TMPDIR"):
            order["env"][name] = order["scratch"]
        seen = order["view"]
        seen.update(disk=int(order["limits"]["disk_bytes"]), uid=order["uid"], gid=order["gid"])
        own = list(view.WRITABLE.values()) if order["spaces"] else [order["scratch"]]
        order["may_read"] = ["/"] if order["spaces"] else [*layers.SYSTEM_PLACES, *seen["readable"]]
        devices = ["/dev"] if order["spaces"] else [f"/dev/{name}" for name in view.DEVICES]
        order["may_write"] = [*(each for each in own if each != "/dev/shm"), *devices]  # noqa: S108 # nosec B108
        if order["spaces"] and root:
            seen["owner_spaces"] = _opened(seen["readable"], order["uid"])

    def _parcel(self, order: dict[str, Any]) -> int:
        """Put code and order for the run's first process into a file that has no name."""
        inside = order["child"] | {"scratch": order["scratch"]}
        inside["hook"] = self._code["hook"] if not order["notify"] else None
        inside["testing"] = self._code["testing"] if inside["kind"] == "pytest" else None
        order["argv"] = [order["python"], "-S", "-s", "-P", "-B", "-c", BOOT]
        place = os.memfd_create("order", os.MFD_CLOEXEC)
        words = marshal.dumps((self._code["child"], inside))
        while words:
            words = words[os.write(place, words) :]
        os.lseek(place, 0, os.SEEK_SET)
        return place


def compiled(name: str) -> types.CodeType:
    """Compile a script that is shipped into runs, so that it needs no file there and imports nothing."""
    text = (HERE / f"{name}.py").read_text().replace("from __future__ import annotations\n", "")
    code: types.CodeType = compile(text, f"<{name}>", "exec", flags=FUTURE, dont_inherit=True)
    return code


def _free_user() -> int:
    """Return a user that nobody else has while this launcher lives; nobody where such ids can't be had."""
    mapped = Path("/proc/self/uid_map").read_text().split()
    wanted = FIRST_USER + os.getpid()
    return wanted if int(mapped[0]) <= wanted < int(mapped[0]) + int(mapped[2]) else 65534


def _opened(places: list[str], uid: int) -> dict[str, int]:
    """Return user namespaces that show folders only their owner may read as the run's own."""
    found = {}
    for place in places:
        info = Path(place).stat()
        if info.st_mode & 0o005 != 0o005:
            found[place] = _user_space(info.st_uid, info.st_gid, uid)
    return found


def _user_space(owner: int, group: int, uid: int) -> int:
    """Make a user namespace in which `owner` is `uid`; return a descriptor of it."""
    go, goes = os.pipe()
    ready, says = os.pipe()
    helper = os.fork()
    if helper == 0:
        call("unshare", CLONE_NEWUSER)
        os.write(says, b"1")
        os.read(go, 1)
        os._exit(0)
    os.read(ready, 1)
    map_user(helper, owner, uid, group, uid)
    place = os.open(f"/proc/{helper}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    os.write(goes, b"1")
    for each in (go, goes, ready, says):
        os.close(each)
    os.waitpid(helper, 0)
    return place


def main() -> None:
    """Serve the socket named on the command line."""
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a run may send it to its keeper, which then must not care
    os.set_inheritable(control.fileno(), False)
    resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
    with suppress(ConnectionError):
        Spawner(control, sys.argv[2:]).serve()


if __name__ == "__main__":
    main()
