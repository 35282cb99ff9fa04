"""docs/seed-map.md tells the truth: what it calls done exists, and what it calls later does not claim to."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from menace_site.sandbox_settings import SandboxSettings
from menace_site.sandbox_settings.fields import note_of

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "seed-map.md"
CODE = re.compile(r"`([^`]+)`")
NOTES = [note_of(field) for field in SandboxSettings.model_fields.values()]
WAITING = {variable: bool(note.later) for note in NOTES for variable in note.variables}
"""Whether each variable still waits for its part."""

PARTS = (
    "orphan modules", "the sandbox's layers", "scenario presets", "forecasts and the gate", "learning",
    "helper patches", "snapshots", "alignment flags", "workflow evolution", "promotions",
)  # fmt: skip


def rows() -> list[tuple[str, str, str]]:
    lines = [line.strip("| ").split(" | ") for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    return [(name, where, state) for name, where, state in lines if name not in ("name", "---")]


def done() -> list[tuple[str, str]]:
    return [(name, where) for name, where, state in rows() if state == "done"]


@cache
def symbols(path: Path) -> set[str]:
    """Return the names that a module defines, methods with their class."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        named = [node] if isinstance(node, ast.ClassDef | ast.FunctionDef) else []
        targets = node.targets if isinstance(node, ast.Assign) else []
        found |= {each.name for each in named} | {each.id for each in targets if isinstance(each, ast.Name)}
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
    return found


def missing(reference: str) -> bool:
    """Tell whether a reference of the page leads nowhere."""
    if reference.startswith("manage.py "):
        return command_missing(reference.split()[1:])
    path, _, symbol = reference.partition("::")
    if "/" not in path:
        return False
    place = ROOT / path
    return not place.exists() or bool(symbol and symbol not in symbols(place))


def command_missing(words: list[str]) -> bool:
    files = list(ROOT.glob(f"*/management/commands/{words[0]}.py"))
    return not files or any(f'"{word}"' not in files[0].read_text() for word in words[1:])


@pytest.mark.parametrize(("name", "where"), done(), ids=[name for name, _ in done()])
def test_done_things_exist(name: str, where: str) -> None:
    references = CODE.findall(where)
    assert not [reference for reference in references if missing(reference)]


def test_every_row_has_a_known_state() -> None:
    states = {state for _, _, state in rows()}
    assert states - {"done"} <= {f"later: {part}" for part in PARTS}


def test_settings_named_are_settings() -> None:
    named = {word for _, where, _ in rows() if where.startswith("setting") for word in CODE.findall(where)}
    assert {word for word in named if word.isupper()} <= set(WAITING)


def test_state_of_a_variable_agrees_with_its_declaration() -> None:
    plain = [(name.strip("`"), state) for name, where, state in rows() if where == f"setting {name}"]
    assert len(plain) > 40
    assert [name for name, state in plain if WAITING[name] != (state != "done")] == []


def test_synergy_metrics_are_all_there() -> None:
    assert len([name for name, _, _ in rows() if name.startswith("`synergy_") and "," not in name]) == 24


def test_planned_files_do_not_exist_yet() -> None:
    """A room that is named as later and exists by now is a row that was forgotten."""
    lone = re.compile(r"`[a-z_/]+\.py`")
    later = [where for _, where, state in rows() if state != "done" and lone.fullmatch(where)]
    assert [where for where in later if (ROOT / where.strip("`")).exists()] == []
