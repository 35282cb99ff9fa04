"""The command that measures copies found: its changes do what they are called, and a missed bar is said."""

import ast
import importlib
import random
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings

from tests.orphans.domain.modules import LEDGER, UNRELATED


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The changes."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("redundancy_cases")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The command."""
    monkeypatch.syspath_prepend(str(settings.BASE_DIR / "benchmarks"))
    return importlib.import_module("redundancy")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A package of two modules."""
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "ledger.py").write_text(LEDGER)
    (folder / "colours.py").write_text(UNRELATED * 3)
    return folder


def words(source: str) -> set[str]:
    """Return the names that a source uses."""
    return {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}


def size(source: str) -> int:
    """Return how many statements a source has."""
    return sum(isinstance(node, ast.stmt) for node in ast.walk(ast.parse(source)))


def test_every_change_gives_python_that_is_not_the_original(cases: ModuleType) -> None:
    for kind, change in cases.KINDS.items():
        changed = change(LEDGER, random.Random(1))
        ast.parse(changed)
        assert (changed == LEDGER) == (kind == "exact")


def test_changes_do_what_they_are_called(cases: ModuleType) -> None:
    made = {kind: change(LEDGER, random.Random(1)) for kind, change in cases.KINDS.items()}
    assert "stored" not in words(made["renamed"])
    assert "load_ledger" in made["renamed"]
    assert "load_ledger" not in made["definitions renamed"]
    assert size(made["renamed, shuffled"]) == size(LEDGER)
    assert size(made["50 % dropped"]) < size(made["15 % dropped"]) < size(LEDGER)


def test_the_same_seed_gives_the_same_figures(command: ModuleType, shop: Path) -> None:
    first = command.measure([shop], 2, 2, 1)
    assert first == command.measure([shop], 2, 2, 1)
    assert first["ours"]["renamed"]["found"] == 1
    assert first["ours"]["renamed"]["right"] == 1
    assert first["ours"]["live"]["found"] == 0
    assert "| exact |" in command.table(first)


def test_a_missed_bar_is_said(command: ModuleType) -> None:
    good = {kind: {"found": 1.0, "right": 1.0} for kind in command.KINDS} | {"live": {"found": 0.0}}
    assert command.misses(good, {"django": {"ms_per_file": 0.1}}) == []
    bad = good | {"renamed": {"found": 0.9, "right": 0.5}, "live": {"found": 0.04}}
    assert len(command.misses(bad, {"django": {"ms_per_file": 9.0}})) == 4


def test_intervals_are_wilsons(command: ModuleType) -> None:
    low, high = command.Count(of=10, found=10).interval()
    assert (round(low, 3), round(high, 3)) == (0.722, 1.0)
