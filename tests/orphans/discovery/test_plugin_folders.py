"""Folders of plugins by name, and small helpers of a scan that no whole checkout shows well."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from orphans.discovery import plain
from orphans.discovery.documents import documented
from orphans.discovery.edges import syntax_problem, targets
from orphans.discovery.remembered import remembered
from orphans.discovery.store import Store
from orphans.discovery.survey import Survey
from orphans.discovery.walk import walk
from orphans.domain.findings import Finding
from orphans.domain.rules import PLUGIN_FOLDERS
from orphans.domain.told import Import
from tests.orphans.discovery.trees import dead, scanned, write

NAMED = (*sorted(PLUGIN_FOLDERS), "reports", "plugin_helpers")
USED = "abcd"


def family(folder: str) -> dict[str, str]:
    """Return a package of which four of five modules are imported plainly, and any is loaded by name."""
    package = f"pkg.{folder}"
    loader = (
        f"import importlib\nfrom {package} import {', '.join(f'{each}_part' for each in USED)}\n\n\n"
        f"def run(name):\n    return importlib.import_module(f'{package}.{{name}}').work\n"
    )
    parts = {f"pkg/{folder}/{each}_part.py": "" for each in (*USED, "spare")}
    return {f"pkg/{folder}/__init__.py": "", f"pkg/load_{folder}.py": loader, **parts}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finding]:
    """What a scan says of a checkout with a family in a folder of each name."""
    lines = "".join(f"from pkg import load_{each}\n" for each in NAMED)
    files = {"run.py": f"{lines}\nif __name__ == '__main__':\n    print(1)\n", "pkg/__init__.py": ""}
    for each in NAMED:
        files |= family(each)
    return dict(scanned(tmp_path_factory.mktemp("families"), files, use_ruff=False).findings)


@pytest.mark.parametrize("folder", sorted(PLUGIN_FOLDERS))
def test_a_folder_of_plugins_keeps_what_only_its_loader_names(folder: str, found: dict[str, Finding]) -> None:
    assert f"pkg/{folder}/spare_part.py" not in found


@pytest.mark.parametrize("folder", ["reports", "plugin_helpers"])
def test_another_folder_tells_the_loader_and_is_less_sure(folder: str, found: dict[str, Finding]) -> None:
    finding = found[f"pkg/{folder}/spare_part.py"]

    assert finding.confidence == 0.5
    (why,) = finding.evidence
    assert (why.kind, why.path, why.line) == ("loader", f"pkg/load_{folder}.py", 6)
    assert f"'pkg.{folder}.*'" in why.detail


def test_nothing_else_is_found_in_that_checkout(found: dict[str, Finding]) -> None:
    assert set(found) == {"pkg/reports/spare_part.py", "pkg/plugin_helpers/spare_part.py"}


def test_a_plugin_folder_that_nothing_loads_keeps_nothing_alive(tmp_path: Path) -> None:
    """The name alone is no root: without a loader its modules are as dead as others."""
    files = {"run.py": "import pkg\nif __name__ == '__main__':\n    print(pkg)\n", "pkg/__init__.py": ""}
    lone = {"pkg/plugins/__init__.py": "", "pkg/plugins/lone.py": ""}

    assert dead(tmp_path, {**files, **lone}, use_ruff=False) == {"pkg/plugins/lone.py"}


def surveyed(root: Path, files: dict[str, str | bytes]) -> Survey:
    """Return what is known of a checkout before anything of it is parsed."""
    return Survey(walk(write(root, files)))


class TestNames:
    """What one name of an import statement means."""

    FILES: dict[str, str | bytes] = {
        "pkg/__init__.py": "",
        "pkg/one.py": "",
        "pkg/sub/__init__.py": "",
        "pkg/sub/two.py": "",
        "tool/helper.py": "",
        "tool/go.py": "",
    }

    @pytest.mark.parametrize(
        ("path", "one", "module"),
        [
            ("pkg/sub/two.py", Import(2, "", "one", 1), "pkg/one.py"),
            ("pkg/sub/two.py", Import(2, "one", "work", 1), "pkg/one.py"),
            ("pkg/one.py", Import(1, "sub", "*", 1), "pkg/sub/__init__.py"),
            ("pkg/one.py", Import(1, "sub", "two", 1), "pkg/sub/two.py"),
            ("pkg/one.py", Import(0, "pkg.sub", "two", 1), "pkg/sub/two.py"),
            ("tool/go.py", Import(0, "helper", None, 1), "tool/helper.py"),
            ("pkg/one.py", Import(0, "json", "dumps", 1), None),
            ("pkg/one.py", Import(1, "gone", "work", 1), None),
        ],
    )
    def test_it_is_one_module_or_none(
        self, path: str, one: Import, module: str | None, tmp_path: Path
    ) -> None:
        expected = [] if module is None else [module]
        assert list(targets(surveyed(tmp_path, self.FILES), path, one)) == expected


class TestSyntax:
    """Why Python can't read a file."""

    @pytest.mark.parametrize(
        ("source", "said"),
        [
            (b"x = 1\n", None),
            (b"print 'two'\n", "Python 2: line 1"),
            (b"x = (\n", "line 1: '(' was never closed"),
            (b"x = 1\0\n", "ull bytes"),
        ],
    )
    def test_the_reason_is_told(self, source: bytes, said: str | None) -> None:
        problem = syntax_problem(source)
        assert (problem is None) if said is None else (problem is not None and said in problem)


