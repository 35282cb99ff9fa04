"""A database of another version than the code says so, in every process, and what to do."""

import logging
from pathlib import Path

import pytest
from django.conf import settings
from django.db import ProgrammingError, connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from menace_site import beats, health, tables
from menace_site.embedded import one_off
from tests.factories import make_user
from tests.web.conftest import client_of

NOWHERE = ProgrammingError("column engines_engine.wings does not exist")


def forget(app: str, name: str) -> None:
    """Let the database look as it did before a migration."""
    MigrationRecorder.Migration.objects.filter(app=app, name=name).delete()


def newest(app: str) -> str:
    return tables.of_code()[app][-1]


class TestDifference:
    """Names against names."""

    CODE = {"engines": ["0001_a", "0002_b"], "orphans": ["0001_x"]}

    def test_the_same_is_no_difference(self) -> None:
        assert tables.difference(self.CODE, {**self.CODE, "gone": ["0001_z"]}) == ""

    def test_an_older_database_is_told_what_to_run(self) -> None:
        said = tables.difference(self.CODE, {"engines": ["0001_a"], "orphans": ["0001_x"]})
        assert said.startswith(
            "The database is older than the code: engines is at 0001_a there, at 0002_b here"
        )
        assert "manage.py migrate" in said
        assert "manage.py prepare" in said

    def test_an_app_without_tables_is_older(self) -> None:
        assert "orphans is at no migration there" in tables.difference(
            self.CODE, {"engines": ["0001_a", "0002_b"]}
        )

    def test_a_newer_database_is_told_apart(self) -> None:
        said = tables.difference(self.CODE, {**self.CODE, "orphans": ["0001_x", "0002_y"]})
        assert said.startswith(
            "The database is newer than the code: orphans is at 0002_y there, at 0001_x here"
        )

    def test_code_and_a_fresh_database_agree(self, db: None) -> None:
        assert tables.mismatch() == ""
        assert {"engines", "orphans", "forecasting", "menace_site"} <= set(tables.of_code())


@pytest.mark.django_db
class TestProcesses:
    """Who says it, and how."""

    @pytest.fixture
    def older(self) -> str:
        forget("engines", newest("engines"))
        return newest("engines")

    def test_a_command_ends_with_two_and_the_sentence(
        self, older: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setattr(one_off, "ensure_services", lambda _: None)
        assert one_off.main(["manage.py", "engines", "list"]) == 2
        said = capsys.readouterr().err
        assert older in said
        assert "Traceback" not in said

    def test_plain_python_gets_the_same_sentence(self, older: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(one_off, "ensure_services", lambda _: None)
        with pytest.raises(tables.OtherTables, match=older):
            one_off.prepare_process.__wrapped__()

    def test_what_breaks_on_a_newer_database_is_explained_too(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def breaks(_: list[str]) -> None:
            raise NOWHERE

        MigrationRecorder.Migration.objects.create(app="orphans", name="9999_later")
        monkeypatch.setattr(one_off, "ensure_services", lambda _: None)
        monkeypatch.setattr(one_off, "execute_from_command_line", breaks)
        assert one_off.main(["manage.py", "orphans", "list"]) == 2
        assert "newer than the code" in capsys.readouterr().err

    def test_another_error_of_the_database_keeps_its_traceback(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def breaks(_: list[str]) -> None:
            raise NOWHERE

        monkeypatch.setattr(one_off, "ensure_services", lambda _: None)
        monkeypatch.setattr(one_off, "execute_from_command_line", breaks)
        with pytest.raises(ProgrammingError):
            one_off.main(["manage.py", "orphans", "list"])

    @pytest.mark.parametrize("command", sorted(one_off.WITHOUT_TABLES))
    def test_what_mends_tables_is_not_stopped(
        self, older: str, command: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(one_off, "ensure_services", lambda _: None)
        assert one_off.prepare(["manage.py", command]) is None

    def test_a_worker_ends_with_two(self, older: str, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.CRITICAL), pytest.raises(SystemExit) as ended:
            beats.on_worker_init()
        assert ended.value.code == 2
        assert older in caplog.text

    def test_a_worker_on_the_right_tables_goes_on(self) -> None:
        assert beats.on_worker_init() is None


@pytest.mark.django_db(transaction=True)
def test_pages_api_and_health_say_what_to_do() -> None:
    client = client_of(make_user("viewer"))
    client.raise_request_exception = False
    last = newest("orphans")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE orphans_orphanmodule RENAME COLUMN twin TO wings")
        cursor.execute("ALTER TABLE menace_site_servicebeat RENAME TO elsewhere")
    row = MigrationRecorder.Migration.objects.filter(app="orphans", name=last)
    row.update(name="0000_before")
    try:
        page, api, state = client.get("/orphans/"), client.get("/api/orphans/"), health.check()["database"]
        assert settings.DEBUG is False
    finally:
        MigrationRecorder.Migration.objects.filter(app="orphans", name="0000_before").update(name=last)
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE orphans_orphanmodule RENAME COLUMN wings TO twin")
            cursor.execute("ALTER TABLE elsewhere RENAME TO menace_site_servicebeat")
    assert (page.status_code, api.status_code) == (503, 503)
    assert "The database is older than the code" in page.content.decode()
    assert "manage.py migrate" in api.json()["detail"]
    assert last in state["detail"]
    assert client.get("/orphans/").status_code == 200


def test_an_error_without_a_difference_stays_what_it_is(client: Client, db: None) -> None:
    assert tables.explained(NOWHERE) == ""
    assert tables.explained(ValueError("x")) == ""
