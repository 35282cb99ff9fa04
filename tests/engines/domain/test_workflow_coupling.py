"""How workflows hang together, estimated from what was seen of them."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.workflows.coupling import (
    Member,
    correlation,
    estimate,
    handed_on,
    shared_modules,
    shrunken,
)

Keys = frozenset[str] | None

NAMES = "abcdef"
KEYS = st.one_of(st.none(), st.frozensets(st.sampled_from("xyz"), max_size=3))
MEMBERS = st.fixed_dictionaries(
    {name: st.tuples(KEYS, KEYS, KEYS, st.lists(st.integers(-9, 9), max_size=8)) for name in NAMES}
)


def member(
    name: str,
    modules: Iterable[object] | None = None,
    takes: Iterable[object] | None = None,
    gives: Iterable[object] | None = None,
    roi: Iterable[float] = (),
) -> Member:
    sets = [None if keys is None else frozenset(map(str, keys)) for keys in (modules, takes, gives)]
    return Member(
        name=name, modules=sets[0], takes=sets[1], gives=sets[2], roi=dict(enumerate(map(float, roi)))
    )


def edges(*members: Member) -> dict[tuple[str, str], dict[str, float]]:
    return {(source, target): dict(edge.weights) for source, target, edge in estimate(members).graph.edges()}


def test_data_flows_from_output_to_input() -> None:
    found = edges(member("clean", gives={"age", "name"}), member("score", takes={"age", "height"}))
    assert found == {("clean", "score"): {"data": 0.5}}


def test_what_is_not_known_is_no_edge() -> None:
    assert edges(member("a", gives={"x"}), member("b")) == {}
    assert handed_on(member("a"), member("b", takes={"x"})) is None
    assert handed_on(member("a", gives={"x"}), member("b", takes=set())) is None
    assert shared_modules(member("a", modules={"m"}), member("b")) is None


def test_what_a_workflow_is_made_of_weighs_by_how_much_of_it_that_is() -> None:
    small, large = member("small", modules={"m"}), member("large", modules={"m", "n", "o", "p"})
    assert shared_modules(large, small) == 1.0
    assert shared_modules(small, large) == 0.25
    assert edges(small, large) == {("large", "small"): {"resource": 1.0}}


def test_modules_that_ran_count_more_than_those_that_are_imported() -> None:
    imports = frozenset({"m", "n", "o", "p"})
    ran = Member(name="b", modules=imports, ran=frozenset({"m", "n"}))

    assert shared_modules(member("a", modules={"m"}), ran) == 0.5
    (link,) = estimate([member("a", modules={"m"}), ran]).links
    assert (link.target, link.detail["resource"]) == ("a", {"shared": ["m"], "of": 1})
    (link,) = estimate([Member(name="a", modules=frozenset({"m"}), only_source=True), ran]).links
    assert (link.target, link.detail["resource"]) == ("b", {"shared": ["m"], "of": 2, "ran": True})


@settings(max_examples=30, deadline=None)
@given(MEMBERS)
def test_nothing_is_ever_felt_by_what_only_gives(
    drawn: dict[str, tuple[Keys, Keys, Keys, list[int]]],
) -> None:
    members = [member(name, *given) for name, given in drawn.items()]
    model = replace(members[0], only_source=True)
    graph = estimate([model, *members[1:]]).graph

    assert all(target != model.name for _, target, _ in graph.edges())
    assert set(graph.reached(model.name)) >= {model.name}


def test_equal_shares_go_by_name() -> None:
    assert edges(member("b", modules={"m"}), member("a", modules={"m"})) == {("a", "b"): {"resource": 1.0}}


def test_the_data_gives_the_direction_of_all_kinds() -> None:
    found = edges(
        member("b", modules={"m"}, gives={"x"}), member("a", modules={"m", "n"}, takes={"x"}, gives={"y"})
    )
    assert found == {("b", "a"): {"resource": 0.5, "data": 1.0}}


def test_a_trace_of_a_share_is_left_out() -> None:
    assert edges(member("a", modules={0}), member("b", modules=set(range(100)))) == {
        ("b", "a"): {"resource": 1.0}
    }
    many = frozenset(range(100))
    assert edges(member("a", modules=many), member("b", modules={99, *range(200, 300)} | {1})) == {}


def test_of_data_in_a_circle_the_weakest_is_left_out_and_told() -> None:
    found = estimate(
        [
            member("a", takes={"z"}, gives={"x"}),
            member("b", takes={"x"}, gives={"y"}),
            member("c", takes={"y", "other"}, gives={"z"}),
        ]
    )
    assert [(source, target) for source, target, _ in found.graph.edges()] == [("a", "b"), ("c", "a")]
    assert found.refused == (("b", "c", ("b", "c", "a", "b")),)


def test_without_data_an_edge_is_turned_rather_than_left_out() -> None:
    found = estimate(
        [
            member("a", modules={"m"}, takes={"k"}),
            member("b", modules={"n"}, gives={"k"}),
            member("c", modules={"m", "n"}),
        ]
    )
    assert not found.refused
    assert len(found.links) == 3


def test_workflows_that_gain_together_hang_together() -> None:
    chance = random.Random(3)
    gains = [chance.gauss(0, 1) for _ in range(40)]
    other = [2 * gain + chance.gauss(0, 0.3) for gain in gains]
    weight = edges(member("a", roi=gains), member("b", roi=other))["a", "b"]["logical"]
    assert 0.9 < weight < 1.0
    against = edges(member("a", roi=gains), member("b", roi=[-value for value in other]))["a", "b"]["logical"]
    assert against == pytest.approx(-weight)


def test_a_common_rise_is_no_correlation() -> None:
    chance = random.Random(5)
    rising = [[place + chance.gauss(0, 1) for place in range(30)] for _ in range(2)]
    assert edges(member("a", roi=rising[0]), member("b", roi=rising[1])) == {}


def test_chance_agreement_of_few_cycles_counts_for_nothing() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(400):
        left, right = ({cycle: chance.gauss(0, 1) for cycle in range(9)} for _ in range(2))
        pair = correlation(left, right)
        assert pair is not None
        found += shrunken(*pair) != 0
    assert found / 400 < 0.2  # 10 % at most were the changes independent of one another


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ({}, {}),
        ({1: 1.0}, {1: 2.0}),
        (dict.fromkeys(range(9), 1.0), {cycle: cycle * cycle for cycle in range(9)}),
    ],
)
def test_too_little_is_no_correlation(left: dict[int, float], right: dict[int, float]) -> None:
    assert correlation(left, right) is None


def test_only_common_cycles_count() -> None:
    left = {cycle: float(cycle % 3) for cycle in range(12)}
    right = {cycle: float(cycle % 3) for cycle in range(0, 12, 2)}
    found = correlation(left, right)
    assert found is not None
    assert found[0] == pytest.approx(1.0)
    assert found[1] == 5


@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_the_unit_does_not_matter(unit: float) -> None:
    left = {cycle: math.sin(cycle) for cycle in range(12)}
    right = {cycle: math.sin(cycle) + math.cos(3 * cycle) for cycle in range(12)}
    scaled = {cycle: value * unit for cycle, value in right.items()}
    found, plain = correlation(left, scaled), correlation(left, right)
    assert found is not None
    assert plain is not None
    assert found[0] == pytest.approx(plain[0])


def test_more_cycles_shrink_less() -> None:
    assert shrunken(0.8, 3) == 0.0
    weights = [shrunken(0.8, pairs) for pairs in (5, 10, 30, 1000)]
    assert weights == sorted(weights)
    assert weights[0] == 0.0
    assert weights[-1] == pytest.approx(0.8, abs=0.03)
    assert shrunken(-1.0, 10) == pytest.approx(-shrunken(1.0, 10))


@settings(max_examples=30, deadline=None)
@given(MEMBERS, st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(
    members: dict[str, tuple[Keys, Keys, Keys, list[int]]], chance: random.Random
) -> None:
    listed = [
        member(name, modules, takes, gives, roi) for name, (modules, takes, gives, roi) in members.items()
    ]
    first = estimate(listed)
    chance.shuffle(listed)
    again = estimate(listed)
    assert again.graph.to_dict() == first.graph.to_dict()
    assert (again.links, again.refused) == (first.links, first.refused)
    assert all(0.05 <= abs(weight) <= 1 for link in first.links for weight in link.weights.values())
