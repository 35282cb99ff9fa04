"""`orphans scan --explain`: the chain that keeps a module alive, or what is known of a dead one."""

import json
from pathlib import Path
from typing import Any

import pytest

from orphans.discovery import cli
from orphans.discovery.explain import UnknownModuleError, explain
from tests.orphans.discovery.trees import write
from tests.orphans.test_history import Checkout

FILES = {
    "pyproject.toml": "[project]\nname = 'pkg'\n\n[project.scripts]\nx = 'pkg.command:main'\n",
    "pkg/__init__.py": "",
    "pkg/command.py": "import json\nfrom pkg import core\n\n\ndef main():\n    return core, 'pkg.named'\n",
    "pkg/core.py": "from pkg.deep.near import work\n",
    "pkg/deep/__init__.py": "X = 1\n",
    "pkg/deep/near.py": "",
    "pkg/named.py": "",
    "pkg/head.py": "from pkg import tail\n",
    "pkg/tail.py": "",
    "pkg/only.py": "",
    "tests/test_only.py": "from pkg.only import work\n\n\ndef test_it():\n    assert work(1)\n",
    "vendor/other.py": "",
    "pkg/empty/__init__.py": "",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout with a chain of each kind."""
    return write(tmp_path_factory.mktemp("explained"), FILES)


def steps(tree: Path, path: str) -> list[tuple[str, int | None]]:
    return [(each.path, each.line) for each in explain(tree, path).chain]


def test_a_live_module_is_led_to_from_an_entry_point(tree: Path) -> None:
    found = explain(tree, "pkg/deep/near.py")

    assert found.state == "live"
    assert [each.path for each in found.chain] == ["pkg/command.py", "pkg/core.py", "pkg/deep/near.py"]
    assert found.chain[0].why == "entry point 'pkg.command:main' in pyproject.toml (line 5 of pyproject.toml)"
    assert [each.line for each in found.chain[1:]] == [2, 1]
    assert found.finding is None


def test_a_string_is_named_with_its_place(tree: Path) -> None:
    (step,) = explain(tree, "pkg/named.py").chain

    assert step.why == "string 'pkg.named' in pkg/command.py (line 6 of pkg/command.py)"


def test_a_package_lives_by_what_is_in_it(tree: Path) -> None:
    chain = explain(tree, "pkg/deep/__init__.py").chain

    assert [each.path for each in chain][-2:] == ["pkg/deep/near.py", "pkg/deep/__init__.py"]
    assert chain[-1].why == "the package around it"


def test_a_dead_module_has_the_chain_from_its_head(tree: Path) -> None:
    found = explain(tree, "pkg/tail.py")

    assert (found.state, steps(tree, "pkg/tail.py")) == ("dead", [("pkg/head.py", None), ("pkg/tail.py", 1)])
    assert found.chain[0].why == "nothing live leads to it"
    assert found.finding is not None
    assert found.reason == found.finding.reason
    assert found.past == ()


def test_a_module_of_tests_alone_has_the_chain_from_a_test(tree: Path) -> None:
    found = explain(tree, "pkg/only.py")

    assert (found.state, steps(tree, "pkg/only.py")) == (
        "test_only",
        [("tests/test_only.py", None), ("pkg/only.py", 1)],
    )


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("vendor/other.py", "another project's code"),
        ("pkg/empty/__init__.py", "an empty package"),
        ("tests/test_only.py", "belongs to the tests"),
    ],
)
def test_what_is_never_a_finding_says_why(tree: Path, path: str, why: str) -> None:
    found = explain(tree, path)

    assert found.state == "not judged"
    assert why in found.reason


def test_git_tells_who_imported_it_last(tmp_path: Path) -> None:
    repo = Checkout(tmp_path / "repo")
    repo.commit(
        0, {"run.py": "import app.views\nif __name__ == '__main__':\n    print(app)\n", "app/__init__.py": ""}
    )
    repo.commit(1, {"app/views.py": "from app.rows import draw\n", "app/rows.py": "def draw(): ...\n"})
    gone = repo.commit(500, {"app/views.py": "from app.tables import draw\n", "app/tables.py": "draw = 1\n"})

    found = explain(repo.top, "app/rows.py")

    told = {each.kind: each.detail for each in found.past}
    assert told["superseded"] == f"commit {gone[:12]} imports app.tables in app/views.py instead of it"
    assert told["last_import"] == f"last imported by app/views.py, until commit {gone[:12]}"
    assert told["abandoned"].startswith("no commit for 16 months")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = cli.main([*words, "--no-cache"])
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_the_command_prints_the_chain(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, str(tree), "--explain", "pkg/core.py")

    assert code == 0
    assert text.splitlines()[0] == "pkg/core.py: live"
    assert "    pkg/core.py  imported by pkg/command.py (line 2)" in text.splitlines()


def test_the_command_prints_what_is_known_of_a_dead_one(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text = told(capsys, str(tree), "--explain", "pkg/tail.py", "--json")
    row: dict[str, Any] = json.loads(text)

    assert code == 0
    assert (row["state"], row["finding"]["classification"], row["past"]) == ("dead", "orphan", [])
    assert [each["path"] for each in row["chain"]] == ["pkg/head.py", "pkg/tail.py"]


def test_what_is_no_module_is_refused(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(UnknownModuleError):
        explain(tree, "pkg/gone.py")
    code, text = told(capsys, str(tree), "--explain", "../x.py")

    assert code == 2
    assert "'../x.py' is no module" in text
