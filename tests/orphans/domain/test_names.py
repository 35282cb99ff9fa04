"""Which file a name means: against what Python's own import would find."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.names import INIT, Names, base_of, folder_of, parts_of, shared, stem_of

few = settings(max_examples=40, deadline=None)
word = st.sampled_from(["a", "b", "pkg", "util"])
paths = st.lists(word, min_size=1, max_size=4).map(lambda words: "/".join(words) + ".py")
packages = st.lists(word, min_size=1, max_size=3).map(lambda words: "/".join(words) + f"/{INIT}")
trees = st.sets(paths | packages, min_size=1, max_size=10)

TREE = (
    "pkg/__init__.py", "pkg/mod.py", "pkg/sub/__init__.py", "pkg/sub/deep.py", "tools/run.py",
    "space/part.py",
    "top.py", "pkg/both.py", "pkg/both/__init__.py", "other/pkg2/__init__.py", "other/pkg2/mod.py",
)  # fmt: skip


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(TREE)


@few
@given(trees)
def test_every_module_is_found_by_its_own_name(tree: set[str]) -> None:
    known = Names(tree)
    for path in tree - known.shadowed():
        found = known.find(known.dotted(path), near=path)
        assert found is not None
        assert parts_of(found)[-len(known.canonical(path)) :] == known.canonical(path)


@few
@given(trees)
def test_what_is_found_is_always_a_file_of_the_tree(tree: set[str]) -> None:
    known = Names(tree)
    for text in ("a", "pkg.a", "a.b.util", "util.pkg", "pkg.a.Class.method", "nowhere"):
        for found in (
            known.find(text),
            known.find_attribute(text),
            known.find_path(text.replace(".", "/") + ".py"),
        ):
            assert found is None or found in tree


@few
@given(trees)
def test_children_are_each_file_once(tree: set[str]) -> None:
    known = Names(tree)
    listed = [path for below in known.children.values() for path in below]
    assert sorted(listed) == sorted(tree)
    assert known.folders == {folder for path in tree for folder in above(path)}


def above(path: str) -> Iterator[str]:
    folder = folder_of(path)
    while folder:
        yield folder
        folder = folder_of(folder)


@few
@given(trees, st.sampled_from(["", "a", "pkg", "a/b"]))
def test_below_is_what_begins_so(tree: set[str], folder: str) -> None:
    start = f"{folder}/" if folder else ""
    assert Names(tree).below(folder, deep=True) == sorted(path for path in tree if path.startswith(start))


@few
@given(paths, paths)
def test_shared_folders_go_both_ways(one: str, other: str) -> None:
    count = shared(one, other)
    assert count == shared(other, one)
    assert one.split("/")[:-1][:count] == other.split("/")[:-1][:count]
    assert shared(one, one) == one.count("/")


@few
@given(paths | packages)
def test_a_path_is_its_parts(path: str) -> None:
    assert "/".join(filter(None, (folder_of(path), base_of(path)))) == path
    assert stem_of(path) + ".py" == base_of(path)
    assert parts_of(path) == tuple((folder_of(path) if base_of(path) == INIT else path[:-3]).split("/"))


@pytest.mark.parametrize(
    "dotted", ["pkg", "pkg.mod", "pkg.sub", "pkg.sub.deep", "top", "tools.run", "space.part"]
)
def test_python_finds_the_same_file(
    names: Names, tmp_path: Path, dotted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in TREE:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    spec = importlib.util.find_spec(dotted)
    for name in set(sys.modules) - before:
        del sys.modules[name]
    assert spec is not None
    assert spec.origin is not None
    assert names.find(dotted) == Path(spec.origin).relative_to(tmp_path).as_posix()


@pytest.mark.parametrize(
    ("dotted", "near", "path"),
    [
        ("mod", "", None),
        ("pkg2.mod", "", "other/pkg2/mod.py"),
        ("other.pkg2.mod", "", "other/pkg2/mod.py"),
        ("run", "", "tools/run.py"),
        ("pkg.nothing", "", None),
        ("pkg.both", "", "pkg/both/__init__.py"),
        ("", "", None),
        ("pkg..mod", "", None),
    ],
)
def test_absolute_names(names: Names, dotted: str, near: str, path: str | None) -> None:
    assert names.find(dotted, near) == path


@pytest.mark.parametrize(
    ("name", "near", "path"),
    [
        (".mod", "pkg/__init__.py", "pkg/mod.py"),
        (".mod", "pkg/both.py", "pkg/mod.py"),
        ("..mod", "pkg/sub/deep.py", "pkg/mod.py"),
        ("..sub.deep.Class", "pkg/sub/deep.py", "pkg/sub/deep.py"),
        (".nothing", "pkg/mod.py", None),
        ("...x", "pkg/mod.py", None),
    ],
)
def test_relative_names(names: Names, name: str, near: str, path: str | None) -> None:
    assert names.find_relative(name, near) == path


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("tools/run.py", "tools/run.py"),
        ("./tools/run.py", "tools/run.py"),
        ("/opt/app/tools/run.py", "tools/run.py"),
        ("..\\tools\\run.py", "tools/run.py"),
        ("run.py", "tools/run.py"),
        ("nothing.py", None),
        ("", None),
        ("..", None),
    ],
)
def test_paths_in_commands(names: Names, text: str, path: str | None) -> None:
    assert names.find_path(text) == path


def test_the_packages_above_run_with_an_import(names: Names) -> None:
    assert list(names.ancestors("pkg/sub/deep.py")) == ["pkg/sub/__init__.py", "pkg/__init__.py"]
    assert list(names.ancestors("pkg/sub/__init__.py")) == ["pkg/__init__.py"]
    assert list(names.ancestors("top.py")) == list(names.ancestors("space/part.py")) == []


def test_a_module_beside_a_package_of_its_name_is_never_imported(names: Names) -> None:
    assert names.shadowed() == {"pkg/both.py"}


def test_of_several_the_nearest_is_meant() -> None:
    two = Names(["x/util.py", "y/util.py", "x/a.py", "y/a.py"])
    assert two.find("util", near="x/a.py") == "x/util.py"
    assert two.find("util", near="y/a.py") == "y/util.py"
