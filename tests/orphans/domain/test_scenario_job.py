"""Calling a function input by input and all at once."""

import asyncio
import threading
from typing import Any

import pytest

from orphans.domain.scenario_job import scenario

SEEN: list[Any] = []


class Ear:
    """A job that notes how far it is."""

    def __init__(self) -> None:
        self.told: list[float | None] = []

    def progress(self, fraction: float | None, message: str = "") -> None:
        self.told.append(fraction)


class Mute(Exception):
    """An exception without a text."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def spoil(value: Any) -> None:
    SEEN.append(list(value))
    value.clear()


def fail(value: Any) -> None:
    raise {"mute": Mute(), "exit": SystemExit(3), "stop": KeyboardInterrupt()}[value]


def name(value: Any) -> None:
    SEEN.append(threading.current_thread().name)


async def sleep(value: Any) -> None:
    SEEN.append(value)
    await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _forget() -> None:
    SEEN.clear()


def called(function: str, inputs: list[Any], **more: Any) -> dict[str, Any]:
    return scenario({"target": f"{__name__}:{function}", "inputs": inputs, **more}, Ear())


def test_each_call_gets_its_input_as_it_was_given() -> None:
    given = [[1, 2]]
    found = called("spoil", given, threads=3)
    assert (SEEN, given) == ([[1, 2]] * 3, [[1, 2]])
    assert [row["way"] for row in found["calls"]] == ["thread"] * 3


def test_whatever_is_raised_is_told_and_stops_nothing() -> None:
    found = called("fail", ["mute", "exit", "stop"])
    assert [row["error"] for row in found["calls"]] == ["Mute", "SystemExit", "KeyboardInterrupt"]
    assert found["messages"] == {"Mute": "its text can't be made", "SystemExit": "3", "KeyboardInterrupt": ""}


def test_calls_one_after_the_other_are_never_together() -> None:
    found = called("name", [1, 2, 3])
    assert (found["threads"], found["under_way"]) == (1, 1)
    assert [row["input"] for row in found["calls"]] == [0, 1, 2]


def test_threads_and_tasks_share_the_threads_there_may_be() -> None:
    found = called("name", [1], threads=2, tasks=20, max_threads=5)
    assert found["threads"] == len(set(SEEN)) <= 5
    assert len(found["calls"]) == 22


def test_async_functions_are_awaited_in_every_way() -> None:
    for more, way in (({}, "call"), ({"threads": 2}, "thread"), ({"tasks": 2}, "task")):
        found = called("sleep", [1, 2], **more)
        assert [(row["way"], row["error"]) for row in found["calls"]] == [(way, None)] * 2
    assert sorted(SEEN) == [1, 1, 1, 2, 2, 2]


def test_inputs_are_taken_in_turn() -> None:
    assert sorted(row["input"] for row in called("sleep", ["a", "b"], tasks=5)["calls"]) == [0, 0, 0, 1, 1]


def test_a_target_that_is_no_function_is_refused() -> None:
    with pytest.raises(TypeError, match="is no function"):
        called("SEEN", [1])


def test_how_far_it_is_is_told() -> None:
    ear = Ear()
    scenario({"target": f"{__name__}:name", "inputs": [1, 2, 3, 4]}, ear)
    assert ear.told == [0.0, 0.25, 0.5, 0.75]
