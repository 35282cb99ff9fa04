"""Which modules are executed, which may be mapped, and what numbers keep one out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.candidates import (
    NEVER_MAPPED,
    WITHHELD,
    Candidate,
    Switches,
    choose,
    may_be_mapped,
    worth_it,
)
from orphans.domain.findings import Classification

few = settings(max_examples=60, deadline=None)
switches = st.builds(
    Switches,
    recursive_orphans=st.booleans(),
    recursive_isolated=st.booleans(),
    isolated=st.booleans(),
    redundant=st.booleans(),
)
modules = st.builds(
    Candidate,
    path=st.sampled_from([f"m{at}.py" for at in range(6)]),
    classification=st.sampled_from(Classification),
    parents=st.sampled_from([(), ("m0.py",)]),
    chain=st.sampled_from([(), ("m0.py", "m1.py")]),
    redundant=st.booleans(),
    heavy=st.sampled_from(["", "it wrote 99 files"]),
)
named = st.frozensets(st.sampled_from([f"m{at}.py" for at in range(6)]), max_size=2)


def one(classification: Classification, **fields: object) -> Candidate:
    return Candidate(path="m.py", classification=classification, **fields)  # type: ignore[arg-type]


def ran(candidate: Candidate, wanted: frozenset[str] = frozenset(), **options: bool) -> bool:
    return bool(choose([candidate], Switches(**options), named=wanted).run)


@few
@given(st.lists(modules, unique_by=lambda each: each.path), switches, named)
def test_each_module_is_executed_or_left_with_a_reason(
    found: list[Candidate], options: Switches, wanted: frozenset[str]
) -> None:
    choice = choose(found, options, named=wanted)
    assert sorted([*choice.run, *choice.skipped]) == sorted(each.path for each in found)
    assert all(choice.skipped.values())
    assert [each.path for each in found if each.path in choice.run] == list(choice.run)


@few
@given(modules, switches, named)
def test_what_was_too_heavy_is_never_executed_again(
    each: Candidate, options: Switches, wanted: frozenset[str]
) -> None:
    if each.heavy:
        assert choose([each], options, named=wanted).skipped == {each.path: each.heavy}


@few
@given(modules, switches)
def test_naming_a_module_never_takes_it_out(each: Candidate, options: Switches) -> None:
    if choose([each], options).run:
        assert choose([each], options, named=frozenset({each.path})).run


@few
@given(modules, switches, named)
def test_switching_on_never_takes_a_module_out(
    each: Candidate, options: Switches, wanted: frozenset[str]
) -> None:
    if choose([each], options, named=wanted).run:
        assert choose([each], Switches(), named=wanted).run


@pytest.mark.parametrize("kind", WITHHELD)
def test_what_tests_or_users_reach_is_executed_only_by_name(kind: Classification) -> None:
    assert not ran(one(kind))
    assert ran(one(kind), frozenset({"m.py"}))


@pytest.mark.parametrize("kind", [Classification.REDUNDANT, Classification.LEGACY])
def test_the_switch_for_redundant_ones(kind: Classification) -> None:
    assert ran(one(kind))
    assert not ran(one(kind), redundant=False)
    assert not ran(one(Classification.ORPHAN, redundant=True), redundant=False)


def test_the_switch_for_isolated_ones_leaves_orphans_alone() -> None:
    assert not ran(one(Classification.ISOLATED), isolated=False)
    assert ran(one(Classification.ORPHAN), isolated=False)


@pytest.mark.parametrize(
    ("options", "wanted", "follows"),
    [
        ({"recursive_orphans": False}, frozenset(), False),
        ({"recursive_orphans": False}, frozenset({"head.py"}), True),
        ({"recursive_isolated": False}, frozenset({"head.py"}), False),
        ({"recursive_isolated": False}, frozenset(), True),
    ],
)
def test_helpers_follow_the_switch_of_what_leads_to_them(
    options: dict[str, bool], wanted: frozenset[str], follows: bool
) -> None:
    helper = one(Classification.ORPHAN, parents=("head.py",), chain=("head.py", "m.py"))
    assert ran(helper, wanted, **options) is follows


def test_the_head_of_a_chain_needs_no_recursion() -> None:
    assert ran(one(Classification.ORPHAN, chain=("m.py",)), recursive_orphans=False)


@pytest.mark.parametrize("kind", Classification)
def test_only_orphans_and_isolated_ones_enter_the_map(kind: Classification) -> None:
    assert may_be_mapped(kind, redundant=False) is (kind in (Classification.ORPHAN, Classification.ISOLATED))
    assert not may_be_mapped(kind, redundant=True)
    assert set(WITHHELD) < NEVER_MAPPED


numbers = st.none() | st.floats(-10, 10)


@few
@given(numbers, numbers, st.floats(-10, 10), st.floats(-10, 10))
def test_one_measured_number_at_its_threshold_is_enough(
    roi: float | None, synergy: float | None, least: float, other: float
) -> None:
    verdict = worth_it(roi, synergy, roi_threshold=least, synergy_threshold=other)
    reached = (roi is not None and roi >= least) or (synergy is not None and synergy >= other)
    assert verdict is (reached or (roi is None and synergy is None))


def test_the_threshold_itself_is_reached() -> None:
    assert worth_it(0.0, None, roi_threshold=0.0, synergy_threshold=5)
    assert not worth_it(-0.001, None, roi_threshold=0.0, synergy_threshold=-5)
