# ruff: noqa: E501 - one row of source text is one case
"""Files around the code, format by format: what they name is alive, what they leave out or describe is not."""

from pathlib import Path

import pytest

from tests.orphans.discovery.trees import dead

BASE = {
    "run.py": "import pkg\n\nif __name__ == '__main__':\n    print(pkg)\n",
    "pkg/__init__.py": "",
    "pkg/kept_part.py": "",
    "pkg/lost_part.py": "",
    "tools/kept_tool.py": "",
}
LOST = {"pkg/lost_part.py"}

KEPT = {
    "flit": ("pyproject.toml", "[tool.flit.scripts]\nx = 'pkg.kept_part:work'\n"),
    "pdm": ("pyproject.toml", "[tool.pdm.scripts]\nx = {call = 'pkg.kept_part:work'}\n"),
    "hatch": ("pyproject.toml", "[tool.hatch.envs.default.scripts]\nx = 'python -m pkg.kept_part {args}'\n"),
    "reference of poetry": ("pyproject.toml", "[tool.poetry.scripts]\nx = {reference = 'pkg.kept_part:work'}\n"),
    "percent in setup.py": ("setup.py", "N = 'pkg'\nsetup(entry_points={'console_scripts': ['x = %s.kept_part:work' % N]})\n"),
    "f-string in setup.py": ("setup.py", "N = 'pkg'\nsetup(entry_points={'console_scripts': [f'x={N}.kept_part:work']})\n"),
    "scripts of setup.cfg": ("setup.cfg", "[options]\nscripts =\n    pkg/kept_part.py\n"),
    "plugins of mypy": ("mypy.ini", "[mypy]\nplugins = pkg.kept_part\n"),
    "plugins of mypy in TOML": ("pyproject.toml", "[tool.mypy]\nplugins = ['pkg.kept_part']\n"),
    "plugins of mypy by path": ("setup.cfg", "[mypy]\nplugins = pkg/kept_part.py\n"),
    "plugins of pylint": (".pylintrc", "[MASTER]\nload-plugins=pkg.kept_part\n"),
    "plugins of flake8": ("tox.ini", "[flake8:local-plugins]\nextension =\n    X = pkg.kept_part:work\n"),
    "plugins of coverage": (".coveragerc", "[run]\nplugins = pkg.kept_part\n"),
    "contracts of layers": (".importlinter", "[importlinter]\ncontract_types=\n    x: pkg.kept_part.Contract\n"),
    "table of cron": ("etc/cron.d/x", "0 3 * * * root python -m pkg.kept_part\n"),
    "instance of a unit": ("deploy/x@.service", "[Service]\nExecStart=/usr/bin/env python -m pkg.kept_part\n"),
    "program without an ending": ("bin/start", "#!/bin/sh\nexec python -m pkg.kept_part\n"),
    "Python without an ending": ("bin/start", "#!/usr/bin/env python3\nfrom pkg.kept_part import work\nwork(1)\n"),
    "environment": (".env", "DJANGO_SETTINGS_MODULE=pkg.kept_part\n"),
    "environment of Flask": (".flaskenv", "FLASK_APP=pkg.kept_part\n"),
    "variable of make": ("Makefile", "MOD = pkg.kept_part\nx:\n\tpython -m $(MOD)\n"),
    "nix": ("default.nix", '{ x = "${python}/bin/python -m pkg.kept_part"; }\n'),
    "Snakefile": ("workflow/Snakefile", "rule x:\n  script: '../pkg/kept_part.py'\n"),
    "MLproject": ("MLproject", "entry_points:\n  main:\n    command: 'python pkg/kept_part.py'\n"),
    "handler by path": ("serverless.yml", "functions:\n  a:\n    handler: pkg/kept_part.work\n"),
    "handler in its folder": ("template.yaml", "Resources:\n  F:\n    CodeUri: pkg/\n    Handler: kept_part.work\n"),
    "handler of terraform": ("infra/main.tf", 'resource "x" "y" {\n  handler = "pkg.kept_part.work"\n}\n'),
    "call of paste": ("development.ini", "[app:main]\nuse = call:pkg.kept_part:main\n"),
    "bindings of gin": ("configs/a.gin", "train.model = @pkg.kept_part.Model()\n"),
    "class as a key in YAML": ("conf/a.yaml", "plugins:\n  pkg.kept_part.Plugin:\n    active: true\n"),
    "class as a key in JSON": ("conf/a.json", '{"plugins": {"pkg.kept_part.Plugin": {"active": true}}}'),
    "tag of YAML": ("conf/a.yaml", "x: !!python/object/apply:pkg.kept_part.work [1]\n"),
    "module of a plugin's file": ("pkg/own.plug", "[Core]\nName = X\nModule = kept_part\n"),
    "page of ZCML": ("pkg/configure.zcml", '<configure>\n<page name="x" class=".kept_part.View" />\n</configure>\n'),
    "handler of ZCML": ("pkg/configure.zcml", '<subscriber for="a.b.C" handler="pkg.kept_part.work" />\n'),
    "hidden imports": ("x.spec", "a = Analysis(['run.py'], hiddenimports=['pkg.kept_part'])\n"),
    "code in a template": ("pages/index.html.spt", "from pkg.kept_part import work\n[---]\n<p>{{ work(1) }}</p>\n"),
    "module of a template": ("pages/base.mako", '<%namespace name="x" module="pkg.kept_part"/>\n<p>${x.work(1)}</p>\n'),
    "plugin of mypy with a dash": ("mypy.ini", "[mypy]\nplugins = other,\n    own-tools/checks.py, pkg.kept_part\n"),
    "extension of a notebook": ("nb/x.ipynb", '{"cells": [{"source": ["%load_ext pkg.kept_part\\n"]}]}'),
    "script run by a notebook": ("nb/x.ipynb", '{"cells": [{"source": ["%run ../pkg/kept_part.py\\n"]}]}'),
    "module run by a notebook": ("nb/x.ipynb", '{"cells": [{"source": ["!python -m pkg.kept_part\\n"]}]}'),
    "meson": ("meson.build", "run_command('python3', files('pkg/kept_part.py'))\n"),
    "cmake": ("CMakeLists.txt", "add_custom_command(COMMAND python ${CMAKE_SOURCE_DIR}/pkg/kept_part.py)\n"),
}  # fmt: skip

