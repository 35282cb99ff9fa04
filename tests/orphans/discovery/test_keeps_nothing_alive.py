# ruff: noqa: E501 - one row of source text is one case
"""What looks like a use and is none, and how what is dead hangs together."""

from pathlib import Path

import pytest

from orphans.domain.findings import Classification
from tests.orphans.discovery.trees import BODY, dead, scanned

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {"run.py": MAIN, "pkg/__init__.py": "", "pkg/used_part.py": "", "pkg/lost_part.py": ""}
USES = "from pkg import used_part\n"

IN_PYTHON = {
    "comment": "# from pkg.lost_part import work\n",
    "docstring": '"""See pkg.lost_part, or use\n\n    from pkg.lost_part import work\n\n"pkg.lost_part"\n"""\n',
    "docstring of a function": "def f():\n    'pkg.lost_part'\n",
    "prose": "TEXT = 'the old pkg.lost_part was replaced'\n",
    "name of a logger": "import logging\nLOG = logging.getLogger('pkg.lost_part')\n",
    "levels of loggers": "CONF = {'loggers': {'pkg.lost_part': {'level': 'INFO'}}}\n",
    "warnings filter": "import warnings\nwarnings.filterwarnings('ignore', module='pkg.lost_part')\n",
    "list of exports": "__all__ = ['lost_part']\n",
    "annotation": "def f(x: 'pkg.lost_part.Thing') -> 'pkg.lost_part.Thing': ...\n",
    "name of a class": "class lost_part:\n    pass\n",
    "word in a table nobody loads": "WORDS = ['lost_part']\n",
    "attribute of another object": "def f(x):\n    return x.lost_part\n",
    "log message": "import logging\nlogging.info('pkg.lost_part')\n",
}  # fmt: skip

AROUND = {
    "changelog": ("CHANGES.md", "- moved callers away from `pkg.lost_part`, see pkg/lost_part.py\n"),
    "readme": ("README.md", "The rounding is in pkg/lost_part.py\n"),
    "comment in a makefile": ("Makefile", "# python -m pkg.lost_part\nx:\n\techo hi\n"),
    "linted by a makefile": ("Makefile", "lint:\n\tmypy pkg/lost_part.py\n"),
    "mypy override": ("pyproject.toml", "[[tool.mypy.overrides]]\nmodule = ['pkg.lost_part']\nignore_errors = true\n"),
    "coverage": ("pyproject.toml", "[tool.coverage.run]\nomit = ['pkg/lost_part.py']\n"),
    "ruff": ("pyproject.toml", "[tool.ruff.lint.per-file-ignores]\n'pkg/lost_part.py' = ['E501']\n"),
    "mypy.ini": ("mypy.ini", "[mypy-pkg.lost_part]\nignore_errors = True\n"),
    "flake8": ("setup.cfg", "[flake8]\nper-file-ignores =\n    pkg/lost_part.py: E501\n"),
    "coverage file": (".coveragerc", "[run]\nomit =\n    pkg/lost_part.py\n"),
    "owners": (".github/CODEOWNERS", "pkg/lost_part.py @me\n"),
    "excluded hook": (".pre-commit-config.yaml", "repos:\n- repo: x\n  hooks:\n  - id: a\n    exclude: pkg/lost_part.py\n"),
    "paths of a workflow": (".github/workflows/a.yml", "on:\n  push:\n    paths:\n      - pkg/lost_part.py\n"),
    "stale bytecode": ("pkg/__pycache__/other.cpython-311.pyc", "pkg.lost_part"),
    "import layers": ("setup.cfg", "[importlinter:contract:1]\nmodules =\n    pkg.lost_part\n"),
}  # fmt: skip


@pytest.mark.parametrize("how", IN_PYTHON)
def test_code_that_only_mentions_a_module(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, "pkg/__init__.py": IN_PYTHON[how] + USES}) == {"pkg/lost_part.py"}


@pytest.mark.parametrize("how", AROUND)
def test_files_that_only_mention_a_module(how: str, tmp_path: Path) -> None:
    place, text = AROUND[how]

    assert dead(tmp_path, {**BASE, "pkg/__init__.py": USES, place: text}) == {"pkg/lost_part.py"}


