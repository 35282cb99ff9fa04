"""The search box against a grammar: what is put together from terms is read back as these terms."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain.query import LISTS, NUMBERS, SIZES, WORDS, parse, said_bound

PLAIN = st.text("abcz019_-", min_size=1, max_size=12)
FIELD = st.sampled_from(sorted(WORDS))
TERMS = st.lists(st.tuples(FIELD, st.sampled_from([":", "="]), PLAIN), min_size=1, max_size=6)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
QUIET = settings(deadline=None, max_examples=60)


@QUIET
@given(TERMS)
def test_every_term_reaches_its_parameter(terms: list[tuple[str, str, str]]) -> None:
    asked = parse(" ".join(f"{name}{operator}{value}" for name, operator, value in terms))
    expected: dict[str, list[str]] = {}
    for name, _, value in terms:
        expected.setdefault(WORDS[name], []).append(value)
    assert asked.params == {
        name: ",".join(values) if name in LISTS else values[-1] for name, values in expected.items()
    }
    assert (asked.text, asked.errors) == ("", ())


@QUIET
@given(TERMS, st.lists(PLAIN, max_size=4))
def test_words_around_terms_change_nothing_of_them(
    terms: list[tuple[str, str, str]], words: list[str]
) -> None:
    typed = [f"{name}{operator}{value}" for name, operator, value in terms]
    assert parse(" ".join([*words, *typed])).params == parse(" ".join(typed)).params
    assert parse(" ".join([*words, *typed])).text == parse(" ".join([*typed, *words])).text == " ".join(words)


@QUIET
@given(st.text(st.characters(exclude_characters='"'), max_size=60).filter(str.strip))
def test_whatever_stands_in_quotes_is_text(text: str) -> None:
    asked = parse(f'"{text}"')
    assert (asked.params, asked.errors, asked.text) == ({}, (), text)


@QUIET
@given(FIELD, st.text(st.characters(exclude_characters='"'), min_size=1, max_size=30))
def test_a_value_in_quotes_keeps_its_blanks(name: str, value: str) -> None:
    asked = parse(f'{name}:"{value}"')
    assert (asked.params, asked.text) == ({WORDS[name]: value}, "")


@QUIET
@given(FIELD, PLAIN)
def test_fields_are_written_in_any_case(name: str, value: str) -> None:
    assert parse(f"{name.upper()}:{value}").params == parse(f"{name}:{value}").params == {WORDS[name]: value}


@QUIET
@given(FINITE, FINITE)
def test_a_bound_keeps_exactly_what_the_comparison_keeps(limit: float, value: float) -> None:
    """Whatever number a row has: `>` and `>=` as bounds of a filter agree with Python's own."""
    at_least = float(parse(f"roi>={limit!r}").params["roi_min"])
    above = float(parse(f"roi>{limit!r}").params["roi_min"])
    at_most = float(parse(f"roi<={limit!r}").params["roi_max"])
    below = float(parse(f"roi<{limit!r}").params["roi_max"])
    assert (value >= at_least) == (value >= limit)
    assert (value >= above) == (value > limit)
    assert (value <= at_most) == (value <= limit)
    assert (value <= below) == (value < limit)


@QUIET
@given(FINITE)
def test_equal_is_both_bounds(value: float) -> None:
    params = parse(f"roi={value!r}").params
    assert float(params["roi_min"]) == float(params["roi_max"]) == value


@QUIET
@given(st.integers(-10_000, 10_000), st.booleans())
def test_strict_and_loose_bounds_are_told_apart(value: int, lower: bool) -> None:
    strict = math.nextafter(float(value), math.inf if lower else -math.inf)
    loose_sign, strict_sign = ("≥", ">") if lower else ("≤", "<")
    assert said_bound(float(value), lower=lower) == f"{loose_sign} {value}"
    assert said_bound(strict, lower=lower) == f"{strict_sign} {value}"


def test_zero_has_no_sign() -> None:
    assert said_bound(-0.0, lower=True) == "≥ 0"
    assert said_bound(math.nextafter(0.0, 1.0), lower=True) == "> 0"


@QUIET
@given(st.text("abcxyz", min_size=3, max_size=10).filter(lambda name: name not in {*WORDS, *NUMBERS}))
def test_a_field_that_there_is_not_names_those_there_are(name: str) -> None:
    (told,) = parse(f"{name}:x").errors
    assert told.startswith(f"'{name}' is no field (state, engine, trigger, range, since, until, roi)")


def test_the_last_bound_of_a_side_counts() -> None:
    assert parse("roi>=1 roi>=2").params == {"roi_min": "2.0"}
    assert parse("roi=1 roi<=5").params == {"roi_min": "1.0", "roi_max": "5.0"}


@pytest.mark.parametrize("typed", ["", " ", '""', "\t\n", '"" ""'])
def test_nothing_typed_asks_for_nothing(typed: str) -> None:
    asked = parse(typed)
    assert (asked.params, asked.text, asked.errors, asked.has_terms) == ({}, "", (), False)


def test_long_words_are_cut_in_messages() -> None:
    (field,) = parse("x" * 5000 + ":1").errors
    (value,) = parse("roi>" + "y" * 5000).errors
    assert len(field) < 200
    assert len(value) < 200


def test_hostile_input_is_read_in_linear_time() -> None:
    """No term makes the pattern go back over what it read: a hundred thousand signs are read at once."""
    asked = parse("a" * 50_000 + ' "' + "b" * 50_000)
    assert len(asked.text) == 100_002


def test_page_sizes_rise() -> None:
    assert list(SIZES) == sorted(set(SIZES))
    assert max(SIZES) == 200
