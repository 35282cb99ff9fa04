"""Carry out the attacks and the programs with known effects, and judge from outside. Standard library only.

Used by the tests, by `benchmarks/sandbox.py`, and as a command by users who may do less:
`python -I -S -B suite.py attacks|effects` prints a JSON list of what failed.
"""

import json
import os
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from orphans.sandbox import Kind, Limits, Measurement, Outcome, RunSpec, SubprocessRunner, judge  # noqa: E402
from orphans.sandbox.kernel import NUMBERS  # noqa: E402

HERE = ROOT / "tests" / "assets" / "attacks"
LIMITS = Limits(
    wall_seconds=6,
    cpu_seconds=4,
    memory_bytes=384 * 2**20,
    disk_bytes=32 * 2**20,
    file_bytes=64 * 2**20,
    output_bytes=2**20,
    artifact_bytes=2**20,
)
PATIENT = Limits(wall_seconds=120)
"""For what imports much on a machine that has much to do."""
KINDS = ("fs_", "net_", "proc_", "sec_", "kern_", "res_", "forge_", "leave_")
ATTACKS: list[str] = [name for name in runpy.run_path(str(HERE / "attacks.py")) if name.startswith(KINDS)]
Counts = dict[str, tuple[int, int, int]]
EXPECTED: Counts = runpy.run_path(str(HERE / "effects.py"))["EXPECTED"]
EFFECTS = list(EXPECTED)
LIBRARY_EXPECTED: Counts = runpy.run_path(str(HERE / "library_effects.py"))["EXPECTED"]
LIBRARY_EFFECTS = list(LIBRARY_EXPECTED)
"""Programs that need numpy, torch and the like, and so an interpreter that has them."""


class World:
    """What attacks look for: files, a key, listeners, a process with a secret. All made for one attack."""

    def __init__(self, place: Path) -> None:
        self.outside = place / "outside"
        self.checkout = place / "checkout"
        for folder in (self.outside, self.checkout / ".git"):
            folder.mkdir(parents=True)
        self.victim = self.outside / "victim.txt"
        self.victim.write_text("victim")
        self.victim.chmod(0o666)
        self.outside.chmod(0o777)
        self.key = place / "id_rsa"
        self.secret = f"CANARY{os.urandom(8).hex()}"
        self.key.write_text(self.secret)
        (self.checkout / ".git" / "config").write_text(self.secret)
        (self.checkout / "module.py").write_text("X = 1\n")
        self.reached: list[str] = []
        self._open: list[socket.socket] = []
        self.port = self._listen(socket.AF_INET, ("127.0.0.1", 0))[1]
        self.udp = self._listen(socket.AF_INET, ("127.0.0.1", 0), socket.SOCK_DGRAM)[1]
        self.unix = str(place / "s.sock")
        self._listen(socket.AF_UNIX, self.unix)
        self.abstract = f"abstract-{os.urandom(4).hex()}"
        self._listen(socket.AF_UNIX, "\0" + self.abstract)
        self.process = subprocess.Popen(["sleep", "100"], env={"KEY": self.secret})
        self.priority = os.getpriority(os.PRIO_PROCESS, self.process.pid)

    def _listen(self, family: int, address: Any, kind: int = socket.SOCK_STREAM) -> Any:
        line = socket.socket(family, kind)
        line.bind(address)
        if family == socket.AF_UNIX and address[0] != "\0":
            Path(address).chmod(0o777)
        if kind == socket.SOCK_STREAM:
            line.listen()
        self._open.append(line)
        threading.Thread(target=self._wait, args=(line, kind), daemon=True).start()
        return line.getsockname()

    def _wait(self, line: socket.socket, kind: int) -> None:
        line.settimeout(30)
        try:
            line.accept() if kind == socket.SOCK_STREAM else line.recv(10)
        except OSError:
            return
        self.reached.append(str(line))

    def known(self) -> dict[str, Any]:
        """Return what the attack is told."""
        return {
            "outside": str(self.outside), "victim": str(self.victim), "checkout": str(self.checkout),
            "key": str(self.key), "port": self.port, "udp": self.udp, "unix": self.unix,
            "abstract": self.abstract, "pid": self.process.pid, "secret": self.secret, "numbers": NUMBERS,
        }  # fmt: skip

    def harm(self) -> list[str]:
        """Return what an attack did to the world; empty: nothing."""
        found = list(self.reached)
        if [each.name for each in self.outside.iterdir()] != [
            "victim.txt"
        ] or self.victim.read_text() != "victim":
            found.append("files outside were changed")
        if self.victim.stat().st_mode & 0o777 != 0o666 or self.victim.stat().st_mtime < 2:
            found.append("the victim's attributes were changed")
        if sorted(each.name for each in self.checkout.iterdir()) != [".git", "module.py"]:
            found.append("the checkout was changed")
        if (self.checkout / "module.py").read_text() != "X = 1\n" or (
            self.checkout / ".git" / "hooks"
        ).exists():
            found.append("files of the checkout were changed")
        shared = [Path(each, self.abstract) for each in ("/tmp", "/dev/shm", "/var/tmp", "/run", "/run/lock")]
        found += [f"{each} was made" for each in shared if each.exists()]
        if (
            self.process.poll() is not None
            or os.getpriority(os.PRIO_PROCESS, self.process.pid) != self.priority
        ):
            found.append("a process outside was touched")
        return found

    def close(self) -> None:
        """End what was started."""
        self.process.kill()
        self.process.wait()
        for line in self._open:
            line.close()


