"""The measuring command of the sandbox judges by its bars, and its parts measure what they name."""

import copy
import importlib
from pathlib import Path
from typing import Any

import pytest

sandbox = importlib.import_module("benchmarks.sandbox")
GOOD: dict[str, Any] = {
    "times": {
        "bare": {"median": 10.0, "best": 8.0}, "cold": {"median": 17.0, "best": 12.0},
        "cold_in_a_row": {"median": 19.0}, "bare_imports": {"median": 300.0},
        "cold_imports": {"median": 320.0}, "warm": {"median": 9.0},
    },
    "attacks": {"of": 2, "failed": {}},
    "effects": {"of": 2, "failed": {}},
    "libraries": {"of": 2, "failed": {}},
    "kills": {"failed": 0},
}  # fmt: skip


def test_a_good_measurement_misses_nothing() -> None:
    found = copy.deepcopy(GOOD)
    assert sandbox.misses(found) == []
    assert found["ratios"]["cold"] == pytest.approx(1.7)
    assert found["ratios"]["cold_best"] == pytest.approx(1.5)
    assert found["ratios"]["cold_in_a_row"] == pytest.approx(1.9)


@pytest.mark.parametrize(
    ("part", "value", "word"),
    [
        (("times", "cold", "median"), 18.1, "cold"),
        (("times", "cold_imports", "median"), 346.0, "imports"),
        (("times", "warm", "median"), 10.1, "warm"),
        (("attacks", "failed"), {"fs_open": ["wrote"]}, "attacks failed"),
        (("effects", "failed"), {"f_open": ["counted 2"]}, "effects failed"),
        (("libraries", "failed"), {"numpy_tofile": ["counted 0"]}, "libraries failed"),
        (("kills", "failed"), 1, "kill to clean"),
    ],
)
def test_each_bar_can_be_missed(part: tuple[str, ...], value: Any, word: str) -> None:
    found = copy.deepcopy(GOOD)
    place = found
    for name in part[:-1]:
        place = place[name]
    place[part[-1]] = value
    (missed,) = sandbox.misses(found)
    assert word in missed


def test_runs_that_do_not_want_to_end_leave_nothing(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    found = sandbox.kills(tmp_path, 3)
    assert (found["of"], found["failed"]) == (3, 0)


def test_times_are_taken_in_turn() -> None:
    order: list[str] = []
    found = sandbox.alternating(3, one=lambda: order.append("one"), two=lambda: order.append("two"))
    assert order == ["one", "two"] * 3
    assert found["one"]["best"] <= found["one"]["median"]
