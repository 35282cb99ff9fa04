"""SandboxSettings: every variable typed and checked; the page of them is current."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from menace_site.sandbox_settings import GROUPS, BadSettings, SandboxSettings, or_stop
from menace_site.sandbox_settings.describing import allowed
from menace_site.sandbox_settings.documenting import markdown
from menace_site.sandbox_settings.fields import note_of

ROOT = Path(__file__).resolve().parent.parent.parent
APPS = ("menace_site", "engines", "orphans", "alignment", "forecasting")


def read(**environ: str) -> SandboxSettings:
    return SandboxSettings.from_environ(environ)


def problems(**environ: str) -> list[str]:
    with pytest.raises(BadSettings) as caught:
        read(**environ)
    return caught.value.problems


def test_defaults_need_no_environment() -> None:
    settings = read()
    assert (settings.tau, settings.roi_ema_alpha, settings.side_effect_threshold) == (0.5, 0.1, 10.0)
    assert settings.codex_retry_delays == [2.0, 5.0, 10.0]
    assert settings.alignment_warning_threshold == 0.5
    assert settings.alignment_failure_threshold == 0.9


@pytest.mark.parametrize("word", ["1", "true", "YES", " on "])
def test_switch_on(word: str) -> None:
    assert read(SANDBOX_CLEAN_ORPHANS=word).clean_orphans is True


@pytest.mark.parametrize("word", ["0", "False", "no", "off"])
def test_switch_off(word: str) -> None:
    assert read(SANDBOX_TEST_REDUNDANT=word).test_redundant is False


def test_bad_switch_is_named_with_what_is_allowed() -> None:
    (line,) = problems(SANDBOX_TEST_REDUNDANT="maybe")
    assert line == (
        "SANDBOX_TEST_REDUNDANT='maybe' is not allowed; it takes 1 or 0 (also true/false, yes/no, on/off)"
    )


def test_all_bad_values_are_listed() -> None:
    lines = problems(
        MENACE_STEP_RETRIES="99", MENACE_LOG_LEVEL="loud", SYNERGY_WEIGHT_ROI="-1", ROI_EMA_ALPHA="x"
    )
    assert sorted(line.split("=")[0] for line in lines) == [
        "MENACE_LOG_LEVEL",
        "MENACE_STEP_RETRIES",
        "ROI_EMA_ALPHA",
        "SYNERGY_WEIGHT_ROI",
    ]


@pytest.mark.parametrize(
    ("variable", "value", "takes"),
    [
        ("MENACE_SWEEP_SECONDS", "nan", "a number over 0"),
        ("MENACE_CYCLE_DEADLINE", "inf", "a number over 0"),
        ("MENACE_METRICS_PORT", "70000", "a whole number at least 1 and at most 65535"),
        ("CODEX_FALLBACK_STRATEGY", "pray", "one of queue, reroute"),
        ("CODEX_RETRY_DELAYS", "1,b", "numbers from 0 to 3600, separated by commas or as a JSON list"),
        ("SANDBOX_ENV_PRESETS", "[1]", "the path of a JSON file, or a JSON list of objects"),
        ("SANDBOX_ENV_PRESETS", "[{", "the path of a JSON file, or a JSON list of objects"),
        ("CHECKPOINT_RETENTION", "2.5", "a whole number at least 1"),
    ],
)
def test_what_is_allowed(variable: str, value: str, takes: str) -> None:
    assert problems(**{variable: value}) == [f"{variable}={value!r} is not allowed; it takes {takes}"]


def test_empty_counts_as_not_set() -> None:
    settings = read(ALIGNMENT_BASELINE_METRICS_PATH="", MENACE_STEP_RETRIES=" ")
    assert settings.alignment_baseline_metrics_path is None
    assert settings.step_retries == 2


def test_thresholds_in_the_wrong_order() -> None:
    (line,) = problems(ALIGNMENT_WARNING_THRESHOLD="0.95")
    assert "ALIGNMENT_FAILURE_THRESHOLD" in line


def test_sandbox_switches_are_mirrored_to_self_tests() -> None:
    settings = read(SANDBOX_RECURSIVE_ORPHANS="0", SANDBOX_TEST_REDUNDANT="0", SANDBOX_CLEAN_ORPHANS="1")
    environ = settings.self_test_environ()
    assert environ["SELF_TEST_RECURSIVE_ORPHANS"] == "0"
    assert environ["SELF_TEST_INCLUDE_REDUNDANT"] == "0"
    assert environ["SELF_TEST_CLEAN_ORPHANS"] == "1"
    assert environ["SELF_TEST_RECURSIVE_ISOLATED"] == "1"


def test_a_self_test_variable_of_its_own_wins() -> None:
    settings = read(SANDBOX_RECURSIVE_ORPHANS="0", SELF_TEST_RECURSIVE_ORPHANS="1")
    assert (settings.recursive_orphans, settings.self_test_recursive_orphans) == (False, True)


def test_auto_include_implies_discovery_unless_overridden() -> None:
    assert read(SANDBOX_AUTO_INCLUDE_ISOLATED="1").discover_isolated is True
    assert read(SANDBOX_AUTO_INCLUDE_ISOLATED="0").discover_isolated is False
    assert read(SANDBOX_AUTO_INCLUDE_ISOLATED="1", SANDBOX_DISCOVER_ISOLATED="0").discover_isolated is False


def test_folders_follow_the_data_folder() -> None:
    settings = read(SANDBOX_DATA_DIR="/data", SNAPSHOT_DIFF_DIR="/elsewhere")
    assert settings.snapshot_dir == Path("/data/snapshots")
    assert settings.checkpoint_dir == Path("/data/checkpoints")
    assert settings.snapshot_diff_dir == Path("/elsewhere")
    assert settings.codex_retry_queue == Path("/data/codex_retry_queue.jsonl")


def test_roots_keep_their_order() -> None:
    settings = read(SANDBOX_REPO_PATH="/d", MENACE_ROOT="/c", MENACE_ROOTS=f"/a{os.pathsep}/b")
    assert settings.repository_roots == [Path("/a"), Path("/b"), Path("/c"), Path("/d")]


def test_presets_as_json_or_as_a_file() -> None:
    assert read(SANDBOX_ENV_PRESETS='{"CPU_LIMIT": "1"}').env_presets == [{"CPU_LIMIT": "1"}]
    assert read(SANDBOX_ENV_PRESETS="spike.json").env_presets == Path("spike.json")


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in repr(read(DATABASE_URL="postgresql://ada:hunter2@db/menace"))


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().tau = 0.1


def test_misspelt_variables_name_the_nearest() -> None:
    environ = {
        "SANDBOX_TEST_REDUNDENT": "1",
        "ROI_FORECAST_CLUB": "1",
        "PATH": "/bin",
        "MENACE_LOG_LEVEL": "INFO",
    }
    assert SandboxSettings.misspelt(environ) == [("SANDBOX_TEST_REDUNDENT", "SANDBOX_TEST_REDUNDANT")]


def test_every_setting_says_what_it_takes() -> None:
    for name, field in SandboxSettings.model_fields.items():
        assert field.description, name
        assert allowed(field), name
        assert note_of(field).variables, name


def test_no_variable_sets_two_settings() -> None:
    variables = [name for field in SandboxSettings.model_fields.values() for name in note_of(field).variables]
    assert len(variables) == len(set(variables))
    assert sum(len(group.model_fields) for group in GROUPS) == len(SandboxSettings.model_fields)


def test_page_of_settings_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text() == markdown(), "run scripts/settings_doc.py"


def test_settings_that_are_in_use_are_read_somewhere() -> None:
    """A setting said to be in use must be named by some module outside of its declaration."""
    files = [
        path for app in APPS for path in (ROOT / app).rglob("*.py") if "sandbox_settings" not in path.parts
    ]
    code = "\n".join(path.read_text() for path in files)
    for name, field in SandboxSettings.model_fields.items():
        note = note_of(field)
        used = re.search(rf"SANDBOX\.{name}\b", code) or any(variable in code for variable in note.variables)
        assert bool(used) != bool(note.later), (
            f"{name}: {'used' if used else 'unused'}, says {note.later or 'in use'!r}"
        )


def test_or_stop_prints_and_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        or_stop(lambda: read(MENACE_STEP_RETRIES="a"))
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "menace: MENACE_STEP_RETRIES='a' is not allowed; it takes a whole number at least 0 and at most 20\n"
    )


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "celery", "-A", "menace_site", "report"],
        ["-c", "import menace_site.wsgi"],
    ],
)
def test_a_bad_value_stops_every_door(command: list[str]) -> None:
    environ = {**os.environ, "SANDBOX_TEST_REDUNDANT": "maybe"}
    ended = subprocess.run(
        [sys.executable, *command], env=environ, cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("menace: SANDBOX_TEST_REDUNDANT='maybe' is not allowed")
    assert len(ended.stderr.splitlines()) == 1


def test_every_variable_that_the_code_names_is_a_setting() -> None:
    internal = {"SANDBOX_RUN_MARK"}  # set by one of our processes for another
    internal |= {"SANDBOX_SCENARIO_NAME", "SANDBOX_SEED", "SANDBOX_STUB_URL"}  # what a run finds
    files = [path for app in APPS for path in (ROOT / app).rglob("*.py")]
    quoted = re.compile(r'"((?:MENACE|SANDBOX|SELF_TEST|CODEX|SYNERGY|ALIGNMENT|SNAPSHOT)_[A-Z_]+)"')
    named = {name for path in files for name in quoted.findall(path.read_text())}
    known = {
        variable for field in SandboxSettings.model_fields.values() for variable in note_of(field).variables
    }
    assert named - known - internal == set()
