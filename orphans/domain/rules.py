"""The rule table: which files tools and people start by name, and what a live package brings along.

Everything here is data; `orphans.discovery.roots` and `orphans.discovery.conventions` apply it.
"""

import re
from typing import Final, NamedTuple

from orphans.domain.late import late


class Root(NamedTuple):
    """Files that something outside of the code starts."""

    #: matched against the whole repository-relative path
    pattern: re.Pattern[str]
    reason: str
    #: any of these words must be in the file, when there are some
    words: tuple[str, ...] = ()
    #: in every path that matches: a quick no for most
    sign: str = ""


class Children(NamedTuple):
    """Modules that come with a live package by convention."""

    #: matched against the path below the package's folder
    pattern: re.Pattern[str]
    reason: str
    #: any of these words must be in the file, when there are some
    words: tuple[str, ...] = ()
    #: in every path that matches: a quick no for most
    sign: str = ""


PACKAGING: Final = ("pyproject.toml", "setup.py", "setup.cfg")
"""Files that make a checkout a distribution."""


def _root(pattern: str, reason: str, *words: str, sign: str = "") -> Root:
    return Root(late(pattern), reason, words, sign)


def _children(pattern: str, reason: str, *words: str, sign: str = "") -> Children:
    return Children(late(pattern), reason, words, sign)


ROOTS: Final = (
    _root(r"(?:.*/)?(?:setup|manage|__main__|noxfile|wsgi|asgi|fabfile|sitecustomize|usercustomize|dodo|locustfile"
          r"|hatch_build|pavement|duties|gunicorn\.conf|gunicorn_conf|gunicorn_config|uwsgi_app|lambda_function"
          r"|streamlit_app|function_app|conanfile|SConstruct|wscript|appveyor|hubconf|cog|predict|release|build_ext)\.py",
          "started by name by its tool"),
    _root(r"(?:.*/)?(?:docs?|documentation|manual|sphinx)/(?:.*/)?conf\.py|conf\.py", "settings of Sphinx",
          sign="conf.py"),
    _root(r"(?:.*/)?conf\.py", "settings of Sphinx", "html_theme", "master_doc", "openstackdocstheme",
          sign="conf.py"),
    _root(r"(?:.*/)?(?:settings_\w+|\w+_settings|settings/\w+)\.py", "settings that a deployment chooses",
          "INSTALLED_APPS", "DATABASES", "import *", sign="settings"),
    _root(r"(?:.*/)?(?:\w+_)?(?:benchmarks?|bench|perf|speed)/(?:.*/)?(?:bench(?:mark)?_\w+|\w+_bench|\w*benchmarks?)\.py",
          "found by its name by a runner of benchmarks", sign="bench"),
    _root(r"(?:.*/)?(?:\w+_)?(?:benchmarks?|bench|perf|speed)/(?:.*/)?\w+\.py",
          "a benchmark that its runner collects",
          "def test_", "def time_", "def bench_", "def track_", "def peakmem_", "def mem_"),
    _root(r"(?:.*/)?features/(?:environment|(?:.*/)?steps/(?:.*/)?\w+)\.py", "found by behave in its folder",
          sign="features/"),
    _root(r"(?:.*/)?models/(?:.*/)?\w+\.py", "a model that dbt finds in its folder", "def model(dbt",
          sign="models/"),
    _root(r"(?:.*/)?plugins/(?:.*/)?\w+\.py", "a plugin that Airflow finds in its folder", "(AirflowPlugin)",
          sign="plugins/"),
    _root(r"(?:.*/)?(?:action|become|cache|callback|connection|filter|inventory|lookup|strategy|test|vars)_plugins/\w+\.py",
          "a plugin that Ansible finds in its folder", sign="_plugins/"),
    _root(r"(?:.*/)?hooks/(?:pre|post)_(?:gen_project|prompt)\.py", "a hook of a template of projects",
          sign="hooks/"),
    _root(r"(?:.*/)?(?:jupyter\w*|ipython\w*|nbgrader|superset|celery|gunicorn|uwsgi|hypercorn|webserver)_?config\.py",
          "settings that a tool finds by name", sign="config.py"),
    _root(r"(?:.*/)?(?:docs?|documentation)/(?:.*/)?(?:examples?_?\w*|\w+_examples?)\.py",
          "an example in the manual", sign="example"),
    _root(r"(?:.*/)?tasks(?:/__init__)?\.py", "tasks of invoke", "from invoke import", "import invoke",
          sign="tasks"),
    _root(r"(?:.*/)?(?:app|main|application|server|api|run|bot|web|index|streamlit\w*|dashboard)\.py",
          "an application object that servers find by its file's name",
          "= FastAPI(", "= Flask(", "= Starlette(", "= Sanic(", "= Quart(", "= Litestar(", "= Celery(",
          "= Bottle(",
          "= Dash(", "import streamlit", "= Typer(", "create_app(", "= Chalice("),
    _root(r"(?:.*/)?env\.py", "started by alembic", "from alembic import", "alembic.context", sign="env.py"),
    _root(r"(?:.*/)?versions/.*\.py", "a revision that alembic finds in its folder", "down_revision",
          sign="versions/"),
    _root(r"(?:.*/)?dags/.*\.py|(?:.*/)?\w*dag\w*\.py", "a DAG that Airflow finds in its folder",
          "import DAG", "airflow.decorators", "airflow.sdk", sign="dag"),
    _root(r"(?:.*/)?pages/.*\.py", "a page that its framework finds in its folder", "register_page(",
    "import streamlit", sign="pages/"),
    _root(r"(?:.*/)?(?:handler|lambda\w*|function|main"
        r"|index)\.py", "a handler that its cloud finds by name", "lambda_handler"),
    _root(r"(?:.*/)?cogs?/.*\.py", "an extension that a bot loads from its folder", "def setup(bot",
          sign="cog"),
)  # fmt: skip
"""Files that are started by name, from the root of a checkout or of a folder of it."""

