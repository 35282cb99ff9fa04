"""Inputs made from schemas: valid ones fit, misused ones break it, hostile ones are what they say."""

import json
import random
from collections import Counter
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orphans.domain.payload_texts import HUGE, TEXTS
from orphans.domain.payloads import ATTACKS, KINDS, MISUSES, Payload, at, mixed, payloads, pointer, put, valid
from orphans.domain.schemas import fault, infer

ORDER: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "integer", "minimum": 1, "maximum": 1000},
        "who": {"type": "string", "minLength": 1, "maxLength": 40},
        "price": {"type": "number", "minimum": 0},
        "kind": {"enum": ["book", "film"]},
        "lines": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 5},
        "note": {"type": ["string", "null"]},
    },
    "required": ["id", "who", "price", "lines"],
    "additionalProperties": False,
}
EXAMPLE = {
    "user": {"name": "ada", "age": 36},
    "rows": [{"x": 1.5, "y": 2}, {"x": 2.5}],
    "flag": True,
    "no": None,
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.floats(-1e9, 1e9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=10,
)


@st.composite
def schemas(draw: st.DrawFn, depth: int = 2) -> dict[str, Any]:
    """Schemas that some value fits."""
    kind = draw(st.sampled_from(["string", "integer", "number", "boolean", "enum", "array", "object"]))
    if kind == "enum":
        return {"enum": draw(st.lists(st.integers(0, 9) | st.text(max_size=3), min_size=1, max_size=3))}
    bounds = sorted(draw(st.lists(st.integers(-50, 50), min_size=2, max_size=2)))
    if kind in ("integer", "number"):
        return {"type": kind, "minimum": bounds[0], "maximum": bounds[1]}
    sizes = sorted(draw(st.lists(st.integers(0, 6), min_size=2, max_size=2)))
    if kind == "string":
        return {"type": kind, "minLength": sizes[0], "maxLength": sizes[1]}
    if kind == "array" and depth:
        return {"type": kind, "items": draw(schemas(depth - 1)), "minItems": sizes[0], "maxItems": sizes[1]}
    if kind == "object" and depth:
        fields = draw(st.dictionaries(st.sampled_from("abcd"), schemas(depth - 1), max_size=3))
        required = [name for name in fields if draw(st.booleans())]
        return {"type": kind, "properties": fields, "required": required, "additionalProperties": False}
    return {"type": "boolean"}


# ------------------------------------------------------------------ schemas


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"id": 1, "who": "a", "price": 1, "lines": ["x"], "note": None}, None),
        ({"id": 1, "who": "a", "price": 1, "lines": ["x"], "kind": "book"}, None),
        ({"id": 1.0, "who": "a", "price": 1, "lines": ["x"]}, None),
        ({"who": "a", "price": 1, "lines": ["x"]}, "/: lacks id"),
        ({"id": "1", "who": "a", "price": 1, "lines": ["x"]}, "/id: must be integer"),
        ({"id": True, "who": "a", "price": 1, "lines": ["x"]}, "/id: must be integer"),
        ({"id": 0, "who": "a", "price": 1, "lines": ["x"]}, "/id: is under the minimum of 1"),
        ({"id": 1, "who": "", "price": 1, "lines": ["x"]}, "/who: is under the minLength of 1"),
        ({"id": 1, "who": "a", "price": 1, "lines": ["x", 2]}, "/lines/1: must be string"),
        ({"id": 1, "who": "a", "price": 1, "lines": ["x"] * 6}, "/lines: is over the maxItems of 5"),
        ({"id": 1, "who": "a", "price": 1, "lines": ["x"], "kind": "cd"},
         "/kind: is none of the allowed values"),
        ({"id": 1, "who": "a", "price": 1, "lines": ["x"], "z": 1}, "/: has the unknown field z"),
        ([], "/: must be object"),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(value: Any, said: str | None) -> None:
    assert fault(ORDER, value) == said


def test_a_schema_is_inferred_from_an_example() -> None:
    schema = infer([EXAMPLE])
    assert schema["required"] == ["user", "rows", "flag", "no"]
    assert schema["properties"]["user"]["properties"]["age"] == {"type": "integer", "examples": [36]}
    assert schema["properties"]["rows"]["items"]["required"] == ["x"]
    assert schema["properties"]["no"] == {"type": "null"}


