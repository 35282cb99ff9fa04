"""The JSON files about orphan modules: what is read, what is refused by name, where rows say otherwise."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain import documents
from orphans.domain.documents import (
    Document,
    Listed,
    conflicts,
    is_module_path,
    read_map,
    read_modules,
)
from orphans.domain.findings import Classification
from tests.hostile_paths import ESCAPES

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=10,
)
word = st.sampled_from(["a", "pkg", "_x", "data_1"])
names = st.lists(word, min_size=1, max_size=4).map(lambda words: "/".join(words) + ".py")
entries = st.fixed_dictionaries(
    {},
    optional={
        "classification": st.sampled_from([each.value for each in Classification]),
        "redundant": st.booleans(),
        "parents": st.lists(names, max_size=3),
        "later": st.text(max_size=5),
    },
)
few = settings(max_examples=40, deadline=None)


@few
@given(st.dictionaries(names, entries, max_size=5))
def test_what_people_write_is_read_as_it_stands(written: dict[str, dict[str, Any]]) -> None:
    document = read_modules(json.loads(json.dumps(written)))
    assert document.problems == ()
    assert set(document.entries) == set(written)
    for path, told in written.items():
        read = document.entries[path]
        assert read.classification == told.get("classification")
        assert read.redundant == told.get("redundant")
        assert (list(read.parents) if read.parents is not None else None) == told.get("parents")


@few
@given(st.lists(names, unique=True, max_size=6))
def test_the_old_form_is_a_list_of_paths(paths: list[str]) -> None:
    assert sorted(read_modules(paths).entries) == sorted(paths)


@few
@given(JSON)
def test_any_document_is_read_or_its_fault_is_named(data: Any) -> None:
    document, mapped = read_modules(data), read_map(data)
    assert all(is_module_path(path) for path in (*document.entries, *mapped.groups))
    assert all(isinstance(group, int) and 0 <= group < 2**31 for group in mapped.groups.values())
    if isinstance(data, dict | list):
        assert len(document.entries) <= len(data)
        assert document.problems or len(document.entries) == len(set(data))
    else:
        assert document.problems
        assert mapped.problems


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_that_could_lead_out_is_no_module(path: str) -> None:
    hostile = path if path.endswith(".py") else f"{path}/x.py"
    for entry in (path, hostile):
        if (
            ".." in entry.replace("\\", "/").split("/")
            or entry.startswith("/")
            or "\\" in entry
            or "\0" in entry
        ):
            assert not is_module_path(entry)
            assert read_modules([entry]).entries == {}
            assert read_map({entry: 0}).groups == {}


@pytest.mark.parametrize(
    "path", ["a.txt", "a", "", "a//b.py", "./a.py", "a/./b.py", "a.py/", "x" * 1100 + ".py"]
)
def test_a_path_that_is_not_plain_is_no_module(path: str) -> None:
    assert not is_module_path(path)


@pytest.mark.parametrize(
    "path", ["a.py", "pkg/__init__.py", "a b/c.py", "ü/ñ.py", "-m.py", "$(x).py", "a..b/c.py"]
)
def test_a_strange_name_inside_is_a_module(path: str) -> None:
    assert is_module_path(path)


@pytest.mark.parametrize("group", [-1, True, 1.0, "1", None, 2**31, [1]])
def test_a_group_that_is_no_number_is_named_and_left_out(group: Any) -> None:
    read = read_map({"modules": {"a.py": group, "b.py": 3}})
    assert read.groups == {"b.py": 3}
    assert read.problems == ("'a.py': group must be a whole number from 0",)


def test_too_many_entries_are_cut_with_a_word_about_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "MAX_ENTRIES", 10)
    document = read_modules([f"m{number}.py" for number in range(15)])
    assert sorted(document.entries) == sorted(f"m{number}.py" for number in range(10))
    assert document.problems == ("only the first 10 of 15 entries were read",)
    assert read_map({f"m{number}.py": 0 for number in range(10)}).problems == ()


def test_a_bad_parent_is_left_out_and_the_module_stays() -> None:
    read = read_modules({"a.py": {"parents": ["b.py", "../c.py", 7, None, "/d.py"]}})
    assert read.entries["a.py"].parents == ("b.py",)


def test_an_unknown_class_is_named_and_the_module_stays() -> None:
    read = read_modules({"a.py": {"classification": "haunted"}})
    assert read.entries["a.py"].classification is None
    assert read.problems == ("a.py: 'haunted' is no classification",)


listed = st.builds(
    lambda path, kind, redundant: Listed(path=path, classification=kind, redundant=redundant),
    st.sampled_from(["a.py", "b.py", "c.py"]),
    st.none() | st.sampled_from(Classification),
    st.none() | st.booleans(),
)


@few
@given(st.lists(listed))
def test_rows_never_disagree_with_a_file_that_says_the_same(said: list[Listed]) -> None:
    both = {each.path: each for each in said}
    assert conflicts(Document(both), both) == []


@few
@given(st.lists(listed), st.lists(listed))
def test_each_conflict_names_a_path_of_the_file(said: list[Listed], rows: list[Listed]) -> None:
    file, known = {each.path: each for each in said}, {each.path: each for each in rows}
    for line in conflicts(Document(file), known):
        path = line.partition(":")[0]
        assert path in file
        assert path not in known or file[path] != known[path]
