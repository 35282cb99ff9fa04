"""The words about settings: what each takes, its default, its state."""

import subprocess
import sys
from pathlib import Path

import pytest

from menace_site.sandbox_settings import GROUPS, SandboxSettings
from menace_site.sandbox_settings.describing import allowed
from menace_site.sandbox_settings.documenting import markdown
from menace_site.sandbox_settings.fields import note_of

ROOT = Path(__file__).resolve().parent.parent.parent


def line_of(variable: str) -> list[str]:
    (line,) = [line for line in markdown().splitlines() if line.startswith(f"| `{variable}`")]
    return [cell.strip() for cell in line.strip("|").split(" | ")]


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("production", "1 or 0 (also true/false, yes/no, on/off)"),
        ("allowed_hosts", "names separated by commas"),
        ("menace_roots", "paths separated by the system's path separator"),
        ("codex_retry_delays", "numbers from 0 to 3600, separated by commas or as a JSON list"),
        ("env_presets", "the path of a JSON file, or a JSON list of objects"),
        ("log_level", "one of DEBUG, INFO, WARNING, ERROR, CRITICAL"),
        ("step_retries", "a whole number at least 0 and at most 20"),
        ("lease_seconds", "a number over 0"),
        ("data_dir", "a path"),
        ("alignment_baseline_metrics_path", "a path"),
        ("synergy_weight_roi", "a number at least 0 and at most 10"),
        ("database_url", "a secret text"),
        ("codex_fallback_model", "a text"),
    ],
)
def test_what_a_setting_takes(name: str, takes: str) -> None:
    assert allowed(SandboxSettings.model_fields[name]) == takes


def test_a_pattern_is_shown() -> None:
    assert allowed(SandboxSettings.model_fields["api_rate"]).startswith("a text of the form ^[1-9]")


@pytest.mark.parametrize(
    ("variable", "default"),
    [
        ("MENACE_STEP_RETRIES", "`2`"),
        ("ROI_EMA_ALPHA", "`0.1`"),
        ("MENACE_PRODUCTION", "`0`"),
        ("CODEX_RETRY_DELAYS", "`2,5,10`"),
        ("MENACE_ROOTS", "none"),
        ("SNAPSHOT_DIR", "`snapshots` in the data folder"),
        ("DATABASE_URL", "an embedded PostgreSQL"),
        ("SELF_TEST_CLEAN_ORPHANS", "as `SANDBOX_CLEAN_ORPHANS`"),
    ],
)
def test_default_in_words(variable: str, default: str) -> None:
    assert line_of(variable)[2] == default


def test_state_tells_what_waits_for_what() -> None:
    assert line_of("MENACE_STEP_RETRIES")[4] == "in use"
    assert line_of("CODEX_TIMEOUT")[4] == "waits for helper patches"


def test_units_are_shown() -> None:
    assert line_of("MENACE_LEASE_SECONDS")[1] == "a number over 0 (s)"


def test_every_group_has_a_heading_and_every_variable_a_line() -> None:
    page = markdown()
    for group in GROUPS:
        assert f"## {(group.__doc__ or '').splitlines()[0]}\n" in page
    for field in SandboxSettings.model_fields.values():
        for variable in note_of(field).variables:
            assert f"`{variable}`" in page


def test_cells_hold_no_bare_bars() -> None:
    rows = [line for line in markdown().splitlines() if line.startswith("| `")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6}


def test_script_says_whether_the_page_is_current() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "settings_doc.py"), "--check"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, "is current" in ended.stdout) == (0, True)


def test_importing_the_settings_stays_cheap() -> None:
    """No framework and no pydantic-settings: what every command pays at start."""
    code = "import sys, menace_site.sandbox_settings; print({'django', 'celery'} & set(sys.modules))"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert ended.stdout.strip() == "set()"
