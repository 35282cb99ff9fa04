"""Inputs made from annotations, and which exceptions say that the code is broken."""

import json
import math
import typing
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal, Optional

import pytest

from orphans.domain.made_calls import PLAIN, TooLong, concrete, is_broken, time_limit
from tests.orphans.domain.test_probing import inside

SOURCE = '''
"""Functions of every kind."""
import asyncio, dataclasses, enum, time
from pathlib import Path
from typing import Any

class Colour(enum.Enum):
    RED = 1

@dataclasses.dataclass
class Point:
    x: int
    y: float = 0.0

class Never:
    def __init__(self, x: int) -> None:
        raise SystemExit("no")

def bare(): return 1
def means(rows: list[list[float]]) -> list[float]: return [sum(row) / len(row) for row in rows]
def paint(point: Point, /, colour: Colour, *, text: str, more: dict[str, Any], left: int = 0) -> str:
    return f"{point.x + 1}{colour.name}{text.upper()}{sorted(more)}"
def later(x: "Unknown") -> None: ...
def never(x: Never) -> None: ...
def half(x: int, y) -> None: ...
def slow(x: int) -> None:
    while True: pass
async def wait(path: Path) -> None: await asyncio.sleep(0)
def leave(x: bool) -> None: raise SystemExit(3)
def _private(x: int) -> None: raise AssertionError
'''


def raised_by(act: Callable[[], object]) -> BaseException:
    with pytest.raises(BaseException) as caught:
        act()
    return caught.value


def test_functions_are_called_with_what_their_annotations_say(tmp_path: Path) -> None:
    source = SOURCE.replace("while True: pass", "raise ValueError")
    result, errors = inside(tmp_path, source, module_name="orphans.domain.made_calls", name="call_made")
    assert result, errors
    assert result["called"] == ["bare", "means", "paint", "slow", "wait", "leave"]
    made = result["made"]
    assert {name: each["inputs"] for name, each in made.items() if name != "leave"} == {
        "means": 5, "paint": 5, "slow": 5, "wait": 1,
    }  # fmt: skip
    assert set(made["means"]["raised"]) == {"ZeroDivisionError"}
    assert made["paint"]["raised"] == made["wait"]["raised"] == {}
    assert made["slow"]["raised"] == {"ValueError": 5}
    assert set(made["leave"]["raised"]) == {"SystemExit"}
    assert result["functions"]["means"] == 5
    assert 0.8 < result["lines"] <= 1.0
    assert json.dumps(result)


def test_the_same_inputs_are_made_again_and_nothing_is_left_behind(tmp_path: Path) -> None:
    source = "seen = []\ndef f(x: str, y: list[int]) -> None: print('SAW', x, y)\n"
    driver = {"module_name": "orphans.domain.made_calls", "name": "call_made"}
    first, _ = inside(tmp_path, source, **driver)
    second, _ = inside(tmp_path, source, **driver)
    assert first == second
    assert not (tmp_path / ".hypothesis").exists()


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ("return vanished(x)", "NameError"),
        ("return g(y=x)", "TypeError"),
    ],
)
def test_code_that_no_input_can_be_blamed_for_fails(tmp_path: Path, body: str, name: str) -> None:
    source = f"def g(x): return x\ndef f(x: int) -> int:\n    {body}\n"
    result, errors = inside(tmp_path, source, module_name="orphans.domain.made_calls", name="call_made")
    assert result is None
    assert name in errors


@pytest.mark.parametrize(
    ("act", "broken"),
    [
        (lambda: math.sqrt(-1), False),
        (lambda: [][1], False),
        (lambda: SimpleNamespace().missing, False),
        (lambda: 1 + "a", False),  # type: ignore[operator]
        (lambda: __import__("no_such_package_at_all"), True),
        (lambda: math.missing, True),  # type: ignore[attr-defined]
        (lambda: is_broken(), True),  # type: ignore[call-arg]
        (lambda: is_broken(ValueError(), 1), True),  # type: ignore[call-arg]
    ],
)
def test_an_exception_is_the_inputs_or_the_codes(act: Callable[[], object], broken: bool) -> None:
    assert is_broken(raised_by(act)) is broken


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        (Any, PLAIN),
        (object, PLAIN),
        (int, int),
        (dict[str, Any], dict[str, PLAIN]),
        (list[dict[str, Any]], list[dict[str, PLAIN]]),
        (Any | None, PLAIN),
        (Optional[Any], PLAIN),  # noqa: UP045 - what old code writes
        (typing.Dict[str, Any], dict[str, PLAIN]),  # noqa: UP006 - what old code writes
        (Literal["a"], Literal["a"]),
        (Callable[[int], str], Callable[[int], str]),
        (tuple[Any, ...], tuple[Any, ...]),
    ],
)
def test_any_gets_values_wherever_it_stands(hint: object, expected: object) -> None:
    assert concrete(hint) == expected


def test_a_call_that_takes_too_long_is_ended_and_the_clock_put_back() -> None:
    def endless() -> None:
        with time_limit(0.02):
            while True:
                pass

    assert isinstance(raised_by(endless), TooLong)
    with time_limit(0.01):
        pass
    raised_by(lambda: endless())