class TestRuff:
    """The command lines of ruff, and what it says of files that it can't read."""

    def test_names_beyond_one_command_line_go_into_the_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plain, "BATCH", 50)
        batches = list(plain._batches(f"{number}.py" for number in range(7)))

        assert [len(each) for each in batches] == [3, 3, 1]
        assert [name for each in batches for name in each] == [f"{number}.py" for number in range(7)]
        assert list(plain._batches([])) == []

    def test_a_name_that_is_no_text_is_never_passed(self, tmp_path: Path) -> None:
        ruff = plain.Ruff(str(write(tmp_path, {"a.py": ""})), ["a.py", "b\udcff.py"], ["", "c\udcff"])
        try:
            assert ruff._batches == [["a.py"]]
            assert "\\udcff" not in " ".join(ruff._command)
            assert set(ruff.result().edges) == {"a.py"}
        finally:
            ruff.close()

    def test_without_files_nothing_is_started(self, tmp_path: Path) -> None:
        found = plain.Ruff(str(tmp_path), [], []).result()
        assert (found.edges, found.failed) == ({}, set())

    def test_without_ruff_that_is_said(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(plain, "ruff_program", lambda: None)
        with pytest.raises(plain.NoRuffError, match="not installed"):
            plain.Ruff(str(tmp_path), ["a.py"], [])

    def test_what_is_no_graph_is_an_error(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        false = shutil.which("false")
        monkeypatch.setattr(plain, "ruff_program", lambda: false)
        ruff = plain.Ruff(str(write(tmp_path, {"a.py": ""})), ["a.py"], [])
        with pytest.raises(plain.NoRuffError, match="ended with 1"):
            ruff.result()

    def test_warnings_name_their_files(self, tmp_path: Path) -> None:
        ruff = plain.Ruff(str(tmp_path), [], [])
        text = (
            f"warning: Failed to generate import map for {tmp_path}/a.py: bad token\n"
            "warning: Failed to read source for b: c.py: x: y\nwarning: something else of d.py: z\n"
        )

        assert list(ruff._failures(text)) == ["a.py", "b"]


class TestDocuments:
    """What the manual shows how to import, with the line."""

    def test_an_example_counts_and_news_do_not(self, tmp_path: Path) -> None:
        shown = "Use it:\n\n    >>> from pkg.kept import work, other\n"
        files = {"pkg/__init__.py": "", "pkg/kept.py": "", "docs/use.rst": shown, "docs/whatsnew.rst": shown}
        evidence = documented(surveyed(tmp_path, {**files}), ["pkg/kept.py"])["pkg/kept.py"]

        assert (evidence.kind, evidence.path, evidence.line) == ("document", "docs/use.rst", 3)

    def test_a_manual_that_is_gone_by_now_says_nothing(self, tmp_path: Path) -> None:
        survey = surveyed(tmp_path, {"pkg/kept.py": "", "docs/use.rst": "import pkg.kept\n"})
        (tmp_path / "docs/use.rst").unlink()

        assert documented(survey, ["pkg/kept.py"]) == {}
        assert documented(survey, []) == {}


@pytest.mark.parametrize(
    "row", [{}, {"findings": 3}, {"findings": [{"path": 1}]}, {"root": None, "findings": []}]
)
def test_a_damaged_memory_is_no_result(row: dict[str, Any], tmp_path: Path) -> None:
    store = Store(tmp_path, "checkout")
    store.keep_result("key", row)

    assert remembered(store, "key", 0.0) is None
    assert remembered(store, "other", 0.0) is None
