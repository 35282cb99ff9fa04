"""What files around the code name: commands and tables that run something, not prose, comments or linters."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orphans.domain.mentions import MAX_MENTIONS, backend_paths, mentions

few = settings(max_examples=60, deadline=None)
FILES = (
    "Makefile",
    "run.sh",
    "ci.yml",
    "pyproject.toml",
    "setup.cfg",
    "package.json",
    "Dockerfile",
    "app.service",
)


def named(path: str, text: str) -> set[str]:
    return {each.text for each in mentions(path, text)}


@pytest.mark.parametrize(
    ("path", "text", "name"),
    [
        ("Makefile", "run:\n\tpython -m pkg.server --port 1\n", "pkg.server"),
        ("Makefile", "run:\n\tpython tools/gen.py\n", "tools/gen.py"),
        ("run.sh", "exec gunicorn pkg.wsgi:application\n", "pkg.wsgi:application"),
        ("run.sh", "celery -A pkg.tasks worker\n", "pkg.tasks"),
        ("run.sh", "python -c 'from pkg.a import run; run()'\n", "pkg.a"),
        ("Dockerfile", 'CMD ["uvicorn", "pkg.api:app"]\n', "pkg.api:app"),
        ("Dockerfile", 'ENTRYPOINT ["python", "-m", "pkg.main"]\n', "pkg.main"),
        ("ci.yml", "jobs:\n  test:\n    steps:\n      - run: python -m pkg.check\n", "pkg.check"),
        ("pyproject.toml", "[project.scripts]\nbot = 'pkg.cli:main'\n", "pkg.cli:main"),
        ("pyproject.toml", "[project.entry-points.'x.y']\nplug = 'pkg.plug'\n", "pkg.plug"),
        ("setup.cfg", "[options.entry_points]\nconsole_scripts =\n    bot = pkg.cli:main\n", "pkg.cli:main"),
        ("app.service", "[Service]\nExecStart=/usr/bin/python -m pkg.daemon\n", "pkg.daemon"),
        ("pytest.ini", "[pytest]\naddopts = -p pkg.plugin\n", "pkg.plugin"),
    ],
)
def test_what_runs_something_is_a_mention(path: str, text: str, name: str) -> None:
    assert name in named(path, text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("Makefile", "# python -m pkg.server\n"),
        ("run.sh", "echo hello  # python tools/gen.py\n"),
        ("Makefile", "lint:\n\truff check pkg/old.py\n"),
        ("Makefile", "clean:\n\trm pkg/old.py\n"),
        ("ci.yml", "on:\n  push:\n    paths:\n      - pkg/old.py\n"),
        ("pyproject.toml", "[tool.ruff]\nexclude = ['pkg/old.py']\n"),
        ("pyproject.toml", "[tool.mypy]\nfiles = ['pkg/old.py']\n"),
        ("setup.cfg", "[flake8]\nexclude = pkg/old.py\n"),
        (".coveragerc", "[run]\nomit = pkg/old.py\n"),
        ("mypy.ini", "[mypy-pkg.old]\nignore_errors = True\n"),
        ("poetry.lock", "python -m pkg.old\n"),
        ("package.json", "{not json python -m pkg.old"),
    ],
)
def test_what_runs_nothing_is_none(path: str, text: str) -> None:
    assert not {each for each in named(path, text) if "old" in each or "gen" in each or "server" in each}


def test_a_plugin_of_pytest_is_for_tests_only() -> None:
    (found,) = [
        each
        for each in mentions("run.sh", "pytest -p pkg.plugin\n")
        if each.text == "pkg.plugin" and each.single
    ]
    assert found.tests


def test_the_line_is_told() -> None:
    found = mentions("run.sh", "# first\n\npython -m pkg.a\n")
    assert {each.line for each in found if each.text == "pkg.a"} == {3}


@few
@given(st.sampled_from(FILES), st.text(max_size=300))
def test_any_text_is_read_without_a_fault(path: str, text: str) -> None:
    found = mentions(path, text)
    assert len(found) <= MAX_MENTIONS
    assert found == mentions(path, text)
    assert all(1 <= each.line <= len(text.splitlines()) + 1 for each in found)


@few
@given(st.sampled_from(FILES), st.text(alphabet="py -m.ab/:=[]{}\"'\n#,", max_size=200))
def test_every_name_stands_in_the_text(path: str, text: str) -> None:
    """A mention may join what an import line says; nothing else is made up."""
    for each in mentions(path, text):
        assert all(part in text for part in each.text.replace(":", ".").split("."))


@pytest.mark.parametrize("path", FILES)
def test_a_huge_file_is_read_up_to_a_bound(path: str) -> None:
    assert len(mentions(path, "python -m pkg.a\n" * 6000)) <= MAX_MENTIONS


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("[build-system]\nbackend-path = ['build_tools', '.']\n", ["build_tools", "."]),
        ("[build-system]\nbackend-path = 'x'\n", []),
        ("[build-system]\n", []),
        ("not toml [", []),
        ("", []),
    ],
)
def test_folders_of_an_own_build_backend(text: str, folders: list[str]) -> None:
    assert backend_paths(text) == folders


@pytest.mark.parametrize("deep", ["[" * 3000, "[" * 3000 + "]" * 3000, "{" * 999])
def test_deep_documents_name_nothing(deep: str) -> None:
    assert mentions("package.json", deep) == []
