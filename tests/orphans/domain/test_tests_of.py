"""Which tests belong to a module."""

import pytest

from orphans.domain.states import TestOrigin
from orphans.domain.tests_of import imported_names, is_test_file, module_name
from orphans.domain.tests_of import tests_of as belonging


@pytest.mark.parametrize(
    ("path", "roots", "name"),
    [
        ("a.py", (".",), "a"),
        ("pkg/a.py", (".",), "pkg.a"),
        ("pkg/__init__.py", (".",), "pkg"),
        ("src/pkg/a.py", (".", "src"), "pkg.a"),
        ("src/pkg/a.py", (".",), "src.pkg.a"),
        ("scripts/do-it.py", (".",), ""),
        ("__init__.py", (".",), ""),
        ("2024/a.py", (".",), ""),
    ],
)
def test_names_under_which_a_file_is_imported(path: str, roots: tuple[str, ...], name: str) -> None:
    assert module_name(path, roots) == name


@pytest.mark.parametrize(
    ("path", "is_test"),
    [("test_a.py", True), ("x/a_test.py", True), ("contest.py", False), ("test_a.txt", False)],
)
def test_files_that_pytest_would_look_into(path: str, is_test: bool) -> None:
    assert is_test_file(path) is is_test


def test_imports_are_read_wherever_they_stand() -> None:
    source = "import a.b\ndef f():\n    from c import d\n    from . import e\nif False:\n    import g as h\n"

    assert imported_names(source) == {"a.b", "c", "c.d", "g"}


@pytest.mark.parametrize("source", ["def broken(:", "\0", "(" * 10_000])
def test_what_is_no_python_imports_nothing(source: str) -> None:
    assert imported_names(source) == frozenset()


def test_a_test_called_after_the_module_comes_first() -> None:
    imports = {"tests/test_a.py": frozenset({"a"}), "tests/test_other.py": frozenset({"a"})}

    found = belonging("a.py", ["a"], imports)

    assert (found.origin, found.files) == (TestOrigin.CONVENTION, ("tests/test_a.py",))


def test_else_a_test_that_imports_it() -> None:
    imports = {"tests/test_all.py": frozenset({"pkg", "pkg.a"}), "tests/test_b.py": frozenset({"pkg.b"})}

    found = belonging("pkg/a.py", ["pkg.a"], imports)

    assert (found.origin, found.files) == (TestOrigin.IMPORTS, ("tests/test_all.py",))


def test_else_one_is_generated() -> None:
    assert belonging("a.py", ["a"], {"tests/test_b.py": frozenset({"b"})}).origin is TestOrigin.GENERATED


def test_two_modules_of_one_name_keep_their_own_tests() -> None:
    imports = {
        "tests/pkg_a/test_common.py": frozenset({"pkg_a.common"}),
        "tests/pkg_b/test_common.py": frozenset({"pkg_b.common"}),
    }

    assert belonging("pkg_a/common.py", ["pkg_a.common"], imports).files == ("tests/pkg_a/test_common.py",)
    assert belonging("pkg_b/common.py", ["pkg_b.common"], imports).files == ("tests/pkg_b/test_common.py",)
    assert belonging("pkg_c/common.py", ["pkg_c.common"], imports).origin is TestOrigin.GENERATED


def test_a_test_beside_the_module_counts_without_naming_it() -> None:
    imports = {"pkg/test_a.py": frozenset({"pytest"}), "other/test_a.py": frozenset({"pytest"})}

    assert belonging("pkg/a.py", ["pkg.a"], imports).files == ("pkg/test_a.py",)
