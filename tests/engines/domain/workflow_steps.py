"""Steps for the tests of workflows."""

from typing import Any

CONSTANT = 3


def zero(_: Any) -> int:
    return 0


def double(value: int) -> int:
    return value * 2


def broken(_: Any) -> Any:
    raise KeyError("gone")


def nothing_plain(_: Any) -> Any:
    return {1, 2}


def not_finite(_: Any) -> Any:
    return [float("inf")]
