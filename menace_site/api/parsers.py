"""Reads JSON bodies once and strictly: whatever could hurt further in is refused at the door."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any

from django.core.exceptions import RequestDataTooBig
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser

MAX_BYTES = 262_144
MAX_DEPTH = 32
MAX_INTEGER = 2**63


class TooLarge(APIException):
    """The body is over the limit."""

    status_code = 413
    default_code = "too_large"
    default_detail = f"the body may have up to {MAX_BYTES} bytes"


class StrictJSONParser(BaseParser):
    """UTF-8 JSON objects without NaN, infinities, repeated keys, NUL, half surrogates or great depth."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """Return the object; ParseError says what is wrong, TooLarge that it was not even read."""
        try:
            body = stream.read(MAX_BYTES + 1)
        except RequestDataTooBig:
            raise TooLarge from None
        if len(body) > MAX_BYTES:
            raise TooLarge
        return read(body)


def read(body: bytes) -> dict[str, Any]:
    """Return the object in `body`; ParseError says what is wrong."""
    try:
        data = json.loads(
            body.decode("utf-8"),
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_bounded,
            object_pairs_hook=_unique,
        )
    except RecursionError:
        raise ParseError(f"nested deeper than {MAX_DEPTH}") from None
    except UnicodeDecodeError:
        raise ParseError("the body is not UTF-8") from None
    except ValueError as error:
        raise ParseError(f"this is no JSON: {error}") from None
    if not isinstance(data, dict):
        raise ParseError("the body must be a JSON object")
    _check(data, MAX_DEPTH)
    return data


def _refuse_constant(word: str) -> float:
    raise ParseError(f"{word} is no JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ParseError("a number is too large")
    return number


def _bounded(text: str) -> int:
    # the length first: converting millions of digits would take long
    if len(text) > 20 or not -MAX_INTEGER <= int(text) < MAX_INTEGER:
        raise ParseError("an integer is too large")
    return int(text)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ParseError("an object has the same key twice")
    return found


def _check(value: Any, depth: int) -> None:
    if depth < 0:
        raise ParseError(f"nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, dict):
        for key, inner in value.items():
            _check_text(key)
            _check(inner, depth - 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth - 1)


def _check_text(text: str) -> None:
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ParseError("a text holds a NUL character or half a surrogate pair")
