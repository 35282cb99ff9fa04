"""The import graph of a checkout: ruff's edges put right, or those of Python's own parser.

Both leave the packages around an imported module out; `Names.ancestors` has them.
"""

import re
from collections.abc import Iterable, Mapping

from orphans.discovery.plain import Plain
from orphans.discovery.survey import Survey
from orphans.domain.detail import parse
from orphans.domain.late import late
from orphans.domain.names import INIT, base_of, folder_of, stem_of
from orphans.domain.told import Import

_BOUND = late(rb"\n[ \t]*(?:(?:async def|def|class) +([A-Za-z_]\w*)|([A-Za-z_]\w*) *(?::[^=\n]*)?=[^=])")
"""Names that a package's own top level, or a block of it, binds; imports bind them too, but make an edge."""
Edges = dict[str, set[str]]


def corrected(survey: Survey, plain: Plain) -> Edges:
    """Return ruff's edges among the checkout's modules, with what it gets wrong put right."""
    paths = survey.names.paths
    edges = {
        path: {each for each in plain.edges.get(path, ()) if each in paths and each != path} for path in paths
    }
    for path, targets in plain.edges.items():
        if path.endswith(".ipynb"):
            edges[path] = set(paths.intersection(targets))
    for path in paths:
        stub = path + "i"
        if path not in plain.edges:
            edges[path] = own_edges(survey, path)
        elif _is_loose(survey, path):
            edges[path] |= own_edges(survey, path)
        elif stub in plain.edges:
            edges[path].discard(stub)
    _drop_shadowing(survey, edges)
    return edges


def _is_loose(survey: Survey, path: str) -> bool:
    """Tell whether a file without an `__init__.py` beside it has relative imports, which ruff leaves out."""
    folder = folder_of(path)
    if folder in survey.names.packages or folder_of(folder) not in survey.names.packages:
        return False
    return any(each.startswith(".") for each in survey.facts[path].imports)


def parsed(survey: Survey) -> Edges:
    """Return the graph by Python's own parser: ten times the work, and no other program."""
    edges = {path: own_edges(survey, path) for path in sorted(survey.names.paths)}
    _drop_shadowing(survey, edges)
    return edges


def own_edges(survey: Survey, path: str) -> set[str]:
    """Return what one file imports, by its syntax; by its import lines when it can't be parsed."""
    detail = survey.detail(path)
    if detail is None:
        names = survey.facts[path].imports if path in survey.facts else ()
        found = [survey.names.find(each, path) for each in names if not each.startswith(".")]
        found += [survey.names.find_relative(each, path) for each in names if each.startswith(".")]
        return {each for each in found if each is not None and each != path}
    return {each for one in detail.imports for each in targets(survey, path, one)} - {path}


def targets(survey: Survey, path: str, one: Import) -> Iterable[str]:
    """Return the modules that one name of an import statement means: one, or none of this checkout."""
    names = survey.names
    if one.level:
        folder = folder_of(path)
        for _ in range(one.level - 1):
            folder = folder_of(folder)
        base = "/".join(filter(None, [folder, *one.module.split(".")]))
        inner = names.at(f"{base}/{one.name}".strip("/")) if one.name not in (None, "*") else None
        outer = names.at(base)
        return [each for each in (inner or outer,) if each is not None]
    inner = names.find(f"{one.module}.{one.name}", path) if one.name not in (None, "*") else None
    found = inner or _absolute(survey, one.module, path)
    return [found] if found is not None else []


def _absolute(survey: Survey, module: str, path: str) -> str | None:
    sibling = survey.names.at("/".join(filter(None, [folder_of(path), *module.split(".")])))
    if sibling is not None and folder_of(path) not in survey.names.packages:
        return sibling
    return survey.names.find(module, path)


def _drop_shadowing(survey: Survey, edges: Edges) -> None:
    """Take out what `from pkg import name` seems to import where `pkg` binds `name` itself."""
    doubtful = _doubtful(survey, edges)
    if not doubtful:
        return
    for path, found in edges.items():
        for each in found & doubtful:
            if path == f"{folder_of(each)}/{INIT}":
                continue  # what the package itself imports, it loads
            if not survey.is_test_file(path) and not _is_imported(survey, path, each):
                found.discard(each)


def _doubtful(survey: Survey, edges: Edges) -> set[str]:
    """Return the modules whose package binds their name to something else."""
    found: set[str] = set()
    for folder, children in survey.names.children.items():
        init = f"{folder}/{INIT}"
        if init not in survey.names.paths:
            continue
        words = _BOUND.findall(b"\n" + survey.data(init))
        bound = {(one or other).decode("ascii", "replace") for one, other in words}
        found.update(each for each in children if _own_stem(each) in bound and each not in edges[init])
    return found


def _own_stem(path: str) -> str:
    return base_of(folder_of(path)) if base_of(path) == INIT else stem_of(path)


def _is_imported(survey: Survey, path: str, target: str) -> bool:
    """Tell whether a file imports the module itself: `import pkg.name` or `from pkg.name import x`.

    The import lines tell it, except that of `import a, b` they tell only `a`: then the file is parsed.
    """
    stem = _own_stem(target)
    facts = survey.facts[path]
    named = [each for each in facts.imports if each.rpartition(".")[2] == stem]
    if any(target in targets(survey, path, _line(each)) for each in named):
        return True
    listed = rb"\n[ \t]*import[ \t][^\n]*,[^\n]*\b" + re.escape(stem.encode()) + rb"\b"
    if re.search(listed, b"\n" + survey.data(path)) is None:
        return False
    detail = survey.detail(path)
    return detail is None or any(target in targets(survey, path, each) for each in _whole(detail.imports))


def _line(text: str) -> Import:
    """Return an import line's module, with its dots, as an import of the module alone."""
    module = text.lstrip(".")
    return Import(len(text) - len(module), module, None, 0)


def _whole(imports: Iterable[Import]) -> list[Import]:
    """Return the imports as imports of their module alone."""
    return [Import(each.level, each.module, None, each.line) for each in imports if each.module]


def why_unreadable(survey: Survey, failed: Iterable[str], edges: Mapping[str, set[str]]) -> dict[str, str]:
    """Return the files that Python can't read either, with the reason; ruff's word alone isn't enough."""
    found = {}
    for path in failed:
        if path in edges:
            reason = syntax_problem(survey.data(path))
            if reason is not None:
                found[path] = reason
    return found


def syntax_problem(data: bytes) -> str | None:
    """Return why a source can't be read as Python 3, or None when it can."""
    import ast

    if parse(data) is not None:
        return None
    try:
        ast.parse(data)
    except SyntaxError as error:
        older = "print" in (error.msg or "") or "exec" in (error.msg or "")
        return f"{'Python 2: ' if older else ''}line {error.lineno}: {error.msg}"[:300]
    except (ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"[:300]
    return None