EXAMPLE_FOLDERS: Final = frozenset(
    {
        "examples",
        "example",
        "test-examples",
        "test_examples",
        "doc_examples",
        "demo",
        "demos",
        "docs_src",
        "tutorial",
        "tutorials",
        "samples",
        "cookbook",
        "notebooks",
        "recipes",
    }
)
"""Folders whose files and packages are there to be read and started by people."""

EXAMPLE_PARTS: Final = frozenset({"settings", "urls", "views", "tasks", "models", "admin", "config", "apps"})
"""Modules of an example's package that its framework finds by their name."""

PLUGIN_FOLDERS: Final = frozenset(
    {"plugins", "plugin", "extensions", "addons", "backends", "drivers", "providers", "adapters"}
)
"""Packages whose modules are loaded by any name, whatever else imports some of them."""

SCRIPT_FOLDERS: Final = frozenset(
    {
        "bin", "scripts", "script", "tools", "tool", "examples", "example", "demo", "demos",
        "benchmarks", "benchmark",
        "bench", "perf", "docs", "doc", "docs_src", "tutorial", "tutorials", "samples", "sample", "ci",
        ".github", ".ci",
        "dev", "devtools", "hack", "maint", "maintenance", "packaging", "release", "utils", "util",
        "contrib", "misc",
        "extra", "extras", "notebooks", "recipes", "snippets", "integration", "asv_bench", "fuzz",
        "fuzzing", "docker",
        "deploy", "deployment", "infra", "admin", "ops", "cookbook", "playground", "sandbox",
        ".circleci", ".gitlab",
    }
)  # fmt: skip
"""Folders outside of packages whose files people start by hand."""

DATA_FOLDERS: Final = frozenset(
    {
        "data", "fixtures", "fixture", "assets", "samples", "sample", "cases", "roots", "resources",
        "testdata",
        "test_data", "test-data", "tests_data", "snippets", "examples", "example", "input", "inputs",
        "output",
        "expected", "golden", "templates", "projects", "files", "corpus", "mocks", "testfiles",
        "example_data",
        "functional", "regrtest_data", "pyproject", "sample_project", "example_project", "packages",
        "modules",
        "sample_spiders", "CrawlerProcess", "CrawlerRunner", "AsyncCrawlerProcess", "AsyncCrawlerRunner",
        "subjects",
    }
)  # fmt: skip
"""Folders of a test tree whose files are inputs of tests, not modules."""

TEST_FOLDERS: Final = frozenset(
    {"tests", "test", "t", "testing", "_tests", "unittests", "unit_tests", "e2e", "spec"}
)
TEST_FILE: Final = late(r"(?:tests?_.*|test[A-Z].*|.*_tests?|tests|conftest|test)\.pyw?$")
SUPPORT_FOLDERS: Final = late(
    r"tests?[_-](?:utils?|data|apps?|projects?|support|helpers?|fixtures?|packages?|files|plugins?|resources|assets"
    r"|sites?|jobs|modules|models|views|settings|scripts|tasks|templates|configs?)"
    r"|test(?:utils|data|support|project|apps?|site)"
    r"|(?:unit|integration|functional|system|smoke|acceptance|regression|performance|load|browser|selenium)[_-]?tests?"
)
"""Folders of what tests use, wherever they are: without a test in them, too."""

