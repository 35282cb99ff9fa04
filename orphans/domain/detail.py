"""What the syntax of one file tells: imports with their lines, strings with their context, run-time loaders.

Only files that the cheap facts point at are parsed. A file is parsed and walked, never compiled or run.
"""

import ast
import re
import warnings
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from orphans.domain.folding import HOLE, Place, Scope, absolute, alternatives, fold, place_of, tail_of
from orphans.domain.late import late
from orphans.domain.syntax import children
from orphans.domain.told import Call, Context, Detail, Import, Loader, Said

Steps: TypeAlias = list[tuple[ast.AST, Context, int]]
"""Nodes still to look at, each with the names around it and the literal it stands in."""

MAX_TEXT: Final = 4000
LOADS: Final = late(
    r"import|load|locate|resolve|run_module|find_spec|get_class|symbol_by|lazy", re.IGNORECASE
)
IMPORTS: Final = late(r"import_module|__import__|spec_from|load|exec|run_path|run_module|import_|find_module")
SCANS: Final = late(
    r"^_*(?:import|load|scan|discover|auto|walk|register|collect|find|include|wire|setup|init|add)\w*$",
    re.IGNORECASE,
)
LISTS: Final = {"listdir", "scandir", "walk", "iterdir", "glob", "iglob", "rglob"}
OWN: Final = {"__file__", "__path__", "__name__", "__package__"}
GATHERED: Final = late(r"modules|plugins", re.IGNORECASE)
"""Functions of one's own that list the modules beside the caller."""
WALKS: Final = {"iter_modules", "walk_packages"}
_PACKAGE: Final = late(r"\.{0,3}[A-Za-z_][\w.]*|(?:\./)?[A-Za-z_]\w*(?:/\w+)*/?")
"""A package by name, or by its folder."""
PLAIN_STATEMENTS: Final = (
    ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Assign,
    ast.AnnAssign, ast.AugAssign, ast.Pass, ast.If, ast.Try, ast.Delete, ast.Assert, ast.Global,
)  # fmt: skip


def parse(source: bytes) -> ast.Module | None:
    """Return the tree, or None when this Python can't read the source."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


Bound: TypeAlias = tuple[tuple[str, str], ...]


def bound_by(source: bytes) -> Bound | None:
    """Return the names that imports bind, with what they stand for, or None when that can't be read."""
    tree = parse(source)
    if tree is None:
        return None
    walk = _Walk(tree, Detail(), "", "", "")
    walk.run()
    return tuple(walk.aliases.items())


def detail_of(source: bytes, path: str, name: str, package: str, bound: Bound = ()) -> Detail | None:
    """Return what the syntax tells, or None when it can't be read.

    Args:
        source: the file's bytes.
        path: where it lies in the checkout.
        name: its dotted name.
        package: the dotted name of the package it is in, or is.
        bound: what imports before it bind.
    """
    tree = parse(source)
    if tree is None:
        return None
    _top_level(tree, found := Detail())
    walk = _Walk(tree, found, path, name, package)
    walk.aliases.update(bound)
    walk.run()
    return found


