"""Which modules the files around the code name: commands, CI, containers, plugin tables, packaging.

Only what runs or loads something counts. Comments, settings of linters, lists of files to format or to leave
out, and prose do not.
"""

import json
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import islice
from typing import Any, Final, NamedTuple

from orphans.domain.formats import (
    QUOTING,
    assigned,
    attributes,
    bindings,
    families,
    is_program,
    linter_plugins,
    quoted,
    templates,
)
from orphans.domain.late import late
from orphans.domain.rules import TEXT_NAMES

MAX_MENTIONS: Final = 5000


class Mention(NamedTuple):
    """One name in a file that isn't Python."""

    #: `pkg.mod`, `pkg.mod:attr`, `pkg.mod.Class` or `tools/run.py`
    text: str
    line: int
    how: str
    #: a name without a dot may be meant
    single: bool = False
    #: only tests use it
    tests: bool = False


_LINTERS: Final = (
    "mypy|ruff|black|blue|flake8|pylint|isort|pycodestyle|pydocstyle|pyflakes|bandit|pyright|basedpyright|vulture|pytype|"
    "pyre|interrogate|codespell|autoflake|pyupgrade|deptry|coverage|importlinter|import-linter|lint-imports|refurb|typos|"
    "codecov|radon|xenon|yapf|docformatter|safety|semgrep|sonar|ty|pyrefly|tach|darglint|pytype|unimport|dodgy|prospector|"
    "check-manifest|bumpversion|bump2version|bumpver|semantic_release|towncrier|commitizen|versioneer|zest-releaser"
)
_LINTER_NAMES: Final = frozenset(_LINTERS.split("|"))
_LINTER_LINE: Final = late(
    rf"^\W*(?:\$\(?\w+\)?\s+)?(?:(?:python3?|uv|poetry|pdm|hatch|pipenv|tox|npx)\s+(?:-m\s+|run\s+|-e\s+\S+\s+)?)?"
    rf"(?:{_LINTERS}|echo|rm|git|sed|cat|chmod|chown|touch|ls|grep|mv|mkdir|wc|diff|test|find)\b(?!.*(?:&&|;|\|)|\s+run\b)",
    re.IGNORECASE,
)
_LINTER_SECTION: Final = late(
    rf"^(?:tool[:.])?(?:{_LINTERS}|pep8|devpi)(?:[:.\-].*)?$|^(?:run|report|html|paths|MASTER|MAIN|FORMAT"
    r"|MESSAGES CONTROL|metadata|options|options\.packages\.find|options\.package_data"
    r"|options\.extras_require|egg_info|bdist\w*|sdist)$",
    re.IGNORECASE,
)
_LINTER_FILE: Final = late(
    r"(?:^|/)(?:\.?mypy\.ini|\.flake8|\.?ruff\.toml|\.coveragerc|\.?pylintrc.*|\.importlinter|\.?codecov\.ya?ml|\.isort\.cfg|"
    r"\.bandit|CODEOWNERS|labeler\.ya?ml|dependabot\.ya?ml|pyrightconfig\.json|\.bumpversion\.cfg|\.pydocstyle|\.vulture.*|"
    r"sonar-project\.properties|renovate\.json|package-lock\.json|[\w.-]*lock(?:\.json|\.ya?ml|\.toml)?)$",
    re.IGNORECASE,
)
_SKIPPED_KEYS: Final = {
    "exclude", "files", "omit", "paths", "paths-ignore", "ignore", "description", "title", "labels", "types",
    "per-file-ignores", "per_file_ignores", "known_first_party", "skip", "skips", "include_files",
    "authors", "urls",
    "classifiers", "keywords", "dependencies", "watch", "branches", "needs", "uses", "cache-dependency-path",
    "qualname", "loggers",
}  # fmt: skip

