"""Two sources side by side."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.domain import side_by_side
from engines.domain.highlighting import Piece
from engines.domain.side_by_side import Comparison, compared, shape

ONE = "import os\n\n\ndef area(radius):\n    return 3.14 * radius ** 2\n"
RENAMED = "import os\n\n\ndef surface(r):\n    return 3.14 * r  ** 2\n"


def kinds(found: Comparison) -> list[str]:
    return [row.kind for row in found.rows]


def text_of(side: tuple[int, list[Piece]] | None) -> str:
    assert side is not None
    return "".join(piece.text for piece in side[1])


def test_equal_sources_are_one_gap() -> None:
    found = compared(ONE, ONE)
    assert kinds(found) == ["gap"]
    assert found.rows[0].hidden == 5
    assert found.counts == {"same": 5, "renamed": 0, "left": 0, "right": 0}


def test_a_renamed_copy_is_paired_line_by_line() -> None:
    found = compared(ONE, RENAMED)
    assert kinds(found) == ["same", "same", "same", "renamed", "renamed"]
    row = found.rows[3]
    assert (text_of(row.left), text_of(row.right)) == ("def area(radius):", "def surface(r):")


def test_what_stands_on_one_side_alone_says_which() -> None:
    found = compared(ONE + "print(area(2))\n", ONE.replace("import os\n", ""))
    assert found.counts["left"] == 2
    assert found.counts["right"] == 0
    assert {row.right for row in found.rows if row.kind == "left"} == {None}


def test_keywords_numbers_and_texts_are_no_names() -> None:
    assert shape("if  a:") == shape("\tif b :".replace(" :", ":"))
    assert shape("if a:") != shape("while a:")
    assert shape("x = 1") != shape("x = 2")


def test_far_equal_lines_are_folded_and_line_numbers_stay_right() -> None:
    lines = [f"a{number} = {number}" for number in range(40)]
    found = compared("\n".join(lines), "\n".join([*lines[:20], "new = [1]", *lines[20:]]))
    assert kinds(found) == ["gap", *["same"] * 3, "right", *["same"] * 3, "gap"]
    (row,) = (row for row in found.rows if row.kind == "right")
    assert row.right is not None
    assert row.right[0] == 21
    assert found.rows[-2].left is not None
    assert found.rows[-2].left[0] == 23


def test_what_is_too_long_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(side_by_side, "MAX_LINES", 30)
    monkeypatch.setattr(side_by_side, "MAX_ROWS", 20)
    long = [f"a[{number}]" for number in range(31)]
    assert compared("\n".join(long[:19]), "x = {}").cut is False
    for lines in (long[:21], long):
        found = compared("\n".join(lines), "x = {}")
        assert found.cut
        assert len(found.rows) == 20


def test_unseen_characters_are_shown() -> None:
    found = compared("a = 1  # \u202e\n", "b = 2\n")
    assert "\u202e" not in "".join(text_of(row.left) for row in found.rows if row.left)


@settings(max_examples=30, deadline=None)
@given(
    *[st.lists(st.sampled_from(["a = 1", "def f(x):", "    return x", "", "(", "if b:"]), max_size=12)] * 2
)
def test_every_line_of_both_sides_stands_once_and_in_order(left: list[str], right: list[str]) -> None:
    sources = ["\n".join([*side, "end"]) for side in (left, right)]
    found = compared(*sources)
    hidden = sum(row.hidden for row in found.rows)
    for place, side in enumerate(("left", "right")):
        numbers = [getattr(row, side)[0] for row in found.rows if getattr(row, side)]
        assert numbers == sorted(set(numbers))
        assert len(numbers) + hidden == len(sources[place].split("\n"))
    assert sum(found.counts.values()) - found.counts["right"] == len(left) + 1
