"""Read the facts of every Python file of a checkout without importing it."""

import ast
import fnmatch
import io
import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from scripts.style.nodes import Function, complexity, docstring_span, imported_names, is_annotated, span

SKIPPED_DIRS = {
    ".git", ".hg", ".nox", ".tox", ".venv", "venv", "node_modules", "__pycache__",
    "build", "dist", "site-packages", "migrations", "docs", "doc", "examples",
}  # fmt: skip
TEST_DIRS = {"tests", "test"}
MOCKS = {"patch", "Mock", "MagicMock", "AsyncMock"}
WIDE = 100
SUPPRESSIONS = ("noqa", "type: ignore", "pragma: no cover")
MARKS = ("TO" + "DO", "FIX" + "ME", "XX" + "X")


@dataclass
class FunctionFacts:
    """One function or method."""

    name: str
    where: str
    #: without its docstring
    lines: int
    complexity: int
    documented: bool
    annotated: bool
    public: bool


@dataclass
class Import:
    """One imported name: `target` may be a module or a name inside one."""

    target: str
    deferred: bool


@dataclass
class FileFacts:
    """One file."""

    path: Path
    module: str
    is_test: bool
    lines: int = 0
    code_lines: int = 0
    comment_lines: int = 0
    docstring_lines: int = 0
    long_lines: int = 0
    documented: bool = False
    functions: list[FunctionFacts] = field(default_factory=list)
    class_methods: list[int] = field(default_factory=list)
    longest_script: int = 0
    imports: list[Import] = field(default_factory=list)
    asserts: int = 0
    mocks: int = 0
    suppressions: int = 0
    todos: int = 0


def is_test_file(relative: Path) -> bool:
    """Whether its folder or name says that it is a test."""
    name = relative.name
    return (
        any(part in TEST_DIRS or part.startswith(("tests_", "test_")) for part in relative.parts[:-1])
        or name.startswith("test_")
        or name.endswith("_test.py")
        or name in {"tests.py", "conftest.py"}
    )


def module_name(path: Path, root: Path) -> str:
    """Return the dotted name under which `path` is imported, seen from its topmost package.

    Folders without an __init__.py below a package (Django's `management/commands/` often
    has none) still belong to it.
    """
    top = path.parent
    for folder in reversed(path.relative_to(root).parents):
        if (root / folder / "__init__.py").exists() and root / folder != root:
            top = (root / folder).parent
            break
    parts = list(path.relative_to(top).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    return ".".join(parts) or path.parent.name


class Visitor(ast.NodeVisitor):
    """Adds what the syntax tree tells to a file's facts."""

    def __init__(self, facts: FileFacts) -> None:
        self._facts = facts
        self._is_package = facts.path.name == "__init__.py"
        self._depth = 0

    def visit(self, node: ast.AST) -> None:
        """Take in one node and what is below it."""
        if isinstance(node, Function):
            self._take_function(node)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:  # imports for the type checker only are no dependencies
                self.visit(other)
        else:
            self._take(node)
            self.generic_visit(node)

    def _take(self, node: ast.AST) -> None:
        facts = self._facts
        if isinstance(node, ast.ClassDef):
            facts.docstring_lines += docstring_span(node)
            facts.class_methods.append(sum(isinstance(each, Function) for each in node.body))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = imported_names(node, facts.module, self._is_package)
            facts.imports += [Import(name, deferred=self._depth > 0) for name in names]
        elif isinstance(node, ast.Assert):
            facts.asserts += 1
        elif isinstance(node, ast.Call):
            self._take_call(node.func)

    def _take_function(self, node: Function) -> None:
        words = docstring_span(node)
        self._facts.docstring_lines += words
        self._facts.functions.append(
            FunctionFacts(
                name=node.name,
                where=f"{self._facts.path}:{node.lineno}",
                lines=span(node) - words,
                complexity=complexity(node),
                documented=words > 0,
                annotated=is_annotated(node),
                public=not node.name.startswith("_"),
            )
        )
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1

    def _take_call(self, function: ast.expr) -> None:
        dotted = ast.unparse(function) if isinstance(function, ast.Attribute | ast.Name) else ""
        name = dotted.rpartition(".")[2]
        self._facts.asserts += name.startswith("assert") or dotted.endswith("pytest.raises")
        self._facts.mocks += name in MOCKS or "monkeypatch." in dotted or "patch.object" in dotted


def read_file(path: Path, root: Path) -> FileFacts | None:
    """Return the facts of a file; None where it isn't Python 3."""
    source = path.read_text(encoding="utf-8", errors="replace")
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    facts = FileFacts(path, module_name(path, root), is_test_file(path.relative_to(root)))
    lines = source.splitlines()
    facts.lines = len(lines)
    facts.long_lines = sum(len(line) > WIDE for line in lines)
    facts.docstring_lines = docstring_span(tree)
    facts.documented = facts.docstring_lines > 0
    own_lines = sum(_take_comments(facts, source, lines))
    Visitor(facts).visit(tree)
    scripts = (n for n in tree.body if isinstance(n, ast.If | ast.For | ast.While | ast.With | ast.Try))
    facts.longest_script = max(map(span, scripts), default=0)
    blank = sum(not line.strip() for line in lines)
    facts.code_lines = max(facts.lines - blank - own_lines - facts.docstring_lines, 0)
    return facts


def _take_comments(facts: FileFacts, source: str, lines: Sequence[str]) -> Iterator[bool]:
    """Count comments and what they say; yield for each whether it has the line to itself."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            facts.comment_lines += 1
            facts.suppressions += any(mark in token.string for mark in SUPPRESSIONS)
            facts.todos += any(mark in token.string for mark in MARKS)
            yield lines[token.start[0] - 1].lstrip().startswith("#")


def read_checkout(root: Path, excludes: Sequence[str]) -> list[FileFacts]:
    """Return the facts of all files that aren't left out."""
    found = []
    for path in sorted(root.rglob("*.py")):
        relative = path.relative_to(root)
        left_out = any(fnmatch.fnmatch(str(relative), pattern) for pattern in excludes)
        if left_out or SKIPPED_DIRS.intersection(relative.parts[:-1]):
            continue
        facts = read_file(path, root)
        if facts and facts.lines:
            found.append(facts)
    return found
