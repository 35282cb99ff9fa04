"""What a workflow is made of."""

import pytest

from engines.domain.workflows.closure import Find, Source, closure, imports


def finder(**texts: str) -> Find:
    """Return a finder of modules given by name, `__` for a dot; a trailing underscore means a package."""
    known = {
        name.strip("_").replace("__", "."): Source(text, is_package=name.endswith("_"))
        for name, text in texts.items()
    }
    return known.get


def test_imports_are_followed_through_the_repository_only() -> None:
    find = finder(steps="import helper\nimport numpy", helper="from deep import thing", deep="", other="")
    found = closure(["steps"], find)
    assert found.modules == {"steps", "helper", "deep"}
    assert found.whole


def test_of_a_from_import_the_submodule_counts_before_the_package() -> None:
    find = finder(
        bot_="",
        bot__steps="from bot import tools, VERSION",
        bot__tools="from bot.deep import f",
        bot__deep="",
    )
    assert closure(["bot.steps"], find).modules == {"bot.steps", "bot.tools", "bot.deep", "bot"}
    plain = finder(bot_="", bot__steps="from bot import tools", bot__tools="")
    assert closure(["bot.steps"], plain).modules == {"bot.steps", "bot.tools"}


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("bot.steps", "from . import tools", [("bot", "tools")]),
        ("bot.steps", "from .tools import f", [("bot.tools", "f")]),
        ("bot.sub.steps", "from ..tools import f", [("bot.tools", "f")]),
        ("bot.steps", "from ... import far", []),
        ("bot.steps", "import a.b, c", [("a.b", ""), ("c", "")]),
        ("bot.steps", "def f(:", []),
        ("bot.steps", "x = '\0'", []),
    ],
)
def test_relative_names_become_absolute(name: str, text: str, found: list[tuple[str, str]]) -> None:
    assert list(imports(Source(text), name)) == found


def test_a_package_is_its_own_base() -> None:
    source = Source("from .steps import f", is_package=True)
    assert list(imports(source, "bot")) == [("bot.steps", "f")]


def test_circles_end() -> None:
    find = finder(a="import b", b="import a")
    assert closure(["a"], find).modules == {"a", "b"}


def test_a_huge_repository_is_cut_and_says_so() -> None:
    find = finder(**{f"m{place}": f"import m{place + 1}" for place in range(20)})
    found = closure(["m0"], find, most=5)
    assert (len(found.modules), found.whole) == (5, False)


def test_what_is_not_there_is_nothing() -> None:
    assert closure(["gone"], finder()).modules == frozenset()
