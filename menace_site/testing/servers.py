"""The test run's own PostgreSQL and Valkey, started when the first test that may need them was collected.

Every worker of a parallel run has servers of its own, so that tests which kill servers, or start Celery
workers on their queues, may run beside any other.
"""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import pytest
from redis import Redis

from menace_site.embedded.addresses import DATABASE, redis_url, secret, socket_dir
from menace_site.embedded.keeper import start_together, stop_together
from menace_site.embedded.locks import FileLock
from menace_site.embedded.postgres import THROWAWAY, Postgres
from menace_site.embedded.processes import leash
from menace_site.embedded.valkey import IN_MEMORY, Valkey

PREFIX = "menace-test-"
PURE = {"domain", "architecture"}  # folders of tests that need no server


@dataclass
class Servers:
    """The two servers of this run. `postgres` and `valkey` can be killed and started again by a test."""

    root: Path
    postgres: Postgres
    valkey: Valkey
    started: bool = False
    lock: FileLock | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start both, once."""
        if not self.started:
            start_together([self.postgres, self.valkey])
            self.started = True

    def restart_fallen(self) -> None:
        """Bring back what a test has killed."""
        fallen = [server for server in (self.postgres, self.valkey) if not server.running()]
        if fallen:
            start_together(fallen)

    def close(self) -> None:
        """Stop both and remove every trace."""
        stop_together([self.postgres, self.valkey])
        shutil.rmtree(socket_dir(self.root), ignore_errors=True)
        shutil.rmtree(self.root, ignore_errors=True)


_servers: Servers | None = None


def servers() -> Servers:
    """Return the servers of this process: of the run, or of one worker of a parallel run."""
    global _servers
    if _servers is None:
        _servers = _make()
    return _servers


def _make() -> Servers:
    if "PYTEST_XDIST_WORKER" not in os.environ:  # once a run: parallel workers make theirs at the same moment
        remove_abandoned(Path(tempfile.gettempdir()))
    root = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = FileLock(root / "run.lock")
    lock.acquire()
    return Servers(root, Postgres(root, THROWAWAY), Valkey(root, IN_MEMORY), lock=lock)


def remove_abandoned(folder: Path) -> None:
    """Remove what killed test runs left; nobody holds their lock any more."""
    for root in folder.glob(f"{PREFIX}*"):
        mine = root.is_dir() and not root.is_symlink() and root.stat().st_uid == os.getuid()
        if mine and (root / "run.lock").exists() and not FileLock(root / "run.lock").held_by_somebody():
            shutil.rmtree(socket_dir(root), ignore_errors=True)
            shutil.rmtree(root, ignore_errors=True)


def test_environment(root: Path) -> dict[str, str]:
    """Return the variables that point Django, and every process it starts, at the servers below `root`."""
    data = str(root / "data")
    return {
        "SANDBOX_DATA_DIR": data,
        "MENACE_DATA_DIR": data,
        "DATABASE_URL": database_url(DATABASE, secret(root, "services"), socket_dir(root)),
        "REDIS_URL": redis_url(root, {}),
        "DJANGO_ALLOW_ASYNC_UNSAFE": "1",  # Playwright's loop lives in the thread that also asks the database
    }


test_environment.__test__ = False  # type: ignore[attr-defined]


def database_url(name: str, password: str, host: Path) -> str:
    """Return the URL of one database of the private server."""
    return f"postgresql://{DATABASE}:{quote(password)}@/{name}?host={quote(str(host))}"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests() -> None:
    """Point the environment at the private servers before pytest-django reads the settings."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a run in the background would hand that on
        signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.update(test_environment(servers().root))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start the servers unless every collected test is plain Python, or others run the tests."""
    if session.config.option.collectonly or session.config.getoption("numprocesses", None):
        return
    if any(not PURE & set(item.path.parts) for item in session.items):
        servers().start()


def pytest_unconfigure() -> None:
    """Stop what this process started."""
    if _servers is not None:
        _servers.close()
    leash().close()


@pytest.fixture
def private_servers() -> Iterator[Servers]:
    """The run's servers, for tests that kill or freeze them; both run again afterwards."""
    yield servers()
    servers().restart_fallen()


@pytest.fixture
def valkey_client() -> Iterator[Redis]:
    """A client of the private Valkey, emptied before the test."""
    client = Redis.from_url(os.environ["REDIS_URL"])
    client.flushdb()
    yield client
    client.close()
