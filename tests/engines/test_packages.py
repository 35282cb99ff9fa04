"""`manage.py engines packages`: what a bot's runs may import beside what Menace has."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from engines.domain.errors import InvalidInput
from engines.models import Engine
from menace_site.models import AuditEntry
from tests.engines.repositories import git, make_repository

pytestmark = pytest.mark.django_db(transaction=True)
NOTHING = "[project]\nname = 'bot'\ndependencies = ['numpy', 'pytest>=8']\n"


def printed(*words: str) -> str:
    out = io.StringIO()
    call_command("engines", *words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


@pytest.fixture
def bot(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot that is under care, without any index to install from."""
    settings.DATA_DIR = str(tmp_path / "data")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    root = make_repository(tmp_path / "bot", {"readme": "", "pyproject.toml": "[tool.menace]\n"})
    printed("add", str(root))
    return root


def test_what_menace_has_is_not_installed_again(bot: Path) -> None:
    (bot / "pyproject.toml").write_text(NOTHING)
    git(bot, "commit", "-qam", "declare")

    assert "none beside those of Menace" in printed("packages", "bot")
    shown = json.loads(printed("packages", "bot", "--show", "--json"))
    removed = json.loads(printed("packages", "bot", "--remove", "--json"))

    assert shown["packages"] == removed["packages"] == []
    assert Path(shown["folder"]).is_dir()
    assert removed["folder"] is None
    entries = AuditEntry.objects.filter(verb="engine.packages", target="engine:bot")
    assert [entry.detail for entry in entries] == [{"packages": []}] * 2


def test_only_what_is_committed_is_read_and_no_link_is_followed(bot: Path, tmp_path: Path) -> None:
    (bot / "requirements.txt").write_text("numpy\n")
    with pytest.raises(InvalidInput, match="declares no dependencies"):
        printed("packages", "bot")
    (tmp_path / "secret").write_text("password = hunter2\n")
    (bot / "requirements.txt").unlink()
    (bot / "requirements.txt").symlink_to(tmp_path / "secret")
    git(bot, "add", "-A")
    git(bot, "commit", "-qm", "link")
    with pytest.raises(InvalidInput, match=r"requirements.txt is no plain UTF-8 file") as refused:
        printed("packages", "bot")
    assert "hunter2" not in str(refused.value)
    assert not AuditEntry.objects.filter(verb="engine.packages").exists()


def test_a_file_that_cannot_be_read_or_taken_is_named(bot: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none.txt can't be read: No such file"):
        printed("packages", "bot", "--requirements", str(tmp_path / "none.txt"))
    (tmp_path / "bad.txt").write_bytes(b"\xff")
    with pytest.raises(InvalidInput, match=r"bad.txt is no text in UTF-8"):
        printed("packages", "bot", "--requirements", str(tmp_path / "bad.txt"))
    (tmp_path / "flags.txt").write_text("--extra-index-url elsewhere\n")
    with pytest.raises(InvalidInput, match="is an option of pip, which is not taken"):
        printed("packages", "bot", "--requirements", str(tmp_path / "flags.txt"))
    with pytest.raises(InvalidInput, match="there is no engine 'nobody'"):
        printed("packages", "nobody")
    assert Engine.objects.count() == 1