VENDOR_FOLDERS: Final = frozenset(
    {
        "_vendor",
        "vendor",
        "vendored",
        "_vendored",
        "third_party",
        "thirdparty",
        "3rdparty",
        "extern",
        "externals",
        "external_libs",
    }
)
"""Folders of other projects' code: what is unused in there is nobody's finding."""

DOCUMENT_FOLDERS: Final = frozenset({"docs", "doc", "documentation", "manual"})
"""Folders of a project's manual."""

MANUAL_TOOLS: Final = frozenset(
    {
        "_ext",
        "ext",
        "_exts",
        "exts",
        "_extensions",
        "extensions",
        "sphinxext",
        "_sphinxext",
        "_themes",
        "tools",
    }
)
"""Folders of a manual with code that builds it, which the settings of the manual name."""

TEMPLATE_FOLDERS: Final = frozenset(
    {
        "project_template", "project_templates", "app_template", "app_templates", "project_name", "skeleton",
        "cookiecutter", "scaffold", "boilerplate",
    }
)  # fmt: skip
"""Folders whose files a generator of projects copies: nobody's modules."""

SKIPPED_FOLDERS: Final = frozenset(
    {
        ".git", ".hg", ".svn", ".bzr", "__pycache__", "node_modules", "bower_components", ".venv",
        "venv", ".tox", ".nox",
        ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".eggs", ".idea", ".vscode", ".cache",
        ".ipynb_checkpoints", "site-packages", "dist-packages", ".pyre", ".pytype", "__pypackages__",
        "htmlcov", "LC_MESSAGES",
    }
)  # fmt: skip
BUILD_FOLDERS: Final = frozenset({"build", "dist"})
"""Left out unless they are packages."""

DJANGO_APP: Final = (
    _children(r"(?:apps|models|admin|translation|search_indexes|wagtail_hooks|cms_plugins|cms_apps|cms_menus"
              r"|cms_toolbars|cms_config|cms_wizards|documents|autocomplete_light_registry|modeladmin|rules|lookups|menus"
              r"|dashboard_modules|config_registry|jobs"
              r"|checks_registry)(?:/__init__)?\.py|__init__\.py|tasks/__init__\.py",
              "Django loads it for an installed app"),
    _children(r"scripts/(?:.*/)?\w+\.py", "a script that `runscript` finds in an installed app", "def run(",
              sign="scripts/"),
    _children(r"(?:.*/)?management/(?:__init__|commands/.*)\.py", "a command of an installed app",
              sign="management/"),
    _children(r"templatetags/.*\.py", "template tags of an installed app", sign="templatetags/"),
    _children(r"migrations/.*\.py", "a migration of an installed app", sign="migrations/"),
    _children(r"(?:.*/)?locale/.*formats\.py|locale/\w+/__init__\.py", "formats of a locale", sign="locale/"),
    _children(r"jobs/.*\.py", "a job of an installed app", "BaseJob", "HourlyJob", "DailyJob",
    "WeeklyJob", "MonthlyJob", sign="jobs/"),
    _children(r"jinja2tags/.*\.py|tasks\.py|celery_tasks\.py", "found in every installed app",
              "shared_task", "celery", "@task", "dramatiq", "huey", "procrastinate", "db_task",
              "db_periodic_task"),
)  # fmt: skip
"""What Django, and what is often installed with it, loads from the folder of an installed app."""

MIGRATIONS: Final = late(r"(?:^|.*/)(?:\w*migrations|deltas?)/(?:.*/)?\w+\.py$")

