# ruff: noqa: E501 - one row of source text is one case
"""Names that live code puts together, code in its strings, and folders that it loads from by path."""

from pathlib import Path

import pytest

from tests.orphans.discovery.trees import dead

BASE = {
    "run.py": "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n",
    "pkg/__init__.py": "",
    "pkg/kept_part.py": "",
    "pkg/lost_part.py": "",
}
COMMANDS = {
    "pkg/deep/__init__.py": "",
    "pkg/deep/cmds/__init__.py": "",
    "pkg/deep/cmds/one.py": "",
    "pkg/deep/cmds/two.py": "",
}
LOST = {"pkg/lost_part.py"}

ONE = {
    "percent by name": "import importlib\nX = importlib.import_module('pkg.%(n)s' % {'n': 'kept_part'})\n",
    "percent of two": "import importlib\nX = importlib.import_module('%s.%s' % ('pkg', 'kept_part'))\n",
    "format by name": "import importlib\nX = importlib.import_module('{p}.{n}'.format(p='pkg', n='kept_part'))\n",
    "format by number": "import importlib\nX = importlib.import_module('{1}.{0}'.format('kept_part', 'pkg'))\n",
    "a path made a name": "import importlib\nX = importlib.import_module('pkg/kept_part'.replace('/', '.'))\n",
    "package and module side by side": "import importlib\nT = [('pkg', 'kept_part')]\nfor a, b in T:\n    importlib.import_module(a + '.' + b)\n",
    "a table with dashes": "import importlib\nT = ['kept-part']\n\n\ndef load(n):\n    return importlib.import_module('pkg.' + n.replace('-', '_'))\n",
    "a table with spaces": "import importlib\nT = ['kept part']\n\n\ndef load(n):\n    return importlib.import_module('pkg.' + '_'.join(n.split()))\n",
    "relative with an attribute": "import apipkg\napipkg.initpkg(__name__, {'work': '.kept_part:work'})\n",
    "lazy structure by key": "import sys\n_import_structure = {}\n_import_structure['kept_part'] = ['work']\nsys.modules[__name__] = _LazyModule(__name__, __file__, _import_structure)\n",
    "plugin by name": "import pluggy\nP = pluggy.PluginManager('x')\nfor n in ('kept_part',):\n    P.import_plugin('pkg.' + n)\n",
    "executed code": "exec('from pkg.kept_part import work')\n",
    "code for another interpreter": "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import pkg.kept_part; pkg.kept_part.work(1)'])\n",
    "a template of code": "import subprocess, sys\nCODE = '''\nimport pkg.kept_part\npkg.kept_part.work(1)\n'''\nsubprocess.run([sys.executable, '-c', CODE])\n",
    "a class at the end": "from x import import_string\n\n\ndef load(kind):\n    return import_string('pkg.kept_{}.Handler'.format(kind))\n",
    "assigned twice": "import importlib\n\n\ndef one():\n    n = 'pkg.kept_part'\n    return importlib.import_module(n)\n\n\ndef two():\n    n = 'json'\n    return importlib.import_module(n)\n",
    "a call behind a key called help": "def own(name):\n    return name\n\n\nT = {'help': own('pkg.kept_part')}\n",
    "tasks by another name": "from celery import Celery\napp = Celery('x')\napp.autodiscover_tasks(['pkg'], related_name='kept_part')\n",
}  # fmt: skip

FOLDER = {
    "a file by path": "import importlib.util, os\nHERE = os.path.dirname(__file__)\n\n\ndef load(n):\n    return importlib.util.spec_from_file_location(n, os.path.join(HERE, 'deep', 'cmds', n + '.py'))\n",
    "a file by f-string": "import importlib.util\nfrom pathlib import Path\n\n\ndef load(n):\n    return importlib.util.spec_from_file_location(n, Path(__file__).parent / 'deep' / 'cmds' / f'{n}.py')\n",
    "a loader of its own": (
        "import importlib.util\nfrom os.path import dirname, join\nD = join(dirname(__file__), 'deep', 'cmds')\n\n\n"
        "def load_module(name, folder):\n    return importlib.util.spec_from_file_location(name, join(folder, name))\n\n\n"
        "def one(n):\n    return load_module(n + '.py', D)\n"
    ),
    "names with a prefix": "import importlib, pkgutil\n\n\ndef go(path):\n    for _, n, _ in pkgutil.iter_modules([path], 'pkg.deep.cmds.'):\n        importlib.import_module(n)\n",
    "a function that is given the folder": (
        "import importlib, os, pkgutil\n\n\ndef import_plugins(folder):\n    path = os.path.join(os.path.dirname(__file__), folder)\n"
        "    for _, n, _ in pkgutil.iter_modules([path], prefix='pkg.' + folder.replace('/', '.') + '.'):\n        importlib.import_module(n)\n\n\n"
        "import_plugins('deep/cmds')\n"
    ),
    "a folder chosen from a list": (
        "import importlib, os\nFOLDERS = ['cmds']\n\n\ndef go():\n    for d in FOLDERS:\n"
        "        for f in os.listdir(os.path.join(os.path.dirname(__file__), 'deep', d)):\n            importlib.import_module('pkg.deep.%s.%s' % (d, f[:-3]))\n"
    ),
    "a loader from elsewhere": "from os.path import dirname, join\nfrom x import load_module\nD = join(dirname(__file__), 'deep', 'cmds')\n\n\ndef one(n):\n    return load_module(n + '.py', D)\n",
    "a part of a folder's path": (
        "import os, pkgutil\n\n\ndef import_plugins(folder):\n    path = os.path.join(os.path.dirname(__file__), folder)\n"
        "    for _, n, _ in pkgutil.iter_modules([path]):\n        __import__(n)\n\n\ndef go(kind):\n    import_plugins('deep/%s' % kind)\n"
    ),
    "modules beside the caller": "from pkg.deep import cmds\n",
    "a parameter that is changed on the way": (
        "import importlib\n\n\ndef load(name):\n    if name == 'old':\n        name = 'one'\n"
        "    return importlib.import_module('pkg.deep.cmds.%s' % name)\n"
    ),
    "any module of any package": "import importlib\n\n\ndef load(kind, name):\n    return importlib.import_module(f'pkg.deep.{kind}.{name}')\n",
    "plugins of a bot": "import nonebot\nnonebot.load_plugins('pkg/deep/cmds')\n",
    "command lines with a table of words": (
        "import importlib\nC = ['deep cmds one', 'deep cmds two']\n\n\ndef load(name):\n"
        "    return importlib.import_module('pkg.' + '.'.join(name.split(' ')))\n"
    ),
}  # fmt: skip

