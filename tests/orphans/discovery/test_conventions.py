# ruff: noqa: E501 - one row of source text is one case
"""Ways to be alive that only the shape of a project tells, each in a small checkout."""

import json
from pathlib import Path

import pytest

from orphans.discovery import cli
from orphans.discovery.walk import walk
from tests.orphans.discovery.trees import dead, scanned, write

RUN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {"run.py": RUN, "pkg/__init__.py": "", "pkg/lost_part.py": ""}
LOADER = "from importlib import import_module\n\n\ndef get_class(module, name):\n    return import_module(module)\n"
WALKER = (
    "from importlib import import_module\nfrom pkgutil import iter_modules\n\n\ndef walk_all(path):\n"
    "    mod = import_module(path)\n    for _, name, _ in iter_modules(mod.__path__):\n"
    "        yield import_module(path + '.' + name)\n\n\ndef other(path):\n    mod = 3\n    return mod\n"
)
DISCOVERY = (
    "import os\nfrom importlib import import_module\n\n\ndef discover():\n    top = get_root_path('pkg')\n"
    "    for root, _, files in os.walk(top):\n        if 'blueprint.py' in files:\n"
    "            import_module(name_of(root))\n"
)
PLAIN = {f"pkg/part_{number}/code.py": "" for number in range(12)}
MANAGE = "import os\n\nif __name__ == '__main__':\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'settings')\n"
PYPROJECT = "[project]\nname = 'pkg'\n"

ALIVE = {
    "the end of a path given to a class loader": {
        "pkg/__init__.py": "from pkg import shop\n",
        "pkg/shop.py": LOADER + "\n\nForm = get_class('kept.forms', 'Form')\n",
        "pkg/apps/__init__.py": "",
        "pkg/apps/kept/__init__.py": "from . import base\n",
        "pkg/apps/kept/base.py": "",
        "pkg/apps/kept/forms.py": "",
    },
    "a package named where another module's walker is used": {
        "pkg/__init__.py": "from pkg import cli\n",
        "pkg/walks.py": WALKER,
        "pkg/cli.py": (
            "from pkg.walks import walk_all\n\n\ndef commands(module):\n    return list(walk_all(module))\n\n\n"
            "FOUND = commands('pkg.commands')\n"
        ),
        "pkg/commands/__init__.py": "",
        "pkg/commands/crawl.py": "",
    },
    "a name chosen while the whole tree is listed": {
        "pkg/__init__.py": "".join(f"from pkg.part_{n} import code as c{n}\n" for n in range(12)) + DISCOVERY,
        **PLAIN,
        **{f"pkg/part_{number}/__init__.py": "" for number in range(12)},
        "pkg/part_3/blueprint.py": "",
    },
    "either branch of a name with a condition": {
        "pkg/__init__.py": (
            "NAMES = ('kept', 'used')\n\n\ndef load(name):\n"
            "    spec = 'pkg.' + name if name in NAMES else name\n    return __import__(spec)\n"
        ),
        "pkg/kept.py": "",
    },
    "a loader with an open start isn't bound by one table": {
        "pkg/__init__.py": (
            "from importlib import import_module\nKNOWN = ['one']\n\n\ndef load(name):\n"
            "    return import_module('%s.base' % name)\n"
        ),
        "pkg/one/__init__.py": "",
        "pkg/one/base.py": "",
        "pkg/two/__init__.py": "",
        "pkg/two/base.py": "",
    },
    "settings that the manual shows": {
        "pyproject.toml": PYPROJECT,
        "docs/backends.rst": "::\n\n    CACHES = {'BACKEND': 'pkg.kept.Cache'}\n",
        "pkg/kept.py": "",
    },
    "a module that the manual describes": {
        "pyproject.toml": PYPROJECT,
        "docs/kept.rst": ".. module:: pkg.kept\n\nText.\n",
        "pkg/kept.py": "",
    },
    "files that pytest is told to collect": {
        "pytest.ini": "[pytest]\npython_files = test_*.py check_*.py\n",
        "pkg/check_this.py": "def test_it():\n    assert True\n",
    },
    "settings without a package": {
        "site/manage.py": "import django\n" + MANAGE,
        "site/__init__.py": "",
        "site/settings.py": "X = 1\n",
    },
    "settings that a deployment chooses": {"pkg/settings_local.py": "DATABASES = {}\n"},
    "the manual of another tool's theme": {"api/source/conf.py": "html_theme = 'x'\n"},
    "benchmarks by name": {"pkg/benchmarks/__init__.py": "", "pkg/benchmarks/bench_sort.py": ""},
    "examples in the manual": {"docs/usage/example_google.py": ""},
    "templates of projects": {"pkg/project_template/home/urls.py": ""},
    "tools in hidden folders": {".tools/skill/query.py": ""},
    "modules of an example's package": {"examples/shop/__init__.py": "", "examples/shop/urls.py": ""},
}


@pytest.mark.parametrize("how", ALIVE)
def test_the_shape_of_a_project_keeps_alive(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, **ALIVE[how]}) == {"pkg/lost_part.py"}


DEAD = {
    "a word in the manual's prose": {
        "pyproject.toml": PYPROJECT,
        "docs/news.rst": "See `pkg.lost_part` and pkg.lost_part for more.\n",
    },
    "a setting in the change log": {"pyproject.toml": PYPROJECT, "docs/changes.rst": "X = 'pkg.lost_part'\n"},
    "the name of what is no package": {
        "pkg/__init__.py": "import logging\nL = logging.getLogger('lost_part')\n"
    },
    "a number in the name": {"pkg/__init__.py": "X = __import__('pkg.lost_part%d' % 3)\n"},
}


@pytest.mark.parametrize("how", DEAD)
def test_what_only_looks_like_it_keeps_nothing_alive(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, **DEAD[how]}) == {"pkg/lost_part.py"}


def test_a_packaged_library_of_apps_offers_all_of_them(tmp_path: Path) -> None:
    app = "from django.apps import AppConfig\n\n\nclass Config(AppConfig):\n    name = 'pkg.kept'\n"
    files = {"pkg/kept/__init__.py": "", "pkg/kept/apps.py": app, "pkg/kept/models.py": ""}
    assert dead(tmp_path, {**BASE, **files, "pyproject.toml": PYPROJECT}) == {"pkg/lost_part.py"}


def test_apps_of_the_tests_are_the_tests(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "import django\n",
        "tests/__init__.py": "",
        "tests/test_one.py": "import pkg\n",
        "tests/shop/__init__.py": "",
        "tests/shop/models.py": "import django\n",
    }
    assert set(scanned(tmp_path, {**BASE, **files}).findings) == {"pkg/lost_part.py"}


def test_folders_of_skipped_names_are_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "generated" / "deep").mkdir(parents=True)
    (tmp_path / "generated" / "deep" / "a.py").write_text("")
    (tmp_path / "b.py").write_text("")
    assert set(walk(tmp_path, {"deep"}).python) == {"b.py"}
    assert set(walk(tmp_path).python) == {"b.py", "generated/deep/a.py"}


def test_the_command_honours_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {**BASE, "pkg/made/__init__.py": "", "pkg/made/other.py": ""})
    monkeypatch.setenv("SANDBOX_SKIP_DIRS", "made, elsewhere")
    assert cli.main([str(tmp_path), "--paths", "--no-cache"]) == 0
    assert json.loads(capsys.readouterr().out) == ["pkg/lost_part.py"]
