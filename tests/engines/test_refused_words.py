"""Commands of the engines given nonsense: an exit code by kind, a reason, and nothing half-written."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from pytest_django.fixtures import Settings

from engines.domain.errors import MenaceError
from engines.domain.states import CycleState
from engines.models import Cycle, CycleStep, Engine
from engines.services.cycles import MAX_QUEUED
from engines.services.parts import default_parts
from menace_site.embedded.services import exit_code
from menace_site.models import AuditEntry
from tests.engines.repositories import make_repository
from tests.engines.test_steps import ScriptedPipeline
from tests.factories import make_cycles, make_engine

pytestmark = pytest.mark.django_db
HUGE = "1" + "0" * 400
BAD_INPUT, OTHER_STATE = 2, 3


def typed(name: str, *words: str) -> tuple[int, str, str]:
    """Run a command as `manage.py` does, on the test's connection; return code, output and complaint."""
    out, problem = io.StringIO(), io.StringIO()
    code = 0
    with redirect_stdout(out), redirect_stderr(problem):
        command = load_command_class(get_commands()[name], name)
        command._called_from_command_line = True  # type: ignore[attr-defined]
        try:
            command.execute(**vars(command.create_parser("manage.py", name).parse_args(list(words))))
        except MenaceError as error:
            code = exit_code(error)
            problem.write(str(error))
        except SystemExit as end:
            code = int(end.code or 0)
    return code, out.getvalue(), problem.getvalue()


def scripted() -> Any:
    return default_parts(ScriptedPipeline(gain=5.0))


@pytest.fixture(autouse=True)
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.CYCLE_PARTS = "tests.engines.test_refused_words.scripted"
    return tmp_path / "data"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_repository(tmp_path_factory.mktemp("bots") / "bot")


@pytest.fixture
def untouched(data: Path) -> Iterator[None]:
    """After the test no row was written and no file made."""
    yield
    assert (Engine.objects.count(), Cycle.objects.count(), AuditEntry.objects.count()) == (0, 0, 0)
    assert not data.exists()


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--energy", "0"], "energy must be above 0"),
        (["--energy", "nan"], "energy must be above 0"),
        (["--energy", "inf"], "at most 100"),
        (["--cpu-seconds", "nan"], "base_cpu_seconds must lie between"),
        (["--cpu-seconds", "inf"], "base_cpu_seconds must lie between"),
        (["--cpu-seconds", "86401"], "base_cpu_seconds must lie between"),
        (["--trials", "0"], "base_trials must lie between"),
        (["--trials", HUGE], "base_trials must lie between"),
        (["--every", "0"], "schedule_seconds must lie between"),
        (["--every", "9"], "schedule_seconds must lie between"),
        (["--every", HUGE], "schedule_seconds must lie between"),
        (["--seed", "-1"], "seed must lie between"),
        (["--seed", str(2**31)], "seed must lie between"),
        (["--name", "Big Bot"], "is no name for an engine"),
        (["--name", "x" * 64], "is no name for an engine"),
        (["--name", "new"], "address of the site"),
        (["--name", "a\nb"], "is no name for an engine"),
    ],
)  # fmt: skip
def test_add_refuses_each_wrong_value(checkout: Path, words: list[str], reason: str) -> None:
    code, out, told = typed("engines", "add", str(checkout), *words)
    assert (code, out) == (BAD_INPUT, "")
    assert reason in told


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["engines"], "required"),
        (["engines", "explode"], "invalid choice"),
        (["engines", "add"], "required"),
        (["engines", "add", "x", "--energy", "much"], "invalid float"),
        (["engines", "add", "x", "--cpu-seconds", ""], "invalid float"),
        (["engines", "add", "x", "--trials", "1.5"], "invalid int"),
        (["engines", "add", "x", "--every", "1h"], "invalid int"),
        (["engines", "add", "x", "--seed", "0x10"], "invalid int"),
        (["engines", "add", "x", "--trials", "9" * 5000], "invalid int"),
        (["engines", "add", "x", "--colour", "red"], "unrecognized arguments"),
        (["engines", "list", "x"], "unrecognized arguments"),
        (["engines", "enable"], "required"),
        (["run_autonomous", "--runs", "two"], "invalid int"),
        (["run_autonomous", "--energy", "1,5"], "invalid float"),
        (["run_autonomous", "--seed", "1.0"], "invalid int"),
        (["run_autonomous", "--engine"], "expected one argument"),
        (["run_autonomous", "alpha"], "unrecognized arguments"),
        (["demo", "gamma"], "invalid choice"),
    ],
)
def test_words_of_the_wrong_kind_end_with_two(words: list[str], reason: str) -> None:
    code, out, told = typed(*words)
    assert (code, out) == (BAD_INPUT, "")
    assert reason in told


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize(
    "path", ["", "  ", "/nowhere/at/all", "a\0b", "x" * 5000, "/etc/passwd", "/dev/null", "/"]
)
def test_add_refuses_what_is_no_checkout(path: str) -> None:
    code, _, told = typed("engines", "add", path)
    assert code == BAD_INPUT
    assert told


