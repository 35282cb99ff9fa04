"""Does a checkout have what its manifest names? Looked up in files and syntax trees; nothing is imported."""

import ast
from collections.abc import Callable
from typing import Final

from engines.domain.errors import ManifestError
from engines.domain.manifest import Manifest, Workflow

MAX_SOURCE: Final = 2_000_000

Exists = Callable[[str], bool]
"""Whether a repository-relative path exists."""
Read = Callable[[str], str | None]
"""The text of a repository-relative file; None when it is missing or no text."""


def check(manifest: Manifest, exists: Exists, read: Read) -> None:
    """Refuse a manifest that names what the checkout doesn't have.

    Functions are looked up in the syntax tree; a name that the module imports counts as its own, and a
    star import lets every name pass, because nothing is executed here.

    Raises:
        ManifestError: the first thing that is missing.
    """
    for path in manifest.import_paths:
        _require(manifest, exists(path), "import_paths", f"folder {path} is not in the repository")
    if manifest.pipeline is not None:
        _check_function(manifest, "pipeline", manifest.pipeline, read)
    for workflow in manifest.workflows.values():
        _check_workflow(manifest, workflow, exists, read)
    for entry in manifest.entry_points:
        if ":" in entry:
            _check_function(manifest, "entry_points", entry, read)
        else:
            _require(manifest, exists(entry), "entry_points", f"file {entry} is not in the repository")
    for path in manifest.tests:
        _require(manifest, exists(path), "tests", f"{path} is not in the repository")


def _require(manifest: Manifest, holds: bool, key: str, reason: str) -> None:
    if not holds:
        way_out = "commit it or mend the manifest"
        raise ManifestError(f"{manifest.file}: {key}: {reason}; {way_out}", file=manifest.file, field=key)


def _check_workflow(manifest: Manifest, workflow: Workflow, exists: Exists, read: Read) -> None:
    key = f"workflows.{workflow.name}"
    for step in workflow.steps:
        _check_function(manifest, f"{key}.steps", step, read)
    if workflow.input is not None:
        _require(
            manifest,
            exists(workflow.input),
            f"{key}.input",
            f"file {workflow.input} is not in the repository",
        )


def _check_function(manifest: Manifest, key: str, reference: str, read: Read) -> None:
    """Find the module's file and the function's name in it."""
    module, _, name = reference.partition(":")
    source = _source(manifest, module, read)
    _require(manifest, source is not None, key, f"module {module} is not in the repository")
    names, problem = defined_names(source or "")
    _require(manifest, not problem, key, f"module {module} can't be read: {problem}")
    _require(manifest, name in names or "*" in names, key, f"module {module} has no function {name}")


def _source(manifest: Manifest, module: str, read: Read) -> str | None:
    """Return the text of a module, looked up as the import system would."""
    stem = module.replace(".", "/")
    for folder in manifest.import_paths:
        prefix = "" if folder == "." else f"{folder}/"
        for path in (f"{prefix}{stem}/__init__.py", f"{prefix}{stem}.py"):
            text = read(path)
            if text is not None:
                return text
    return None


def defined_names(source: str) -> tuple[frozenset[str], str]:
    """Return the names that a module defines or imports at its top, and what kept it from being read.

    Names inside top-level `if`, `try` and `with` count; `*` stands for a star import.
    """
    if len(source) > MAX_SOURCE:
        return frozenset(), f"it is larger than {MAX_SOURCE} characters"
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        where = "" if error.lineno is None else f" in line {error.lineno}"
        return frozenset(), f"syntax error{where}"
    except (ValueError, RecursionError, MemoryError):
        return frozenset(), "it is no Python source"
    return frozenset(_names(tree.body)), ""


def _names(body: list[ast.stmt]) -> set[str]:
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {
                each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)
            }
        else:
            found |= _nested(node)
    return found


def _nested(node: ast.stmt) -> set[str]:
    """Return the names that a compound statement may define."""
    parts = [getattr(node, name, []) for name in ("body", "orelse", "finalbody")]
    handlers = getattr(node, "handlers", [])
    bodies = [*parts, *(handler.body for handler in handlers)]
    return set().union(*(_names(body) for body in bodies if isinstance(body, list)))
