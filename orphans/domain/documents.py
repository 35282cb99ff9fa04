"""The three JSON files about orphan modules as people edit them, and as they are written.

`orphan_modules.json` is a list of paths (the old form) or `{path: {parents, redundant, classification …}}`,
`orphan_classifications.json` is `{path: {parents, classification, redundant}}`, `module_map.json` is
`{path: group}` or `{"modules": {path: group}}`. Unknown keys are passed over; a bad entry is named and left.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any, Final

from orphans.domain.findings import Classification

MAX_ENTRIES: Final = 100_000
MAX_PATH: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """What a file says of one module; None where it says nothing."""

    path: str
    classification: Classification | None = None
    redundant: bool | None = None
    parents: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Document:
    """A file's entries by path, and what was wrong with the others."""

    entries: Mapping[str, Listed] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Map:
    """A module map: group numbers by path, and what was wrong with other entries."""

    groups: Mapping[str, int] = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def read_modules(data: Any) -> Document:
    """Read `orphan_modules.json` or `orphan_classifications.json`.

    >>> sorted(read_modules(["util.py"]).entries)
    ['util.py']
    """
    if isinstance(data, list):
        pairs: list[tuple[Any, Any]] = [(path, {}) for path in data]
    elif isinstance(data, dict):
        pairs = list(data.items())
    else:
        return Document(problems=("it is neither a list nor an object",))
    entries: dict[str, Listed] = {}
    problems = _too_many(pairs)
    for path, told in pairs[:MAX_ENTRIES]:
        fault = _fault(path) or ("" if isinstance(told, dict) else f"{_shown(path)}: is no object")
        if fault:
            problems.append(fault)
        else:
            entries[path] = _listed(path, told, problems)
    return Document(entries, tuple(problems))


def _listed(path: str, told: Mapping[str, Any], problems: list[str]) -> Listed:
    word, redundant, parents = told.get("classification"), told.get("redundant"), told.get("parents")
    classification = next((each for each in Classification if each == word), None)
    if word is not None and classification is None:
        problems.append(f"{path}: {_shown(word)} is no classification")
    return Listed(
        path=path,
        classification=classification,
        redundant=redundant if isinstance(redundant, bool) else None,
        parents=tuple(each for each in parents if not _fault(each)) if isinstance(parents, list) else None,
    )


def read_map(data: Any) -> Map:
    """Read `module_map.json`, flat or below `modules`."""
    inner = data.get("modules", data) if isinstance(data, dict) else data
    if not isinstance(inner, dict):
        return Map(problems=("it is no object",))
    pairs = list(inner.items())
    groups: dict[str, int] = {}
    problems = _too_many(pairs)
    for path, group in pairs[:MAX_ENTRIES]:
        whole = isinstance(group, int) and not isinstance(group, bool) and 0 <= group < 2**31
        fault = _fault(path) or ("" if whole else f"{_shown(path)}: group must be a whole number from 0")
        if fault:
            problems.append(fault)
        else:
            groups[path] = group
    return Map(groups, tuple(problems))


def _too_many(pairs: list[Any]) -> list[str]:
    return (
        [f"only the first {MAX_ENTRIES} of {len(pairs)} entries were read"]
        if len(pairs) > MAX_ENTRIES
        else []
    )


def _fault(path: Any) -> str:
    """Say why this is no repository-relative POSIX path of a module; empty when it is one."""
    if not isinstance(path, str) or not 0 < len(path) <= MAX_PATH:
        return f"{_shown(path)}: is no path"
    parts = PurePosixPath(path).parts
    if path.startswith("/") or "\\" in path or "\0" in path or ".." in parts or path != "/".join(parts):
        return f"{_shown(path)}: must be relative to the repository, with / and without .."
    return "" if path.endswith(".py") else f"{_shown(path)}: is no Python file"


def _shown(value: Any) -> str:
    return repr(value)[:80]


def is_module_path(path: str) -> bool:
    """Tell whether a path may name a module of a repository."""
    return not _fault(path)


def conflicts(document: Document, known: Mapping[str, Listed]) -> list[str]:
    """Say where a file and the rows disagree; `known` is what the rows say, by path.

    >>> said = Document({"a.py": Listed(path="a.py", classification=Classification.LEGACY)})
    >>> conflicts(said, {"a.py": Listed(path="a.py", classification=Classification.ISOLATED)})
    ['a.py: the file says legacy, the latest scan says isolated']
    """
    found = []
    for path, said in sorted(document.entries.items()):
        row = known.get(path)
        if row is None:
            found.append(f"{path}: the file lists it, the latest scan doesn't know it as an orphan")
            continue
        if said.classification and row.classification and said.classification != row.classification:
            found.append(
                f"{path}: the file says {said.classification}, the latest scan says {row.classification}"
            )
        if said.redundant is not None and row.redundant is not None and said.redundant != row.redundant:
            words = "redundant" if said.redundant else "not redundant"
            found.append(f"{path}: the file says {words}, the latest scan the opposite")
    return found
