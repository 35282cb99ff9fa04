"""What single nodes of a syntax tree tell."""

import ast
from collections.abc import Iterator

BRANCHES = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp,
    ast.With, ast.AsyncWith, ast.Assert, ast.comprehension, ast.match_case,
)  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef


def span(node: ast.stmt | ast.expr) -> int:
    """Return how many lines a node takes."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def docstring_span(node: ast.AST) -> int:
    """Return how many lines the docstring of a module, class or function takes."""
    body = getattr(node, "body", [])
    if body and isinstance(body[0], ast.Expr):
        value = body[0].value
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            return span(value)
    return 0


def is_annotated(function: Function) -> bool:
    """Whether every argument but self and the result have a type."""
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    if named and named[0].arg in {"self", "cls"}:
        named = named[1:]
    starred = [each for each in (arguments.vararg, arguments.kwarg) if each]
    returns = function.returns is not None or function.name == "__init__"
    return returns and all(each.annotation for each in [*named, *starred])


def complexity(function: Function) -> int:
    """Return branches plus one (McCabe), nested functions not counted in."""
    total = 1
    queue: list[ast.AST] = list(function.body)
    while queue:
        node = queue.pop()
        if isinstance(node, Function):
            continue
        if isinstance(node, ast.BoolOp):
            total += len(node.values) - 1
        elif isinstance(node, BRANCHES):
            total += 1
        queue.extend(ast.iter_child_nodes(node))
    return total


def imported_names(node: ast.Import | ast.ImportFrom, module: str, is_package: bool) -> Iterator[str]:
    """Yield the absolute dotted names that a statement of `module` imports."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = node.module or ""
    if node.level:
        here = module.split(".")
        up = node.level - (1 if is_package else 0)
        here = here[: len(here) - up] if up else here
        base = ".".join([*here, *([base] if base else [])])
    yield from (f"{base}.{alias.name}" for alias in node.names)
