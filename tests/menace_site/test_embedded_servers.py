"""The embedded servers start from nothing, survive kills, and are shared by those who use them."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from engines.domain.errors import Conflict, NotConfigured
from menace_site.embedded.addresses import database_settings, redis_url, secret, socket_dir, valkey_socket
from menace_site.embedded.keeper import keeper_lock, start_together, stop_together
from menace_site.embedded.postgres import THROWAWAY, Postgres
from menace_site.embedded.services import ensure_services, read_state
from menace_site.embedded.valkey import Valkey, answers
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a cluster in it, to copy: making one anew takes most of a test's time."""
    folder = tmp_path_factory.mktemp("made")
    server = Postgres(folder, THROWAWAY)
    start_together([server])
    server.stop()
    return folder


@pytest.fixture
def data_dir(made_once: Path, tmp_path: Path) -> Path:
    """A data folder of this test alone with a cluster in it."""
    return Path(shutil.copytree(made_once, tmp_path / "data"))


@pytest.fixture
def postgres(data_dir: Path) -> Iterator[Postgres]:
    """A server of this test alone."""
    server = Postgres(data_dir, THROWAWAY)
    yield server
    server.stop()


@pytest.fixture
def valkey(data_dir: Path) -> Iterator[Valkey]:
    """A server of this test alone."""
    server = Valkey(data_dir)
    yield server
    server.stop()


def connect(data_dir: Path) -> "psycopg.Connection[tuple[object, ...]]":
    """Connect as the settings do."""
    facts = database_settings(data_dir, {})
    return psycopg.connect(
        dbname=facts["NAME"],
        user=facts["USER"],
        password=facts["PASSWORD"],
        host=facts["HOST"],
        port=facts["PORT"],
    )


def test_postgres_keeps_its_rows_over_kill_9(postgres: Postgres) -> None:
    start_together([postgres])
    with connect(postgres.data_dir) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    postgres.kill9()
    start_together([postgres])
    with connect(postgres.data_dir) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)
        facts = connection.execute("SELECT usesuper, usecreatedb FROM pg_user WHERE usename = 'menace'")
        assert facts.fetchone() == (False, True), "the site is no superuser"


def test_postgres_opens_no_port_and_asks_for_a_password(postgres: Postgres) -> None:
    start_together([postgres])
    assert postgres.process is not None
    assert psutil.Process(postgres.process.pid).net_connections("inet") == []
    for user in ("menace", "postgres"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(dbname="menace", user=user, password="x", host=str(socket_dir(postgres.data_dir)))


def test_a_pid_file_that_names_a_stranger_is_dropped(postgres: Postgres) -> None:
    start_together([postgres])
    postgres.kill9()
    pid_file = postgres.folder / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    start_together([postgres])
    assert postgres.ready()


def test_a_server_that_outlived_its_owner_is_replaced(
    data_dir: Path, postgres: Postgres, valkey: Valkey
) -> None:
    start_together([postgres, valkey])
    assert postgres.process is not None
    assert valkey.process is not None
    second, third = Postgres(data_dir, THROWAWAY), Valkey(data_dir)
    start_together([second, third])
    assert postgres.process.wait(5) is not None
    assert valkey.process.wait(5) is not None
    stop_together([second, third])


def test_a_half_made_cluster_is_thrown_away(postgres: Postgres) -> None:
    draft = postgres.data_dir / "postgres.new-1234"
    draft.mkdir()
    (draft / "PG_VERSION").write_text("18\n")
    start_together([postgres])
    assert not draft.exists()


def test_a_cluster_of_another_version_is_refused(postgres: Postgres) -> None:
    (postgres.folder / "PG_VERSION").write_text("9\n")
    with pytest.raises(NotConfigured, match="made by PostgreSQL 9"):
        postgres.start()


def test_a_bad_option_is_reported_in_the_servers_words(data_dir: Path) -> None:
    server = Postgres(data_dir, {"shared_buffers": "nonsense"})
    server.start()
    with pytest.raises(NotConfigured, match="shared_buffers"):
        until(server.ready)
    server.stop()


def test_valkey_keeps_its_messages_over_a_power_cut(valkey: Valkey) -> None:
    start_together([valkey])
    with Redis.from_url(redis_url(valkey.data_dir, {})) as client:
        client.lpush("queue", "1")
        until(lambda: client.info("persistence")["aof_pending_bio_fsync"] == 0)
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    time.sleep(1.1)  # it writes to disk every second
    valkey.kill9()
    start_together([valkey])
    with Redis.from_url(redis_url(valkey.data_dir, {})) as client:
        assert client.llen("queue") == 1


def test_valkey_asks_for_the_password_and_hides_it(valkey: Valkey) -> None:
    start_together([valkey])
    assert valkey.process is not None
    assert not answers(valkey_socket(valkey.data_dir), "wrong")
    assert secret(valkey.data_dir, "services") not in " ".join(psutil.Process(valkey.process.pid).cmdline())
    assert (valkey.folder / "valkey.conf").stat().st_mode & 0o077 == 0


def test_a_folder_of_somebody_else_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="m-") as name:  # a socket's path has to be short
        place = Path(name)
        (place / "elsewhere").mkdir()
        (place / f"menace-{os.getuid()}").symlink_to(place / "elsewhere")
        monkeypatch.setenv("MENACE_RUNTIME_DIR", name)
        with pytest.raises(NotConfigured, match="belongs to somebody else"):
            Valkey(place / "data").start()


