"""Names of modules in files of certain formats: plugins of linters, ZCML, build files, bound parameters.

Each reader yields a name with its line; what is a module of the checkout is decided elsewhere.
"""

import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from orphans.domain.late import late

Named: TypeAlias = Iterator[tuple[str, int]]

_PLUGINS: Final = late(
    r"""^[ \t]*["']?(?:load[-_]plugins|plugins|extension|report|contract_types)["']?[ \t]*=[ \t]*"""
    r"""(\[[^\]]*\]|[^\n]*(?:\n[ \t]+[^\n]+)*)""",
    re.MULTILINE,
)
_TOKEN: Final = late(r"[A-Za-z_./][\w./-]*(?::\w+)?")
_ATTRIBUTE: Final = late(r"""\b[\w:.-]+\s*=\s*["']([^"']*)["']""")
_DOTTED: Final = late(r"\.{0,3}[A-Za-z_]\w*(?:\.\w+)*")
_REMARK: Final = late(r"<!--.*?-->", re.DOTALL)
_QUOTED: Final = late(r"""["']((?:[A-Za-z_]\w*\.)+\w+(?::\w+)?|[A-Za-z_]\w*:[A-Za-z_]\w*|[\w./-]+\.py)["']""")
_BOUND: Final = late(r"[A-Za-z_]\w*(?:\.\w+)+")
_ASSIGNED: Final = late(
    r"""\s*(?:export\s+|ENV\s+|ARG\s+)?[A-Za-z_]\w*\s*[:?+]?=\s*["']?([A-Za-z_]\w*(?:\.\w+)+(?::\w+)?)["']?\s*"""
)

QUOTING: Final = frozenset({"tf", "hcl", "nix", "spec", "bzl", "smk", "groovy", "build", "cmake", "gradle"})
"""Endings of files whose names of modules stand in quotes."""


def linter_plugins(text: str) -> Named:
    """Yield what a linter, a type checker or a coverage tool is told to load: it runs in their process.

    >>> list(linter_plugins("[mypy]\\nplugins = own.checks, other\\n"))
    [('own.checks', 2)]
    """
    for match in _PLUGINS.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        for token in _TOKEN.finditer(match[1]):
            if "." in token[0].strip(".") or ":" in token[0]:
                yield token[0], line


def attributes(text: str) -> Named:
    """Yield the dotted names in the attributes of ZCML, relative ones with their dots.

    >>> list(attributes('<browser:page name="x" for="*"\\n class=".views.Page" />'))
    [('.views.Page', 2)]
    """
    text = _REMARK.sub(lambda match: "\n" * match[0].count("\n"), text)
    for match in _ATTRIBUTE.finditer(text):
        for word in match[1].split():
            if "." in word and _DOTTED.fullmatch(word):
                yield word, text.count("\n", 0, match.start(1)) + 1


def quoted(text: str) -> Named:
    """Yield what stands in quotes in a build file or infrastructure code; exclusions are left out."""
    for number, line in enumerate(text.splitlines(), 1):
        if "exclude" not in line and not line.lstrip().startswith(("#", "//")):
            yield from ((match[1], number) for match in _QUOTED.finditer(line))


def bindings(text: str) -> Named:
    """Yield the dotted names of a file of gin: `import a.b`, `train.model = @a.b.Model()`."""
    for number, line in enumerate(text.splitlines(), 1):
        yield from ((match[0], number) for match in _BOUND.finditer(line.partition("#")[0]))


_WHOLE: Final = late(r"(?:^|[=:\s,\[\"'])([A-Za-z_]\w*(?:\.\w+)+\.\*)(?=$|[\s,\]\"'])")
_INSIDE: Final = late(
    r"^\s*(?:<%!?\s*)?(?:from|import)\s+([A-Za-z_][\w.]*)(?:\s+import\s+(\w+))?", re.MULTILINE
)
_SPACE: Final = late(r"""<%namespace[^>]*\bmodule=["']([\w.]+)["']""")


def families(line: str) -> list[str]:
    """Return the packages of a line of settings that stand for all in them: `plugins = pkg.parts.*`.

    >>> families("plugins = shop.parts.*, other")
    ['shop.parts.*']
    """
    return _WHOLE.findall(line) if ".*" in line else []


def templates(text: str) -> Named:
    """Yield what the Python code in a template imports, where the template's language has some."""
    for match in _INSIDE.finditer(text):
        line = text.count("\n", 0, match.start(1)) + 1
        yield match[1], line
        if match[2]:
            yield f"{match[1]}.{match[2]}", line
    for match in _SPACE.finditer(text):
        yield match[1], text.count("\n", 0, match.start()) + 1


def assigned(line: str) -> str | None:
    """Return the dotted name that a line of a shell script or Makefile gives a variable, and nothing else.

    >>> assigned("APP ?= shop.site:app")
    'shop.site:app'
    """
    match = _ASSIGNED.fullmatch(line)
    return match[1] if match is not None else None


def is_program(text: str) -> bool:
    """Tell whether a file without an ending is one that its first line starts, or a table of cron."""
    return (
        text.startswith("#!")
        or re.search(r"^(?:[\d*/,-]+[ \t]+){5}\S|^@daily|^@hourly", text, re.M) is not None
    )
