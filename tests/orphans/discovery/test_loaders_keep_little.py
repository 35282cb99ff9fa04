# ruff: noqa: E501 - one row of source text is one case
"""Loaders and lists that look as if they meant a whole package, and mean less."""

from pathlib import Path

import pytest

from tests.orphans.discovery.trees import dead

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
LAZY = (
    "import importlib\n\n\ndef __getattr__(name):\n    return importlib.import_module(f'.{name}', __name__)\n"
    "from pkg import a_part\n"
)
PARTS = {"pkg/a_part.py": "from pkg import b_part, c_part\n", "pkg/b_part.py": "", "pkg/c_part.py": ""}

CASES = {
    "modules to import, some of them packages": {
        "pkg/__init__.py": "IMPORT_MODULES = ['pkg.sub', 'pkg.kept_part']\n",
        "pkg/kept_part.py": "",
        "pkg/sub/__init__.py": "X = 1\n",
        "pkg/sub/lost_part.py": "",
    },
    "a prefix for names of classes": {
        "pkg/__init__.py": "import pkg.sub\nDEFAULT_PACKAGES = ['pkg.sub.', '']\n",
        "pkg/sub/__init__.py": "X = 1\n",
        "pkg/sub/lost_part.py": "",
    },
    "attributes of a package on demand": {"pkg/__init__.py": LAZY, **PARTS, "pkg/lost_part.py": ""},
    "any module of a package that is imported plainly": {
        "pkg/__init__.py": (
            "import importlib\nfrom pkg.sub import one, two, three\n\n\ndef load(kind, name):\n"
            "    return importlib.import_module(f'pkg.{kind}.{name}')\n"
        ),
        "pkg/sub/__init__.py": "X = 1\n",
        **{f"pkg/sub/{each}.py": "" for each in ("one", "two", "three", "lost_part")},
    },
    "plugins that a test makes the path of": {
        "pkg/__init__.py": "X = 1\n",
        "pkg/plugins/__init__.py": "",
        "pkg/plugins/lost_part.py": "",
        "tests/test_one.py": "import os\nP = os.path.join(os.path.dirname(__file__), '..', 'pkg', 'plugins')\n",
    },
    "the name of the file of a package": {
        "pkg/__init__.py": "from pkg import walks, user\n",
        "pkg/walks.py": (
            "import pkgutil\n\n\ndef walk_all(package):\n"
            "    return [name for _, name, _ in pkgutil.iter_modules(package.__path__)]\n"
        ),
        "pkg/user.py": "from pkg.walks import walk_all\n\n\ndef go(path):\n    return path.endswith('.__init__.py')\n",
        "pkg/lost_part.py": "",
    },
    "a walk in a test of the older spelling": {
        "pytest.ini": "[pytest]\npython_files = test*.py\n",
        "pkg/__init__.py": "",
        "pkg/test/__init__.py": "",
        "pkg/test/test_one.py": "",
        "pkg/test/testwalk.py": "from pkgutil import walk_packages\nX = list(walk_packages(['pkg']))\n",
        "pkg/lost_part.py": "",
    },
}  # fmt: skip


@pytest.mark.parametrize("how", CASES)
def test_the_lost_part_stays_lost(how: str, tmp_path: Path) -> None:
    found = dead(tmp_path, {"run.py": MAIN, **CASES[how]}, use_ruff=False)

    assert {each.rpartition("/")[2] for each in found} == {"lost_part.py"}


def test_a_list_of_packages_alone_means_their_modules(tmp_path: Path) -> None:
    files = {
        "run.py": MAIN,
        "pkg/__init__.py": "SPIDER_MODULES = ['pkg.sub', 'pkg.other']\n",
        **{f"pkg/{each}/__init__.py": "" for each in ("sub", "other")},
        **{f"pkg/{each}/spider.py": "" for each in ("sub", "other")},
    }

    assert dead(tmp_path, files, use_ruff=False) == set()
