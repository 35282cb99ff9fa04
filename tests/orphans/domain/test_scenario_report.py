"""What runs tell of their calls: checked, counted, and never invented."""

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans.domain.scenario_report import ReportError, quantiles, read_told, summary

KINDS = ["valid", "hostile"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)


def row(error: Any = None, seconds: Any = 0.5, **more: Any) -> dict[str, Any]:
    return {"input": 0, "way": "call", "error": error, "seconds": seconds, **more}


def told(*rows: Any, **more: Any) -> dict[str, Any]:
    return {"calls": list(rows), "messages": {}, "threads": 1, "under_way": 1, **more}


def test_calls_are_counted_by_the_kind_of_their_input() -> None:
    rows = [row(), row("KeyError", input=1), row("KeyError", input=1), row("OSError", 1.5)]
    found = summary([read_told(told(*rows), KINDS, 4)])
    assert found["outcomes"] == {"valid": {"ok": 1, "failed": 1}, "hostile": {"ok": 0, "failed": 2}}
    assert found["errors"] == {"KeyError": 2, "OSError": 1}
    assert found["latency"] == {"p50": 0.5, "p90": 1.5, "p99": 1.5, "max": 1.5}


def test_what_no_run_told_is_not_measured() -> None:
    assert set(summary([]).values()) == {None}


def test_names_and_messages_of_a_bot_are_cleaned() -> None:
    document = told(row("<script>"), row("Okay"), messages={"Okay": "red\x1b[31m\u202e" + "x" * 999})
    found = summary([read_told(document, KINDS, 2)])
    assert found["errors"] == {"?": 1, "Okay": 1}
    assert found["messages"]["Okay"].startswith("redx")
    assert len(found["messages"]["Okay"]) == 200


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (told(), "0 calls, but 1"),
        (told(row(), row()), "2 calls, but 1"),
        (told(row(seconds=True)), "a call that can't be"),
        (told(row(seconds=math.inf)), "a call that can't be"),
        (told(row(seconds="1")), "a call that can't be"),
        (told(row(input=-1)), "a call that can't be"),
        (told(row(input=True)), "a call that can't be"),
        (told(row(), threads=2), "impossible numbers of threads"),
        (told(row(), under_way="1"), "impossible numbers of threads"),
        (told(5), "no list of calls"),
        ([], "no list of calls"),
    ],
)
def test_what_can_not_be_is_refused(document: Any, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        read_told(document, KINDS, 1)


@given(JSON)
def test_no_document_breaks_the_reader(document: Any) -> None:
    with pytest.raises(ReportError):
        read_told(document, KINDS, 1)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_quantiles_are_numbers_of_the_list_and_rise(seconds: list[float]) -> None:
    found = quantiles(seconds)
    assert set(found.values()) <= set(seconds)
    assert list(found.values()) == sorted(found.values())
    assert sum(each <= found["p90"] for each in seconds) >= 0.9 * len(seconds)