_MODULE: Final = late(r"""(?:^|[\s"'`,\[(=])-(?:m|A)["']?[\s=,]+["']?([A-Za-z_][\w.]*)""")
_PLUGIN: Final = late(r"""(?:^|[\s"'\[,=])-p["']?[\s=,]+["']?(?!no:)([A-Za-z_][\w.]*)""")
_OPTION: Final = late(
    r"""(?:--(?:app|settings|module|plugins?|class|entry|factory|worker-class|call|config|ds)|-[ck]|(?<![\w])[A-Z][A-Z_]*"""
    r"""(?:MODULE|APP|SETTINGS|CONFIG|CLASS|CONF|TARGET|WORKER"""
    r"""|PLUGINS?))["']?\s*[=: ]\s*["']?(?:python:)?([A-Za-z_][\w.]*(?::\w+)?|[\w./-]+\.py)"""
)
_TARGET: Final = late(r"(?<![\w./:@-])([A-Za-z_][\w.]*:[A-Za-z_]\w*)(?![\w/:])")
_PATH: Final = late(r"[\w./-]*\w\.pyw?\b(?!\w|\[)")
_IMPORT: Final = late(r"""(?:^|[\s"';(])(?:from|import)\s+([A-Za-z_][\w.]*)(?:\s+import\s+([\w, ]+))?""")
_DOTTED: Final = late(r"(?<![\w./@:-])([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+)(?![\w/@-])")
_RUNNER: Final = late(
    r"\b(?:dramatiq|huey_consumer|arq|faust|rq|rqworker|gunicorn|uvicorn|hypercorn|daphne|waitress|celery|flask|python[\d.]*|"
    r"twistd|django-admin|manage\.py|nameko|prefect|luigi|taskiq|watchmedo|watchfiles|hupper|granian|uwsgi|module|wsgi-file|"
    r"procrastinate|kopf|streamlit|pytest|exec|shiv|pex|zipapp|pyinstaller|nuitka|scrapy|airflow|dagster|sanic|litestar|quart)\b"
)
_NEEDED: Final = (
    (_MODULE, ("-m", "-A")),
    (_PLUGIN, ("-p",)),
    (_OPTION, ("--", "-c", "-k", "MODULE", "APP", "SETTINGS", "CON", "CLASS", "TARGET", "WORKER", "PLUGIN")),
    (_TARGET, (":",)),
    (_PATH, (".py",)),
)
"""Patterns for words of a command, each with signs of which one must be there."""
_VALUE: Final = late(
    r"""(?:^|[:=,\[\s-])\s*["']?((?:ext://|python:|module:)?[A-Za-z_./][\w./:-]*)["']?\s*(?=$|[,\]}\s])"""
)
_KEY: Final = late(r"""^(\s*)((?:-\s+)*)["']?([\w./-]+)["']?\s*:(?:\s|$)""")


def mentions(path: str, text: str) -> list[Mention]:
    """Return what a file that isn't Python names, in order, at most `MAX_MENTIONS`."""
    if _LINTER_FILE.search(path):
        return [Mention(name, line, "plugins") for name, line in linter_plugins(text)]
    base = path.rpartition("/")[2]
    if "." not in base and TEXT_NAMES.fullmatch(base) is None and not is_program(text):
        return []
    return list(islice(_reader(base)(text), MAX_MENTIONS))


def _reader(base: str) -> Callable[[str], Iterator[Mention]]:
    ending = base.rpartition(".")[2].lower()
    if ending in QUOTING or base in {"Snakefile", "BUILD", "CMakeLists.txt", "Jenkinsfile"}:
        return _quoted
    return _READERS.get(ending, _shell)


def _commands(line: str, number: int, how: str, *, tests: bool = False) -> Iterator[Mention]:
    """Yield what one line of a command names."""
    found = [*_named(line, number, how, tests=tests), *_imported(line, number, how)]
    if "." in line and _RUNNER.search(line):
        found += [Mention(each[1], number, how, tests=tests) for each in _DOTTED.finditer(line)]
    if found and not _LINTER_LINE.search(line):  # asked last: most lines name nothing
        yield from found


def _named(line: str, number: int, how: str, *, tests: bool) -> Iterator[Mention]:
    """Yield what options and words of a line name; each pattern is tried where its rarest sign is there."""
    for pattern, signs in _NEEDED:
        if any(sign in line for sign in signs):
            for each in pattern.finditer(line):
                name = each[0] if pattern is _PATH else each[1]
                yield Mention(name, number, how, single=True, tests=tests or pattern is _PLUGIN)


def _imported(line: str, number: int, how: str) -> Iterator[Mention]:
    for each in _IMPORT.finditer(line) if "from" in line or "import" in line else ():
        yield Mention(each[1], number, how, single=True)
        for name in (each[2] or "").split(","):
            if name.strip().isidentifier():
                yield Mention(f"{each[1]}.{name.strip()}", number, how)