def test_a_chain_names_its_head_and_exact_parents(tmp_path: Path) -> None:
    chain = {
        "pkg/head_part.py": "from .middle_part import *\nfrom . import tail_part\n",
        "pkg/middle_part.py": "from pkg import tail_part\n",
        "pkg/tail_part.py": BODY,
    }

    found = scanned(tmp_path, {"run.py": MAIN, "pkg/__init__.py": "", **chain}).findings

    assert found["pkg/head_part.py"].parents == ()
    assert found["pkg/tail_part.py"].parents == ("pkg/head_part.py", "pkg/middle_part.py")
    assert found["pkg/middle_part.py"].chain == ("pkg/head_part.py", "pkg/middle_part.py")
    assert "nothing live reaches" in found["pkg/tail_part.py"].reason


def test_a_cycle_has_one_head(tmp_path: Path) -> None:
    cycle = {
        "pkg/a_part.py": "from . import b_part\n",
        "pkg/b_part.py": "from . import c_part\n",
        "pkg/c_part.py": "from .a_part import *\n",
    }

    found = scanned(tmp_path, {"run.py": MAIN, "pkg/__init__.py": "", **cycle}).findings

    assert {path: each.parents for path, each in found.items()} == {
        "pkg/a_part.py": ("pkg/c_part.py",),
        "pkg/b_part.py": ("pkg/a_part.py",),
        "pkg/c_part.py": ("pkg/b_part.py",),
    }
    assert {each.chain[0] for each in found.values()} == {"pkg/a_part.py"}


def test_a_dead_package_is_found_whole(tmp_path: Path) -> None:
    package = {
        "pkg/old/__init__.py": "from .b import *\n",
        "pkg/old/a.py": "",
        "pkg/old/b.py": "from .a import *\n",
    }

    found = scanned(tmp_path, {"run.py": MAIN, "pkg/__init__.py": "", **package}).findings

    assert {path: each.parents for path, each in found.items()} == {
        "pkg/old/__init__.py": (),
        "pkg/old/a.py": ("pkg/old/b.py",),
        "pkg/old/b.py": ("pkg/old/__init__.py",),
    }


def test_a_module_hidden_by_a_function_of_its_name(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "def lost_part():\n    return 1\n",
        "run.py": "from pkg import lost_part\n" + MAIN,
    }

    found = scanned(tmp_path, {**BASE, **files}).findings

    assert found["pkg/lost_part.py"].parents == ()


def test_a_module_shadowed_by_a_package(tmp_path: Path) -> None:
    files = {
        "pkg/lost_part/__init__.py": "def work():\n    return 2\n",
        "pkg/__init__.py": "from pkg import lost_part\n",
    }

    found = scanned(tmp_path, {**BASE, **files}).findings

    assert "pkg/lost_part/" in found["pkg/lost_part.py"].reason


def test_only_the_file_of_that_folder_is_meant(tmp_path: Path) -> None:
    files = {"pkg/__init__.py": "from .a import common\n"} | {
        f"pkg/{each}/{name}": "" for each in "ab" for name in ("__init__.py", "common.py")
    }

    assert dead(tmp_path, {"run.py": MAIN, **files}) == {"pkg/b/common.py"}


def test_a_module_in_a_folder_without_init(tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, "pkg/__init__.py": USES, "pkg/space/far_part.py": ""}) == {
        "pkg/lost_part.py",
        "pkg/space/far_part.py",
    }


def test_only_tests_use_it(tmp_path: Path) -> None:
    test = "from pkg.lost_part import work\n\n\ndef test_work():\n    assert work(1)\n"

    found = scanned(tmp_path, {**BASE, "pkg/__init__.py": USES, "tests/test_lost.py": test}).findings

    assert found["pkg/lost_part.py"].classification is Classification.TEST_ONLY
    assert found["pkg/lost_part.py"].parents == ("tests/test_lost.py",)
    assert found["pkg/lost_part.py"].reason == "imported only by tests/test_lost.py"


def test_a_helper_that_no_test_imports_keeps_nothing(tmp_path: Path) -> None:
    files = {
        "tests/test_used.py": "from pkg import used_part\n\n\ndef test_it():\n    assert used_part\n",
        "tests/helping_hand.py": "from pkg.lost_part import work\n",
    }

    found = scanned(tmp_path, {**BASE, "pkg/__init__.py": USES, **files}).findings

    assert found["pkg/lost_part.py"].classification is Classification.ORPHAN
    assert found["pkg/lost_part.py"].parents == ("tests/helping_hand.py",)


def test_a_module_that_touches_nothing_is_isolated(tmp_path: Path) -> None:
    scan = scanned(tmp_path, {**BASE, "pkg/__init__.py": USES, "pkg/lost_part.py": "import json\n" + BODY})

    assert scan.findings["pkg/lost_part.py"].classification is Classification.ISOLATED
    assert scan.isolated == ("pkg/lost_part.py",)
