"""Preparing an installation: once for each version of the code, heard line by line, loud when it fails."""

import argparse
import os
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from engines.domain.errors import InvalidInput
from menace_site.supervisor.command import add_options, chosen
from menace_site.supervisor.output import Console
from menace_site.supervisor.preparation import (
    TABLES_READY,
    Preparation,
    fingerprint,
    is_prepared,
    prepared_file,
)
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A checkout with one migration."""
    root = tmp_path / "code"
    (root / "engines" / "migrations").mkdir(parents=True)
    (root / "engines" / "migrations" / "0001_initial.py").write_text("first\n")
    shutil.copy(ROOT / "requirements.txt", root)
    return root


def _ended(preparation: Preparation) -> int | None:
    until(lambda: preparation.exit_code() is not None)
    return preparation.exit_code()


def test_a_new_migration_asks_for_preparation(code: Path, tmp_path: Path) -> None:
    assert not is_prepared(tmp_path, code)
    prepared_file(tmp_path).parent.mkdir()
    prepared_file(tmp_path).write_text(fingerprint(code))
    assert is_prepared(tmp_path, code)
    (code / "engines" / "migrations" / "0002_more.py").write_text("second\n")
    assert not is_prepared(tmp_path, code)


@pytest.mark.parametrize(("ending", "expected"), [("", 0), ("raise SystemExit(4)", 4)])
def test_it_is_heard_line_by_line(code: Path, ending: str, expected: int) -> None:
    (code / "manage.py").write_text(f"import sys\nprint({TABLES_READY!r})\nprint(sys.argv[1:])\n{ending}\n")
    stream = StringIO()
    preparation = Preparation(code, dict(os.environ), demo=True, console=Console(stream))
    assert _ended(preparation) == expected
    assert preparation.tables_ready.is_set()
    assert "menace   | ['prepare', '--demo']" in stream.getvalue()


def test_it_can_be_ended_before_its_time(code: Path) -> None:
    (code / "manage.py").write_text("import time\ntime.sleep(60)\n")
    preparation = Preparation(code, dict(os.environ), demo=False, console=Console(StringIO()))
    preparation.stop()
    assert preparation.exit_code() not in {None, 0}
    assert not preparation.tables_ready.is_set()


def test_preparing_twice_changes_nothing(db: None) -> None:
    first, second = StringIO(), StringIO()
    call_command("prepare", stdout=first)
    call_command("prepare", stdout=second)
    assert first.getvalue().splitlines() == [TABLES_READY, "made the administrator admin"]
    assert second.getvalue().splitlines() == [TABLES_READY]
    assert User.objects.filter(is_superuser=True).count() == 1


def test_preparing_without_a_server_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://menace@127.0.0.1:1/menace")
    with pytest.raises(CommandError, match="DATABASE_URL") as caught:
        call_command("prepare")
    assert caught.value.returncode == 4


def _options(*words: str) -> dict[str, object]:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return vars(parser.parse_args(words))


def test_options_have_sensible_defaults() -> None:
    options = chosen(_options(), ["127.0.0.1", "localhost"])
    assert (options.host, options.port, options.only) == ("127.0.0.1", None, ("web", "worker", "beat"))
    assert options.demo
    assert options.site_name == "localhost"
    assert chosen(_options(), [".example.org"]).site_name == "example.org"


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (["--only", ""], "only"),
        (["--only", "web,sql"], "only"),
        (["--port", "0"], "port"),
        (["--port", "70000"], "port"),
    ],
)
def test_impossible_options_are_refused(words: list[str], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        chosen(_options(*words), [])
    assert caught.value.field == field


def test_the_supervisor_loads_neither_django_nor_celery() -> None:
    code = (
        "import sys, menace_site.supervisor.command\n"
        "print({'django', 'celery', 'redis', 'psycopg', 'torch'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
