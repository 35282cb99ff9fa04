"""A private installation for benchmarks: `manage.py up` on a folder of its own, gone afterwards."""

import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_SECONDS = 120.0


class Installation:
    """One data folder, one port, and the processes that run on them."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir.parent / "up.log"
        self.port = _free_port()
        self._cookies: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> float:
        """Start everything and return the moment when that began; nothing is waited for."""
        self._cookies.clear()
        environ = {
            key: value for key, value in os.environ.items() if key not in {"DATABASE_URL", "REDIS_URL"}
        }
        environ |= {"SANDBOX_DATA_DIR": str(self.data_dir)}
        words = [sys.executable, "manage.py", "up", "--no-open", "--port", str(self.port)]
        begun = time.monotonic()
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(words, cwd=ROOT, env=environ, stdout=output, stderr=output)
        return begun

    def stop(self) -> None:
        """Stop everything as Ctrl-C does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(60)

    def processes(self) -> list[psutil.Process]:
        """Return the supervisor, the keeper of the servers, and everything below them."""
        if self._process is None:
            return []
        keepers = [
            one for one in psutil.process_iter() if _words(one)[-3:-2] == [str(self.data_dir.resolve())]
        ]
        tops = [psutil.Process(self._process.pid), *keepers]
        return [each for top in tops for each in (top, *top.children(recursive=True))]

    def get(self, path: str) -> int:
        """Return the status of one page; 0 while nobody listens."""
        return self._request("GET", path)[0]

    def wait_for(self, path: str) -> float:
        """Wait until a page answers 200 and return that moment."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.get(path) != http.HTTPStatus.OK:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{path} never answered; {self.log} says:\n{self.log.read_text()[-3000:]}")
            time.sleep(0.05)
        return time.monotonic()

    def sign_in_when_possible(self) -> None:
        """Sign in as soon as the first administrator exists."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._sign_in():
            if time.monotonic() > deadline:
                raise TimeoutError("could not sign in")
            time.sleep(0.05)

    def _sign_in(self) -> bool:
        """Sign in with the password that `up` keeps; False while there is none."""
        kept = self.data_dir / "secrets" / "admin-password"
        _, page = self._request("GET", "/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
        if token is None or not kept.is_file():
            return False
        form = {
            "username": "admin",
            "password": kept.read_text().strip(),
            "csrfmiddlewaretoken": token[1],
        }
        status, _ = self._request("POST", "/login/", urllib.parse.urlencode(form))
        return status == http.HTTPStatus.FOUND

    def _request(self, method: str, path: str, body: str | None = None) -> tuple[int, str]:
        headers = {"Cookie": "; ".join(f"{key}={value}" for key, value in self._cookies.items())}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
                connection.request(method, path, body, headers)
                reply = connection.getresponse()
                for key, value in reply.getheaders():
                    if key.lower() == "set-cookie":
                        name, _, rest = value.partition("=")
                        self._cookies[name] = rest.split(";")[0]
                return reply.status, reply.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return 0, ""


@contextmanager
def fresh() -> Iterator[Installation]:
    """An installation that has never run; it is stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="menace-bench-"))
    one = Installation(folder / "data")
    try:
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
