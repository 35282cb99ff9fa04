"""Whatever space a bot writes: what is drawn from it lies in it, and what lies outside is known to."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.search_cost import Costs
from engines.domain.search_proposals import Proposals
from engines.domain.search_space import (
    MAX_CHOICES,
    MAX_PARAMETERS,
    Condition,
    Parameter,
    Scalar,
    Space,
    parse,
    same,
)

QUIET = settings(deadline=None, max_examples=50)
NAMES = st.text("abcdefgh", min_size=1, max_size=3)
SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text("xyz", max_size=3)
LABELS = st.text("uvw", min_size=1, max_size=2)


def limits(draw: st.DrawFn, low: int, high: int) -> tuple[int, int]:
    first, second = draw(st.integers(low, high)), draw(st.integers(low, high))
    return min(first, second), max(first, second)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[object, ...]:
    """A parameter that is a number, in the short way of writing."""
    kind, log = draw(st.sampled_from(["int", "float"])), draw(st.booleans())
    low, high = limits(draw, 1 if log else -50, 50)
    return (kind, low, high, "log") if log else (kind, low, high)


def distinct(values: Sequence[Scalar]) -> list[Scalar]:
    kept: list[Scalar] = []
    for value in values:
        if not any(same(value, other) for other in kept):
            kept.append(value)
    return kept


FLAT = st.dictionaries(
    NAMES,
    numbers() | st.lists(SCALARS, min_size=1, max_size=4).map(lambda v: ("choice", distinct(v))),
    max_size=4,
)
SPACES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    FLAT,
    lambda inner: st.builds(
        lambda name, labels: {name: ("choice", labels)},
        NAMES,
        st.dictionaries(LABELS, inner, min_size=1, max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip


def parsed(written: dict[str, Any]) -> Space | None:
    """Return the space, None where a name inside a branch means one of its parents."""
    try:
        return parse(written)
    except InvalidInput:
        return None


@st.composite
def walks(draw: st.DrawFn) -> tuple[Space, dict[str, Scalar]]:
    """A space and one configuration drawn from it."""
    space = draw(SPACES.map(parsed).filter(lambda found: found is not None))
    assert space is not None

    def value(parameter: Parameter) -> Scalar:
        if parameter.kind == "choice":
            return draw(st.sampled_from(parameter.choices))
        if parameter.kind == "int":
            return draw(st.integers(int(parameter.low), int(parameter.high)))
        return draw(st.floats(parameter.low, parameter.high))

    return space, space.walk(value)


@QUIET
@given(walks())
def test_what_was_drawn_lies_in_the_space(walk: tuple[Space, dict[str, Scalar]]) -> None:
    space, drawn = walk
    keyed = space.keyed(drawn)
    assert keyed is not None
    assert {p.name: keyed[p.key] for p in space.parameters if p.key in keyed} == drawn


@QUIET
@given(walks(), st.data())
def test_one_parameter_more_or_less_lies_outside(
    walk: tuple[Space, dict[str, Scalar]], data: st.DataObject
) -> None:
    space, drawn = walk
    assert space.keyed({**drawn, "stranger": 1}) is None
    if drawn:
        left_out = data.draw(st.sampled_from(sorted(drawn)))
        assert space.keyed({name: value for name, value in drawn.items() if name != left_out}) is None


@QUIET
@given(walks())
def test_a_value_of_another_kind_lies_outside(walk: tuple[Space, dict[str, Scalar]]) -> None:
    space, drawn = walk
    for name in drawn:
        assert space.keyed({**drawn, name: ["a", "list"]}) is None
        assert space.keyed({**drawn, name: 10**400}) is None


@QUIET
@given(SPACES.map(parsed).filter(lambda found: found is not None))
def test_parameters_follow_what_they_depend_on(space: Space) -> None:
    before: set[str] = set()
    for parameter in space.parameters:
        assert {condition.key for condition in parameter.when} <= before
        before.add(parameter.key)
    assert len(before) == len(space.parameters)


@settings(deadline=None, max_examples=12)
@given(SPACES.map(parsed).filter(lambda found: found is not None), st.integers(0, 2**40))
def test_proposals_lie_in_the_space_and_are_repeatable(space: Space, seed: int) -> None:
    def proposed() -> list[dict[str, Scalar]]:
        proposals, found = Proposals(space, seed), []
        for score in (1.0, None, 0.5):
            found.append(proposals.ask())
            proposals.answer(score)
        return found

    asked = proposed()
    assert all(space.keyed(params) is not None for params in asked)
    assert asked == proposed()


def test_every_branch_is_visited_before_any_comes_again() -> None:
    size = {"n": ("int", 0, 100)}
    space = parse({"kind": ("choice", {"a": size, "b": size, "c": {}})})
    proposals, kinds = Proposals(space, 3), []
    for _ in range(3):
        asked = proposals.ask()
        kinds.append(asked["kind"])
        assert int(str(asked.get("n", 0))) <= 25
        proposals.drop()
    assert sorted(map(str, kinds)) == ["a", "b", "c"]


def test_what_was_too_large_comes_again_smaller() -> None:
    proposals = Proposals(parse({"n": ("int", 0, 1000)}), 1)
    first = proposals.ask()["n"]
    proposals.drop(retry_smaller=True)
    second = proposals.ask()["n"]
    assert isinstance(first, int)
    assert isinstance(second, int)
    assert second == first // 4


def test_the_smallest_is_not_asked_again() -> None:
    proposals = Proposals(parse({"n": ("int", 5, 5)}), 1)
    for _ in range(3):
        assert proposals.ask() == {"n": 5}
        proposals.drop(retry_smaller=True)


def test_an_answer_without_a_question_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="nothing was asked"):
        Proposals(parse({"n": ("int", 0, 1)}), 1).answer(1.0)


def test_what_lies_outside_is_passed_over_as_a_hint() -> None:
    proposals = Proposals(parse({"n": ("int", 0, 3), "k": ("choice", [1, True])}), 1)
    proposals.tell({"n": 99, "k": 1}, 1.0)
    proposals.tell({"n": 2, "k": True}, None)
    proposals.tell({"n": 2, "k": True}, 1.0)
    assert proposals.ask().keys() == {"n", "k"}


@pytest.mark.parametrize(
    ("kind", "value", "inside"),
    [
        ("int", 0, True), ("int", 10, True), ("int", -1, False), ("int", 11, False), ("int", 5.0, False),
        ("int", True, False), ("int", "5", False), ("int", None, False), ("int", 10**400, False),
        ("float", 5, True), ("float", 10.0, True), ("float", 10.1, False), ("float", float("nan"), False),
        ("float", float("inf"), False), ("float", -(10**400), False), ("float", False, False),
    ],
)  # fmt: skip
def test_limits_are_inside_and_other_kinds_are_not(kind: Any, value: Any, inside: bool) -> None:
    assert Parameter("n", "n", kind, 0.0, 10.0).contains(value) is inside


def test_a_condition_needs_its_parent_to_exist() -> None:
    child = Parameter("c", "c", "int", 0, 1, when=(Condition("p", (1, "x")),))
    assert child.exists({"p": 1})
    assert child.exists({"p": "x"})
    assert not child.exists({"p": True})
    assert not child.exists({})


def test_counts_are_limited_exactly() -> None:
    many = {f"p{number}": ("int", 0, 1) for number in range(MAX_PARAMETERS)}
    assert len(parse(many).parameters) == MAX_PARAMETERS
    assert len(parse({"a": ("choice", list(range(MAX_CHOICES)))}).parameters[0].choices) == MAX_CHOICES
    with pytest.raises(InvalidInput, match="1 to 1000"):
        parse({"a": ("choice", list(range(MAX_CHOICES + 1)))})


def test_a_message_is_short_however_long_the_value() -> None:
    with pytest.raises(InvalidInput) as caught:
        parse({"a": ("choice", [["x" * 10_000]])})
    assert len(str(caught.value)) < 400


@QUIET
@given(st.integers(1, 1000), st.integers(1, 1000), st.floats(0.01, 100))
def test_costs_grow_with_the_size_but_not_without_limit(small: int, factor: int, seconds: float) -> None:
    costs = Costs()
    costs.add({"trees": small}, seconds)
    costs.add({"trees": small * (factor + 1)}, seconds * (factor + 1) ** 3)
    beyond = costs.predict({"trees": small * (factor + 1) ** 2})
    steepest = costs.predict({"trees": small * (factor + 1)}) * (factor + 1) ** 1.5
    assert costs.predict({"trees": small}) <= costs.predict({"trees": small * (factor + 1)}) <= beyond
    assert beyond == pytest.approx(steepest, rel=1e-6)


def test_costs_of_another_kind_are_guessed_from_the_dearest() -> None:
    costs = Costs()
    assert costs.predict({"kind": "a"}) == 0.0
    costs.add({"kind": "a", "trees": 10}, 1.0)
    costs.add({"kind": "b"}, 7.0)
    assert costs.predict({"kind": "c"}) == 7.0
    assert costs.predict({"kind": "a", "trees": 20}) == pytest.approx(2.0)
    assert costs.predict({"kind": "a", "trees": 5}) == pytest.approx(1.0)


def test_a_clock_that_went_back_costs_nothing() -> None:
    costs = Costs()
    costs.add({}, -5.0)
    assert costs.seen == [({}, 0.0)]
