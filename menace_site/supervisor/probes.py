"""What the project needs of a machine, looked at one by one without starting anything."""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from engines.domain.errors import MenaceError
from menace_site.embedded.addresses import socket_dir
from menace_site.embedded.binaries import Program, find_postgres, find_valkey, parse_version
from menace_site.embedded.launch import can_enter_user_namespace
from menace_site.supervisor import state
from menace_site.supervisor.ready import DEFAULT_PORT, is_free

NEEDED_BYTES = 1_000_000_000
GIT_FLOOR = (2, 25)
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True)
class Finding:
    """One need: whether it is met, what was found, and what to do about it."""

    name: str
    ok: bool
    detail: str
    remedy: str = ""
    required: bool = True

    @property
    def word(self) -> str:
        """ok, missing (stops the start) or absent (only takes something away)."""
        if self.ok:
            return "ok"
        return "missing" if self.required else "absent"

    def as_dict(self) -> dict[str, Any]:
        """Return it for JSON."""
        return {"state": self.word, **asdict(self)}


@dataclass(frozen=True)
class Machine:
    """What the probes look at."""

    data_dir: Path
    environ: Mapping[str, str]


def python(machine: Machine) -> Finding:
    """The interpreter."""
    remedy = "install Python 3.11 or newer and run make setup again"
    return Finding(
        "python", sys.version_info >= (3, 11), f"{platform.python_version()} ({sys.executable})", remedy
    )


def git(machine: Machine) -> Finding:
    """Git, with which bots are read and candidates written."""
    path = shutil.which("git")
    if path is None:
        return Finding("git", False, "not found", "install git (Debian: apt-get install git)")
    done = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = parse_version(done.stdout)
    return Finding("git", found >= GIT_FLOOR, f"{shown(found)} ({path})", "install git 2.25 or newer")


def data_dir(machine: Machine) -> Finding:
    """The folder of all state."""
    folder = machine.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        remedy = "give the folder to the user who runs this, or set SANDBOX_DATA_DIR to another"
        return Finding("data folder", False, f"{folder}: {error.strerror}", remedy)
    return Finding("data folder", True, str(folder))


def disk(machine: Machine) -> Finding:
    """Room for the database, artifacts and work copies."""
    folder = next(place for place in (machine.data_dir, *machine.data_dir.parents) if place.exists())
    free = shutil.disk_usage(folder).free
    remedy = "free at least 1 GB, or set SANDBOX_DATA_DIR to a folder on another disk"
    return Finding("disk", free >= NEEDED_BYTES, f"{free / 1e9:.1f} GB free", remedy)


def sockets(machine: Machine) -> Finding:
    """The short private folder of the embedded servers' sockets."""
    try:
        return Finding("sockets", True, str(socket_dir(machine.data_dir)))
    except MenaceError as error:
        return Finding("sockets", False, "path too long", str(error))


def postgres(machine: Machine) -> Finding:
    """The PostgreSQL that would be started; a server named by DATABASE_URL is asked by `servers`."""
    return _program("postgresql", find_postgres)


def valkey(machine: Machine) -> Finding:
    """The Valkey that would be started; a server named by REDIS_URL is asked by `servers`."""
    return _program("valkey", find_valkey)


def _program(name: str, find: Callable[[], Program]) -> Finding:
    try:
        program = find()
    except MenaceError as error:
        return Finding(name, False, "not found", str(error))
    return Finding(name, True, f"{program.shown_version} from the {program.source} ({program.path})")


def torch(machine: Machine) -> Finding:
    """Torch, which neural pipelines train with; looked up without importing it."""
    try:
        return Finding("torch", True, version("torch"))
    except PackageNotFoundError:
        return Finding("torch", False, "not installed", "run make setup")


def namespaces(machine: Machine) -> Finding:
    """User namespaces, with which the sandbox hides the machine from a bot."""
    ok = sys.platform == "linux" and can_enter_user_namespace()
    detail = "allowed" if ok else "not allowed"
    remedy = "the sandbox isolates less; on Linux allow user namespaces to the user who runs the workers"
    return Finding("user namespaces", ok, detail, remedy, required=False)


def chromium(machine: Machine) -> Finding:
    """A browser, for the tests alone."""
    named = machine.environ.get("CHROMIUM_PATH")
    found = next(filter(None, (shutil.which(name) for name in ([named] if named else BROWSERS))), None)
    remedy = "only make test needs it: apt-get install chromium, or set CHROMIUM_PATH"
    return Finding("chromium", found is not None, found or "not found", remedy, required=False)


def port(machine: Machine) -> Finding:
    """The usual port of the site."""
    running = state.running(machine.data_dir)
    if running:
        return Finding("port", True, f"in use by this installation, {running.get('url')}", required=False)
    free = is_free("127.0.0.1", DEFAULT_PORT)
    remedy = "manage.py up takes the next free one; --port chooses"
    return Finding("port", free, f"{DEFAULT_PORT} {'free' if free else 'taken'}", remedy, required=False)


def shown(numbers: tuple[int, ...]) -> str:
    """Return a version as people write it."""
    return ".".join(map(str, numbers)) or "unknown version"


BEFORE_START = (git, data_dir, disk, sockets)
LATER = (torch, namespaces, port, chromium)


def examine(machine: Machine, probes: Sequence[Callable[[Machine], Finding]]) -> list[Finding]:
    """Look at each need."""
    return [probe(machine) for probe in probes]


def lacking(findings: list[Finding]) -> list[str]:
    """Return a line for each need that stops the start."""
    return [
        f"{finding.name}: {finding.detail}. {finding.remedy}"
        for finding in findings
        if finding.required and not finding.ok
    ]


def this_machine(folder: Path) -> Machine:
    """Return the machine that this process runs on."""
    return Machine(folder, os.environ)
