# ruff: noqa: E501 - one row of source text is one case
"""What keeps a module alive besides a plain import: one small checkout for each way.

Each has the live module `pkg/kept_part.py` (or what the row names) and a control, `pkg/lost_part.py`, that
nothing names: the scan must find exactly the control.
"""

from pathlib import Path

import pytest

from tests.orphans.discovery.trees import dead

MAIN = "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n"
BASE = {"run.py": MAIN, "pkg/__init__.py": "", "pkg/kept_part.py": "", "pkg/lost_part.py": ""}
LOOP = "import importlib\n\n\ndef load(name):\n    return importlib.import_module({})\n"

IN_PYTHON = {
    "literal": "import importlib\nX = importlib.import_module('pkg.kept_part')\n",
    "builtin": "X = __import__('pkg.kept_part', fromlist=['work'])\n",
    "relative": "from importlib import import_module\nX = import_module('.kept_part', __package__)\n",
    "relative to a named package": "from importlib import import_module\nX = import_module('.kept_part', 'pkg')\n",
    "constant f-string": "import importlib\nN = 'kept_part'\nX = importlib.import_module(f'pkg.{N}')\n",
    "concatenation": "import importlib\nBASE = 'pkg'\nX = importlib.import_module(BASE + '.kept_part')\n",
    "percent": "import importlib\nX = importlib.import_module('pkg.%s' % 'kept_part')\n",
    "format": "import importlib\nX = importlib.import_module('pkg.{}'.format('kept_part'))\n",
    "join": "import importlib\nX = importlib.import_module('.'.join(['pkg', 'kept_part']))\n",
    "class path": "TABLE = {'a': 'pkg.kept_part.work'}\n",
    "colon path": "TABLE = ['pkg.kept_part:work']\n",
    "table of short names": "import importlib\nT = ('kept_part',)\n\n\ndef load(n):\n    return importlib.import_module(f'pkg.{n}')\n",
    "dictionary of short names": (
        "import importlib\nT = {'a': 'kept_part'}\n\n\ndef load(n):\n    return importlib.import_module('pkg.' + T[n])\n"
    ),
    "relative table": (
        "from importlib import import_module\nT = {'a': '.kept_part'}\n\n\ndef load(n):\n    return import_module(T[n], 'pkg')\n"
    ),
    "prefix of the name": LOOP.format("f'pkg.kept_{name}'"),
    "glob and import": (
        "import importlib, glob, os\nfor f in glob.glob(os.path.join(os.path.dirname(__file__), 'kept_*.py')):\n"
        "    importlib.import_module('pkg.' + os.path.basename(f)[:-3])\n"
    ),
    "path glob": (
        "import importlib\nfrom pathlib import Path\nfor f in Path(__file__).parent.glob('kept_*.py'):\n"
        "    importlib.import_module(f'pkg.{f.stem}')\n"
    ),
    "dash m": "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pkg.kept_part'])\n",
    "dash m in a line": "import os\nos.system('python -m pkg.kept_part --all')\n",
    "script path": "import subprocess, sys\nsubprocess.run([sys.executable, 'pkg/kept_part.py'])\n",
    "joined script path": (
        "import os, subprocess, sys\nsubprocess.run([sys.executable, os.path.join(os.path.dirname(__file__), 'kept_part.py')])\n"
    ),
    "exec": "from pathlib import Path\nexec(open(Path(__file__).parent / 'kept_part.py').read())\n",
    "runpy": "import runpy\nrunpy.run_module('pkg.kept_part')\n",
    "runpy path": "import runpy\nrunpy.run_path('pkg/kept_part.py')\n",
    "spec from a file": (
        "import importlib.util as u, os\nS = u.spec_from_file_location('x', os.path.join(os.path.dirname(__file__), 'kept_part.py'))\n"
    ),
    "pydoc": "import pydoc\nX = pydoc.locate('pkg.kept_part.work')\n",
    "logging configuration": "CONF = {'handlers': {'h': {'class': 'pkg.kept_part.work'}}}\n",
    "factory of a logger": "CONF = {'filters': {'f': {'()': 'ext://pkg.kept_part.work'}}}\n",
    "mock target": "from unittest import mock\nX = mock.patch('pkg.kept_part.work')\n",
    "beat schedule": "beat_schedule = {'x': {'task': 'pkg.kept_part.work'}}\n",
    "celery include": "from celery import Celery\napp = Celery('x', include=['pkg.kept_part'])\n",
    "flask blueprint": "def make(app):\n    app.config.from_object('pkg.kept_part')\n",
    "uvicorn": "import uvicorn\n\n\ndef serve():\n    uvicorn.run('pkg.kept_part:work', reload=True)\n",
    "extension of a bot": "def setup(bot):\n    bot.load_extension('pkg.kept_part')\n",
    "lazy import in a function": "def late():\n    from pkg import kept_part\n    return kept_part\n",
    "type checking": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from pkg.kept_part import work\n",
    "star": "from pkg.kept_part import *\n",
    "try": "try:\n    from . import kept_part\nexcept ImportError:\n    kept_part = None\n",
    "lazy loader": "import lazy_loader as lazy\n__getattr__, __dir__, __all__ = lazy.attach(__name__, submodules=['kept_part'])\n",
    "lazy attributes": "import lazy_loader as lazy\n__getattr__, _, _ = lazy.attach(__name__, submod_attrs={'kept_part': ['work']})\n",
    "lazy getattr": (
        "import importlib\n_PARTS = {'work': 'kept_part'}\n\n\ndef __getattr__(name):\n"
        "    return getattr(importlib.import_module(f'.{_PARTS[name]}', __name__), name)\n"
    ),
    "lazy getattr by name": (
        "import importlib\n\n\ndef __getattr__(name):\n    if name in ('kept_part',):\n"
        "        return importlib.import_module('.' + name, __name__)\n    raise AttributeError(name)\n"
    ),
}  # fmt: skip