def _uncommented(line: str, marks: str = "#") -> str:
    stripped = line.lstrip()
    if not stripped or stripped[0] in marks:
        return ""
    for mark in marks:
        at = line.find(f" {mark}")
        line = line[:at] if at >= 0 else line
    return line


def _shell(text: str) -> Iterator[Mention]:
    for number, line in enumerate(text.splitlines(), 1):
        yield from _commands(_uncommented(line), number, "command")
        name = assigned(line) if "=" in line else None
        if name is not None:
            yield Mention(name, number, "command")


def _quoted(text: str) -> Iterator[Mention]:
    yield from _shell(text)
    yield from (Mention(name, line, "setting") for name, line in quoted(text))


def _zcml(text: str) -> Iterator[Mention]:
    yield from (Mention(name, line, "setting") for name, line in attributes(text))


def _gin(text: str) -> Iterator[Mention]:
    yield from (Mention(name, line, "setting") for name, line in bindings(text))


def _template(text: str) -> Iterator[Mention]:
    yield from (Mention(name, line, "setting", single=True) for name, line in templates(text))


_PREFIX: Final = late(r"^(?:python:|module:|call:)")
_MODULE_KEYS: Final = {"module", "module_name", "module-name", "pytest_plugins", "script_location"}
_OPERATIONS: Final = {"operationId", "x-openapi-router-controller", "x-swagger-router-controller"}
"""Keys of an interface's description that name the code behind it, below its `paths`."""
_NAME_KEY: Final = late(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*){2,}")
"""A key of data that may be a class: with one dot it is rather a name of something else."""


def _values(line: str, number: int, how: str, *, tests: bool = False) -> Iterator[Mention]:
    """Yield the values of a line of data that are names by themselves."""
    yield from (Mention(each, number, how, tests=tests) for each in families(line))
    if "." not in line and ":" not in line:
        return
    for value in map(_bare, _VALUE.findall(line)):
        if "." in value or ":" in value:
            yield Mention(value.rstrip(".:"), number, how, tests=tests, single=":" in value.rstrip(":"))


def _bare(value: str) -> str:
    """Return a value without what says how to find it: `ext://`, `call:` and the like."""
    return _PREFIX.sub("", value.partition("://")[2] or value)


def _yaml(text: str) -> Iterator[Mention]:
    keys: list[tuple[int, str]] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = _uncommented(raw)
        key = _KEY.match(line)
        indent = len(line) - len(line.lstrip(" -"))
        if line.strip():
            while keys and keys[-1][0] >= indent and (key is not None or keys[-1][0] > indent):
                keys.pop()
        if key is not None:
            keys.append((indent, key[3]))
            line = line[key.end() - 1 :]
        is_operation = key is not None and key[3] in _OPERATIONS
        if any(word in _SKIPPED_KEYS for _, word in keys) and not is_operation:
            continue
        yield from _commands(line, number, "command")
        yield from _values(line, number, "setting")
        yield from _keyed(keys[-1][1] if keys else "", line.strip(" \t\"'"), number, of_key=key is not None)


def _keyed(key: str, value: str, line: int, *, of_key: bool) -> Iterator[Mention]:
    """Yield what only the key tells: a module without a dot, a handler by its path, a class as the key."""
    if of_key and _NAME_KEY.fullmatch(key):
        yield Mention(key, line, "setting")
    if key in _MODULE_KEYS:
        yield Mention(value, line, "setting", single=True)
    if key.lower() == "handler" and re.fullmatch(r"[\w./-]+\.\w+", value):
        yield Mention(value.strip("./").replace("/", "."), line, "handler")


def _ini(text: str) -> Iterator[Mention]:
    section, key = "", ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = _uncommented(raw, "#;")
        head = re.match(r"\[([^\]]+)\]", line)
        if head is not None:
            section, key = head[1].strip(), ""
            continue
        named = re.match(r"([\w.-]+)\s*[=:]", line)
        key = named[1] if named is not None else key
        if (_LINTER_SECTION.match(section) and key != "scripts") or key in _SKIPPED_KEYS:
            continue
        tests = "pytest" in section
        yield from _commands(line, number, f"[{section}]", tests=tests)
        value = line[named.end() :] if named is not None else line
        yield from _values(" " + value, number, f"[{section}]", tests=tests)
        if "entry_points" in section or key.lower() in _MODULE_KEYS:
            yield Mention(value.strip(), number, f"[{section}]", single=True, tests=tests)
    yield from (Mention(name, line, "plugins") for name, line in linter_plugins(text))


