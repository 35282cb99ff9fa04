"""What `manage.py check` says of this installation."""

import pytest
from django.test import override_settings

from menace_site import checks
from menace_site.sandbox_settings import SandboxSettings


def test_misspelt_settings_are_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CODEX_RETRY_DELAY", "1")
    (warning,) = checks.misspelt_settings()
    assert warning.id == "menace.W001"
    assert "CODEX_RETRY_DELAY is no setting" in warning.msg
    assert "did you mean CODEX_RETRY_DELAYS?" in warning.msg


def test_nothing_misspelt_says_nothing() -> None:
    assert checks.misspelt_settings() == []


@pytest.mark.parametrize(
    ("step", "task", "warned"), [("600", "900", False), ("810", "900", False), ("811", "900", True)]
)
def test_a_step_must_fit_into_its_task(step: str, task: str, warned: bool) -> None:
    environ = {"MENACE_STEP_TIMEOUT": step, "MENACE_TASK_TIME_LIMIT": task}
    with override_settings(SANDBOX=SandboxSettings.from_environ(environ)):
        found = checks.time_limits()
    assert [warning.id for warning in found] == (["menace.W002"] if warned else [])