def test_commands_share_the_servers_and_the_last_one_ends_them(tmp_path: Path) -> None:
    first = ensure_services(tmp_path, {})
    keeper = read_state(tmp_path)["pid"]
    second = ensure_services(tmp_path, {})
    assert read_state(tmp_path)["pid"] == keeper
    first.close_and_wait()
    with connect(tmp_path) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.close_and_wait()
    assert not keeper_lock(tmp_path).held_by_somebody()
    with pytest.raises(psycopg.OperationalError):
        connect(tmp_path)


def test_a_killed_user_does_not_keep_the_servers(data_dir: Path) -> None:
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from menace_site.embedded.services import ensure_services\n"
        "services = ensure_services(Path(sys.argv[1]), {})\nprint('ready', flush=True)\ntime.sleep(60)"
    )
    words = [sys.executable, "-c", code, str(data_dir)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=ROOT) as user:
        assert user.stdout is not None
        assert user.stdout.readline() == "ready\n"
        user.kill()
        user.wait()
    until(lambda: not keeper_lock(data_dir).held_by_somebody())
    assert not (data_dir / "postgres" / "postmaster.pid").exists(), "it was an orderly stop"


def test_the_servers_come_back_after_their_keeper_was_killed(data_dir: Path) -> None:
    services = ensure_services(data_dir, {})
    os.kill(read_state(data_dir)["pid"], signal.SIGKILL)
    until(lambda: not keeper_lock(data_dir).held_by_somebody())
    again = ensure_services(data_dir, {})
    with connect(data_dir) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    services.close()
    again.close_and_wait()


def test_a_server_that_falls_is_started_again_by_the_keeper(data_dir: Path) -> None:
    services = ensure_services(data_dir, {})
    password = secret(data_dir, "services")
    os.kill(int((data_dir / "valkey" / "pid").read_text()), signal.SIGKILL)
    until(lambda: not answers(valkey_socket(data_dir), password))
    until(lambda: answers(valkey_socket(data_dir), password))
    services.close_and_wait()


def test_another_mix_of_servers_is_refused_while_they_run(tmp_path: Path) -> None:
    services = ensure_services(tmp_path, {"DATABASE_URL": "postgresql://elsewhere/menace"})
    assert services.servers == ["valkey"]
    with pytest.raises(Conflict, match="in use with valkey embedded"):
        ensure_services(tmp_path, {})
    services.close_and_wait()


def test_with_external_servers_nothing_is_started(tmp_path: Path) -> None:
    urls = {"DATABASE_URL": "postgresql://db/menace", "REDIS_URL": "redis://redis"}
    ensure_services(tmp_path, urls).close_and_wait()
    assert list(tmp_path.iterdir()) == []


def test_a_failing_start_is_told_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("9\n")
    with pytest.raises(NotConfigured, match="made by PostgreSQL 9"):
        ensure_services(tmp_path, {})
