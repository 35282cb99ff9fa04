"""Why one module of a checkout is alive, or why it isn't: the chain from what starts it, its past in git."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orphans.discovery.anew import connected
from orphans.discovery.edges import targets
from orphans.discovery.history import histories
from orphans.discovery.spread import Spread
from orphans.discovery.store import Store
from orphans.discovery.survey import Reached, Survey
from orphans.discovery.verdicts import Judge
from orphans.discovery.walk import walk
from orphans.domain.findings import Evidence, Finding, Reading
from orphans.domain.history import SHOWN_DIGITS, ModuleHistory
from orphans.domain.legacy import legacy_evidence, superseded_evidence
from orphans.domain.names import INIT, base_of, folder_of


class UnknownModuleError(ValueError):
    """The checkout has no module at this path."""


@dataclass(frozen=True, slots=True)
class Step:
    """One module of a chain, and what leads to it."""

    path: str
    why: str
    line: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {"path": self.path, "why": self.why, "line": self.line}


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be said of one module."""

    path: str
    #: `live`, `test_only`, `dead`, or `not judged`
    state: str
    #: from what starts it down to it; of a dead module from the head of its island
    chain: tuple[Step, ...]
    reason: str
    finding: Finding | None = None
    #: what git knows, newest first
    past: tuple[Evidence, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON."""
        return {
            "path": self.path,
            "state": self.state,
            "reason": self.reason,
            "chain": [each.to_json() for each in self.chain],
            "finding": self.finding.to_json() if self.finding is not None else None,
            "past": [each.to_json() for each in self.past],
        }


def explain(
    checkout: Path,
    path: str,
    *,
    reading: Reading = Reading.AUTO,
    cache: Path | None = None,
    skip: Iterable[str] = (),
) -> Explanation:
    """Return why the module at a repository-relative path is alive, or why it isn't.

    Args:
        checkout, reading, cache, skip: those of `scan`; of the cache only facts of files are used.
        path: the module.

    Raises:
        UnknownModuleError: there is none.
        NotADirectoryError, TooLargeError: see `scan`.
    """
    tree = walk(checkout, list(skip))
    if path not in tree.python:
        raise UnknownModuleError(f"{path!r} is no module of {checkout}")
    store = Store(cache, tree.root)
    store.load()
    survey, spread = connected(Survey(tree, store))
    if path in spread.live.seen:
        chain = _chain(survey, spread.live, path)
        return Explanation(path, "live", chain, f"{chain[0].path} is live: {chain[0].why}")
    judge = Judge(survey, spread, reading)
    finding = judge.findings().get(path)
    if finding is None:
        return _unjudged(survey, spread, path)
    if path in spread.tested.seen:
        return Explanation(path, "test_only", _chain(survey, spread.tested, path), finding.reason, finding)
    chain = _import_steps(survey, finding.chain, "nothing live leads to it")
    past = tuple(_past(survey, checkout, path))
    return Explanation(path, "dead", chain, finding.reason, finding, past)


def _unjudged(survey: Survey, spread: Spread, path: str) -> Explanation:
    """Say why a module that nothing live reaches is no finding."""
    chain = _chain(survey, spread.tested, path) if path in spread.tested.seen else ()
    known = (
        (survey.is_vendored(path), "it is another project's code, carried along"),
        (survey.is_template(path), "it is a template of a project, and nobody's module"),
        (path in survey.unreadable, f"it can't be read: {survey.unreadable.get(path)}"),
        (survey.is_test(path), "it belongs to the tests"),
        (f"/{path}".find("/.") >= 0, "it is a tool in a folder that begins with a dot"),
    )
    why = next((text for holds, text in known if holds), "it is an empty package")
    return Explanation(path, "not judged", chain, why)


def _chain(survey: Survey, reached: Reached, path: str) -> tuple[Step, ...]:
    """Return the shortest chain of imports down to a module, from one that something else keeps."""
    upwards = _importers(survey, reached.seen)
    before: dict[str, str | None] = {path: None}
    todo = deque([path])
    while todo:
        each = todo.popleft()
        if each in reached.kept:
            return _from_root(survey, reached.kept[each], _followed(each, before))
        for parent in upwards.get(each, ()):
            if parent not in before:
                before[parent] = each
                todo.append(parent)
    return (Step(path, "reached by an import that isn't recorded"),)


def _followed(start: str, before: dict[str, str | None]) -> list[str]:
    found: list[str] = []
    each: str | None = start
    while each is not None:
        found.append(each)
        each = before[each]
    return found


def _importers(survey: Survey, seen: set[str]) -> dict[str, list[str]]:
    """Return who leads to each module: what imports it and, of a package, what is in it and reached."""
    found: dict[str, list[str]] = {}
    for path in sorted(seen & survey.names.paths):
        for each in sorted(survey.edges.get(path, ())):
            found.setdefault(each, []).append(path)
    for path in sorted(seen & survey.names.paths):
        for each in survey.names.ancestors(path):
            found.setdefault(each, []).append(path)
    return found


def _from_root(survey: Survey, why: Evidence, paths: list[str]) -> tuple[Step, ...]:
    place = f" (line {why.line} of {why.path})" if why.path not in (None, paths[0]) and why.line else ""
    return _import_steps(survey, paths, why.detail + place)


def _import_steps(survey: Survey, paths: Iterable[str], first: str) -> tuple[Step, ...]:
    """Return a step for each path; all but the first are imported by the one before."""
    found: list[Step] = []
    for path in paths:
        if not found:
            found.append(Step(path, first))
            continue
        line = _line(survey, found[-1].path, path)
        inside = base_of(path) == INIT and f"{found[-1].path}/".startswith(f"{folder_of(path)}/")
        why = "the package around it" if line is None and inside else f"imported by {found[-1].path}"
        found.append(Step(path, why, line))
    return tuple(found)


def _line(survey: Survey, importer: str, path: str) -> int | None:
    detail = survey.detail(importer)
    lines = (
        (each.line for each in detail.imports if path in targets(survey, importer, each)) if detail else ()
    )
    return next(iter(lines), None)


def _past(survey: Survey, checkout: Path, path: str) -> Iterable[Evidence]:
    """Yield what git's history says of a dead module; nothing outside of a git checkout."""
    history = histories(checkout, [path]).get(path)
    if history is None:
        return
    for each in (superseded_evidence(path, history), legacy_evidence(survey.data(path), path, history)):
        if each is not None:
            yield each
    yield from _last_import(path, history)


def _last_import(path: str, history: ModuleHistory) -> Iterable[Evidence]:
    for each in history.removed_imports[:1]:
        detail = f"last imported by {each.importer}, until commit {each.commit[:SHOWN_DIGITS]}"
        yield Evidence(kind="last_import", detail=detail, path=path)
    for former in history.former_paths[:1]:
        yield Evidence(kind="moved", detail=f"it was {former} before", path=path)
