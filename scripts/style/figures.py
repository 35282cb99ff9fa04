"""From file facts to the figures of a checkout."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from scripts.style import graph
from scripts.style.reading import FileFacts, FunctionFacts, read_checkout

Figures = dict[str, float]
LONG_FUNCTION = 50
MANY_BRANCHES = 10
HARDLY_CODE = 3
"""An empty __init__.py says nothing about how big a file is allowed to grow."""


def percentile(values: Sequence[int], part: float) -> float:
    """Return the value that the given part of all values lies below."""
    ordered = sorted(values)
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)] if ordered else 0


def median(values: Sequence[int]) -> float:
    """Return the median, 0 of nothing."""
    return statistics.median(values) if values else 0


def share(part: float, whole: float) -> float:
    """Return part of whole to three places, 0 of nothing."""
    return round(part / whole, 3) if whole else 0.0


def measure(root: Path, excludes: Sequence[str]) -> tuple[Figures, list[FileFacts]]:
    """Return the figures of a checkout and what they were made from."""
    files = read_checkout(root, excludes)
    code = [facts for facts in files if not facts.is_test]
    tests = [facts for facts in files if facts.is_test]
    functions = [function for facts in code for function in facts.functions]
    return {
        **sizes(code, tests),
        **function_figures(functions),
        **text_figures(code),
        **tree_figures(root, code),
        **graph_figures(code),
        **test_figures(tests),
    }, files


def sizes(code: Sequence[FileFacts], tests: Sequence[FileFacts]) -> Figures:
    """Return how much there is, and how large files get."""
    sized = [facts.lines for facts in code if facts.code_lines > HARDLY_CODE]
    code_lines = sum(facts.code_lines for facts in code)
    test_lines = sum(facts.code_lines for facts in tests)
    methods = [count for facts in code for count in facts.class_methods]
    return {
        "code_files": len(code),
        "code_lines": code_lines,
        "test_lines": test_lines,
        "test_ratio": share(test_lines, code_lines),
        "file_median": median(sized),
        "file_p90": percentile(sized, 0.9),
        "file_max": max(sized, default=0),
        "script_max": max((facts.longest_script for facts in code), default=0),
        "methods_median": median(methods),
        "methods_p90": percentile(methods, 0.9),
    }


def function_figures(functions: Sequence[FunctionFacts]) -> Figures:
    """Return how functions are built."""
    lines = [function.lines for function in functions]
    branches = [function.complexity for function in functions]
    public = [function for function in functions if function.public]
    return {
        "functions": len(functions),
        "fn_median": median(lines),
        "fn_p90": percentile(lines, 0.9),
        "fn_max": max(lines, default=0),
        "fn_over_50": share(sum(count > LONG_FUNCTION for count in lines), len(functions)),
        "cc_p90": percentile(branches, 0.9),
        "cc_over_10": share(sum(count > MANY_BRANCHES for count in branches), len(functions)),
        "fn_docs": share(sum(function.documented for function in functions), len(functions)),
        "public_docs": share(sum(function.documented for function in public), len(public)),
        "annotated": share(sum(function.annotated for function in functions), len(functions)),
    }


def text_figures(code: Sequence[FileFacts]) -> Figures:
    """Return what stands beside the statements."""
    lines = sum(facts.code_lines for facts in code)
    return {
        "module_docs": share(sum(facts.documented for facts in code), len(code)),
        "comments": share(sum(facts.comment_lines for facts in code), lines),
        "doc_lines": share(sum(facts.docstring_lines for facts in code), lines),
        "suppress_k": round(1000 * sum(facts.suppressions for facts in code) / max(lines, 1), 1),
        "todos_k": round(1000 * sum(facts.todos for facts in code) / max(lines, 1), 1),
        "over_100": share(sum(facts.long_lines for facts in code), sum(facts.lines for facts in code)),
    }


def tree_figures(root: Path, code: Sequence[FileFacts]) -> Figures:
    """Return the shape of the tree."""
    entries = list(root.iterdir())
    return {
        "top_dirs": sum(entry.is_dir() and entry.name != ".git" for entry in entries),
        "top_files": sum(entry.is_file() for entry in entries),
        "dir_depth": max((len(facts.path.relative_to(root).parts) - 1 for facts in code), default=0),
    }


def graph_figures(code: Sequence[FileFacts]) -> Figures:
    """Return how modules and apps hang together."""
    imports = graph.read_imports(code)
    tangled = graph.tangles(imports.graph)
    apps = graph.app_graph(imports.graph)
    return {
        "import_chain": graph.longest_chain(imports.graph),
        "fan_out_p90": percentile(graph.fan_out(imports.graph), 0.9),
        "deferred": share(imports.deferred, imports.internal),
        "cycles": len(tangled),
        "cycle_max": max(map(len, tangled), default=0),
        "in_cycles": share(sum(map(len, tangled)), len(imports.graph)),
        "apps": len(apps),
        "app_mutual": graph.mutual(apps),
        "app_tangle": max(map(len, graph.tangles(apps)), default=0),
    }


def test_figures(tests: Sequence[FileFacts]) -> Figures:
    """Return how tests are built."""
    lines = [f.lines for facts in tests for f in facts.functions if f.name.startswith("test")]
    return {
        "tests": len(lines),
        "test_median": median(lines),
        "test_p90": percentile(lines, 0.9),
        "asserts": round(share(sum(facts.asserts for facts in tests), len(lines)), 1),
        "mocks": round(share(sum(facts.mocks for facts in tests), len(lines)), 2),
    }
