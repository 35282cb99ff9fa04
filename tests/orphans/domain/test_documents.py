"""The JSON files as people write them."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orphans.domain.documents import Listed, conflicts, is_module_path, read_map, read_modules
from orphans.domain.findings import Classification


def test_the_old_form_is_a_list() -> None:
    document = read_modules(["util.py", "pkg/a.py"])

    assert sorted(document.entries) == ["pkg/a.py", "util.py"]
    assert document.problems == ()


def test_the_form_of_the_specification() -> None:
    told = {"old_helper.py": {"classification": "legacy", "parents": ["a.py"], "redundant": True}}

    entry = read_modules(told).entries["old_helper.py"]

    assert entry == Listed(
        path="old_helper.py", classification=Classification.LEGACY, redundant=True, parents=("a.py",)
    )


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../a.py", "a/../b.py", "a\\b.py", "a.txt", "", "a\0.py", "./a.py", "a//b.py", 7, None],
)
def test_a_path_that_is_none_is_named_and_left(path: Any) -> None:
    document = read_modules(["good.py", path])

    assert list(document.entries) == ["good.py"]
    assert len(document.problems) == 1


def test_an_unknown_class_is_named_and_the_module_kept() -> None:
    document = read_modules({"a.py": {"classification": "junk"}, "b.py": 3})

    assert document.entries["a.py"].classification is None
    assert document.problems == ("a.py: 'junk' is no classification", "'b.py': is no object")


def test_a_module_map_is_flat_or_below_modules() -> None:
    assert read_map({"a.py": 1}).groups == read_map({"modules": {"a.py": 1}}).groups == {"a.py": 1}


@pytest.mark.parametrize("group", [-1, True, 1.5, "1", None, 2**40])
def test_a_group_that_is_no_number_is_named(group: Any) -> None:
    found = read_map({"a.py": group, "b.py": 2})

    assert found.groups == {"b.py": 2}
    assert len(found.problems) == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_whatever_stands_in_a_file_is_read_without_an_error(data: Any) -> None:
    document, found = read_modules(data), read_map(data)

    assert all(map(is_module_path, document.entries))
    assert all(map(is_module_path, found.groups))
    json.dumps([*document.problems, *found.problems])


def test_conflicts_name_file_row_and_what_differs() -> None:
    said = read_modules(
        {"a.py": {"classification": "legacy"}, "b.py": {"redundant": True}, "c.py": {}, "d.py": {}}
    )
    known = {
        "a.py": Listed(path="a.py", classification=Classification.ISOLATED, redundant=False),
        "b.py": Listed(path="b.py", classification=Classification.ORPHAN, redundant=False),
        "c.py": Listed(path="c.py", classification=Classification.ORPHAN, redundant=False),
    }

    assert conflicts(said, known) == [
        "a.py: the file says legacy, the latest scan says isolated",
        "b.py: the file says redundant, the latest scan the opposite",
        "d.py: the file lists it, the latest scan doesn't know it as an orphan",
    ]
