# ruff: noqa: E501 - one row of source text is one case
"""`discover_recursive_orphans` and `discover_isolated_modules`, with the worked examples of the specification."""

from pathlib import Path

from orphans.discovery import Reading, discover_isolated_modules, discover_recursive_orphans
from orphans.domain.findings import Classification
from tests.orphans.discovery.trees import BODY, scanned, write

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
EXAMPLE = {"isolated.py": "import helper\n", "helper.py": "VALUE = 1\n"}


def test_an_isolated_module_brings_its_helper(tmp_path: Path) -> None:
    write(tmp_path, EXAMPLE)

    found = discover_recursive_orphans(tmp_path)

    assert set(found) == {"helper.py", "isolated.py"}
    assert found["helper.py"]["parents"] == ["isolated.py"]
    assert found["isolated.py"]["parents"] == []
    assert found["helper.py"]["redundant"] is False
    assert discover_isolated_modules(tmp_path) == ["helper.py", "isolated.py"]


def test_without_recursion_there_are_heads_alone(tmp_path: Path) -> None:
    write(tmp_path, EXAMPLE)

    assert set(discover_recursive_orphans(tmp_path, recursive=False)) == {"isolated.py"}
    assert discover_isolated_modules(tmp_path, recursive=False) == ["isolated.py"]


def test_depth_ends_the_way_down(tmp_path: Path) -> None:
    chain = {"a_x.py": "import b_x\n", "b_x.py": "import c_x\n", "c_x.py": BODY}
    write(tmp_path, chain)

    assert set(discover_recursive_orphans(tmp_path, depth=1)) == {"a_x.py", "b_x.py"}
    assert set(discover_recursive_orphans(tmp_path, ["b_x.py"])) == {"b_x.py", "c_x.py"}


def test_two_files_of_one_name_stay_two(tmp_path: Path) -> None:
    write(tmp_path, {"pkg_a/common.py": "VALUE = 1\n", "pkg_b/common.py": "VALUE = 2\n"})

    assert set(discover_recursive_orphans(tmp_path)) == {"pkg_a/common.py", "pkg_b/common.py"}


def test_a_module_that_warns_of_itself_is_legacy(tmp_path: Path) -> None:
    old = "import warnings\nwarnings.warn('use new', DeprecationWarning, stacklevel=2)\n" + BODY
    files = {"run.py": MAIN, "pkg/__init__.py": "", "pkg/aged_part.py": old}

    finding = scanned(tmp_path, files).findings["pkg/aged_part.py"]

    assert finding.classification is Classification.LEGACY
    assert finding.evidence


COPY = "".join(
    f"def step_{n}(rows, limit={n}):\n    out = [row for row in rows if row > limit]\n    return sorted(out)[:{n}]\n\n\n"
    for n in range(2, 12)
)


def test_a_copy_of_a_live_module_is_redundant(tmp_path: Path) -> None:
    files = {
        "run.py": MAIN,
        "pkg/__init__.py": "from pkg import good_part\n",
        "pkg/good_part.py": COPY,
        "pkg/twin_part.py": COPY,
    }

    finding = scanned(tmp_path, files).findings["pkg/twin_part.py"]

    assert finding.classification is Classification.REDUNDANT
    assert finding.twin == "pkg/good_part.py"
    assert finding.similarity is not None
    assert finding.similarity > 0.9


def test_a_library_keeps_its_public_modules_and_not_the_private_ones(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 'pkg'\n",
        "pkg/__init__.py": "",
        "pkg/offered.py": "",
        "pkg/_inner.py": "",
    }

    found = scanned(tmp_path, files, Reading.LIBRARY).findings

    assert found["pkg/offered.py"].classification is Classification.PUBLIC_UNREFERENCED
    assert found["pkg/_inner.py"].classification is Classification.ISOLATED


def test_what_the_manual_shows_to_import_is_less_certain(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 'pkg'\n",
        "pkg/__init__.py": "",
        "pkg/offered.py": "",
        "docs/use.rst": "Use it::\n\n    from pkg.offered import work\n",
    }

    finding = scanned(tmp_path, files).findings["pkg/offered.py"]

    assert finding.confidence < 0.7
    assert "docs/use.rst" in finding.reason
