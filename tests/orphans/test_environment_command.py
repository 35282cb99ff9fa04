"""`manage.py environment`: what it prints and writes, and its exit codes."""

import io
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from menace_site.sandbox_settings import SandboxSettings
from orphans.domain.errors import InvalidInput
from orphans.domain.presets import read_preset
from orphans.environment_generator import PROFILES
from orphans.sandbox import Outcome, cli
from tests.factories import make_preset

BOT = Path(__file__).parent / "scenario_bot"


def told(*words: str) -> tuple[str, str, int]:
    """Run the command and return stdout, stderr and the exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command("environment", *words, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    return out.getvalue(), err.getvalue(), code


def printed(*words: str) -> Any:
    return json.loads(told(*words, "--json")[0])


# ------------------------------------------------------------------ generate


def test_the_example_of_the_specification_makes_a_file(tmp_path: Path) -> None:
    path = tmp_path / "spike.json"
    out, err, code = told("generate", "--profiles", "concurrency_spike", "--out", str(path))
    assert (out, code) == ("", 0)
    assert "1 preset written to" in err
    (spike,) = json.loads(path.read_text())
    assert spike["SCENARIO_NAME"] == "concurrency_spike"
    assert read_preset(spike).category == "concurrency"


def test_presets_go_to_stdout_and_only_they() -> None:
    out, err, code = told("generate", "--count", "4", "--profiles", "stress,security", "baseline")
    assert (len(json.loads(out)), err, code) == (4, "", 0)
    words = ("--profiles", "stress", "security", "baseline")
    assert json.loads(out) == printed("generate", "--count", "4", *words)


def test_the_seed_decides() -> None:
    made = [printed("generate", "--count", "9", "--seed", seed) for seed in ("3", "3", "4")]
    assert made[0] == made[1] != made[2]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--profiles", "spike"], "'spike' is not known"),
        (["--profiles", ","], "name at least one"),
        (["--count", "0"], "count: must be a whole number from 1"),
        (["--out", "/nowhere/x.json"], "can't be written"),
    ],
)
def test_bad_input_of_generate_is_refused(words: list[str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        told("generate", *words)


# ------------------------------------------------------------------ list, show, check


@pytest.mark.django_db
def test_the_list_has_stored_configured_and_canonical_presets() -> None:
    make_preset("mine")
    with override_settings(SANDBOX=SandboxSettings.from_environ({"SANDBOX_ENV_PRESETS": '{"CPU_LIMIT": 1}'})):
        rows = printed("list")
    sources = [row["source"] for row in rows]
    assert sources == ["stored", "SANDBOX_ENV_PRESETS", *["canonical"] * 2 * len(PROFILES)]
    out, err, code = told("list")
    assert "mine" in out
    assert "high_latency = high_latency_api" in err
    assert code == 0


@pytest.mark.django_db
def test_showing_says_what_each_key_does_and_fails_when_one_does_nothing(tmp_path: Path) -> None:
    out, _, code = told("show", "flaky_upstream_low")
    assert (code, "1 requests of each window get a 503" in out) == (0, True)
    make_preset("mine", GPU_LIMIT=2, CPU_LIMIT=1)
    out, err, code = told("show", "mine")
    assert (code, "NO EFFECT: runs are given no graphics processor" in out) == (1, True)
    assert "1 key does nothing" in err
    with pytest.raises(InvalidInput, match="there is no preset"):
        told("show", "nothing")


def test_a_file_is_checked_key_by_key(tmp_path: Path) -> None:
    path = tmp_path / "presets.json"
    path.write_text('[{"CPU_LIMIT": "1", "MEMORY_LIMIT": "256"}, {"API_LATENCY_MS": "1s"}]')
    rows = printed("check", str(path))
    assert [row["category"] for row in rows] == ["baseline", "stress"]
    assert rows[0]["preset"] == {"CPU_LIMIT": 1, "MEMORY_LIMIT": "256Mi"}
    assert all(effect["held"] for row in rows for effect in row["effects"])
    assert told("show", str(path))[2] == 0
    path.write_text('[{"CPU_LIMIT": 1}, {"CPU_LIMT": 1}]')
    with pytest.raises(InvalidInput, match=r"2\.CPU_LIMT: is not known; did you mean CPU_LIMIT"):
        told("check", str(path))


# ------------------------------------------------------------------ run


def example(tmp_path: Path, value: object) -> str:
    path = tmp_path / "input.json"
    path.write_text(json.dumps(value))
    return str(path)


@pytest.mark.django_db
def test_a_function_is_tried_under_a_preset(tmp_path: Path) -> None:
    given = example(tmp_path, {"lines": [{"amount": 2, "price": 9.5}]})
    out, _, code = told(
        "run", "flow:price", "--checkout", str(BOT), "--preset", "user_misuse_low", "--input", given
    )
    assert code == 0
    assert out.startswith("user_misuse low: ok, ")
    assert "valid 14/14, misuse 0/6 returned" in out
    assert "KeyError" in out


def test_a_function_is_tried_under_all_presets_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "two.json"
    path.write_text('[{"TIME_LIMIT": 1, "SCENARIO_NAME": "short"}, {"TIME_LIMIT": 0.5}]')
    words = ("run", "flow:sleep", "--checkout", str(BOT), "--preset-file", str(path))
    assert [(row["scenario"], row["outcome"]) for row in printed(*words)] == [
        ("short", "timeout"), ("baseline", "timeout"),
    ]  # fmt: skip
    out, _, code = told(*words)
    assert (code, out.count("timeout (over ")) == (1, 2)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["flow:price", "--checkout", "/nowhere"], "is no folder"),
        (["price", "--preset", "hostile_input_low"], "must look like package.module:function"),
        (["flow:price", "--preset", "no"], "there is no preset"),
        (["flow:price", "--preset", "a", "--preset-file", "b"], "not both"),
        (["flow:price", "--preset-file", "/nowhere/x"], "can't be read"),
        (["flow:price", "--input", "/nowhere/x"], "can't be read"),
        (["flow:price", "--input", __file__], "holds no JSON"),
    ],
)
def test_bad_input_of_run_is_refused(words: list[str], reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        told("run", *words)


# ------------------------------------------------------------------ sandbox run --preset


@pytest.fixture
def _own_signals() -> Iterator[None]:
    """Take back what the command does with signals."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"CPU_LIMT": 1}', "did you mean CPU_LIMIT"),
        ('[{"CPU_LIMIT": 1}, {"CPU_LIMIT": 2}]', "holds 2 presets"),
    ],
)
def test_the_sandbox_refuses_a_bad_preset_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    (tmp_path / "preset.json").write_text(text)
    assert cli.run_main([str(BOT / "flow.py"), "--preset", str(tmp_path / "preset.json")]) == cli.USAGE
    assert words in capsys.readouterr().err


@pytest.mark.usefixtures("_own_signals")
def test_the_sandbox_runs_a_file_under_a_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "preset.json").write_text('{"TIME_LIMIT": 1, "API_LATENCY_MS": 5}')
    words = [str(BOT / "flow.py"), "--checkout", str(BOT), "--preset", str(tmp_path / "preset.json")]
    assert cli.run_main([*words, "--call", "sleep", "--input", "1"]) == cli.EXIT[Outcome.TIMEOUT]
    capsys.readouterr()
    assert cli.run_main([*words, "--call", "fetch", "--input", "1", "--json"]) == 0
    assert isinstance(json.loads(capsys.readouterr().out)["result"], float)