AROUND = {
    "project script": ("pyproject.toml", "[project]\nname = 'x'\n[project.scripts]\nx = 'pkg.kept_part:work'\n"),
    "plugin": ("pyproject.toml", "[project.entry-points.'a.b']\nx = 'pkg.kept_part'\n"),
    "poetry": ("pyproject.toml", "[tool.poetry.scripts]\nx = 'pkg.kept_part:work'\n"),
    "poe task": ("pyproject.toml", "[tool.poe.tasks]\nx = 'python -m pkg.kept_part'\n"),
    "dynamic version": ("pyproject.toml", "[tool.setuptools.dynamic]\nversion = {attr = 'pkg.kept_part.VERSION'}\n"),
    "hatch hook": ("pyproject.toml", "[tool.hatch.build.hooks.custom]\npath = 'pkg/kept_part.py'\n"),
    "pytest plugin": ("pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-p pkg.kept_part'\n"),
    "setup.cfg": ("setup.cfg", "[options.entry_points]\nconsole_scripts =\n    x = pkg.kept_part:work\n"),
    "setup.py": ("setup.py", "from setuptools import setup\nsetup(entry_points={'console_scripts': ['x = pkg.kept_part:work']})\n"),
    "makefile": ("Makefile", "x:\n\tpython -m pkg.kept_part\n"),
    "makefile path": ("Makefile", "x:\n\t$(PYTHON) pkg/kept_part.py --all\n"),
    "docker": ("Dockerfile", 'CMD ["python", "-m", "pkg.kept_part"]\n'),
    "docker server": ("Dockerfile", 'ENTRYPOINT ["gunicorn", "pkg.kept_part:work", "-b", "0.0.0.0"]\n'),
    "procfile": ("Procfile", "web: uvicorn pkg.kept_part:work --port $PORT\n"),
    "worker": ("Procfile", "worker: celery -A pkg.kept_part worker\n"),
    "dramatiq": ("Procfile", "worker: dramatiq pkg.kept_part\n"),
    "compose": ("docker-compose.yml", "services:\n  a:\n    command: python -m pkg.kept_part\n"),
    "compose list": ("compose.yaml", 'services:\n  a:\n    command: ["python", "pkg/kept_part.py"]\n'),
    "kubernetes": ("k8s/job.yaml", "spec:\n  containers:\n  - args:\n    - -m\n    - pkg.kept_part\n    command: [python]\n"),
    "shell": ("bin/go.sh", "#!/bin/sh\nexec python -m pkg.kept_part\n"),
    "shell import": ("bin/go.sh", "python -c 'from pkg.kept_part import work; work(1)'\n"),
    "heredoc": ("bin/go.sh", "python - <<'EOF'\nfrom pkg import kept_part\nEOF\n"),
    "actions": (".github/workflows/ci.yml", "jobs:\n  a:\n    steps:\n      - name: x\n        run: |\n          python pkg/kept_part.py\n"),
    "gitlab": (".gitlab-ci.yml", "a:\n  script:\n    - python -m pkg.kept_part\n"),
    "jenkins": ("Jenkinsfile", "sh 'python -m pkg.kept_part'\n"),
    "tox": ("tox.ini", "[testenv]\ncommands =\n    python -m pkg.kept_part\n"),
    "cron": ("crontab", "0 3 * * * cd /srv && python -m pkg.kept_part\n"),
    "systemd": ("deploy/x.service", "[Service]\nExecStart=/usr/bin/python3 -m pkg.kept_part\n"),
    "pre-commit": (".pre-commit-config.yaml", "repos:\n- repo: local\n  hooks:\n  - id: a\n    entry: python pkg/kept_part.py\n"),
    "supervisor": ("supervisord.conf", "[program:x]\ncommand=python -m pkg.kept_part\n"),
    "plugins in YAML": ("conf/plugins.yaml", "plugins:\n  - pkg.kept_part.work\n"),
    "plugins in JSON": ("conf/plugins.json", '{"plugins": ["pkg.kept_part:work"]}'),
    "plugins in TOML": ("conf/plugins.toml", "[plugins]\na = 'pkg.kept_part'\n"),
    "plugins in INI": ("conf/plugins.ini", "[plugins]\na = pkg.kept_part.work\n"),
    "logging file": ("logging.ini", "[handler_x]\nclass=pkg.kept_part.work\n"),
    "scrapy": ("scrapy.cfg", "[settings]\ndefault = pkg.kept_part\n"),
    "flask variable": (".flaskenv.env", "FLASK_APP=pkg.kept_part\n"),
    "mkdocs hook": ("mkdocs.yml", "hooks:\n  - pkg/kept_part.py\n"),
    "path file": ("x.pth", "import pkg.kept_part\n"),
    "notebook": ("use.ipynb", '{"cells":[{"cell_type":"code","source":["import pkg.kept_part\\n"],"metadata":{},"outputs":[],'
                 '"execution_count":null}],"metadata":{"language_info":{"name":"python"}},"nbformat":4,"nbformat_minor":5}'),
    "extension module": ("pkg/fast.pyx", "from pkg.kept_part import work\n"),
    "noxfile": ("noxfile.py", "import nox\n\n\n@nox.session\ndef x(s):\n    s.run('python', '-m', 'pkg.kept_part')\n"),
    "nox path": ("noxfile.py", "def x(s):\n    s.run('python', 'pkg/kept_part.py')\n"),
    "sphinx": ("docs/conf.py", "extensions = ['sphinx.ext.autodoc', 'pkg.kept_part']\n"),
    "conftest plugins": ("tests/conftest.py", "pytest_plugins = ['pkg.kept_part']\n"),
    "alembic": ("alembic/env.py", "from alembic import context\nfrom pkg import kept_part\n"),
    "justfile": ("justfile", "x:\n    python -m pkg.kept_part\n"),
    "package.json": ("package.json", '{"scripts": {"x": "python pkg/kept_part.py"}}'),
    "uwsgi": ("uwsgi.ini", "[uwsgi]\nmodule = pkg.kept_part:work\n"),
    "dag": ("dags/daily.py", "from airflow import DAG\nfrom pkg.kept_part import work\nd = DAG('x')\n"),
    "locust": ("locustfile.py", "from pkg import kept_part\n"),
    "gunicorn settings": ("gunicorn.conf.py", "from pkg import kept_part\n"),
    "site": ("sitecustomize.py", "import pkg.kept_part\n"),
}  # fmt: skip


@pytest.mark.parametrize("how", IN_PYTHON)
def test_live_code_keeps_what_it_loads_by_name(how: str, tmp_path: Path) -> None:
    assert dead(tmp_path, {**BASE, "pkg/__init__.py": IN_PYTHON[how]}) == {"pkg/lost_part.py"}


@pytest.mark.parametrize("how", AROUND)
def test_files_around_the_code_keep_what_they_run(how: str, tmp_path: Path) -> None:
    place, text = AROUND[how]

    assert dead(tmp_path, {**BASE, place: text}) == {"pkg/lost_part.py"}
