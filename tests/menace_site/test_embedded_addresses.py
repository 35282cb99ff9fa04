"""Addresses are plain arithmetic: short, private, and clear about what is wrong with a URL."""

import os
import stat
import threading
from pathlib import Path
from urllib.parse import quote

import pytest

from engines.domain.errors import InvalidInput, NotConfigured
from menace_site.embedded.addresses import (
    SOCKET_PATH_LIMIT,
    broker_url,
    database_settings,
    redis_url,
    secret,
    secret_key,
    socket_dir,
    valkey_socket,
)


def test_two_data_folders_never_share_a_socket(tmp_path: Path) -> None:
    folders = {socket_dir(tmp_path / str(number)) for number in range(50)}
    assert len(folders) == 50


def test_a_long_data_folder_still_gives_a_short_socket(tmp_path: Path) -> None:
    long = tmp_path / ("x" * 100) / ("y" * 100)
    assert len(os.fsencode(socket_dir(long) / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT
    assert len(os.fsencode(valkey_socket(long))) <= SOCKET_PATH_LIMIT


def test_the_same_folder_by_another_path_is_the_same_address(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert socket_dir(tmp_path / "link") == socket_dir(tmp_path / "data")


def test_a_runtime_folder_that_is_too_long_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MENACE_RUNTIME_DIR", "/tmp/" + "z" * 90)
    with pytest.raises(InvalidInput, match="MENACE_RUNTIME_DIR") as caught:
        socket_dir(tmp_path)
    assert caught.value.field == "MENACE_RUNTIME_DIR"


def test_without_urls_everything_is_on_private_sockets(tmp_path: Path) -> None:
    database = database_settings(tmp_path, {})
    assert database["HOST"] == str(socket_dir(tmp_path))
    assert database["PASSWORD"] == secret(tmp_path, "services")
    assert redis_url(tmp_path, {}).startswith("unix://:")
    assert broker_url(tmp_path, {}).startswith("redis+socket://:")
    assert "virtual_host=0" in broker_url(tmp_path, {})


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://u:p%40ss@db:5433/menace", ("menace", "u", "p@ss", "db", "5433")),
        ("postgres://db/menace", ("menace", "", "", "db", "")),
        ("postgresql://u@/menace?host=/run/postgresql", ("menace", "u", "", "/run/postgresql", "")),
        ("postgresql://u@[::1]:5432/m", ("m", "u", "", "::1", "5432")),
    ],
)
def test_a_database_url_is_read(tmp_path: Path, url: str, expected: tuple[str, ...]) -> None:
    found = database_settings(tmp_path, {"DATABASE_URL": url})
    assert tuple(found[key] for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT")) == expected


def test_options_of_a_database_url_reach_the_driver(tmp_path: Path) -> None:
    url = "postgresql://u@db/menace?sslmode=require&connect_timeout=9"
    assert database_settings(tmp_path, {"DATABASE_URL": url})["OPTIONS"] == {
        "sslmode": "require",
        "connect_timeout": "9",
    }


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DATABASE_URL", "mysql://db/menace"),
        ("DATABASE_URL", "sqlite:///menace.db"),
        ("DATABASE_URL", "postgresql://db"),
        ("DATABASE_URL", "postgresql://db:port/menace"),
        ("DATABASE_URL", "postgresql://[db/menace"),
        ("DATABASE_URL", "menace"),
        ("REDIS_URL", "http://redis"),
        ("REDIS_URL", "redis://"),
        ("REDIS_URL", "redis://host:99999999/0"),
        ("REDIS_URL", "localhost:6379"),
    ],
)
def test_a_bad_url_is_refused_by_the_name_of_its_variable(tmp_path: Path, variable: str, value: str) -> None:
    read = {"DATABASE_URL": database_settings, "REDIS_URL": redis_url}[variable]
    with pytest.raises(InvalidInput, match=variable) as caught:
        read(tmp_path, {variable: value})
    assert caught.value.field == variable
    assert "menace.db" not in str(caught.value), "a URL may hold a password: it is not repeated"


@pytest.mark.parametrize(
    ("given", "for_redis", "for_celery"),
    [
        ("redis://r:6379/3", "redis://r:6379/3", "redis://r:6379/3"),
        ("unix:///r.sock?db=2", "unix:///r.sock?db=2", "redis+socket:///r.sock?virtual_host=2"),
        (
            "redis+socket:///r.sock?virtual_host=2",
            "unix:///r.sock?db=2",
            "redis+socket:///r.sock?virtual_host=2",
        ),
    ],
)
def test_a_redis_url_is_spelt_for_both_clients(
    tmp_path: Path, given: str, for_redis: str, for_celery: str
) -> None:
    assert redis_url(tmp_path, {"REDIS_URL": given}) == for_redis
    assert broker_url(tmp_path, {"REDIS_URL": given}) == for_celery


def test_a_secret_is_random_private_and_stays(tmp_path: Path) -> None:
    first = secret(tmp_path, "services")
    assert secret(tmp_path, "services") == first
    assert secret(tmp_path / "other", "services") != first
    assert len(first) >= 60
    assert quote(first, safe="") == first, "it goes into URLs"
    assert stat.S_IMODE((tmp_path / "secrets" / "services").stat().st_mode) == 0o600


def test_many_first_readers_agree_on_one_secret(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(secret(tmp_path, "x"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 20
    assert len(set(found)) == 1
    assert [path.name for path in (tmp_path / "secrets").iterdir()] == ["x"]


def test_the_secret_key_comes_from_the_environment_first(tmp_path: Path) -> None:
    assert secret_key(tmp_path, {"DJANGO_SECRET_KEY": "given"}) == "given"
    assert secret_key(tmp_path, {}) == secret_key(tmp_path, {})


def test_production_refuses_to_invent_a_secret_key(tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match="DJANGO_SECRET_KEY"):
        secret_key(tmp_path, {"MENACE_PRODUCTION": "1"})
    assert not (tmp_path / "secrets").exists()
