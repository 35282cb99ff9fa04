"""`manage.py engines` and `manage.py run_autonomous`, as a person types them."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from engines.domain.errors import InvalidInput, RegistrationError
from engines.domain.states import CycleState
from engines.models import Cycle, Engine
from engines.services.parts import default_parts
from tests.engines.repositories import make_repository
from tests.engines.test_python_api import BrokenPipeline
from tests.engines.test_steps import ScriptedPipeline
from tests.factories import make_engine

pytestmark = pytest.mark.django_db(transaction=True)


def scripted() -> Any:
    return default_parts(ScriptedPipeline(gain=5.0))


def broken() -> Any:
    return default_parts(BrokenPipeline())


def printed(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_engines_are_added_listed_and_switched_off(tmp_path: Path) -> None:
    path = str(make_repository(tmp_path / "bot"))

    added = json.loads(printed("engines", "add", path, "--name", "mine", "--every", "60", "--json"))
    listed = printed("engines", "list")
    printed("engines", "disable", "mine")

    assert added[0]["schedule_seconds"] == 60
    assert "mine" in listed
    assert "every 60 s" in listed
    assert Engine.objects.get().enabled is False


def test_bad_words_are_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(RegistrationError, match="no git checkout"):
        printed("engines", "add", str(tmp_path))
    with pytest.raises(InvalidInput, match="engines list"):
        printed("engines", "enable", "nobody")


def test_cycles_run_in_the_terminal_and_print_their_worth(tmp_path: Path, settings: Settings) -> None:
    settings.CYCLE_PARTS = "tests.engines.test_commands.scripted"
    printed("engines", "add", str(make_repository(tmp_path / "bot")))

    rows = json.loads(printed("run_autonomous", "--runs", "2", "--json"))["cycles"]
    text = printed("run_autonomous", "--engine", "bot")

    assert [row["state"] for row in rows] == ["done", "done"]
    assert rows[0]["roi"]["roi_gain"] == rows[1]["roi"]["roi_gain"] == pytest.approx(4.99)
    assert "ROI delta +4.998, promotable" in text


def test_progress_names_each_step(
    tmp_path: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.CYCLE_PARTS = "tests.engines.test_commands.scripted"
    printed("engines", "add", str(make_repository(tmp_path / "bot")))

    call_command("run_autonomous")

    told = capsys.readouterr().err
    assert "retrain: done" in told
    assert "flag: not configured" in told
    assert "gate: done" in told


def test_a_failed_cycle_ends_with_code_1(tmp_path: Path, settings: Settings) -> None:
    settings.CYCLE_PARTS = "tests.engines.test_commands.broken"
    printed("engines", "add", str(make_repository(tmp_path / "bot")))

    with pytest.raises(SystemExit) as caught:
        printed("run_autonomous", "--json")

    assert caught.value.code == 1
    assert Cycle.objects.get().state == CycleState.FAILED


@pytest.mark.parametrize(
    "words", [["--runs", "0"], ["--engine", "nobody"], ["--energy", "0"], ["--seed", "-1"]]
)
def test_run_autonomous_refuses_bad_words(words: list[str]) -> None:
    make_engine("bot")

    with pytest.raises(InvalidInput):
        printed("run_autonomous", *words)

    assert not Cycle.objects.exists()


def test_without_engines_it_says_how_to_add_one() -> None:
    with pytest.raises(InvalidInput, match="engines add"):
        printed("run_autonomous")
