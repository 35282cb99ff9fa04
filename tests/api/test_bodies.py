"""Bodies that are wrong, hostile or odd never get past the door."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from engines.models import Cycle
from menace_site.api.parsers import MAX_BYTES, MAX_DEPTH, read
from tests.api.conftest import Api
from tests.factories import make_engine

DEEP = '{"engine":' + "[" * 10_000 + "]" * 10_000 + "}"
BODIES = {
    "nothing": "",
    "half": '{"engine": ',
    "no object": '["alpha"]',
    "a number": "1",
    "null": "null",
    "NaN": '{"engine": "alpha", "energy": NaN}',
    "infinity": '{"engine": "alpha", "energy": -Infinity}',
    "an overflow": '{"engine": "alpha", "energy": 1e400}',
    "a long integer": '{"engine": "alpha", "energy": ' + "9" * 5000 + "}",
    "a big integer": '{"engine": "alpha", "energy": 9223372036854775808}',
    "a key twice": '{"engine": "alpha", "engine": "beta"}',
    "a key twice inside": '{"engine": {"a": 1, "a": 2}}',
    "deep": DEEP,
    "rather deep": '{"engine":' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}",
    "NUL": '{"engine": "al\\u0000pha"}',
    "NUL in a key": '{"\\u0000": 1}',
    "half a surrogate pair": '{"engine": "\\ud800"}',
    "latin-1": '{"engine": "é"}'.encode("latin-1"),
    "utf-16": '{"engine": "alpha"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"engine": "alpha"}',
    "a raw line break": '{"engine": "al\npha"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_hostile_body_is_refused(operator: Api, body: str | bytes) -> None:
    make_engine("alpha")
    answer = operator.send("POST", "cycles/", body)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert not Cycle.objects.exists()


def test_a_large_body_is_refused_unread(operator: Api) -> None:
    answer = operator.send("POST", "cycles/", json.dumps({"engine": "x" * MAX_BYTES}))
    assert answer.status_code == 413


def test_a_body_over_the_limit_of_the_site_is_refused(operator: Api) -> None:
    assert operator.send("POST", "cycles/", b" " * 1_500_000).status_code == 413


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "nonsense"]
)
def test_another_media_type_is_refused(operator: Api, kind: str) -> None:
    answer = operator.client.generic(
        "POST", "/api/cycles/", "a=b", content_type=kind, headers=operator.headers
    )
    assert answer.status_code == 415


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "nonsense", "*/*"])
def test_the_answer_is_json_whatever_is_accepted(operator: Api, accept: str) -> None:
    answer = operator.client.get("/api/me/?format=xml", headers={**operator.headers, "Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")


def test_acts_take_no_body_at_all(operator: Api) -> None:
    answer = operator.client.post("/api/cycles/7/cancel/", headers=operator.headers)
    assert answer.status_code == 404


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), JSON, max_size=4))
def test_what_gets_through_fits_into_the_database(data: object) -> None:
    try:
        found = read(json.dumps(data).encode())
    except ParseError:
        return
    text = json.dumps(found, allow_nan=False)  # finite
    assert "\\u0000" not in text
    text.encode("utf-8", "strict")


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.dictionaries(st.sampled_from(["engine", "energy", "x"]), JSON, max_size=3))
def test_no_body_breaks_triggering(operator: Api, body: dict[str, object]) -> None:
    answer = operator.post("cycles/", body)
    assert answer.status_code == 400