@given(st.lists(JSON, max_size=4))
def test_every_example_fits_the_schema_inferred_from_it(examples: list[Any]) -> None:
    schema = infer(examples)
    assert [fault(schema, each) for each in examples if fault(schema, each)] == []


# ------------------------------------------------------------------ inputs


@given(schemas(), st.integers(0, 99))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
def test_valid_inputs_fit_and_misused_ones_break_the_schema(schema: dict[str, Any], seed: int) -> None:
    for each in payloads(schema, "valid", seed, 6):
        assert fault(schema, each.value) is None
    for each in payloads(schema, "user_misuse", seed, 10):
        assert fault(schema, each.value) is not None, each


@given(JSON, st.integers(0, 99))
@settings(deadline=None, max_examples=40)
def test_inputs_from_an_example_hold_as_well(example: Any, seed: int) -> None:
    schema = infer([example])
    assert [each for each in payloads(schema, "valid", seed, 4) if fault(schema, each.value)] == []
    assert len(payloads(schema, "hostile", seed, 25)) == 25


@given(schemas(), st.sampled_from(KINDS), st.integers(0, 9))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
def test_inputs_are_plain_json_and_the_same_for_the_same_seed(
    schema: dict[str, Any], kind: str, seed: int
) -> None:
    made = payloads(schema, kind, seed, 8)
    assert made == payloads(schema, kind, seed, 8)
    for each in made:
        assert json.loads(json.dumps(each.value, allow_nan=False)) == each.value


def test_a_longer_list_begins_like_a_shorter_one() -> None:
    assert payloads(ORDER, "hostile", 1, 30)[:12] == payloads(ORDER, "hostile", 1, 12)


def test_all_kinds_of_misuse_are_made_of_a_rich_schema() -> None:
    assert {each.label for each in payloads(ORDER, "misuse", 0, 40)} == {label for label, _ in MISUSES}


def test_all_attacks_are_made_and_each_is_what_it_says() -> None:
    made = {each.label: each for each in payloads(ORDER, "hostile", 0, len(ATTACKS))}
    assert set(made) == {label for label, _ in ATTACKS}
    for label, text in TEXTS.items():
        assert _strings(made[label].value) >= {text}, label
    assert max(map(len, _strings(made["huge"].value))) == HUGE
    assert json.dumps(made["deep"].value).count("[") >= 200
    assert len(json.dumps(made["wide"].value)) > 10_000


def _strings(value: Any) -> set[str]:
    if isinstance(value, dict):
        return set(value) | set().union(*map(_strings, value.values()))
    if isinstance(value, list):
        return set().union(*map(_strings, value[:50]))
    return {value} if isinstance(value, str) else set()


def test_an_attack_leaves_the_rest_of_the_input_valid() -> None:
    (sql,) = payloads(ORDER, "hostile", 3, 1)
    parts = [part for part in sql.place.split("/") if part]
    assert at(sql.value, tuple(int(part) if part.isdecimal() else part for part in parts)) == TEXTS["sql"]
    assert (
        fault(ORDER, {**sql.value, parts[0]: valid(ORDER["properties"][parts[0]], random.Random(0))}) is None
    )


def test_without_a_schema_misuse_is_of_every_type() -> None:
    made = payloads(None, "misuse", 0, 40)
    assert {type(each.value) for each in made} >= {bool, int, float, str, list, dict}


@pytest.mark.parametrize(
    ("hostile", "misuse", "count", "numbers"),
    [
        (30, 0, 20, {"hostile": 6, "valid": 14}),
        (90, 10, 20, {"hostile": 18, "misuse": 2}),
        (1, 0, 20, {"hostile": 1, "valid": 19}),
        (50, 50, 1, {"hostile": 1}),
        (0, 0, 5, {"valid": 5}),
    ],
)
def test_a_mixture_has_the_shares_asked_for(
    hostile: float, misuse: float, count: int, numbers: dict[str, int]
) -> None:
    made = mixed(ORDER, hostile=hostile, misuse=misuse, count=count, seed=2)
    assert Counter(each.kind for each in made) == numbers


def test_a_mixture_is_not_in_the_order_of_its_kinds() -> None:
    kinds = [each.kind for each in mixed(ORDER, hostile=50, misuse=0, count=20)]
    assert sum(one != other for one, other in pairwise(kinds)) > 3


