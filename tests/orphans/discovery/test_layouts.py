# ruff: noqa: E501 - one row of source text is one case
"""Layouts of real projects: packages on the search path, folders of tests, manuals and examples."""

from pathlib import Path

import pytest

from tests.orphans.discovery.trees import dead, scanned

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {"run.py": MAIN, "pkg/__init__.py": "", "pkg/lost_part.py": ""}
MANAGE = "import os\n\nif __name__ == '__main__':\n    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'own.settings')\n"
TEST = "def test_it():\n    assert True\n"

ALIVE = {
    "a package that holds manage.py": {
        "apps/__init__.py": "",
        "apps/manage.py": MANAGE + "    import django\n",
        "apps/own/__init__.py": "",
        "apps/own/settings.py": "INSTALLED_APPS = ['shop']\nROOT_URLCONF = 'own.urls'\n",
        "apps/own/urls.py": "from django.urls import include\nfrom shop import views\nX = include('shop.urls')\n",
        "apps/shop/__init__.py": "",
        "apps/shop/views.py": "",
        "apps/shop/urls.py": "",
        "apps/shop/models.py": "from common.fields import work\n",
        "apps/common/__init__.py": "",
        "apps/common/fields.py": "",
    },
    "a package called src": {
        "src/__init__.py": "",
        "src/prog/__init__.py": "",
        "src/prog/main.py": "from prog.near import work\nif __name__ == '__main__':\n    work(1)\n",
        "src/prog/near.py": "from prog.far import work\n",
        "src/prog/far.py": "",
    },
    "a package whose children are imported by bare name": {
        "server/__init__.py": "",
        "server/main.py": "import routes.web\nif __name__ == '__main__':\n    print(routes)\n",
        "server/routes/__init__.py": "",
        "server/routes/web.py": "from stores.rows import work\nfrom views.pages import work as show\n",
        "server/stores/__init__.py": "",
        "server/stores/rows.py": "",
        "server/views/__init__.py": "",
        "server/views/pages.py": "",
    },
    "what a script in a package imports from beside it": {
        "job/__init__.py": "",
        "job/go.py": "from parts.near import work\nif __name__ == '__main__':\n    work(1)\n",
        "job/parts/__init__.py": "",
        "job/parts/near.py": "",
    },
    "relative imports in a folder without an init": {
        "pkg/__init__.py": "TABLE = ['pkg.urls.api']\n",
        "pkg/urls/api.py": "from .. import views\nfrom ..stores.rows import work\n",
        "pkg/views.py": "",
        "pkg/stores/__init__.py": "",
        "pkg/stores/rows.py": "",
    },
    "plugins beside what makes their path": {
        "pkg/__init__.py": "import os\nP = os.path.join(os.path.dirname(__file__), 'plugins')\n",
        "pkg/plugins/own/__init__.py": "X = 1\n",
        "pkg/plugins/other.py": "",
    },
    "plugins that are asked for their name": {
        "pkg/__init__.py": "from pkg import plugins\nNAMES = [plugins.__name__]\n",
        "pkg/plugins/__init__.py": "",
        "pkg/plugins/other.py": "",
    },
    "all of a package that settings name": {
        "etc/own.conf": "[job]\nmodules = pkg.parts.*\n",
        "pkg/parts/__init__.py": "",
        "pkg/parts/one.py": "",
    },
    "steps of a schema": {"pkg/schema/delta/20/users.py": "def run_upgrade(db): ...\n"},
    "what a base of apps offers": {
        "manage.py": MANAGE,
        "own/__init__.py": "",
        "own/settings.py": "INSTALLED_APPS = ['own', 'shop']\n",
        "own/apps.py": "from django.apps import AppConfig\n\n\nclass Base(AppConfig):\n    menu = 'navigation.items'\n",
        "shop/__init__.py": "",
        "shop/apps.py": "from own.apps import Base\nfrom django.apps import AppConfig\n",
        "shop/navigation.py": "",
    },
    "tests in the older spelling": {"pkg/tests/__init__.py": "", "pkg/tests/testNavigation.py": TEST},
    "tests of Django's runner": {"tests/tests_other.py": TEST},
    "what tests use, without a test beside it": {"pkg/test_utils/__init__.py": "", "pkg/test_utils/site.py": ""},
    "inputs of tests": {"tests/test_one.py": TEST, "tests/own_plugin/plugin.py": "", "tests/deep/er/one.py": ""},
    "examples that are a package": {"examples/__init__.py": "", "examples/foo.py": "import pkg\n"},
    "code that a manual shows": {"docs/quick/json/views.py": "import pkg\n", "docs/a/b/__init__.py": "X = 1\n"},
    "what is contributed": {"contrib/hook.py": "def hook(ui, repo):\n    return 0\n"},
}  # fmt: skip