def _top_level(tree: ast.Module, found: Detail) -> None:
    for node in _statements(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.lazy = found.lazy or node.name == "__getattr__"
        is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        found.filled = found.filled or not is_text
        found.guarded = found.guarded or (isinstance(node, ast.If) and _is_guard(node.test))
        if not is_text and not isinstance(node, PLAIN_STATEMENTS):
            found.executes = True


def _is_guard(test: ast.expr) -> bool:
    names = {each.id for each in ast.walk(test) if isinstance(each, ast.Name)}
    texts = {each.value for each in ast.walk(test) if isinstance(each, ast.Constant)}
    return "__name__" in names and "__main__" in texts


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    """Yield the statements of the top level and of its conditions."""
    todo = list(reversed(tree.body))
    while todo:
        node = todo.pop()
        yield node
        for name in ("orelse", "body", "finalbody"):
            if isinstance(node, ast.If | ast.Try):
                todo.extend(reversed(getattr(node, name, [])))
        if isinstance(node, ast.Try):
            todo.extend(each for handler in node.handlers for each in handler.body)


class _Walk:
    def __init__(self, tree: ast.Module, found: Detail, path: str, name: str, package: str) -> None:
        self.tree, self.found = tree, found
        self.values: dict[str, ast.expr] = {}
        self.often: set[str] = set()
        self.aliases: dict[str, str] = {}
        self.groups = 0
        #: parameter to the functions that have it, with their lines
        self.parameters: dict[str, list[tuple[int, int, str]]] = {}
        self.assigned: dict[str, list[tuple[int, ast.expr]]] = {}
        self.scope = Scope(path, name, package, self.values, self.aliases)
        self.called: dict[str, list[tuple[int, ast.Call]]] = {}
        self.calls = 0

    def run(self) -> None:
        stack: Steps = [(self.tree, (), 0)]
        while stack:
            node, context, group = stack.pop()
            handler = _HANDLERS.get(type(node))
            if handler is None:
                stack += [(each, context, group) for each in children(node)]
            elif found := handler(self, node, context, group):
                found.reverse()
                stack += found
        for name in {*self.often, *filter(self._is_given, self.parameters)}:
            self.values.pop(name, None)
        self._loaders()

    def _loaders(self) -> None:
        """Look into the calls of names that may load something, in their order; a name is judged once."""
        imports = any(IMPORTS.search(name) for name in self.called)
        telling = [name for name in self.called if _tells(name, imports=imports)]
        found = [(at, name, call) for name in telling for at, call in self.called[name]]
        for _, name, call in sorted(found):
            self._loader(call, name, imports=imports)

    def _expression(self, node: Any, context: Context, group: int) -> Steps:
        """Pass over docstrings, and other constants that stand alone."""
        return [] if isinstance(node.value, ast.Constant) else [(node.value, context, group)]

    def _say(self, node: Any, context: Context, group: int) -> Steps:
        if isinstance(node.value, str) and 1 < len(node.value) <= MAX_TEXT:
            self.found.strings.append(Said(node.value, node.lineno, context, group))
        return []

    def _import(self, node: Any, context: Context, group: int) -> Steps:
        for each in node.names:
            if isinstance(node, ast.Import):
                self.found.imports.append(Import(0, each.name, None, node.lineno))
                top = each.name.partition(".")[0]
                self.aliases[each.asname or top] = each.name if each.asname else top
            else:
                module = node.module or ""
                self.found.imports.append(Import(node.level, module, each.name, node.lineno))
                start = "." * node.level + module + ("." if module else "")
                self.aliases[each.asname or each.name] = start + each.name
        return []

    def _assign(self, node: Any, context: Context, group: int) -> Steps:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        names = [tail_of(each) for each in targets if isinstance(each, ast.Name | ast.Attribute)]
        for each in targets:
            if isinstance(each, ast.Name):
                if each.id in self.values or not isinstance(node, ast.Assign | ast.AnnAssign | ast.NamedExpr):
                    self.often.add(each.id)
                if node.value is not None:
                    self.values.setdefault(each.id, node.value)
                    self.assigned.setdefault(each.id, []).append((node.lineno, node.value))
        keys: Steps = [
            (each.slice, (*context, tail_of(each.value)), group)
            for each in targets
            if isinstance(each, ast.Subscript)
        ]
        return [*keys, (node.value, (*context, *names), group)] if node.value is not None else keys

    def _call(self, node: Any, context: Context, group: int) -> Steps:
        name = tail_of(node.func)
        self.calls += 1
        self.called.setdefault(name, []).append((self.calls, node))
        owner = tail_of(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        inner = (*context, *([owner] if owner.isupper() else ()), name)
        keywords = [(each.value, (*inner, each.arg or "**"), group) for each in node.keywords]
        return [(node.func, context, group), *((each, inner, group) for each in node.args), *keywords]

    def _dict(self, node: Any, context: Context, group: int) -> Steps:
        self.groups += 1
        mine = self.groups
        found: Steps = []
        for key, value in zip(node.keys, node.values, strict=True):
            word = key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""
            if key is not None:
                found.append((key, (*context, "{}"), mine))
            found.append((value, (*context, word) if word else context, mine))
        return found

    def _group(self, node: Any, context: Context, group: int) -> Steps:
        self.groups += 1
        mine = self.groups
        return [(each, context, mine) for each in reversed(children(node))]

    def _joined(self, node: Any, context: Context, group: int) -> Steps:
        """Look only into the fields of an f-string: its text is half a name."""
        text = "".join(
            each.value
            for each in node.values
            if isinstance(each, ast.Constant) and isinstance(each.value, str)
        )
        if "-m " in text or ".py" in text:
            self.found.strings.append(Said(text[:MAX_TEXT], node.lineno, (*context, "f"), group))
        return [(each, context, group) for each in node.values if not isinstance(each, ast.Constant)]

    def _function(self, node: Any, context: Context, group: int) -> Steps:
        """Leave annotations out: a type's name in quotes imports nothing."""
        every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        for each in every:
            lines = (node.lineno, node.end_lineno or node.lineno, node.name)
            self.parameters.setdefault(each.arg, []).append(lines)
        parts: list[ast.AST] = [*node.decorator_list, *node.args.defaults]
        parts += [each for each in node.args.kw_defaults if each is not None]
        return [(each, context, group) for each in (*parts, *node.body)]

    def _loader(self, call: ast.Call, name: str, *, imports: bool) -> None:
        if name in WALKS:
            self._walks(call, deep=name == "walk_packages")
        elif name in LISTS and imports:
            self._files(call, name)
        elif imports and (name == "join" or IMPORTS.search(name)):
            self._by_path(call)
        own = any(isinstance(each, ast.Name) and each.id in OWN for each in call.args)
        if own and GATHERED.search(name):
            self.found.loaders.append(Loader(call.lineno, place=Place(path=self.scope.path)))
        if name == "define_import_structure":
            self._lists(call, _argument(call, 0, "path"), deep=True)
        if LOADS.search(name):
            self._names(call, name)
        if SCANS.match(name):
            self._scan(call, name)

    def _walks(self, call: ast.Call, *, deep: bool) -> None:
        """Note a walk over packages: by its path, else by the prefix that it gives to their names."""
        prefix = fold(_argument(call, 1, "prefix"), self.scope)
        where = _argument(call, 0, "path")
        if len(prefix) == 1 and prefix[0] and prefix[0].endswith("."):
            place = Place(module=prefix[0].rstrip("."))
            self.found.loaders.append(Loader(call.lineno, place=place, deep=deep))
        else:
            self._lists(call, where, deep=deep)

    def _by_path(self, call: ast.Call) -> None:
        """Note a file of a known folder, by a name that isn't known: `join(HERE, name + ".py")`."""
        known = [self.values.get(each.id, each) if isinstance(each, ast.Name) else each for each in call.args]
        texts = [each.value for node in known for each in ast.walk(node) if isinstance(each, ast.Constant)]
        if ".py" not in texts or any(isinstance(each, ast.Lambda) for each in known):
            return
        for each in (call, *known):
            place = place_of(each, self.scope)
            if place is not None and not place.loose and place.path and not place.path.endswith(".py"):
                self.found.loaders.append(Loader(call.lineno, place=Place(path=place.path)))
                return

    def _lists(self, call: ast.Call, where: ast.expr | None, *, deep: bool, glob: str = "*") -> None:
        place = place_of(where, self.scope)
        helper = None if place is not None and not place.below else self._helper(where)
        if place is not None or helper is not None:
            self.found.loaders.append(Loader(call.lineno, place=place, deep=deep, glob=glob, helper=helper))

    def _helper(self, where: ast.expr | None) -> str | None:
        """Return the function whose own parameter names what is listed."""
        names = (
            [each.id for each in ast.walk(where) if isinstance(each, ast.Name)] if where is not None else []
        )
        line = where.lineno if where is not None else 0
        made = [self._latest(each, line) for each in names]
        names += [
            each.id for value in made if value for each in ast.walk(value) if isinstance(each, ast.Name)
        ]
        found = (self._owner(each, line) for each in names)
        return next((each for each in found if each is not None), None)

    def _latest(self, name: str, line: int) -> ast.expr | None:
        """Return what was assigned to a name last before a line."""
        before = [each for each in self.assigned.get(name, ()) if each[0] <= line]
        return max(before, key=lambda each: each[0])[1] if before else None

    def _is_given(self, name: str) -> bool:
        """Tell whether a function changes a parameter of this name: what it holds isn't known."""
        return any(self._owner(name, line) is not None for line, _ in self.assigned.get(name, ()))

    def _owner(self, name: str, line: int) -> str | None:
        """Return the innermost function around a line that has a parameter of this name."""
        around = [each for each in self.parameters.get(name, ()) if each[0] <= line <= each[1]]
        return max(around)[2] if around else None

    def _files(self, call: ast.Call, name: str) -> None:
        owner = call.func.value if isinstance(call.func, ast.Attribute) else None
        of_module = isinstance(owner, ast.Name) and owner.id in {"os", "glob"}
        text = _literal(_argument(call, 0, "pathname"), self.scope)
        glob = text.rpartition("/")[2] if "*" in text else "*"
        if of_module or owner is None:
            where = _argument(call, 0, "pathname")
            deep = name == "walk" or "**" in text
        else:
            where, deep = owner, name == "rglob" or "**" in text
        if glob.endswith((".py", "*")):
            self._lists(call, where, deep=deep, glob=glob.removesuffix(".py"))

    def _names(self, call: ast.Call, name: str) -> None:
        node = _argument(call, 0, "name")
        if isinstance(node, ast.Name) and node.id in self.often and self._owner(node.id, call.lineno) is None:
            node = self._latest(node.id, call.lineno) or node
        for each in alternatives(node, self.scope):
            self._named(call, name, each)

    def _named(self, call: ast.Call, name: str, node: ast.expr | None) -> None:
        pieces = fold(node, self.scope)
        package = _argument(call, 1, "package") if name == "import_module" else None
        if package is not None:
            base = fold(package, self.scope)
            known = base[0] if len(base) == 1 and base[0] else self.scope.package
            pieces = absolute(known, pieces)
        elif pieces[0] is not None and pieces[0].startswith("."):
            pieces = absolute(self.scope.package, pieces)
        if None in pieces and pieces != HOLE:
            self.found.loaders.append(Loader(call.lineno, pieces=pieces))
        elif pieces == HOLE:
            self.found.loaders.append(Loader(call.lineno, pieces=HOLE, helper=self._helper(node)))
        elif pieces[0] and pieces[0].replace(".", "_").isidentifier():
            self.found.loaders.append(Loader(call.lineno, pieces=pieces))

    def _scan(self, call: ast.Call, name: str) -> None:
        values: list[ast.expr] = []
        for each in (*call.args, *(keyword.value for keyword in call.keywords)):
            values += each.elts if isinstance(each, ast.List | ast.Tuple) else [each]
        found = [self._package(each) for each in values]
        names = tuple(each for each in found if each)
        if names:
            self.found.calls.append(Call(name, names, call.lineno))

    def _package(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name) and node.id in self.aliases:
            return self.aliases[node.id]
        pieces = fold(node, self.scope)
        text = pieces[0]
        if len(pieces) > 1:  # somewhere in a folder: `"parts/%s" % kind`
            text = text if text and "/" in text and text.endswith("/") else None
        return text if text and _PACKAGE.fullmatch(text) else ""


def _tells(name: str, *, imports: bool) -> bool:
    """Tell whether calls of this name may say what is loaded; `imports`: some call of the file imports."""
    if imports and (name in LISTS or name == "join" or IMPORTS.search(name) is not None):
        return True
    if name in WALKS or GATHERED.search(name) is not None:
        return True
    return LOADS.search(name) is not None or SCANS.match(name) is not None


_HANDLERS: Final = {
    ast.Expr: _Walk._expression,
    ast.Constant: _Walk._say,
    ast.Import: _Walk._import,
    ast.ImportFrom: _Walk._import,
    ast.Assign: _Walk._assign,
    ast.AnnAssign: _Walk._assign,
    ast.AugAssign: _Walk._assign,
    ast.NamedExpr: _Walk._assign,
    ast.Call: _Walk._call,
    ast.Dict: _Walk._dict,
    ast.List: _Walk._group,
    ast.Tuple: _Walk._group,
    ast.Set: _Walk._group,
    ast.JoinedStr: _Walk._joined,
    ast.FunctionDef: _Walk._function,
    ast.AsyncFunctionDef: _Walk._function,
}


def _argument(call: ast.Call, at: int, name: str) -> ast.expr | None:
    if len(call.args) > at:
        return call.args[at]
    return next((each.value for each in call.keywords if each.arg == name), None)


def _literal(node: ast.expr | None, scope: Scope) -> str:
    place = place_of(node, scope)
    return place.path or "" if place is not None else ""