@pytest.mark.parametrize(("profile", "count"), [("spike", 1), ("valid", -1), ("valid", 1001)])
def test_a_wrong_wish_is_refused(profile: str, count: int) -> None:
    with pytest.raises(ValueError, match=r"no profile|count must lie"):
        payloads(ORDER, profile, 0, count)


def test_putting_something_in_place_leaves_the_original_alone() -> None:
    before = {"a": [1, {"b/c": 2}]}
    assert put(before, ("a", 1, "b/c"), 3) == {"a": [1, {"b/c": 3}]}
    assert before == {"a": [1, {"b/c": 2}]}
    assert pointer(("a", 1, "b/c")) == "/a/1/b~1c"
    assert Payload(kind="valid", label="valid", place="", value=put(before, (), 5)).value == 5


# ------------------------------------------------------------------ each kind of misuse by itself


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("missing_field", "lacks"),
        ("null", "must be"),
        ("number_as_text", "must be"),
        ("wrong_type", "must be"),
        ("unknown_field", "unknown field"),
        ("not_in_list", "none of the allowed"),
    ],
)
def test_a_kind_of_misuse_breaks_the_schema_in_its_own_way(label: str, words: str) -> None:
    made = [each for each in payloads(ORDER, "misuse", 5, 80) if each.label == label]
    faults = [fault(ORDER, each.value) or "" for each in made]
    assert len(made) >= 5
    assert [said for said in faults if words not in said and "none of the allowed" not in said] == []


def test_numbers_out_of_range_are_out_of_the_range_of_their_place() -> None:
    made = [each for each in payloads(ORDER, "misuse", 6, 600) if each.label == "out_of_range"]
    faults = {(fault(ORDER, each.value) or "").split(" of ")[0].split(": ")[1] for each in made}
    assert faults >= {"is under the minimum", "is over the maximum", "is over the maxLength"}


def test_the_place_that_is_told_is_the_place_that_was_changed() -> None:
    plain = infer([{"a": {"b": [1, 2]}, "c": "x"}])
    for each in payloads(plain, "misuse", 1, 30):
        said = fault(plain, each.value)
        assert said is not None
        assert said.split(": ")[0].startswith(each.place or "/")


@given(st.integers(0, 99), st.integers(1, 60))
@settings(deadline=None, max_examples=25)
def test_the_seed_alone_decides_a_mixture(seed: int, count: int) -> None:
    wish = {"hostile": 30.0, "misuse": 30.0, "count": count, "seed": seed}
    one, two = mixed(ORDER, **wish), mixed(ORDER, **wish)  # type: ignore[arg-type]
    assert one == two
    assert len(one) == count


def test_different_seeds_make_different_inputs() -> None:
    for kind in KINDS:
        assert payloads(ORDER, kind, 1, 10) != payloads(ORDER, kind, 2, 10)


def test_values_that_were_seen_are_used_for_valid_text() -> None:
    schema = infer([{"unit": "mm"}, {"unit": "cm"}])
    assert {each.value["unit"] for each in payloads(schema, "valid", 0, 30)} == {"mm", "cm"}


def test_valid_numbers_stay_between_those_seen() -> None:
    schema = infer([{"n": 3}, {"n": 9}, {"n": 5}])
    values = {each.value["n"] for each in payloads(schema, "valid", 0, 60)}
    assert values <= set(range(3, 10))
    assert len(values) > 4


def test_optional_fields_are_sometimes_there_and_sometimes_not() -> None:
    schema = infer([{"a": 1, "b": 2}, {"a": 1}])
    found = {frozenset(each.value) for each in payloads(schema, "valid", 0, 30)}
    assert found == {frozenset("ab"), frozenset("a")}


@pytest.mark.parametrize(
    "schema", [{}, {"type": "object"}, {"type": "array"}, {"type": "boolean"}, {"enum": [1]}]
)
def test_the_poorest_schema_gets_as_many_inputs_as_asked_for(schema: dict[str, Any]) -> None:
    for kind in KINDS:
        assert len(payloads(schema, kind, 0, 40)) == 40


def test_a_schema_of_itself_many_levels_deep_comes_to_an_end() -> None:
    deep: Any = {"leaf": 1}
    for _ in range(200):
        deep = {"in": deep}
    schema = infer([deep])
    assert fault(schema, deep) is None
    assert len(payloads(schema, "hostile", 0, 3)) == 3