PACKAGED = {
    "pyproject.toml": "[project]\nname = 'pkg'\n",
    **BASE,
    "pkg/live.py": "X = 1\n",
    "run.py": MAIN + "import pkg.live\n",
}


@pytest.mark.parametrize(
    ("source", "classification"),
    [
        ('"""Moved."""\nfrom pkg.live import X\n__all__ = ["X"]\n', "public_unreferenced"),
        ("from pkg.live import X\nY = X + 1\n", "orphan"),
        ("from pkg.lost_part import work\n", "orphan"),
        ("import json\n", "isolated"),
        ("import deferred\ndeferred.deprecated('gone', X='pkg.live:X')\n", "legacy"),
    ],
)
def test_what_only_offers_live_modules_is_for_a_library_s_users(
    source: str, classification: str, tmp_path: Path
) -> None:
    found = scanned(tmp_path, {**PACKAGED, "pkg/again.py": source}, use_ruff=False).findings

    assert found["pkg/again.py"].classification == classification


@pytest.mark.parametrize("page", ["docs/api.rst", "docs/api.md"])
def test_a_page_of_the_reference_lowers_the_confidence_and_keeps_nothing_alive(
    page: str, tmp_path: Path
) -> None:
    text = ".. automodule:: pkg.lost_part\n" if page.endswith("rst") else "# Reference\n\n::: pkg.lost_part\n"
    found = scanned(tmp_path, {**PACKAGED, page: text}, use_ruff=False).findings["pkg/lost_part.py"]

    assert (found.classification, found.confidence) == ("isolated", 0.6)


DEAD = {
    "a helper beside tests": {"tests/test_one.py": TEST, "tests/old_helper.py": ""},
    "a helper among used ones": {
        "tests/test_one.py": "from tests.helpers import near\n" + TEST,
        "tests/__init__.py": "",
        "tests/helpers/__init__.py": "",
        "tests/helpers/near.py": "",
        "tests/helpers/old_helper.py": "",
    },
    "an extension that the manual's settings leave out": {
        "docs/conf.py": "extensions = ['near']\n",
        "docs/_ext/near.py": "",
        "docs/_ext/old_helper.py": "",
    },
    "manuals and examples inside of a package": {
        "pkg/docs/__init__.py": "",
        "pkg/docs/old_helper.py": "",
    },
    "a setting called plugins": {
        "pkg/__init__.py": "import os\nHERE = os.path.dirname(__file__)\nX = {'plugins': []}\n",
        "pkg/plugins/__init__.py": "",
        "pkg/plugins/old_helper.py": "",
    },
    "a module called like an installed distribution": {
        "pkg/__init__.py": "import old_helper\nimport requests\n",
        "pkg/old_helper.py": "",
    },
}  # fmt: skip


@pytest.mark.parametrize("how", ALIVE)
def test_the_layout_keeps_it(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, **ALIVE[how]}, use_ruff=False) == {"pkg/lost_part.py"}


@pytest.mark.parametrize("how", DEAD)
def test_the_layout_keeps_nothing_else(how: str, tmp_path: Path) -> None:
    found = dead(tmp_path, {**BASE, **DEAD[how]}, use_ruff=False)

    assert found - {"docs/_ext/near.py"} == {
        "pkg/lost_part.py",
        *(each for each in DEAD[how] if each.endswith("old_helper.py")),
    }


@pytest.mark.parametrize("how", [each for each in ALIVE if each.startswith(("a package", "relative"))][:5])
def test_ruff_is_told_of_such_packages(how: str, tmp_path: Path) -> None:
    """With ruff the edges are the same as without."""
    files = {**BASE, **ALIVE[how]}

    assert scanned(tmp_path, files).edges == scanned(tmp_path, files, use_ruff=False).edges