@pytest.mark.parametrize("word", ["enable", "disable", "refresh"])
@pytest.mark.parametrize("name", ["nobody", "", "a\nb", "x" * 5000, "%", "' OR 1=1 --"])
@pytest.mark.usefixtures("untouched")
def test_an_unknown_engine_is_named(word: str, name: str) -> None:
    code, _, told = typed("engines", word, name)
    assert code == BAD_INPUT
    assert "there is no engine" in told
    assert "engines list" in told


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--runs", "0"], "--runs must be at least 1"),
        (["--runs", "-3"], "--runs must be at least 1"),
        (["--energy", "nan"], "energy must be above 0"),
        (["--energy", "1e400"], "energy must be above 0"),
        (["--seed", "-1"], "seed must be a whole number"),
        (["--seed", HUGE], "seed must be a whole number"),
        (["--engine", "alpha", "--engine", "nobody"], "there is no engine 'nobody'"),
    ],
)
def test_run_autonomous_refuses_before_anything_is_queued(words: list[str], reason: str) -> None:
    make_engine("alpha")
    code, out, told = typed("run_autonomous", *words)
    assert (code, out) == (BAD_INPUT, "")
    assert reason in told
    assert not Cycle.objects.exists()
    assert not CycleStep.objects.exists()


def test_a_taken_name_leaves_the_first_engine_alone(checkout: Path) -> None:
    assert typed("engines", "add", str(checkout), "--name", "mine", "--trials", "7")[0] == 0
    code, _, told = typed("engines", "add", str(checkout), "--name", "mine", "--trials", "9")
    assert (code, "exists already" in told) == (BAD_INPUT, True)
    assert Engine.objects.get().base_trials == 7
    assert AuditEntry.objects.filter(verb="engine.register").count() == 1


def test_an_engine_that_is_off_runs_only_after_it_was_switched_on(checkout: Path) -> None:
    typed("engines", "add", str(checkout), "--name", "mine")
    typed("engines", "disable", "mine")
    code, _, told = typed("run_autonomous", "--engine", "mine")
    assert (code, "switched off" in told) == (OTHER_STATE, True)
    assert typed("run_autonomous")[0] == BAD_INPUT
    assert not Cycle.objects.exists()


def test_too_many_waiting_cycles_are_another_state() -> None:
    engine = make_engine("alpha")
    make_cycles(MAX_QUEUED, engine, state=CycleState.QUEUED)
    code, _, told = typed("run_autonomous", "--engine", "alpha")
    assert (code, "waiting already" in told) == (OTHER_STATE, True)
    assert Cycle.objects.count() == MAX_QUEUED


def test_a_manifest_that_broke_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "bot")
    typed("engines", "add", str(root))
    before = Engine.objects.get().manifest
    make_repository(root, {"pyproject.toml": f"[tool.menace.budget]\ncpu_seconds = {HUGE}"})
    code, _, told = typed("engines", "refresh", "bot")
    assert (code, "tool.menace.budget.cpu_seconds" in told) == (BAD_INPUT, True)
    assert Engine.objects.get().manifest == before


def test_values_at_their_limits_are_taken(checkout: Path) -> None:
    low = ["--energy", "0.01", "--cpu-seconds", "0.1", "--trials", "1", "--every", "10", "--seed", "0"]
    high = ["--energy", "100", "--cpu-seconds", "86400", "--trials", "100000", "--every", "31536000"]
    assert typed("engines", "add", str(checkout), "--name", "a", *low)[0] == 0
    assert typed("engines", "add", str(checkout), "--name", "b" * 63, *high, "--seed", str(2**31 - 1))[0] == 0
    assert [engine.base_energy for engine in Engine.objects.all()] == [0.01, 100.0]


def test_the_schedule_of_the_manifest_counts_only_where_none_was_given(tmp_path: Path) -> None:
    root = make_repository(tmp_path / "bot", {"menace.toml": "[schedule]\nevery_seconds = 90.4"})
    for name, words, seconds in (("a", [], 90), ("b", ["--every", "20"], 20)):
        _, out, _ = typed("engines", "add", str(root), "--name", name, *words, "--json")
        assert json.loads(out)[0]["schedule_seconds"] == seconds


def test_lists_are_json_with_the_same_keys_as_what_was_added(checkout: Path) -> None:
    _, added, _ = typed("engines", "add", str(checkout), "--name", "mine", "--json")
    _, listed, _ = typed("engines", "list", "--json")
    assert json.loads(added) == json.loads(listed)
    assert json.loads(listed)[0]["roi_delta_ema"] is None
    assert typed("engines", "list", "--json")[0] == 0


def test_without_engines_a_list_is_empty() -> None:
    assert typed("engines", "list") == (0, "", "")
    assert json.loads(typed("engines", "list", "--json")[1]) == []
