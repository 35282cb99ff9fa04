"""Search spaces as bots write them: read in both ways, or refused with the parameter's name."""

import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.search_space import Parameter, Scalar, Space, parse

NESTED = {
    "kind": (
        "choice",
        {
            "forest": {"trees": ("int", 20, 200, "log"), "c": ("float", 1, 2)},
            "kernel": {"c": ("float", 0.01, 9, "log")},
        },
    ),
    "scale": ("choice", [True, False]),
}
FLAT = {
    "trees": {"type": "int", "low": 20, "high": 200, "log": True, "when": {"kind": ["forest"]}},
    "c": {"type": "float", "low": 0.01, "high": 9, "log": True, "when": {"kind": "kernel"}},
    "kind": {"type": "choice", "choices": ["forest", "kernel"]},
    "scale": {"type": "choice", "choices": [True, False]},
}


def first(parameter: Parameter) -> Scalar:
    return parameter.choices[0] if parameter.kind == "choice" else parameter.low


def last(parameter: Parameter) -> Scalar:
    return parameter.choices[-1] if parameter.kind == "choice" else parameter.high


@pytest.mark.parametrize("written", [NESTED, FLAT])
def test_both_ways_of_writing(written: dict[str, Any]) -> None:
    space = parse(written)
    walked = space.walk(first)
    assert (walked["kind"], walked["scale"], walked["trees"]) == ("forest", True, 20)
    assert space.walk(last) == {"kind": "kernel", "scale": False, "c": 9}


def test_a_condition_comes_after_what_it_depends_on() -> None:
    keys = [parameter.key for parameter in parse(FLAT).parameters]
    assert keys.index("kind") < keys.index("trees")
    assert [parameter.key for parameter in parse(NESTED).parameters if parameter.name == "c"] == [
        "kind=forest/c",
        "kind=kernel/c",
    ]


def test_conditions_of_conditions() -> None:
    inner = {"solver": ("choice", {"adam": {"beta": ("float", 0, 1)}, "sgd": {}})}
    space = parse({"kind": ("choice", {"net": inner, "none": {}})})
    assert space.walk(first) == {"kind": "net", "solver": "adam", "beta": 0}
    assert space.walk(last) == {"kind": "none"}
    assert {"kind": "net", "kind=net/solver": "sgd"} in list(space.branches())


def test_keyed_finds_what_lies_in_the_space() -> None:
    space = parse(NESTED)
    assert space.keyed({"kind": "kernel", "c": 1.0, "scale": True}) == {
        "kind": "kernel",
        "kind=kernel/c": 1.0,
        "scale": True,
    }
    for outside in (
        {"kind": "kernel", "c": 10.0, "scale": True},
        {"kind": "kernel", "scale": True},
        {"kind": "kernel", "c": 1.0, "scale": 1},
        {"kind": "kernel", "c": 1.0, "scale": True, "trees": 20},
        {"kind": "forest", "c": 1.0, "scale": True, "trees": 20.5},
    ):
        assert space.keyed(outside) is None


def test_one_and_true_are_two_choices() -> None:
    (parameter,) = parse({"flag": ("choice", [1, True, None, "x", 0.5])}).parameters
    assert parameter.choices == (1, True, None, "x", 0.5)
    assert not parse({"flag": ("choice", [0])}).parameters[0].contains(False)


def test_an_empty_space_has_one_configuration() -> None:
    assert parse({}).walk(first) == {}


@pytest.mark.parametrize(
    ("written", "field", "words"),
    [
        ([], "space", "map"),
        ({1: ("int", 0, 1)}, "space", "name"),
        ({"a b": ("int", 0, 1)}, "space", "name"),
        ({"a": 3}, "a", "write it as"),
        ({"a": ()}, "a", "write it as"),
        ({"a": ("real", 0, 1)}, "a", "type"),
        ({"a": ("int", 0)}, "a", "low, high"),
        ({"a": ("int", 0, 1, "exp")}, "a", "low, high"),
        ({"a": ("int", 0.5, 1)}, "a", "whole"),
        ({"a": ("int", 0, 2**60)}, "a", "whole"),
        ({"a": ("float", 2, 1)}, "a", "above"),
        ({"a": ("float", 0, 1, "log")}, "a", "log scale"),
        ({"a": ("float", math.nan, 1)}, "a", "finite"),
        ({"a": ("float", 0, math.inf)}, "a", "finite"),
        ({"a": ("float", True, 2)}, "a", "finite"),
        ({"a": ("float", "0", 2)}, "a", "finite"),
        ({"a": {"type": "float", "low": 1, "high": 2, "log": 1}}, "a", "true or false"),
        ({"a": {"type": "float", "low": 1, "high": 2, "step": 1}}, "a", "unknown keys step"),
        ({"a": ("choice",)}, "a", "one list"),
        ({"a": ("choice", [])}, "a", "1 to"),
        ({"a": ("choice", "abc")}, "a", "1 to"),
        ({"a": ("choice", [1, 1.0])}, "a", "twice"),
        ({"a": ("choice", [[1]])}, "a", "a choice must be"),
        ({"a": ("choice", [math.nan])}, "a", "a choice must be"),
        ({"a": ("choice", {"x": 3})}, "a", "must be a search space"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"b": [1]}}}, "a", "not in the space"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"a": [9]}}}, "a", "can't be"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"a": [1]}}}, "a", "circle"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": ["a"]}}, "a", "when must map"),
        ({"a": {"type": "int", "low": 0, "high": 1, "when": {"b": []}}}, "a", "when must map"),
        ({"c": ("int", 0, 1), "k": ("choice", {"x": {"c": ("int", 0, 1)}})}, "c", "defined twice"),
        ({f"p{i}": ("int", 0, 1) for i in range(201)}, "space", "more than"),
    ],
)
def test_wrong_spaces_are_refused_by_name(written: Any, field: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        parse(written)
    assert caught.value.field == field


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda s: st.lists(s) | st.dictionaries(st.text(), s),
    )
)
def test_anything_is_a_space_or_refused(written: Any) -> None:
    with suppress(InvalidInput):
        assert isinstance(parse({"a": written}), Space)


def test_bottomless_spaces_are_refused() -> None:
    space: dict[str, Any] = {}
    for _ in range(5000):
        space = {"a": ("choice", {"x": space})}
    with pytest.raises(InvalidInput, match="deep"):
        parse(space)
