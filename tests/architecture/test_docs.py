"""Documents say what is so: links lead somewhere, commands and options exist, examples are valid."""

import ast
import re
import tomllib
from argparse import ArgumentParser, _SubParsersAction
from urllib.parse import unquote

import pytest
from django.core.management import get_commands, load_command_class

from engines.domain import manifest
from scripts import check_places
from scripts.check_places import ROOT
from tests.architecture.markdown import Page, pages

APPS = ("menace_site", "engines", "orphans", "alignment", "forecasting")
PAGES = pages()
CHECKED = [page for page in PAGES if page.name != "docs/seed-map.md"]
"""The map also names commands that don't exist yet; its own test knows which."""

README = Page(ROOT / "README.md")
REFERENCE = Page(ROOT / "docs/reference/commands.md")
DECISIONS = ROOT / "docs/decisions"
DJANGO_OPTIONS = {
    "--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color",
    "--force-color", "--skip-checks",
}  # fmt: skip
OPTION = re.compile(r"--[a-z][a-z-]*")
TEXTS = {".md", ".py", ".toml", ".html", ".js", ".css", ".txt", ".yaml", ".yml", ""}


def parser_of(command: str) -> ArgumentParser:
    """Return the parser of a command, of ours or Django's."""
    return load_command_class(get_commands()[command], command).create_parser("manage.py", command)


def actions_of(parser: ArgumentParser) -> tuple[set[str], set[str]]:
    """Return the options of a parser and its subparsers, and its fixed words."""
    options: set[str] = set()
    words: set[str] = set()
    for action in parser._actions:
        options.update(each for each in action.option_strings if each.startswith("--"))
        if isinstance(action, _SubParsersAction):
            words.update(action.choices)
            for each in action.choices.values():
                options |= actions_of(each)[0]
        elif action.choices and not action.option_strings:
            words.update(word for word in action.choices if isinstance(word, str))
    return options, words


def own_commands() -> list[str]:
    return sorted(name for name, app in get_commands().items() if app in APPS)


def leads_nowhere(page: Page, link: str) -> bool:
    if "://" in link or link.startswith("mailto:"):
        return False
    place, _, anchor = unquote(link).partition("#")
    target = (page.path.parent / place).resolve() if place else page.path
    if not target.exists():
        return True
    return bool(anchor) and anchor not in Page(target).anchors()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_image_leads_somewhere(page: Page) -> None:
    assert [link for link in page.links() if leads_nowhere(page, link)] == []


@pytest.mark.parametrize("page", CHECKED, ids=lambda page: page.name)
def test_every_command_that_is_written_down_exists_with_its_options(page: Page) -> None:
    known = get_commands()
    for name, words in page.commands():
        assert name in known, f"{page.name} names manage.py {name}"
        options = actions_of(parser_of(name))[0]
        named = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert named <= options, f"{page.name} gives manage.py {name} {named - options}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_target_of_make_that_is_written_down_exists(page: Page) -> None:
    known = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert page.targets() <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_examples_can_be_read(page: Page) -> None:
    for code in page.blocks("python"):
        ast.parse(code)
    for text in page.blocks("toml"):
        tomllib.loads(text)


def test_the_readme_begins_with_the_two_commands() -> None:
    assert {"run", "test"} <= README.targets()
    assert README.text.index("make run") < README.text.index("make test") < README.text.index("make check")


def test_the_manifests_of_readme_and_tutorial_are_accepted() -> None:
    for page in (README, Page(ROOT / "docs/tutorial.md")):
        (text,) = page.blocks("toml")
        found = manifest.parse({"menace.toml": text})
        assert found.pipeline == "wines.pipeline:build"
        assert found.value is not None


def test_the_pipelines_of_readme_and_tutorial_are_the_same() -> None:
    (first, *_), (second, *_) = README.blocks("python"), Page(ROOT / "docs/tutorial.md").blocks("python")
    assert first == second


@pytest.mark.parametrize("command", own_commands())
def test_the_reference_describes_exactly_the_options_of_a_command(command: str) -> None:
    section = REFERENCE.section(command)
    options, words = actions_of(parser_of(command))
    assert set(OPTION.findall(section)) == options - DJANGO_OPTIONS
    assert [word for word in words if not re.search(rf"`{word}\b", section)] == []


def test_the_reference_has_no_command_that_is_gone() -> None:
    sections = re.findall(r"^## ([a-z_]+)$", REFERENCE.text, re.MULTILINE)
    assert sorted(sections) == own_commands()


def test_the_index_names_every_document() -> None:
    index, docs = Page(ROOT / "docs/README.md"), ROOT / "docs"
    linked = {(docs / link.partition("#")[0]).resolve() for link in index.links()}
    named = [page for page in PAGES if page.path.is_relative_to(docs) and page.path != index.path]
    assert [page.name for page in named if page.path not in linked and page.path.parent != DECISIONS] == []


def test_decisions_have_one_number_each_and_stand_in_the_index() -> None:
    files = sorted(path.name for path in DECISIONS.glob("[0-9]*.md"))
    numbers = [name[:4] for name in files]
    assert len(numbers) == len(set(numbers))
    assert sorted(Page(DECISIONS / "README.md").links()) == files


def test_decisions_say_what_was_asked_chosen_and_refused() -> None:
    for path in DECISIONS.glob("[0-9]*.md"):
        text = path.read_text()
        assert [word for word in ("Question", "Choice", "Refused") if f"**{word}." not in text] == [], (
            path.name
        )


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    page = (DECISIONS / "0003-dependencies.md").read_text()
    dependencies = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[~<>=;, ]", each)[0] for each in dependencies}
    stubs = {name for name in names if name.endswith(("-stubs", "-types"))}  # "with stubs"
    assert sorted(name for name in names - stubs if not re.search(rf"\b{name}\b", page)) == []


def test_no_file_names_a_registry_or_somebodys_machine(capsys: pytest.CaptureFixture[str]) -> None:
    faults = check_places.main()
    assert faults == 0, capsys.readouterr().out
