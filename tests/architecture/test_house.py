"""Rules of the house: layers hold, `domain/` is plain Python, heavy libraries stay out of web and workers."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from engines.domain.states import STEPS
from engines.services.parts import default_parts
from menace_site.apps import LISTENERS
from scripts import check
from scripts.check_places import ROOT, tracked

APPS = ("menace_site", "engines", "orphans", "alignment", "forecasting")
TOP = {
    "manage.py", *APPS, "templates", "static", "tests", "README.md", "CHANGELOG.md", "CONTRIBUTING.md",
    "LICENSE", "Makefile", "Dockerfile", "compose.yaml", "pyproject.toml", "requirements.txt",
    "requirements-dev.txt", "docs", "benchmarks", "scripts", ".ci", ".gitignore", ".dockerignore",
}  # fmt: skip
HEAVY = ("torch", "sklearn", "scipy", "numpy", "optuna", "hypothesis")
WRITES = {"save", "create", "bulk_create", "bulk_update", "get_or_create", "update_or_create", "delete"}
READERS = ("views", "viewsets", "panels", "charts", "forms", "filters", "serializers", "gauges", "urls")

PLAIN_PYTHON = """
import importlib, json, sys

FRAMEWORKS = {"django", "celery", "rest_framework", "redis", "prometheus_client", "plotly"}

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FRAMEWORKS:
            raise ImportError(f"{name} has no place in domain/")

sys.meta_path.insert(0, Blocked())
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
"""

WEB_AND_WORKER = """
import json, sys, django
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
from menace_site.celery import app
app.loader.import_default_modules()
import menace_site.wsgi
assert "engines.tasks.run_cycle" in app.tasks and "engines.views.cycle" in sys.modules
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def modules_below(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def domain_modules() -> list[str]:
    return [
        name
        for app in APPS
        if (ROOT / app / "domain").is_dir()
        for name in modules_below(ROOT / app / "domain")
    ]


def python(code: str, *arguments: str) -> str:
    """Run code in a fresh interpreter and return what it prints."""
    environ = os.environ | {"DJANGO_SETTINGS_MODULE": "menace_site.settings"}
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_layers_and_rooms_hold() -> None:
    command = check.tool("lint-imports", "--no-cache")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_domain_modules_need_no_framework() -> None:
    names = domain_modules()
    assert len(names) > 30
    python(PLAIN_PYTHON, json.dumps(names))


def test_web_and_worker_parent_load_no_heavy_library() -> None:
    loaded = json.loads(python(WEB_AND_WORKER).splitlines()[-1])
    assert [name for name in HEAVY if name in loaded] == []


def test_the_top_level_holds_nothing_new() -> None:
    found = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert found <= TOP


def test_our_apps_are_installed_and_have_a_domain() -> None:
    assert [app for app in settings.INSTALLED_APPS if app in APPS] == list(APPS)
    assert [app for app in APPS[1:] if not (ROOT / app / "domain" / "__init__.py").is_file()] == []


@pytest.mark.parametrize("listener", LISTENERS)
def test_every_listener_is_a_module_that_can_be_imported(listener: str) -> None:
    assert import_module(listener).__doc__


def test_every_step_has_a_part() -> None:
    assert sorted(default_parts()) == sorted(STEPS)


def files_that_only_read() -> Iterator[Path]:
    for app in APPS[1:]:
        for room in READERS:
            yield from (ROOT / app).glob(f"{room}.py")
            yield from (ROOT / app / room).rglob("*.py")


def writes_in(path: Path) -> list[str]:
    """Return the calls that write rows: `….objects.create(…)`, `row.save()` and the like."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    attributes: list[Any] = [call.func for call in calls if isinstance(call.func, ast.Attribute)]
    return [
        f"{path.relative_to(ROOT)}:{each.lineno} .{each.attr}()" for each in attributes if each.attr in WRITES
    ]


def test_what_only_reads_writes_no_row() -> None:
    files = list(files_that_only_read())
    assert len(files) > 10
    assert [fault for path in files for fault in writes_in(path)] == []


LISTENING = """
import sys, menace_site.wsgi
missing = [name for name in sys.argv[1:] if name not in sys.modules]
assert not missing, missing
"""


def test_a_web_process_listens_with_every_apps_tasks() -> None:
    """Their receivers wake workers: a task module that nothing imports would leave work to the sweep."""
    tasks = [f"{app}.tasks" for app in APPS if (ROOT / app / "tasks.py").exists()]
    assert {"engines.tasks", "orphans.tasks"} <= set(tasks)
    python(LISTENING, *tasks)