TEXT_ENDINGS: Final = frozenset(
    {
        "mk", "sh", "bash", "zsh", "fish", "bat", "cmd", "ps1", "toml", "ini", "cfg", "yml", "yaml", "json",
        "service", "timer", "conf", "cron", "crontab", "dockerfile", "env", "pth", "spec", "properties",
        "groovy", "tf", "hcl", "nomad", "bzl", "in", "desktop", "j2", "jinja", "tpl",
        "zcml", "nix", "smk", "gin", "plug", "yapsy-plugin", "spt", "mako", "mak",
        "flaskenv", "pylintrc", "flake8", "coveragerc",
        "importlinter", "cmake", "build", "gradle", "envrc",
    }
)  # fmt: skip
TEXT_NAMES: Final = late(
    r"[Mm]akefile|GNUmakefile|[\w.-]*Dockerfile[\w.-]*|Containerfile|Procfile[\w.]*|Jenkinsfile|[jJ]ustfile|Vagrantfile"
    r"|crontab|[Rr]akefile|SConscript|Caddyfile|Earthfile|Tiltfile|BUILD|BUILD\.bazel|Snakefile|MLproject|CMakeLists\.txt"
    r"|\.?env(?:\.\w+)*|Brewfile|Fastfile|pylintrc"
)
_PLAIN_NAME: Final = late(r"[\w.@+-]*\.[\w-]+")
PROGRAM_FOLDERS: Final = frozenset(
    {
        "bin", "sbin", "libexec", "scripts", "script", "tools", "hooks", ".githooks", ".husky", "git-hooks",
        "init.d", "cron.d", "cron.hourly", "cron.daily", "cron.weekly", "cron.monthly", "debian", "docker",
        "deploy", "ci",
    }
)  # fmt: skip
"""Folders whose files without an ending are programs."""


def is_text(name: str, folder: str = "") -> bool:
    """Tell by its name whether a file that isn't Python may name modules; `folder` is the name around it."""
    ending = name.rpartition(".")[2]
    if ending in TEXT_ENDINGS and _PLAIN_NAME.fullmatch(name) is not None:
        return True
    if "." not in name and folder in PROGRAM_FOLDERS:
        return True
    return TEXT_NAMES.fullmatch(name) is not None


QUIET_TEXTS: Final = late(
    r"(?:^|.*/)(?:locale|locales|translations?|i18n|static|public|node_modules|fixtures|testdata|cassettes|snapshots?|__snapshots__)/"
    r"|(?:^|.*/)(?:requirements[\w.-]*|MANIFEST|LICENSE|COPYING|package-lock|composer|tsconfig[\w.]*)\.\w+$"
)
"""Those that never do, by place or name."""

LIST_NAMES: Final = late(
    r"^(?:INSTALLED_APPS|\w*_?APPS|pytest_plugins|extensions|include|includes|imports|CELERY_IMPORTS|CELERY_INCLUDE"
    r"|\w*PLUGINS?|\w*plugins?|\w*MODULES?|\w*modules?|\w*EXTENSIONS|packages|\w*PACKAGES|\w*BACKENDS?|hooks|\w*HANDLERS"
    r"|load_extension|import_module|__import__|import_string|run_module|find_spec|register_blueprint|autodiscover_tasks|config_from_object"
    r"|from_object|add_extension|include_router|scan|load_plugins?|name|setup_module|find_modules|module|submodules|submod_attrs)$"
)
"""Names behind which a string without a dot may be a module."""

FAMILY_NAMES: Final = late(
    r"^(?!.*(?i:ignore|exclude|skip|mock|doc))(?:[A-Z_]*(?:MODULES|PACKAGES|PLUGIN_PATHS?)|(?:plugin|task|command|handler|spider|\w+)_packages"
    r"|packages|(?:plugin|task|spider|command|handler)_modules)$"
)
"""Names behind which the name of a package means the modules in it."""

PARTS_OF_SETTINGS: Final = {
    "FORMAT_MODULE_PATH": late(r"(?:.*/)?(?:formats|__init__)\.py"),
    "ENGINE": late(r"base\.py"),
    "root": late(r".*\.py"),
}
"""Settings that name a package and mean these modules in it."""

TEXTS: Final = frozenset({"help", "description", "title", "summary", "reason", "message", "msg", "search"})
"""Of `NO_IMPORT`, keys that only say something of a string right behind them, and nothing of a call's."""

NO_IMPORT: Final = late(
    r"^(?:get_?[lL]ogger|filterwarnings|simplefilter|cast|TypeVar|NewType|ForwardRef|print|warn|debug|info|warning|error|exception"
    r"|critical|log|echo|secho|write|loggers|__all__|__module__|__qualname__|__name__|help|description|epilog|reason|message|msg"
    r"|deprecated|add_argument|assertEqual|assertIn|assertRaisesRegex|setLevel|ignore|exclude|omit|startswith|endswith|replace"
    r"|split|strip|match|search|sub|fullmatch|findall|removeprefix|removesuffix|verbose_name|help_text|title|summary"
    r"|\w*(?:Error|Exception|Warning))$"
)
"""Calls, names and keys whose strings only look like modules."""
