"""The logs of a cycle's steps with what was searched marked: every match once, and never too many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.models import CycleStep
from engines.panels.logs import MAX_MARKS, Panel, step_logs


def log(*texts: str, name: str = "retrain") -> list[CycleStep]:
    return [CycleStep(name=name, state="done", log=text) for text in texts]


def marked(panel: Panel) -> list[str]:
    return [
        piece for each in panel["logs"] for _, parts in each["lines"] for piece, number in parts if number
    ]


def test_matches_are_numbered_through_all_logs_whatever_their_case() -> None:
    panel = step_logs(log("Error: no\nan ERROR, an error", "none", "error"), "error")
    assert marked(panel) == ["Error", "ERROR", "error", "error"]
    numbers = [n for each in panel["logs"] for _, parts in each["lines"] for _, n in parts if n]
    assert numbers == [1, 2, 3, 4]
    assert [each["matches"] for each in panel["logs"]] == [3, 0, 1]
    assert (panel["matches"], panel["capped"]) == (4, False)


def test_a_step_without_a_log_is_left_out() -> None:
    assert step_logs(log("", "x"))["logs"][0]["lines"] == [(1, [("x", 0)])]
    assert step_logs([])["logs"] == []


def test_only_lines_that_match_keep_their_numbers() -> None:
    panel = step_logs(log("a\nb\na b\nc"), "b", only=True)
    (found,) = panel["logs"]
    assert [number for number, _ in found["lines"]] == [2, 3]
    assert found["total"] == 4


def test_without_a_text_every_line_is_shown() -> None:
    (found,) = step_logs(log("a\nb"), only=True)["logs"]
    assert [number for number, _ in found["lines"]] == [1, 2]


@pytest.mark.parametrize("text", ["(", "a.c", "[", "\\", "a|b", "$", "^", ".*", "(?i)a"])
def test_what_is_searched_is_no_pattern(text: str) -> None:
    assert marked(step_logs(log(f"before {text} after", "abc aac"), text)) == [text]


@pytest.mark.parametrize(
    ("lines", "each", "matches", "capped"),
    [
        (MAX_MARKS, 1, MAX_MARKS, False),
        (MAX_MARKS + 1, 1, MAX_MARKS, True),
        (1, MAX_MARKS, MAX_MARKS, False),
        (1, MAX_MARKS + 1, MAX_MARKS, True),
        (1, 10 * MAX_MARKS, MAX_MARKS, True),
        (3, MAX_MARKS - 1, MAX_MARKS, True),
    ],
)
def test_no_more_are_marked_than_a_page_bears(lines: int, each: int, matches: int, capped: bool) -> None:
    text = "\n".join("a" * each for _ in range(lines))
    panel = step_logs(log(text), "a")
    assert (panel["matches"], panel["capped"]) == (matches, capped)
    assert len(marked(panel)) == matches


def test_lines_behind_the_last_mark_are_shown_whole() -> None:
    panel = step_logs(log("a" * (MAX_MARKS + 3), "the end, a last line"), "a")
    first, last = panel["logs"]
    assert "".join(piece for piece, _ in first["lines"][0][1]) == "a" * (MAX_MARKS + 3)
    assert last["lines"] == [(1, [("the end, a last line", 0)])]


@settings(max_examples=60, deadline=None)
@given(text=st.text("ab\n\r\u2028 ", max_size=40), search=st.text("abA", min_size=1, max_size=3))
def test_pieces_put_together_are_the_log(text: str, search: str) -> None:
    panel = step_logs(log(text), search)
    shown = ["".join(piece for piece, _ in parts) for each in panel["logs"] for _, parts in each["lines"]]
    assert shown == text.splitlines()
    assert panel["matches"] == sum(line.lower().count(search.lower()) for line in text.splitlines())
