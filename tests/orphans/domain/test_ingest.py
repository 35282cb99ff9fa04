"""Everything hostile that a document can hold is refused or neutralised before anybody uses it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans.domain.ingest import (
    IngestError,
    IngestLimits,
    clean_output,
    clean_text,
    read_metrics,
    read_result,
)

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(plain)
def test_plain_documents_pass_unchanged(document: Any) -> None:
    assert read_result(json.dumps(document).encode()) == document


@pytest.mark.parametrize(
    "text",
    [
        "NaN",
        '{"a": Infinity}',
        "[-Infinity]",
        "1e400",
        "-1e400",
        "9" * 5000,
        str(2**63),
        "[" * 100_000,
        '{"a": 1, "a": 2}',
        "",
        "{",
        "\x00",
        '{"": 1}',
        '{"a\\u202eb": 1}',
        '{"a\\nb": 1}',
        '{"' + "k" * 200 + '": 1}',
        '"' + "x" * 30_000 + '"',
        "[" * 40 + "]" * 40,
    ],
)
def test_what_no_database_or_browser_takes_is_refused(text: str) -> None:
    with pytest.raises(IngestError):
        read_result(text.encode())


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(IngestError, match="not JSON"):
        read_result(b'"\xff\xfe"')


def test_a_document_over_the_limit_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(IngestError, match="over the limit of 10"):
        read_result(b"[" + b"1," * 20 + b"1]", IngestLimits(bytes=10))


def test_too_many_values_are_refused() -> None:
    with pytest.raises(IngestError, match="more than 5 values"):
        read_result(b"[1,2,3,4,5,6]", IngestLimits(nodes=5))


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("a\u202eb\u2066c", "abc"),
        ("zero\u200bwidth", "zerowidth"),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("nul\x00\x08\x7f\x9b", "nul"),
        ("tab\tstays", "tab\tstays"),
        ("half \ud800 pair", "half  pair"),
        ("\U000e0041tag", "tag"),
    ],
)
def test_cleaning(raw: str, clean: str) -> None:
    assert clean_text(raw) == clean


@given(st.text())
def test_cleaned_text_can_be_stored_and_is_stable(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert "\x00" not in cleaned
    assert "\x1b" not in cleaned
    cleaned.encode()


def test_cutting_marks_what_was_cut() -> None:
    assert clean_text("abcdef", 4) == "abc…"
    assert clean_output(b"first\nlast", 5) == "…last"


def test_output_of_any_bytes_becomes_text() -> None:
    assert clean_output(bytes(range(256)), 1000).isprintable() is False
    assert "\x07" not in clean_output(bytes(range(256)), 1000)


def test_strings_inside_documents_are_cleaned() -> None:
    assert read_result(b'{"a": ["\\u001b[1mbold\\u202e"]}') == {"a": ["bold"]}


def test_metrics() -> None:
    assert read_metrics({"accuracy": 1, "loss": 0.5, "later": None}) == {"accuracy": 1.0, "loss": 0.5}


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"Accuracy": 1},
        {"a" * 65: 1},
        {"a b": 1},
        {"a": "1"},
        {"a": True},
        {"a": float("nan")},
        {"a": float("inf")},
        {f"m{i}": 1 for i in range(257)},
        {"a\n": 1},
    ],
)
def test_metrics_of_another_shape_are_refused(value: Any) -> None:
    with pytest.raises(IngestError):
        read_metrics(value)
