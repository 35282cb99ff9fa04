"""A late pattern behaves as the pattern, and is compiled when it is first used."""

import re
import sys

import pytest

import orphans.discovery.anew  # noqa: F401  all that a scan loads
from orphans.domain.late import late
from orphans.domain.rules import DJANGO_APP, ROOTS


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
def test_it_finds_what_the_pattern_finds(flags: int) -> None:
    text, plain = "one Two three", re.compile("t(w|h)", flags)
    pattern = late("t(w|h)", flags)
    assert pattern.findall(text) == plain.findall(text)
    assert [each.span() for each in pattern.finditer(text)] == [each.span() for each in plain.finditer(text)]
    assert pattern.sub("-", text) == plain.sub("-", text)
    assert pattern.pattern == plain.pattern
    assert (pattern.match(text), pattern.fullmatch(text)) == (None, None)


def test_bytes_too() -> None:
    found = late(rb"\w+").search(b" word ")
    assert found is not None
    assert found[0] == b"word"


def test_a_pattern_that_is_never_used_is_not_compiled() -> None:
    broken = late("(")
    with pytest.raises(re.error):
        broken.search("x")


def test_a_method_is_looked_up_once() -> None:
    pattern = late("a")
    assert pattern.search is pattern.search


def test_every_pattern_of_a_scan_can_be_compiled() -> None:
    modules = [each for name, each in sys.modules.items() if name.startswith("orphans.d")]
    found = [value for each in modules for value in vars(each).values() if isinstance(value, type(late("")))]
    found += [each.pattern for each in (*ROOTS, *DJANGO_APP)]
    assert len(found) > 100
    for each in found:
        assert re.compile(each.pattern, each.flags)
