"""Orders and cursors."""

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.domain.errors import InvalidInput
from engines.domain.keyset import MAX_CURSOR, MAX_ID, Cursor, Order, decode, encode, parse_order

KEYS = (
    st.none()
    | st.integers(-MAX_ID, MAX_ID)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
)
BY_ID = Order("id", True)


def packed(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


@given(KEYS, st.integers(0, MAX_ID), st.booleans(), st.booleans())
def test_a_cursor_survives_the_url(value: Any, pk: int, backward: bool, descending: bool) -> None:
    order = Order("roi_delta", descending)
    cursor = Cursor(order, value, pk, backward)
    text = encode(cursor)
    assert decode(text, order) == cursor
    assert text.isascii()
    assert not set("+/=&?#%") & set(text)


@given(st.text(max_size=60))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        refused = "" if decode(text, BY_ID).order == BY_ID else "order"
    except InvalidInput as error:
        refused = error.field
    assert refused in ("", "cursor")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x" * (MAX_CURSOR + 1),
        "²",
        packed(None),
        packed(["-id", 1, 2]),
        packed(["-id", 1, "2", 0]),
        packed(["-id", 1, True, 0]),
        packed(["-id", 1, -1, 0]),
        packed(["-id", 1, MAX_ID + 1, 0]),
        packed(["-id", {}, 1, 0]),
        packed(["-id", True, 1, 0]),
        packed(["-id", float("inf"), 1, 0]),
        packed(["-id", "a\0b", 1, 0]),
        packed(["-id", "\ud800", 1, 0]),
        packed(["-id", 1, 1, 2]),
        packed("[" * 300)[:MAX_CURSOR],
        base64.urlsafe_b64encode(b"[" * 300).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_forged_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        decode(text, BY_ID)


def test_a_cursor_of_another_order_is_refused() -> None:
    text = encode(Cursor(Order("duration", False), 1.5, 7))
    with pytest.raises(InvalidInput, match="duration"):
        decode(text, BY_ID)


def test_an_order_names_a_column_and_a_direction() -> None:
    assert parse_order("-id", ("id", "cost")) == BY_ID
    assert parse_order("cost", ("id", "cost")) == Order("cost", False)
    assert str(BY_ID) == "-id"


@pytest.mark.parametrize("text", ["", "-", "--id", "lease_token", "id ", "ID"])
def test_an_unknown_order_is_refused_with_those_known(text: str) -> None:
    with pytest.raises(InvalidInput, match="known: id, -id") as caught:
        parse_order(text, ("id",))
    assert caught.value.field == "order"
