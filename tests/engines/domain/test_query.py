"""The language of a list's search box."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.query import EXAMPLE, parse, said_bound


def test_terms_become_the_lists_parameters() -> None:
    asked = parse("state:failed roi>=10 engine:alpha last:24h")
    assert asked.params == {"state": "failed", "roi_min": "10.0", "engine": "alpha", "range": "24h"}
    assert asked.text == ""
    assert asked.errors == ()


def test_the_example_that_pages_show_can_be_read() -> None:
    asked = parse(EXAMPLE)
    assert asked.has_terms
    assert asked.errors == ()


def test_the_rest_is_free_text() -> None:
    asked = parse("alp state:done")
    assert asked.text == "alp"
    assert not parse("alpha #17").has_terms


def test_text_in_quotes_is_never_a_term() -> None:
    asked = parse('"retrain: the bot" state:failed')
    assert asked.text == "retrain: the bot"
    assert asked.params == {"state": "failed"}


def test_a_colon_at_the_end_of_a_word_is_text() -> None:
    assert parse("retrain: stopped").text == "retrain: stopped"


def test_a_second_term_of_a_list_adds_to_the_first() -> None:
    assert parse("state:failed is:done engine:a,b bot:c").params == {
        "state": "failed,done",
        "engine": "a,b,c",
    }


@pytest.mark.parametrize(
    ("typed", "low", "high"),
    [
        ("roi>10", math.nextafter(10.0, math.inf), None),
        ("roi>=10", 10.0, None),
        ("roi<-0.5", None, math.nextafter(-0.5, -math.inf)),
        ("roi<=1e3", None, 1000.0),
        ("roi=2", 2.0, 2.0),
        ("roi>1 roi<2", math.nextafter(1.0, math.inf), math.nextafter(2.0, -math.inf)),
    ],
)
def test_comparisons_are_exact(typed: str, low: float | None, high: float | None) -> None:
    params = parse(typed).params
    assert (float(params["roi_min"]) if "roi_min" in params else None) == low
    assert (float(params["roi_max"]) if "roi_max" in params else None) == high


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("foo:bar", "'foo' is no field"),
        ("roi>abc", "compared with a number"),
        ("roi>nan", "compared with a number"),
        ("roi>inf", "compared with a number"),
        ("state>failed", "state takes state:value"),
    ],
)
def test_what_can_not_be_read_is_told(typed: str, told: str) -> None:
    asked = parse(typed)
    assert told in asked.errors[0]
    assert asked.has_terms


def test_every_mistake_is_told_not_only_the_first() -> None:
    assert len(parse("foo:1 roi>x state:done").errors) == 2


@given(st.text(max_size=120))
def test_nothing_that_can_be_typed_breaks_it(typed: str) -> None:
    asked = parse(typed)
    assert asked.has_terms == bool(asked.params or asked.errors)


@given(st.floats(-1e6, 1e6).map(lambda value: round(value, 3)))
def test_a_bound_is_said_as_it_was_typed(value: float) -> None:
    strict = float(parse(f"roi>{value}").params["roi_min"])
    assert said_bound(strict, lower=True) == f"> {value + 0.0:.12g}"
    loose = float(parse(f"roi<={value}").params["roi_max"])
    assert said_bound(loose, lower=False) == f"≤ {value + 0.0:.12g}"
