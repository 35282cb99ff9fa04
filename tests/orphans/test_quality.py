"""The linter on a checkout: its own rules only, and nothing that a bot says about itself."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from orphans.discovery import quality as module
from orphans.discovery.quality import findings, quality

WEAK = "import os, pickle\n# ruff: noqa\ndef f(x=[]):\n    return eval(x)  # noqa\n"


def test_neither_settings_nor_comments_of_the_checkout_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(WEAK)
    (tmp_path / "ruff.toml").write_text("[lint]\nselect = []\nexclude = ['*']\n")
    rules = {rule for path, rule in findings(tmp_path, ["a.py"]) or ()}
    assert {"E401", "F401", "B006", "S307"} <= rules


def test_the_numbers_of_a_clean_and_of_a_weak_file(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(WEAK)
    (tmp_path / "b.py").write_text('"""Says what it is."""\n\nANSWER = 42\n')
    weak, clean = (quality(tmp_path, {name: (tmp_path / name).read_text()}) for name in ("a.py", "b.py"))
    assert (clean["lint_findings"], clean["security_findings"]) == (0.0, 0.0)
    assert (weak["security_findings"] or 0) > 0
    assert quality(tmp_path, {}) == dict.fromkeys(weak)


def test_a_name_that_looks_like_an_option_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "--fix.py").write_text("import os\n")
    assert findings(tmp_path, ["--fix.py"]) == [("--fix.py", "F401")]


def test_without_a_linter_nothing_was_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ruff_program", lambda: None)
    assert findings(tmp_path, ["a.py"]) is None
    assert findings(tmp_path, []) == []


@pytest.mark.parametrize("words", [b"", b"[1]", b"{", b"[" * 100_000])
def test_words_that_are_no_findings_are_no_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: bytes
) -> None:
    def said(*command: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        return subprocess.CompletedProcess(command, 0, words)

    monkeypatch.setattr(subprocess, "run", said)
    assert findings(tmp_path, ["a.py"]) is None