def _json(text: str) -> Iterator[Mention]:
    try:
        loaded = json.loads(text)
    except (ValueError, RecursionError):
        return
    yield from _tree(loaded, (), text)


def _toml_of(text: str) -> dict[str, Any]:
    """Return what a TOML file says; its reader is loaded when there is one. Raises ValueError."""
    found: dict[str, Any] = import_module("tomllib").loads(text)
    return found


def _toml(text: str) -> Iterator[Mention]:
    try:
        loaded = _toml_of(text)
    except (ValueError, RecursionError):
        yield from _ini(text)
        return
    yield from _tree(loaded, (), text)
    yield from (Mention(name, line, "plugins") for name, line in linter_plugins(text))


def _tree(node: Any, keys: tuple[str, ...], text: str) -> Iterator[Mention]:
    """Yield what the strings of a tree name, outside of the tables of linters."""
    todo: list[tuple[Any, tuple[str, ...]]] = [(node, keys)]
    while todo:
        value, keys = todo.pop()
        if isinstance(value, dict):
            inner = [(str(key), each) for key, each in value.items() if not _is_linter(keys, str(key))]
            todo.extend((each, (*keys, key)) for key, each in inner)
            for key, _ in inner:
                yield from _keyed(key, "", 1, of_key=True) if key.count(".") > 1 else ()
        elif isinstance(value, list):
            todo.extend((each, keys) for each in value)
        elif isinstance(value, str) and len(value) < 4000:
            yield from _leaf(value, keys, text)


def _is_linter(keys: tuple[str, ...], key: str) -> bool:
    if key in _SKIPPED_KEYS or key in {
        "packages",
        "package-data",
        "py-modules",
        "readme",
        "license",
        "$schema",
    }:
        return True
    return keys == ("tool",) and key.lower() in _LINTER_NAMES


def _leaf(value: str, keys: tuple[str, ...], text: str) -> Iterator[Mention]:
    at = text.find(value[:60])
    line = text.count("\n", 0, at) + 1 if at >= 0 else 1
    how = ".".join(keys[:4]) or "setting"
    tests = "pytest" in keys
    names = {"scripts", "gui-scripts", "entry-points", "plugins", "entry_points", "build-backend", "backend"}
    names |= _MODULE_KEYS
    if " " in value.strip() or "\n" in value:
        for row in value.splitlines():
            yield from _commands(_uncommented(row), line, how, tests=tests)
    else:
        yield from _values(f" {value}", line, how, tests=tests)
        if names.intersection(keys):
            yield Mention(value.partition("[")[0].strip(), line, how, single=True)
        if keys and keys[-1].lower() == "handler":
            yield from _keyed(keys[-1], value, line, of_key=False)


_READERS: Final = {
    "toml": _toml, "json": _json, "yml": _yaml, "yaml": _yaml, "zcml": _zcml, "gin": _gin,
    **dict.fromkeys(("spt", "mako", "mak"), _template),
    **dict.fromkeys(
        ("ini", "cfg", "conf", "service", "properties", "timer", "env", "plug", "yapsy-plugin"), _ini
    ),
}  # fmt: skip

PYTEST_FILES: Final = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")
_COLLECTED: Final = late(r"^python_files\s*=\s*(\[[^\]]*\]|[^\n]*(?:\n[ \t]+[^\n]+)*)", re.MULTILINE)
_USUAL: Final = {"test_*.py", "*_test.py", "tests.py", "*_tests.py", "conftest.py"}


def collected(path: str, text: str) -> list[str]:
    """Return the patterns of files that pytest's settings in this file name beyond the usual ones."""
    if "pytest" not in text and path != "pytest.ini":
        return []
    rows = (match[1].strip("[]") for match in _COLLECTED.finditer(text))
    words = (word.strip("\"'") for row in rows for word in re.split(r"[\s,]+", row))
    return [word for word in words if word.endswith(".py") and word not in _USUAL and word != "*.py"]


def backend_paths(text: str) -> list[str]:
    """Return the folders of a pyproject's own build backend."""
    try:
        found = _toml_of(text).get("build-system", {}).get("backend-path", [])
    except (ValueError, RecursionError):
        return []
    return [str(each) for each in found] if isinstance(found, list) else []
