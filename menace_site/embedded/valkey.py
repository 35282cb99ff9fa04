"""An embedded Valkey: broker, cache and event bus on a private socket, durable within a second."""

import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil

from engines.domain.errors import NotConfigured
from menace_site.embedded.addresses import secret, valkey_socket
from menace_site.embedded.binaries import find_valkey
from menace_site.embedded.postgres import end_remains, prepare_socket_dir, tail
from menace_site.embedded.processes import kill_group, spawn, stop

OPTIONS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": '""',
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",  # after a power cut the last second may be missing; rows are the truth
    "maxmemory": "256mb",
    "maxmemory-policy": "noeviction",  # a broker that forgets messages to make room is worse than a full one
    "loglevel": "warning",
}
IN_MEMORY = {"appendonly": "no"}


class Valkey:
    """One server on one data directory. `options` are lines of its own configuration, e.g. IN_MEMORY."""

    def __init__(self, data_dir: Path, options: Mapping[str, str] | None = None) -> None:
        self.data_dir = data_dir
        self.folder = data_dir / "valkey"
        self.log = data_dir / "logs" / "valkey.log"
        self.options = OPTIONS | dict(options or {})
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server without waiting until it answers."""
        program = find_valkey()
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        prepare_socket_dir(self.data_dir)
        self._recover()
        with self.log.open("ab") as output:
            self.process = spawn(
                [str(program.path), str(self._write_configuration())], output=output, cwd=self.folder
            )
        (self.folder / "pid").write_text(str(self.process.pid))

    def ready(self) -> bool:
        """Tell whether the server answers. Raises NotConfigured with its last words if it ended."""
        if self.process is None:
            return False
        if self.process.poll() is not None:
            raise NotConfigured(f"Valkey ended at its start; {self.log} says:\n{tail(self.log)}")
        return answers(valkey_socket(self.data_dir), secret(self.data_dir, "services"))

    def running(self) -> bool:
        """Tell whether the server's process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """End it; what it holds is on disk."""
        if self.process is not None:
            stop(self.process, number, patience=10)
            self.process = None

    def kill9(self) -> None:
        """End it as a power cut would."""
        if self.process is not None:
            kill_group(self.process)
            self.process = None

    def _write_configuration(self) -> Path:
        """Write the options to a file, so that the password is on no command line."""
        lines = [f"{name} {value}" for name, value in self.options.items()]
        lines += [
            f"unixsocket {valkey_socket(self.data_dir)}",
            f"requirepass {secret(self.data_dir, 'services')}",
        ]
        path = self.folder / "valkey.conf"
        path.touch(mode=0o600)
        path.write_text("\n".join(lines) + "\n")
        return path

    def _recover(self) -> None:
        """Clear what a killed server left."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            pid = int((self.folder / "pid").read_text())
            if psutil.pid_exists(pid) and _works_in(pid) == self.folder.resolve():
                end_remains(pid, "")
        valkey_socket(self.data_dir).unlink(missing_ok=True)


def _works_in(pid: int) -> Path | None:
    """Return a process's working folder: Valkey rewrites its command line, but lives in its folder."""
    try:
        return Path(psutil.Process(pid).cwd())
    except psutil.Error:
        return None


def answers(path: Path, password: str) -> bool:
    """Tell whether a server on this socket takes the password and is done with loading."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(os.fspath(path))
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        reply = b""
        while reply.count(b"\r\n") < 2 and (part := connection.recv(256)):
            reply += part
        return b"+PONG" in reply
    return False
