"""Maintainability and findings of source text."""

import math
from typing import Any

import pytest

from orphans.domain.source_quality import Size, numbers, read_findings, size_of

SIMPLE = "def f(value):\n    return value\n"
BRANCHY = """
def f(value):
    # a comment
    if value and value > 1 or value < -1:
        for each in range(value):
            if each % 2:
                return [x for x in range(each) if x]
    return None
"""


def test_the_size_of_a_text_by_hand() -> None:
    """def f ( value ) : return value: eight words, seven different ones."""
    size = size_of(SIMPLE)
    assert size == Size(lines=2, decisions=1, volume=8 * math.log2(7))
    assert size is not None
    expected = 171 - 5.2 * math.log(8 * math.log2(7)) - 0.23 - 16.2 * math.log(2)
    assert size.maintainability == pytest.approx(expected * 100 / 171)


def test_decisions_are_counted_and_comments_are_no_lines() -> None:
    size = size_of(BRANCHY)
    assert size is not None
    # two ifs, a for, a comprehension, two of the three words between `and` and `or`
    assert (size.lines, size.decisions) == (6, 7)


def test_a_larger_and_more_branched_text_is_less_maintainable() -> None:
    small, large = size_of(SIMPLE), size_of(BRANCHY * 40)
    assert small is not None
    assert large is not None
    assert 0.0 <= large.maintainability < small.maintainability <= 100.0


@pytest.mark.parametrize("text", ["def f(:", "\0", "(" * 5000, "f'{" * 300])
def test_what_can_not_be_parsed_has_no_size(text: str) -> None:
    assert size_of(text) is None
    assert set(numbers({"a.py": text}, []).values()) == {None}


def test_an_empty_module_has_no_numbers_and_nothing_to_maintain() -> None:
    assert size_of("# only words\n") == Size(lines=0, decisions=1, volume=0.0)
    assert set(numbers({"a.py": "# only words"}, []).values()) == {None}


def test_findings_are_per_hundred_lines_and_security_is_told_apart() -> None:
    found = [("a.py", "F401"), ("a.py", "S301"), ("a.py", "SIM102"), ("other.py", "S301")]
    told = numbers({"a.py": SIMPLE}, found)
    assert (told["lint_findings"], told["security_findings"]) == (100.0, 50.0)
    assert numbers({"a.py": SIMPLE}, None)["lint_findings"] is None
    assert numbers({"a.py": SIMPLE}, None)["maintainability_index"] is not None


@pytest.mark.parametrize("document", [None, {}, [1], [{}], [{"filename": 1, "code": "F1"}],
                                      [{"filename": "a.py", "code": 5}]])  # fmt: skip
def test_words_of_the_linter_of_another_shape_are_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="linter"):
        read_findings(document)


def test_a_file_that_can_not_be_parsed_is_no_finding() -> None:
    rows = [{"filename": "a.py", "code": None}, {"filename": "a.py", "code": "invalid-syntax"},
            {"filename": "a.py", "code": "F401"}]  # fmt: skip
    assert read_findings(rows) == [("a.py", "F401")]
