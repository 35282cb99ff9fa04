"""`manage.py self_test` and `manage.py orphans` on real repositories."""

import json
import os
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as live_settings
from django.core.management import call_command
from pytest_django.fixtures import Settings

from orphans.domain.errors import Conflict, InvalidInput
from orphans.domain.states import ModuleState
from orphans.models import OrphanModule, SelfTestRun
from orphans.services import flags
from tests.engines.repositories import make_repository
from tests.orphans.rows import make_batch, make_module, make_run
from tests.orphans.test_flow import BOT, HELPER

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return make_repository(tmp_path / "bot", {**BOT, **HELPER})


def said(*words: str) -> Any:
    out = StringIO()
    call_command(*words, "--json", stdout=out, stderr=StringIO())
    return json.loads(out.getvalue())


def test_the_walkthrough_of_the_specification(checkout: Path, data: Path) -> None:
    told = said("self_test", "run", "isolated.py", "--auto-include-isolated", "--checkout", str(checkout))

    assert told["integrated"] == ["isolated.py", "helper.py"]
    assert [(run["path"], run["origin"]) for run in told["runs"]] == [
        ("helper.py", "generated"),
        ("isolated.py", "generated"),
    ]
    assert set(json.loads((data / "module_map.json").read_text())) == {"isolated.py", "helper.py"}


def test_recursive_with_cleanup_leaves_the_queue_empty(checkout: Path, data: Path) -> None:
    said("self_test", "run", "--recursive-include", "--clean-orphans", "--checkout", str(checkout))

    assert json.loads((data / "orphan_modules.json").read_text()) == {}


def test_a_failed_module_ends_with_1_and_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkout = make_repository(
        tmp_path / "bot", {**BOT, "bad.py": "def run():\n    raise ValueError('no')\n"}
    )

    with pytest.raises(SystemExit) as ended:
        call_command("self_test", "run", "--checkout", str(checkout))

    assert ended.value.code == 1
    told = capsys.readouterr()
    assert "failed    bad.py" in told.err
    assert "ValueError: no" in told.err
    assert "1 failed" in told.out


def test_a_dry_run_takes_nothing_in(checkout: Path, data: Path) -> None:
    told = said("self_test", "run", "--dry-run", "--checkout", str(checkout))

    assert told["integrated"] == []
    assert told["passed"] == 2
    assert not (data / "module_map.json").exists()


@pytest.mark.parametrize("name", ["missing.py", "../other.py", "pyproject.toml", "/etc/passwd"])
def test_a_file_that_is_none_of_the_checkout_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="no Python file"):
        said("self_test", "run", name, "--checkout", str(checkout))
    assert not SelfTestRun.objects.exists()


def test_a_live_file_is_tested_but_not_taken_in(checkout: Path) -> None:
    told = said("self_test", "run", "bot.py", "--checkout", str(checkout))

    assert [(run["path"], run["state"]) for run in told["runs"]] == [("bot.py", "passed")]
    assert told["integrated"] == []


def test_report_shows_the_latest_set() -> None:
    make_run(make_batch(source="old"), "old.py")
    make_run(make_batch(source="new"), "new.py", state="passed", reason="imported")

    assert [run["path"] for run in said("self_test", "report")["runs"]] == ["new.py"]
    with pytest.raises(InvalidInput):
        said("self_test", "report", "999999")


def test_cancel_ends_a_set() -> None:
    batch = make_batch(total=1)
    make_run(batch)

    assert said("self_test", "cancel", str(batch.pk)) == {"cancelled": True}
    assert said("self_test", "cancel", str(batch.pk)) == {"cancelled": False}


def test_list_and_show_and_decide(capsys: pytest.CaptureFixture[str]) -> None:
    make_module(path="a.py", reason="nothing imports it")
    make_module("beta", path="b.py")

    assert [row["path"] for row in said("orphans", "list", "--subject", "alpha")] == ["a.py"]
    assert said("orphans", "show", "a.py", "--subject", "alpha")["reason"] == "nothing imports it"
    said("orphans", "retire", "a.py", "--subject", "alpha", "--reason", "moved")
    assert OrphanModule.objects.get(path="a.py").state == ModuleState.RETIRED
    with pytest.raises(Conflict, match="is retired"):
        said("orphans", "retire", "a.py", "--subject", "alpha")
    said("orphans", "restore", "a.py", "--subject", "alpha")
    assert OrphanModule.objects.get(path="a.py").state == ModuleState.FOUND
    call_command("orphans", "list")
    assert "beta:b.py" in capsys.readouterr().out


def test_include_says_why_not() -> None:
    make_module(path="a.py")

    with pytest.raises(Conflict, match="its self-test has not passed"):
        said("orphans", "include", "a.py", "--subject", "alpha")


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(InvalidInput, match=r"no scan of alpha found x\.py"):
        said("orphans", "show", "x.py", "--subject", "alpha")


def test_scan_works_through_django_too(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("orphans", "scan", str(checkout), "--paths")

    assert json.loads(capsys.readouterr().out) == ["helper.py", "isolated.py"]


def test_flags_set_both_families_of_variables_for_as_long_as_they_hold() -> None:
    options = {"include_redundant": False, "auto_include_isolated": True}

    with flags.as_settings(options):
        assert os.environ["SANDBOX_TEST_REDUNDANT"] == os.environ["SELF_TEST_INCLUDE_REDUNDANT"] == "0"
        assert os.environ["SANDBOX_DISCOVER_ISOLATED"] == os.environ["SELF_TEST_RECURSIVE_ISOLATED"] == "1"
        assert live_settings.SANDBOX.self_test_include_redundant is False

    assert "SANDBOX_TEST_REDUNDANT" not in os.environ
    assert live_settings.SANDBOX.self_test_include_redundant is True


def test_a_flag_that_is_given_beats_one_that_is_implied(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"auto_include_isolated": True, "recursive_isolated": False}

    assert flags.changes(given)["recursive_isolated"] is False
    monkeypatch.setenv("SANDBOX_DISCOVER_ISOLATED", "0")
    assert "discover_isolated" not in flags.changes({"auto_include_isolated": True})