NOTHING = {
    "a message of an error": "raise ImportError('import pkg.lost_part')\n",
    "prose that begins like code": "import sys\nsys.stdout.write('from pkg.lost_part we heard nothing')\n",
    "text of several lines": "TEXT = '''\nimport pkg.lost_part first, and then see what happens\n'''\n",
    "a folder of templates": "import os\nfrom jinja2 import FileSystemLoader\nL = FileSystemLoader(os.path.dirname(__file__))\n",
    "a folder of data": "import os, importlib\nP = os.path.join(os.path.dirname(__file__), 'x.json')\nX = importlib.import_module('json')\n",
    "another table": "import importlib\nT = [('pkg', 'other')]\nfor a, b in T:\n    importlib.import_module(a + '.' + b)\n",
}  # fmt: skip


@pytest.mark.parametrize("how", ONE)
def test_a_name_put_together_keeps_its_module(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, "pkg/__init__.py": ONE[how]}, use_ruff=False) == LOST


@pytest.mark.parametrize("how", FOLDER)
def test_a_folder_that_is_loaded_from_keeps_its_modules(how: str, tmp_path: Path) -> None:
    files = {**BASE, **COMMANDS, "pkg/__init__.py": FOLDER[how]}
    if how == "modules beside the caller":
        files["pkg/deep/cmds/__init__.py"] = (
            "from x import getPackageModules\nmodules = getPackageModules(__file__)\n"
        )

    assert dead(tmp_path, files, use_ruff=False) == {*LOST, "pkg/kept_part.py"}


@pytest.mark.parametrize("how", NOTHING)
def test_what_only_looks_like_it_keeps_nothing(how: str, tmp_path: Path) -> None:
    files = {**BASE, "pkg/__init__.py": NOTHING[how] + "from pkg import kept_part\n"}

    assert dead(tmp_path, files, use_ruff=False) == LOST


def test_a_stub_tells_what_a_package_loads_by_it(tmp_path: Path) -> None:
    init = "import lazy_loader\n__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)\n"
    files = {"pkg/__init__.py": init, "pkg/__init__.pyi": "from .kept_part import work as work\n"}

    assert dead(tmp_path, {**BASE, **files}, use_ruff=False) == LOST


SETTINGS = {
    "formats of dates": ("FORMAT_MODULE_PATH = 'site_x.formats'\n", "site_x/formats/de/formats.py"),
    "a database of its own": ("DATABASES = {'default': {'ENGINE': 'site_x.store'}}\n", "site_x/store/base.py"),
    "apps put together": ("INSTALLED_APPS += ['site_x.%s' % n for n in ('shop',)]\n", "site_x/shop/models.py"),
    "an app added later": ("INSTALLED_APPS.append('shop')\n", "shop/models.py"),
    "an admin that is a package": ("INSTALLED_APPS.append('shop')\n", "shop/admin/__init__.py"),
    "tasks that are a package": ("INSTALLED_APPS.append('shop')\n", "shop/tasks/__init__.py"),
}  # fmt: skip


@pytest.mark.parametrize("how", SETTINGS)
def test_settings_of_django_mean_modules(how: str, tmp_path: Path) -> None:
    text, kept = SETTINGS[how]
    packages = [kept.rpartition("/")[0].rsplit("/", n)[0] for n in range(3)]
    files = {
        "manage.py": "import os\nimport django\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'site_x.settings')\n",
        **{f"{each}/__init__.py": "" for each in packages},
        "site_x/__init__.py": "",
        "site_x/settings.py": f"INSTALLED_APPS = []\n{text}",
        kept: "X = 1\n",
        "site_x/lost_part.py": "",
    }

    assert dead(tmp_path, files, use_ruff=False) == {"site_x/lost_part.py"}


def test_the_tests_plugins_are_found_by_the_tests_loaders(tmp_path: Path) -> None:
    """A loader in a test reaches modules of the tests alone."""
    test = "def test_scan(config):\n    from tests import parts\n    config.scan(parts)\n    config.scan('pkg')\n"
    files = {
        "tests/__init__.py": "",
        "tests/parts/__init__.py": "",
        "tests/parts/one.py": "",
        "tests/test_a.py": test,
    }

    assert dead(tmp_path, {**BASE, **files}, use_ruff=False) == {"pkg/lost_part.py", "pkg/kept_part.py"}
