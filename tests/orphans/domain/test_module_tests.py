"""Which tests belong to a module: by name, else by what they import."""

import ast
from pathlib import PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.states import TestOrigin
from orphans.domain.tests_of import MAX_TESTS, imported_names, is_test_file, module_name
from orphans.domain.tests_of import tests_of as found_for  # pytest would take the name for a test

few = settings(max_examples=50, deadline=None)
word = st.sampled_from(["a", "b", "pkg", "x1"])
NONE: frozenset[str] = frozenset()


@few
@given(st.lists(word, min_size=1, max_size=4), st.sampled_from([(".",), (".", "src"), ("src",)]))
def test_a_module_is_named_from_the_longest_root_that_holds_it(
    parts: list[str], roots: tuple[str, ...]
) -> None:
    path = "/".join(parts) + ".py"
    assert module_name(path, roots) == ".".join(parts)
    inside = module_name(f"src/{path}", roots)
    assert inside == ".".join(parts) if "src" in roots else inside == ".".join(["src", *parts])


@pytest.mark.parametrize("path", ["a-b.py", "1a.py", "a b/c.py", "a.b.py", "__init__.py", "pkg/x-y/z.py"])
def test_what_no_import_can_name_has_no_name(path: str) -> None:
    assert module_name(path) == ""


def test_a_package_is_its_folder() -> None:
    assert module_name("pkg/sub/__init__.py") == "pkg.sub"


@pytest.mark.parametrize("path", ["test_a.py", "x/test_a.py", "a_test.py", "tests/test_.py"])
def test_names_of_tests(path: str) -> None:
    assert is_test_file(path)


@pytest.mark.parametrize(
    "path", ["tests/a.py", "atest.py", "test_a.txt", "conftest.py", "test.py", "testa.py"]
)
def test_names_of_no_tests(path: str) -> None:
    assert not is_test_file(path)


@few
@given(st.lists(st.lists(word, min_size=1, max_size=3).map(".".join), min_size=1, max_size=3), word)
def test_all_imports_of_a_file_are_its_names(modules: list[str], name: str) -> None:
    source = "\n".join(
        [*(f"import {each}" for each in modules), f"def f():\n    from {modules[0]} import {name}"]
    )
    assert imported_names(source) == {*modules, f"{modules[0]}.{name}"}


@pytest.mark.parametrize("source", ["def", "\0", "(" * 5000, "print 'x'", "import .a"])
def test_what_is_no_python_imports_nothing(source: str) -> None:
    assert imported_names(source) == NONE


def test_relative_imports_name_nothing_absolute() -> None:
    assert imported_names("from . import a\nfrom ..b import c\n") == NONE
    assert isinstance(ast.parse("from . import a").body[0], ast.ImportFrom)


MODULE = ("pkg/common.py", {"pkg.common"})


def found(**imports: set[str]) -> tuple[str, tuple[str, ...]]:
    tests = {name.replace("__", "/") + ".py": frozenset(names) for name, names in imports.items()}
    told = found_for(*MODULE, tests)
    return told.origin, told.files


def test_a_test_called_after_the_module_comes_first() -> None:
    assert found(test_common={"pkg.common"}, test_all={"pkg.common"}) == (
        TestOrigin.CONVENTION,
        ("test_common.py",),
    )
    assert found(common_test={"pkg.common"}) == (TestOrigin.CONVENTION, ("common_test.py",))


def test_else_whatever_imports_it() -> None:
    assert found(test_all={"pkg.common", "x"}, test_other={"y"}) == (TestOrigin.IMPORTS, ("test_all.py",))


def test_else_one_is_made() -> None:
    assert found(test_other={"y"}) == (TestOrigin.GENERATED, ())
    assert found_for("pkg/common.py", [""], {"test_x.py": frozenset({""})}).origin == TestOrigin.GENERATED


def test_a_test_of_another_module_of_that_name_is_not_taken() -> None:
    assert found(test_common={"other.common"}) == (TestOrigin.GENERATED, ())
    assert found(other__test_common={"other.common"}, pkg__test_common={"pkg.common"}) == (
        TestOrigin.CONVENTION, ("pkg/test_common.py",),
    )  # fmt: skip


def test_a_test_that_imports_nothing_belongs_to_the_module_beside_it() -> None:
    assert found(tests__pkg__test_common=set()) == (TestOrigin.CONVENTION, ("tests/pkg/test_common.py",))
    assert found(tests__other__test_common=set()) == (TestOrigin.GENERATED, ())


def test_so_many_tests_and_no_more() -> None:
    told = found_for(*MODULE, {f"test_{at:03}.py": frozenset({"pkg.common"}) for at in range(50)})
    assert told.files == tuple(f"test_{at:03}.py" for at in range(MAX_TESTS))


@few
@given(
    st.dictionaries(
        st.sampled_from([f"{each}/test_common.py" for each in "abc"]), st.frozensets(word, max_size=2)
    )
)
def test_tests_are_some_of_those_there_are(imports: dict[str, frozenset[str]]) -> None:
    told = found_for("pkg/common.py", {"pkg.common", "a"}, imports)
    assert set(told.files) <= set(imports)
    assert bool(told.files) is (told.origin is not TestOrigin.GENERATED)
    assert list(told.files) == sorted(told.files, key=lambda path: PurePosixPath(path).as_posix())
