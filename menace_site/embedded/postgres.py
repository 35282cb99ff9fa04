"""An embedded PostgreSQL: made once, started on a private socket, recovered after a crash."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

from engines.domain.errors import NotConfigured
from menace_site.embedded.addresses import DATABASE, POSTGRES_PORT, secret, socket_dir
from menace_site.embedded.binaries import Program, find_postgres
from menace_site.embedded.processes import kill_group, launcher, spawn, stop

BUILTIN_LOCALE_SINCE = (17,)
WORKER_IO_SINCE = (18,)
OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "jit": "off",  # compiling costs more than the short queries of a console
    "log_min_messages": "warning",
    "log_line_prefix": "%m [%p] ",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off"}  # safe against kill -9, not against a power cut


class Postgres:
    """One server on one data directory. `options` are PostgreSQL's own, e.g. THROWAWAY for tests.

    Only one process may run it; whoever shares it holds a lock first (see `keeper`).
    """

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "postgres"
        self.log = data_dir / "logs" / "postgres.log"
        self.options = OPTIONS | dict(options or {})
        self.process: subprocess.Popen[bytes] | None = None
        self._as_user = os.getuid() == 0

    def start(self) -> None:
        """Make the cluster if there is none, and start the server without waiting until it answers."""
        program = find_postgres()
        self._prepare_folders()
        if not (self.folder / "PG_VERSION").is_file():
            self._create(program)
        self._refuse_other_version(program)
        self._recover()
        if program.version >= WORKER_IO_SINCE:
            self.options.setdefault("io_method", "sync")  # three helper processes less
        flags = [word for item in self.options.items() for word in ("-c", "=".join(item))]
        sockets = str(socket_dir(self.data_dir))
        command = [str(program.path), "-D", str(self.folder), "-k", sockets, "-p", str(POSTGRES_PORT), *flags]
        with self.log.open("ab") as output:
            self.process = spawn(command, output=output, orphaned=signal.SIGINT, as_user=self._as_user)

    def ready(self) -> bool:
        """Tell whether the server takes connections. Raises NotConfigured with its last words if it ended."""
        if self.process is None:
            return False
        if self.process.poll() is not None:
            raise NotConfigured(f"PostgreSQL ended at its start; {self.log} says:\n{tail(self.log)}")
        lines = self._pid_lines()
        return len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready"

    def running(self) -> bool:
        """Tell whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: connections are cut, everything is on disk (SIGQUIT: at once, recovery at next start)."""
        if self.process is not None:
            stop(self.process, number, patience=20)
            self.process = None

    def kill9(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            kill_group(self.process)
            self.process = None

    def _prepare_folders(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        prepare_socket_dir(self.data_dir)
        for abandoned in self.data_dir.glob("postgres.new-*"):  # somebody was killed while making it
            shutil.rmtree(abandoned)

    def _create(self, program: Program) -> None:
        """Make the cluster beside its place and move it there whole: nobody meets a half-made one."""
        draft = self.folder.with_name(f"postgres.new-{os.getpid()}")
        self._run(program, "initdb", "-D", str(draft), *_initdb_options(program))
        password = secret(self.data_dir, "services")
        script = (
            f"CREATE ROLE {DATABASE} LOGIN CREATEDB PASSWORD '{password}';\n"
            f"CREATE DATABASE {DATABASE} OWNER {DATABASE};\n"
        )
        self._run(program, "postgres", "--single", "-F", "-D", str(draft), "postgres", script=script)
        # a password even on a private socket: code in a sandbox may share our user
        (draft / "pg_hba.conf").write_text(f"local all {DATABASE} password\n")
        draft.rename(self.folder)

    def _run(self, program: Program, name: str, *arguments: str, script: str = "") -> None:
        command = [*launcher(as_user=self._as_user), str(program.path.with_name(name)), *arguments]
        done = subprocess.run(command, input=script, capture_output=True, text=True, check=False)
        if done.returncode != 0 or "ERROR:" in done.stderr:
            raise NotConfigured(f"{name} failed:\n{done.stderr.strip()[-2000:]}")

    def _refuse_other_version(self, program: Program) -> None:
        made_by = (self.folder / "PG_VERSION").read_text().strip()
        if made_by != str(program.version[0]):
            raise NotConfigured(
                f"{self.folder} was made by PostgreSQL {made_by}, "
                f"but {program.path} is {program.shown_version}; dump with the old version "
                "and load with the new one (docs/howto/deploy.md, Upgrade)"
            )

    def _pid_lines(self) -> list[str]:
        try:
            return (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _recover(self) -> None:
        """Clear what a killed server left: end its remains, drop a pid file that names a stranger."""
        lines = self._pid_lines()
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        if pid and psutil.pid_exists(pid) and not end_remains(pid, str(self.folder)):
            (self.folder / "postmaster.pid").unlink()
        for stale in socket_dir(self.data_dir).glob(".s.PGSQL.*"):
            stale.unlink()


def _initdb_options(program: Program) -> list[str]:
    common = ["-U", "postgres", "-E", "UTF8", "--no-sync", "--auth=reject"]
    if program.version >= BUILTIN_LOCALE_SINCE:  # the same order of text on every system
        return [*common, "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return [*common, "--locale=C.UTF-8"]


def prepare_socket_dir(data_dir: Path) -> None:
    """Make the private folder of the sockets. Raises NotConfigured if it belongs to somebody else."""
    directory = socket_dir(data_dir)
    for folder in (directory.parent, directory):
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700, parents=True)
        facts = folder.lstat()
        if folder.is_symlink() or facts.st_uid != os.getuid():
            raise NotConfigured(
                f"{folder} belongs to somebody else; set MENACE_RUNTIME_DIR to a folder of yours"
            )
        folder.chmod(0o700)


def end_remains(pid: int, folder: str) -> bool:
    """End a server that outlived its owner; False if the process is a stranger with a recycled number."""
    try:
        process = psutil.Process(pid)
        if folder not in " ".join(process.cmdline()):
            return False
        process.send_signal(signal.SIGINT)
        process.wait(20)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        process.kill()
        process.wait(5)
    time.sleep(0.2)  # its children notice by the closed pipe
    return True


def tail(log: Path, lines: int = 15) -> str:
    """Return the last lines of a log."""
    with contextlib.suppress(FileNotFoundError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return "(no log)"
