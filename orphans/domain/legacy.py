"""Evidence that a module was retired: by itself, by its place, by its past. Never a search for a word.

`deprecated` in a comment, a string or the name of a function says nothing about the module it stands in, so
only these count: a deprecation warning that importing the module gives, a docstring that begins with it, a
folder or file name set aside for it, and a past in which importers left and work stopped.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, Final

from orphans.domain.findings import Evidence
from orphans.domain.fingerprints import parsed
from orphans.domain.history import SHOWN_DIGITS, ModuleHistory
from orphans.domain.late import late

IDLE_MONTHS: Final = 12
"""So long nobody touched a module that lost its importers before it counts as retired."""

_DAYS_A_MONTH: Final = 30.44
_RETIRED: Final = frozenset({"legacy", "old", "deprecated", "obsolete", "attic"})
_TAKES: Final = _RETIRED | {
    "orig",
    "original",
    "bak",
    "backup",
    "copy",
    "prev",
    "previous",
    "new",
    "next",
    "ng",
}
_NUMBER: Final = late(r"v?\d+\Z")
_OPENING: Final = late(
    r"\W*(?:(?:this|the) (?:module|file|package|script) (?:is|has been) (?:now )?)?deprecated\b",
    re.IGNORECASE,
)
_WORDS: Final = late(r"deprecat|RemovedIn", re.IGNORECASE)
_CATEGORY: Final = late(r"Deprecat\w*Warning\Z|PendingDeprecationWarning\Z|RemovedIn\w*Warning\Z")


def legacy_evidence(
    source: str | bytes, path: str, history: ModuleHistory | None = None, idle_months: float = IDLE_MONTHS
) -> Evidence | None:
    """Return the strongest fact that says the module is retired; None without one.

    Args:
        source: the module's text; what can't be parsed is judged by `path` and `history` alone.
        path: relative to the repository, with `/`.
        history: what git knows, if it was asked.
        idle_months: see `IDLE_MONTHS`.
    """
    tree = parsed(source) if _may_tell(source) else None
    own = None if tree is None else _own_words(tree, path)
    return own or _place(path) or (None if history is None else _past(path, history, idle_months))


def _may_tell(source: str | bytes) -> bool:
    """Tell whether the source has a word without which it can't say that it is retired: then it is parsed."""
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    return _WORDS.search(text) is not None


def superseded_evidence(path: str, history: ModuleHistory) -> Evidence | None:
    """Return the newest commit that imported something else where it had imported the module."""
    for each in history.removed_imports:
        if each.instead:
            new = ", ".join(each.instead[:3])
            detail = f"commit {each.commit[:SHOWN_DIGITS]} imports {new} in {each.importer} instead of it"
            return Evidence(kind="superseded", detail=detail, path=path)
    return None


def naming_evidence(path: str, twin: str) -> Evidence | None:
    """Return that two files are named as takes on one thing, such as `report` and `report_v2`."""
    stem, other = PurePosixPath(path).stem.lower(), PurePosixPath(twin).stem.lower()
    if stem == other or _theme(stem) != _theme(other) or not _theme(stem):
        return None
    return Evidence(kind="name", detail=f"its name is another take on {PurePosixPath(twin).name}", path=path)


def _theme(stem: str) -> str:
    """Return a file name without the words that only tell versions apart."""
    words = (_NUMBER.sub("", word) for word in _words(stem))
    return "_".join(word for word in words if word and word not in _TAKES)


def _words(stem: str) -> list[str]:
    return re.split(r"[_-]", stem)


def _own_words(tree: ast.Module, path: str) -> Evidence | None:
    docstring = ast.get_docstring(tree, clean=True)
    if docstring and _OPENING.match(docstring):
        line = docstring.partition("\n")[0].strip()[:80]
        return Evidence(kind="docstring", detail=f"its docstring begins: {line}", path=path, line=1)
    for call in _calls_at_import(tree):
        category = "deprecated()" if _is_deferred(call) else _deprecation(call)
        if category:
            detail = f"importing it warns with {category}"
            return Evidence(kind="deprecation_warning", detail=detail, path=path, line=call.lineno)
    return None


def _calls_at_import(tree: ast.Module) -> Iterator[ast.Call]:
    """Yield calls that are statements of the module itself, in branches too, but in no function or class."""
    stack: list[Any] = list(reversed(tree.body))
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value
        elif isinstance(node, ast.If | ast.Try | ast.With):
            for field in ("finalbody", "orelse", "body"):
                stack.extend(reversed(getattr(node, field, [])))


def _is_deferred(call: ast.Call) -> bool:
    """Tell whether it is `zope.deferredimport.deprecated(…)`: names that come with a warning."""
    return _last_name(call.func) == "deprecated" and bool(call.args)


def _deprecation(call: ast.Call) -> str | None:
    """Return the category of a `warnings.warn` call that announces the end of something."""
    if _last_name(call.func) not in ("warn", "warn_explicit"):
        return None
    given = [*call.args[1:2], *(each.value for each in call.keywords if each.arg == "category")]
    first = [each.func for each in call.args[:1] if isinstance(each, ast.Call)]
    names = (_last_name(each) for each in [*given, *first])
    return next((name for name in names if _CATEGORY.search(name)), None)


def _last_name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _place(path: str) -> Evidence | None:
    *folders, name = PurePosixPath(path.lower()).parts
    aside = next((folder for folder in folders if folder.lstrip("_") in _RETIRED), None)
    if aside is not None:
        return Evidence(kind="legacy_path", detail=f"it lies in a folder named {aside}", path=path)
    words = _words(PurePosixPath(name).stem.strip("_"))
    if {words[0], words[-1]} & _RETIRED:
        return Evidence(kind="legacy_path", detail=f"its file is named {name}", path=path)
    return None


def _past(path: str, history: ModuleHistory, idle_months: float) -> Evidence | None:
    if history.idle_days is None or not history.removed_imports:
        return None
    months = history.idle_days / _DAYS_A_MONTH
    if months < idle_months:
        return None
    last = history.removed_imports[0]
    left = f"{last.importer} stopped importing it in commit {last.commit[:SHOWN_DIGITS]}"
    detail = f"no commit for {months:.0f} months of the checkout's history, and {left}"
    return Evidence(kind="abandoned", detail=detail, path=path)