TOOL = {
    "module of a hook": ("pyproject.toml", "[tool.versioningit.write]\nmethod = {module = 'kept_tool', value = 'work'}\n"),
    "macros": ("mkdocs.yml", "plugins:\n- macros:\n    module_name: tools/kept_tool\n"),
}  # fmt: skip

NOTHING = {
    "name of a logger": ("logging.ini", "[logger_x]\nqualname=pkg.lost_part\n"),
    "level of a logger": ("logging.yaml", "loggers:\n  pkg.lost_part.work:\n    level: INFO\n"),
    "level of a logger in JSON": ("log.json", '{"loggers": {"pkg.lost_part.work": {"level": "INFO"}}}'),
    "excluded from a bundle": ("x.spec", "a = Analysis(['run.py'], excludes=['pkg.lost_part'])\n"),
    "left out by a pattern": ("pyproject.toml", "[tool.coverage.run]\nomit = ['pkg.*']\n"),
    "prose in a template": ("pages/base.mako", "<p>import pkg.lost_part</p>\n"),
    "remark in ZCML": ("pkg/configure.zcml", '<!-- <page class=".lost_part.View" /> -->\n'),
    "remark in a build file": ("meson.build", "# run_command('python3', 'pkg/lost_part.py')\n"),
    "notes without an ending": ("tools/NOTES", "see python -m pkg.lost_part\n"),
    "license": ("LICENSE", "import pkg.lost_part\n"),
    "checked by mypy": ("pyproject.toml", "[[tool.mypy.overrides]]\nmodule = 'pkg.lost_part'\n"),
    "word with a dot as a key": ("i18n.json", '{"pkg.lost_part": "Lost part"}'),
}  # fmt: skip


@pytest.mark.parametrize("how", KEPT)
def test_a_file_of_this_format_keeps_what_it_names(how: str, tmp_path: Path) -> None:
    place, text = KEPT[how]
    found = dead(tmp_path, {**BASE, place: text}, use_ruff=False)

    assert found - {"tools/kept_tool.py"} == LOST


@pytest.mark.parametrize("how", TOOL)
def test_a_module_is_named_without_its_package(how: str, tmp_path: Path) -> None:
    place, text = TOOL[how]
    found = dead(tmp_path, {**BASE, place: text}, use_ruff=False)

    assert "tools/kept_tool.py" not in found


@pytest.mark.parametrize("how", NOTHING)
def test_what_a_file_leaves_out_or_describes_is_not_kept(how: str, tmp_path: Path) -> None:
    place, text = NOTHING[how]

    assert "pkg/lost_part.py" in dead(tmp_path, {**BASE, place: text}, use_ruff=False)
