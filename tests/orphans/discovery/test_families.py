# ruff: noqa: E501 - one row of source text is one case
"""Modules that are found by their folder or by a framework's convention, and siblings that aren't."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from orphans.discovery.anew import connected
from orphans.discovery.survey import Survey
from orphans.discovery.walk import walk
from tests.orphans.discovery.trees import BODY, dead, write

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {"run.py": MAIN, "pkg/__init__.py": "from pkg import plugins\n", "pkg/lost_part.py": ""}
PLUGINS = {"pkg/plugins/one_part.py": "", "pkg/plugins/two_part.py": ""}
LOST = {"pkg/lost_part.py"}


def test_pkgutil_over_the_own_path(tmp_path: Path) -> None:
    init = "import importlib, pkgutil\nL = [importlib.import_module(f'{__name__}.{m.name}') for m in pkgutil.iter_modules(__path__)]\n"

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/plugins/__init__.py": init}) == LOST


def test_pkgutil_over_a_package_from_elsewhere(tmp_path: Path) -> None:
    top = (
        "import importlib, pkgutil\nimport pkg.plugins\n\n\ndef load():\n"
        "    for m in pkgutil.iter_modules(pkg.plugins.__path__, 'pkg.plugins.'):\n        importlib.import_module(m.name)\n"
    )

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/__init__.py": top, "pkg/plugins/__init__.py": ""}) == LOST


def test_pkgutil_in_a_helper_that_is_given_the_package(tmp_path: Path) -> None:
    helper = (
        "import importlib, pkgutil\n\n\ndef load_all(package):\n    for m in pkgutil.walk_packages(package.__path__):\n"
        "        importlib.import_module(package.__name__ + '.' + m.name)\n"
    )
    top = "from pkg import plugins\nfrom pkg.helper import load_all\nload_all(plugins)\n"
    files = {
        **BASE,
        **PLUGINS,
        "pkg/__init__.py": top,
        "pkg/helper.py": helper,
        "pkg/plugins/__init__.py": "",
    }

    assert dead(tmp_path, files) == LOST


def test_a_listed_folder_whose_files_are_imported(tmp_path: Path) -> None:
    init = (
        "import importlib, os\nfor name in os.listdir(os.path.dirname(__file__)):\n"
        "    if name.endswith('.py') and name[0] != '_':\n        importlib.import_module('pkg.plugins.' + name[:-3])\n"
    )

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/plugins/__init__.py": init}) == LOST


def test_a_folder_of_files_executed_by_path(tmp_path: Path) -> None:
    init = (
        "import importlib.util\nfrom pathlib import Path\nHERE = Path(__file__).resolve().parent\n"
        "for p in sorted((HERE / 'plugins').iterdir()):\n    spec = importlib.util.spec_from_file_location(p.stem, p)\n"
    )

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/__init__.py": init}) == LOST


def test_numbered_steps_with_a_runner_of_their_own(tmp_path: Path) -> None:
    runner = (
        "import os, re, runpy\nSTEPS = os.path.join(os.path.dirname(__file__), 'steps')\nfor f in sorted(os.listdir(STEPS)):\n"
        "    if re.match(r'\\d{4}_', f):\n        runpy.run_path(os.path.join(STEPS, f))\n"
    )
    steps = {"pkg/steps/0001_first.py": "", "pkg/steps/0002_second.py": ""}

    assert dead(tmp_path, {**BASE, **steps, "pkg/__init__.py": runner}) == LOST


def test_a_sibling_that_the_table_of_commands_leaves_out_is_dead(tmp_path: Path) -> None:
    init = (
        "import importlib\nCOMMANDS = {'one': 'one_part'}\n\n\ndef run(name):\n"
        "    return importlib.import_module('pkg.plugins.' + COMMANDS[name]).work\n"
    )
    files = {**BASE, **PLUGINS, "pkg/plugins/__init__.py": init}

    assert dead(tmp_path, files) == LOST | {"pkg/plugins/two_part.py"}


def test_an_open_name_keeps_a_whole_folder_of_plugins(tmp_path: Path) -> None:
    init = "import importlib\n\n\ndef run(name):\n    return importlib.import_module(f'pkg.plugins.{name}').work\n"

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/plugins/__init__.py": init}) == LOST


def test_an_open_name_says_nothing_of_a_package_that_is_imported_plainly(tmp_path: Path) -> None:
    init = (
        "import importlib\nfrom pkg import a_part, b_part, c_part, d_part\n\n\ndef run(name):\n"
        "    return importlib.import_module(f'pkg.{name}').work\n"
    )
    parts = {f"pkg/{each}_part.py": "" for each in "abcd"}

    assert dead(tmp_path, {"run.py": MAIN, **parts, "pkg/__init__.py": init, "pkg/lost_part.py": ""}) == LOST


class Turned(frozenset[str]):
    """Paths in the opposite order, as another seed of hashes may give them."""

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__(), reverse=True))


class Ordered(frozenset[str]):
    """Paths in their order."""

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(super().__iter__()))


@pytest.mark.parametrize("order", [Ordered, Turned])
def test_of_two_folders_of_a_name_the_first_one_speaks_in_whatever_order_files_come(
    tmp_path: Path, order: type[frozenset[str]]
) -> None:
    names = ["__init__.py", *(f"{each}.py" for each in "abcde")]
    files = {f"{top}/pkg/{name}": "" for top in ("one", "two") for name in names}
    start = (
        "import importlib\nfrom one.pkg import a, b, c, d\nfrom two.pkg import a, b, c, d\n\n\n"
        "def run(name):\n    return importlib.import_module(f'pkg.{name}')\n\n\n"
        "if __name__ == '__main__':\n    run('a')\n"
    )
    survey = Survey(walk(write(tmp_path, {**files, "app.py": start})))
    survey.names.paths = order(survey.names.paths)
    _, spread = connected(survey)
    assert list(spread.families.wide) == ["one/pkg"]


def test_scan_of_a_package_by_name(tmp_path: Path) -> None:
    top = "def main(config):\n    config.scan('pkg.plugins')\n"

    assert dead(tmp_path, {**BASE, **PLUGINS, "pkg/__init__.py": top, "pkg/plugins/__init__.py": ""}) == LOST


def test_a_setting_that_names_the_package_of_spiders(tmp_path: Path) -> None:
    settings = "SPIDER_MODULES = ['pkg.plugins']\n"
    files = {
        **BASE,
        **PLUGINS,
        "pkg/settings.py": settings,
        "scrapy.cfg": "[settings]\ndefault = pkg.settings\n",
    }

    assert dead(tmp_path, {**files, "pkg/__init__.py": "", "pkg/plugins/__init__.py": ""}) == LOST


def test_pages_and_dags_are_found_in_their_folders(tmp_path: Path) -> None:
    files = {
        **BASE,
        "pkg/__init__.py": "",
        "pages/one.py": "import streamlit as st\nst.write(1)\n",
        "dags/nightly.py": "from airflow import DAG\nD = DAG('x')\n",
    }

    assert dead(tmp_path, files) == LOST


def test_a_build_backend_in_the_tree(tmp_path: Path) -> None:
    toml = "[build-system]\nrequires = []\nbuild-backend = 'own_backend'\nbackend-path = ['_build']\n"
    files = {**BASE, "pkg/__init__.py": "", "pyproject.toml": toml, "_build/own_backend.py": ""}

    assert dead(tmp_path, files) == LOST


def test_a_script_keeps_what_it_imports_from_beside_it(tmp_path: Path) -> None:
    files = {**BASE, "pkg/__init__.py": "", "jobs/go.py": "import helper\n" + MAIN, "jobs/helper.py": ""}

    assert dead(tmp_path, files) == LOST


def test_an_import_through_an_extended_path(tmp_path: Path) -> None:
    top = "import sys, os\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), '..', 'libs'))\nimport odd_helper\n"

    assert dead(tmp_path, {**BASE, "pkg/__init__.py": top, "libs/odd_helper.py": ""}) == LOST


DJANGO = {
    "manage.py": "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_x.settings')\nimport django\n",
    "site_x/__init__.py": "",
    "site_x/settings.py": (
        "INSTALLED_APPS = ['django.contrib.admin', 'shop', 'news.apps.NewsConfig']\nROOT_URLCONF = 'site_x.urls'\n"
        "MIDDLEWARE = ['shop.middle.Stamp']\nTEMPLATES = [{'OPTIONS': {'context_processors': ['shop.extra.more'],"
        " 'builtins': ['shop.built']}}]\nAUTHENTICATION_BACKENDS = ['shop.auth.Backend']\nTEST_RUNNER = 'shop.runner.Runner'\n"
        "CACHES = {'default': {'BACKEND': 'shop.cache.Cache'}}\nREST_FRAMEWORK = {'DEFAULT_PAGINATION_CLASS': 'shop.pages.P'}\n"
        "ASGI_APPLICATION = 'site_x.routing.application'\n"
    ),
    "site_x/urls.py": "from django.urls import include, path\nurlpatterns = [path('', include('shop.urls'))]\n",
    "site_x/routing.py": "application = None\n",
    **{f"shop/{each}.py": BODY for each in ("middle", "extra", "built", "auth", "runner", "cache", "pages", "urls")},
    "shop/__init__.py": "",
    "shop/models.py": "from django.db import models\n",
    "shop/admin.py": "from shop.models import *\n",
    "shop/templatetags/__init__.py": "",
    "shop/templatetags/shop_tags.py": BODY,
    "shop/management/__init__.py": "",
    "shop/management/commands/__init__.py": "",
    "shop/management/commands/tidy.py": BODY,
    "shop/migrations/__init__.py": "",
    "shop/migrations/0001_initial.py": "class Migration:\n    operations = []\n",
    "news/__init__.py": "",
    "news/apps.py": (
        "from django.apps import AppConfig\n\n\nclass NewsConfig(AppConfig):\n    name = 'news'\n\n"
        "    def ready(self):\n        from news import receivers\n"
    ),
    "news/receivers.py": BODY,
    "news/models.py": BODY,
}  # fmt: skip


def test_django_brings_along_what_its_settings_and_conventions_name(tmp_path: Path) -> None:
    assert dead(tmp_path, {**DJANGO, "shop/lost_part.py": ""}) == {"shop/lost_part.py"}


def test_an_app_that_no_settings_install_is_dead(tmp_path: Path) -> None:
    gone = {"gone/__init__.py": "", "gone/models.py": BODY, "gone/admin.py": "from gone.models import work\n"}

    assert dead(tmp_path, {**DJANGO, **gone}) == {"gone/models.py", "gone/admin.py"}


def test_autodiscovered_modules_of_every_app(tmp_path: Path) -> None:
    apps = DJANGO["news/apps.py"] + (
        "        from django.utils.module_loading import autodiscover_modules\n        autodiscover_modules('widgets')\n"
    )
    files = {
        **DJANGO,
        "news/apps.py": apps,
        "shop/widgets.py": "",
        "news/widgets.py": "",
        "shop/lost_part.py": "",
    }

    assert dead(tmp_path, files) == {"shop/lost_part.py"}


def test_a_library_of_apps_is_installed_by_its_users(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 'shop'\n",
        **{name: text for name, text in DJANGO.items() if name.startswith("shop/m") or "__init__" in name},
        "shop/apps.py": "from django.apps import AppConfig\n\n\nclass C(AppConfig):\n    name = 'shop'\n",
        "shop/middle.py": "",
    }

    assert dead(tmp_path, files) == {"shop/middle.py"}


def test_celery_finds_the_tasks_of_the_apps_it_is_given(tmp_path: Path) -> None:
    app = "from celery import Celery\napp = Celery('x')\napp.autodiscover_tasks(['pkg.plugins'])\n"
    files = {**BASE, "pkg/__init__.py": app, "pkg/plugins/__init__.py": "", "pkg/plugins/tasks.py": ""}

    assert dead(tmp_path, files) == LOST
