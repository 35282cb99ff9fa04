"""`manage.py up` from nothing to a page, through falls and kills, to a stop that leaves nothing."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from menace_site.embedded.addresses import ADMIN_PASSWORD_FILE
from menace_site.supervisor import state
from menace_site.supervisor.ready import choose_port, health
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]
EMBEDDED = {"DATABASE_URL": "", "REDIS_URL": ""}
START_SECONDS = 90.0


class Installation:
    """One data directory and the supervisor that runs on it."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_suffix(".log")
        self.port = choose_port("127.0.0.1", None)
        self.environ = {
            **os.environ,
            **EMBEDDED,
            "SANDBOX_DATA_DIR": str(data_dir),
            "MENACE_DATA_DIR": str(data_dir),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run another command beside the supervisor."""
        words = [sys.executable, "manage.py", *arguments]
        return subprocess.run(words, cwd=ROOT, env=self.environ, capture_output=True, text=True, check=False)

    def up(self) -> None:
        """Start everything and wait until `/health` is content."""
        words = [sys.executable, "manage.py", "up", "--no-open", "--no-demo", "--port", str(self.port)]
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(words, cwd=ROOT, env=self.environ, stdout=output, stderr=output)
        until(self.ready, START_SECONDS, self.said)

    def ready(self) -> bool:
        """Whether all parts answer."""
        return health("127.0.0.1", self.port)[0]

    def said(self) -> str:
        """What it printed."""
        return self.log.read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """Every process of this installation."""
        named = [one for one in psutil.process_iter() if self._is_mine(one)]
        below: list[psutil.Process] = []
        for one in named:
            with contextlib.suppress(psutil.NoSuchProcess):  # it may end while we look
                below += one.children(recursive=True)
        return list({one.pid: one for one in [*named, *below]}.values())

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            words = " ".join(process.cmdline())
            folder = process.environ().get("SANDBOX_DATA_DIR")
        except psutil.Error:
            return False
        return process.pid != os.getpid() and (str(self.data_dir) in words or folder == str(self.data_dir))

    def end(self, number: signal.Signals) -> int:
        """Signal the supervisor and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation that has never run."""
    one = Installation(tmp_path / "data")
    yield one
    if one.process is not None and one.process.poll() is None:
        one.end(signal.SIGKILL)
    until(lambda: not one.family(), 20)


def sign_in(port: int, password: str) -> int:
    """Sign in as a browser would and return the status of the answer: 302 on success."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", "/login/")
        page = connection.getresponse()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.read().decode())
        assert token is not None
        cookies = "; ".join(
            value.split(";")[0] for key, value in page.getheaders() if key.lower() == "set-cookie"
        )
        body = urllib.parse.urlencode(
            {"username": "admin", "password": password, "csrfmiddlewaretoken": token[1]}
        )
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/login/", body, headers)
        return connection.getresponse().status


def test_from_nothing_to_a_page_and_an_orderly_stop(installation: Installation) -> None:
    installation.up()
    kept = installation.data_dir / ADMIN_PASSWORD_FILE
    until(kept.exists, 30)
    password = kept.read_text().strip()
    assert kept.stat().st_mode & 0o777 == 0o600
    until(lambda: f"with the password {password}" in installation.said(), 30, installation.said)
    assert sign_in(installation.port, "wrong") == 200
    assert sign_in(installation.port, password) == 302

    second = installation.manage("up", "--no-open")
    assert second.returncode == 3
    assert installation.process is not None
    assert str(installation.process.pid) in second.stderr

    shared = installation.manage("showmigrations", "engines")
    assert "[X] 0001_initial" in shared.stdout
    assert installation.ready(), "a command that ends must not take the servers along"

    assert installation.end(signal.SIGINT) == 0
    until(lambda: not installation.family(), 10)
    assert state.running(installation.data_dir) == {}
    assert not (installation.data_dir / "postgres" / "postmaster.pid").exists()


def test_what_falls_is_started_again(installation: Installation) -> None:
    installation.up()
    before = state.running(installation.data_dir)["children"]
    os.kill(before["web"], signal.SIGKILL)
    os.kill(before["worker"], signal.SIGKILL)
    keeper = json.loads((installation.data_dir / "run" / "keeper.json").read_text())["pid"]
    os.kill(keeper, signal.SIGKILL)

    def all_new() -> bool:
        after = state.running(installation.data_dir)["children"]
        return (
            all(after[name] not in {None, before[name]} for name in ("web", "worker"))
            and installation.ready()
        )

    until(all_new, START_SECONDS, installation.said)
    assert "web was killed by signal 9; starting it again in 1 s" in installation.said()
    assert installation.end(signal.SIGTERM) == 0


def test_kill_9_leaves_nothing_and_the_next_start_recovers(installation: Installation) -> None:
    installation.up()
    assert len(installation.family()) > 8
    installation.end(signal.SIGKILL)
    until(lambda: not installation.family(), 15, lambda: str(installation.family()))
    installation.up()
    assert "first password is in" in installation.said()
    assert installation.end(signal.SIGTERM) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--only", "web,database"], "--only takes a list of web, worker, beat"),
        (["--port", "99999"], "--port must be between 1 and 65535"),
    ],
)
def test_a_bad_option_is_refused(installation: Installation, arguments: list[str], reason: str) -> None:
    done = installation.manage("up", *arguments)
    assert done.returncode == 2
    assert reason in done.stderr
    assert not installation.data_dir.joinpath("postgres").exists()
