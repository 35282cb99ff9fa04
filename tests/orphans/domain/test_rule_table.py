"""The rule table row by row: which names mean something, and their neighbours that mean nothing."""

import re

import pytest

from orphans.domain.rules import (
    DJANGO_APP,
    FAMILY_NAMES,
    LIST_NAMES,
    MIGRATIONS,
    NO_IMPORT,
    QUIET_TEXTS,
    ROOTS,
    TEST_FILE,
    is_text,
)

STARTED = [
    ("setup.py", "", "started by name by its tool"),
    ("a/b/wsgi.py", "", "started by name by its tool"),
    ("docs/conf.py", "", "settings of Sphinx"),
    ("api/conf.py", "html_theme = 'x'", "settings of Sphinx"),
    ("site/settings_local.py", "DATABASES = {}", "settings that a deployment chooses"),
    ("perf/bench_sort.py", "", "found by its name by a runner of benchmarks"),
    ("perf/sort.py", "def time_it(): pass", "a benchmark that its runner collects"),
    ("docs/example_one.py", "", "an example in the manual"),
    ("tasks.py", "from invoke import task", "tasks of invoke"),
    ("web/app.py", "app = Flask(__name__)", "an application object that servers find by its file's name"),
    ("db/env.py", "from alembic import context", "started by alembic"),
    ("db/versions/1a.py", "down_revision = None", "a revision that alembic finds in its folder"),
    ("etl/nightly_dag.py", "from airflow import DAG", "a DAG that Airflow finds in its folder"),
    ("ui/pages/one.py", "import streamlit as st", "a page that its framework finds in its folder"),
    (
        "aws/handler.py",
        "def lambda_handler(event, context): ...",
        "a handler that its cloud finds by name",
    ),
    ("bot/cogs/fun.py", "async def setup(bot): ...", "an extension that a bot loads from its folder"),
    ("features/steps/login.py", "", "found by behave in its folder"),
    ("models/marts/sales.py", "def model(dbt, session): ...", "a model that dbt finds in its folder"),
    ("plugins/own.py", "class Own(AirflowPlugin): ...", "a plugin that Airflow finds in its folder"),
    ("deploy/filter_plugins/own.py", "", "a plugin that Ansible finds in its folder"),
    ("hooks/pre_gen_project.py", "", "a hook of a template of projects"),
    ("etc/jupyterhub_config.py", "", "settings that a tool finds by name"),
]


def started(path: str, source: str = "") -> str | None:
    """Return why a file of this path and text is started, by the first rule that says so."""
    found = (
        rule.reason
        for rule in ROOTS
        if rule.sign in path
        and rule.pattern.fullmatch(path)
        and (not rule.words or any(word in source for word in rule.words))
    )
    return next(found, None)


@pytest.mark.parametrize(("path", "source", "reason"), STARTED)
def test_each_root_is_known_by_its_rule(path: str, source: str, reason: str) -> None:
    assert started(path, source) == reason


def test_every_rule_of_a_root_has_a_case_above() -> None:
    assert {reason for _, _, reason in STARTED} == {rule.reason for rule in ROOTS}


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("my_setup.py", ""),
        ("setup.pyi", ""),
        ("web/app.py", "print('no application')"),
        ("db/env.py", "ENV = 1"),
        ("tasks.py", "def later(): ..."),
        ("site/settings_local.py", "DEBUG = True"),
        ("bot/cog_one.py", "async def setup(bot): ..."),
        ("perf/sort.py", "def sort(): pass"),
        ("models/sales.py", "class Sale: ..."),
        ("hooks/commit.py", ""),
        ("etc/own_config.py", ""),
        ("steps/login.py", ""),
    ],
)
def test_a_neighbour_of_a_root_is_none(path: str, source: str) -> None:
    assert started(path, source) is None


@pytest.mark.parametrize(
    "name",
    [
        "Makefile",
        "web.Dockerfile",
        "Dockerfile.dev",
        "Procfile",
        "ci.yml",
        "setup.cfg",
        "x.service",
        "BUILD.bazel",
    ],
)
def test_files_that_may_name_modules_are_texts(name: str) -> None:
    assert is_text(name)


@pytest.mark.parametrize("name", ["yml", "photo.png", "Makefile.png", "a b.yml", "module.py", "notes.md", ""])
def test_others_are_not(name: str) -> None:
    assert not is_text(name)


@pytest.mark.parametrize(
    ("pattern", "named", "others"),
    [
        (
            TEST_FILE,
            ("test_a.py", "a_test.py", "a_tests.py", "conftest.py"),
            ("testa.py", "contest.py", "test_a.txt"),
        ),
        (
            MIGRATIONS,
            ("migrations/0001.py", "a/south_migrations/b/c.py", "schema/delta/20/users.py"),
            ("a/migrations.py", "migrate/a.py"),
        ),
        (
            QUIET_TEXTS,
            ("a/locale/de.json", "requirements-dev.txt", "static/x.yml"),
            ("a/local/de.json", "ci.yml"),
        ),
        (
            LIST_NAMES,
            ("INSTALLED_APPS", "pytest_plugins", "extensions", "load_plugin", "MY_HANDLERS", "import_module"),
            ("titles", "INSTALLED", "plugin_count", "import_modules_now"),
        ),
        (
            FAMILY_NAMES,
            ("SPIDER_MODULES", "PLUGIN_PATHS", "task_packages", "packages", "handler_modules"),
            ("IGNORED_MODULES", "MOCK_MODULES", "exclude_packages", "modules_seen", "skip_packages"),
        ),
        (
            NO_IMPORT,
            ("getLogger", "get_logger", "help_text", "__all__", "startswith", "debug"),
            ("import_module", "loaded", "get_loggers_class", "helper"),
        ),
    ],
    ids=["test files", "migrations", "quiet texts", "lists", "families", "no import"],
)
def test_names_and_their_neighbours(
    pattern: re.Pattern[str], named: tuple[str, ...], others: tuple[str, ...]
) -> None:
    assert [each for each in named if not pattern.match(each)] == []
    assert [each for each in others if pattern.match(each)] == []


@pytest.mark.parametrize(
    ("below", "loaded"),
    [
        ("models.py", True),
        ("models/__init__.py", True),
        ("models/shop.py", False),
        ("management/commands/tidy.py", True),
        ("templatetags/extra.py", True),
        ("locale/de/formats.py", True),
        ("jobs/daily/mail.py", True),
        ("tasks.py", True),
        ("helpers.py", False),
        ("inner/models.py", False),
    ],
)
def test_what_an_installed_app_brings_along(below: str, loaded: bool) -> None:
    assert any(rule.pattern.fullmatch(below) for rule in DJANGO_APP) is loaded


def test_rules_about_shared_names_ask_for_a_word() -> None:
    """`tasks.py` and `jobs/` are names that anybody uses: the name alone keeps nothing alive."""
    for below in ("tasks.py", "jobs/daily/mail.py"):
        assert all(rule.words for rule in DJANGO_APP if rule.pattern.fullmatch(below))