@contextmanager
def world() -> Iterator[World]:
    """Make a world for one attack."""
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        Path(folder).chmod(0o755)
        made = World(Path(folder))
        try:
            yield made
        finally:
            made.close()


def attack(name: str, runner: SubprocessRunner) -> list[str]:
    """Carry out one attack; return what it achieved, nothing when it was contained."""
    with world() as there, tempfile.TemporaryDirectory() as store:
        measured = runner.run(
            RunSpec(
                kind=Kind.CALL,
                target=f"attacks:{name}",
                payload=there.known(),
                checkout=there.checkout,
                inputs={"attacks.py": HERE / "attacks.py"},
                artifacts=("report.json",),
                store=Path(store),
                limits=LIMITS,
            )
        )
        time.sleep(0.05 if name.startswith(("net_", "forge_late", "proc_")) else 0)
        found = there.harm()
        if there.secret in measured.output_tail or there.secret in str(measured.result):
            found.append("a secret was seen")
        if any(Path(store).rglob("??/*")) and name.startswith("leave_"):
            found.append("a dishonest file was taken")
    return found + _achieved(name, measured) + alive(there.checkout)


def _achieved(name: str, measured: Measurement) -> list[str]:
    """Judge what the attack itself says, and what was measured of it."""
    if name.startswith("forge_"):
        forged = judge.compared(measured, True).ok
        return ["a verdict was forged"] if forged else []
    if name.startswith("leave_"):
        return [] if name in ("leave_tree", "leave_deep") or not measured.ok else ["the run counts as good"]
    if name in ("proc_hang_up_keeper", "proc_daemon"):
        return [] if measured.ok else [f"the run did not go on: {measured.explain()}"]
    found = [f"it got {measured.result}"] if measured.ok and measured.result is not None else []
    if (measured.wall_seconds or 0) > LIMITS.wall_seconds + 2:
        found.append(f"it took {measured.wall_seconds:.1f} s")
    if (measured.max_rss_bytes or 0) > 640 * 2**20:
        found.append(f"it used {measured.max_rss_bytes} bytes")
    return found


def alive(checkout: Path, seconds: float = 2.0) -> list[str]:
    """Return what still runs of a run after some seconds, in words; a keeper may be on its way out before."""
    end = time.monotonic() + seconds
    while inside(checkout) and time.monotonic() < end:
        time.sleep(0.005)
    return [f"process {pid} lives on" for pid in inside(checkout)]


def inside(checkout: Path) -> list[int]:
    """Return the processes that see this checkout as a mount of its own: those of its run, however made.

    No process of a run can leave its mount namespace, and nobody outside has such a mount.
    """
    found = []
    for place in Path("/proc").glob("[0-9]*/mountinfo"):
        with suppress(OSError):
            if f" {checkout} " in place.read_text(errors="replace"):
                found.append(int(place.parent.name))
    return found


def effect(name: str, runner: SubprocessRunner) -> list[str]:
    """Run one program of known effects; return what was counted otherwise."""
    module = "library_effects" if name in LIBRARY_EXPECTED else "effects"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "file")
        file.write_text("x" * 100)
        measured = runner.run(
            RunSpec(
                kind=Kind.CALL,
                target=f"{module}:{name}",
                payload={"file": "given", "numbers": NUMBERS},
                inputs={f"{module}.py": HERE / f"{module}.py", "given": file},
                limits=LIMITS if module == "effects" else PATIENT,
            )
        )
    told = measured.attempts
    if told is None or not told.exact:
        return ["nothing was counted by the kernel"]
    counted = (told.file_writes, told.network_connections, told.subprocesses)
    wanted = LIBRARY_EXPECTED[name] if name in LIBRARY_EXPECTED else EXPECTED[name]
    replaced = name == "p_replaced" and measured.outcome is Outcome.FAILED
    if not measured.ok and not replaced:
        return [f"it did not run: {measured.explain()}"]
    return [] if counted == wanted else [f"counted {counted}, not {wanted}: {dict(told.examples)}"]


def failures(what: str, runner: SubprocessRunner | None = None, only: str = "") -> dict[str, list[str]]:
    """Carry out all of one kind; return what failed, by name."""
    runner = runner or SubprocessRunner()
    names = {"attacks": ATTACKS, "effects": EFFECTS, "libraries": LIBRARY_EFFECTS}[what]
    carry_out = attack if what == "attacks" else effect
    told = {name: carry_out(name, runner) for name in names if only in name}
    return {name: found for name, found in told.items() if found}


if __name__ == "__main__":
    found = failures(sys.argv[1], only=sys.argv[2] if len(sys.argv) > 2 else "")
    names = ATTACKS if sys.argv[1] == "attacks" else EFFECTS
    print(json.dumps({"of": len(names), "failed": found, "user": os.geteuid()}))
