"""From the roots to everything live: imports first, then what strings, tables, settings and conventions name.

Strings are looked at only where they could bring a module to life that nothing has reached yet, and each is
checked in the syntax of its file: docstrings, comments, log messages and annotations keep nothing alive.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from functools import cached_property
from importlib import import_module
from typing import Final

from orphans.discovery.conventions import Apps, migrations
from orphans.discovery.families import Families
from orphans.discovery.roots import (
    imported_elsewhere,
    manual,
    mentioned,
    named_roots,
    published,
    resolve,
    scripts,
    test_roots,
)
from orphans.discovery.survey import Reached, Survey
from orphans.domain.detail import SCANS, parse
from orphans.domain.facts import OPAQUE, PLUGGED, UNKNOWN, Facts
from orphans.domain.findings import Evidence
from orphans.domain.graph import reach
from orphans.domain.late import late
from orphans.domain.names import INIT, base_of, folder_of
from orphans.domain.nearby import is_plainly_code
from orphans.domain.rules import FAMILY_NAMES, LIST_NAMES, NO_IMPORT, PARTS_OF_SETTINGS, TEXTS
from orphans.domain.syntax import imported
from orphans.domain.told import Detail, Said

Found = Iterator[tuple[str, Evidence]]
_CLASS_LOADER_NAME: Final = late(r"_*(?:get|load|import|find|resolve)_(?:class|classes|object|objects)")
_CLASS_LOADER: Final = late(rb"_(?:class|classes|object|objects)\(")
_LITERAL: Final = late(rb"""(?:import_module|__import__)\(\s*["'](\w+)["']""")


class Spread:
    """Reaches all that is live, from the application's roots and then from the tests'."""

    def __init__(self, survey: Survey) -> None:
        self.survey = survey
        self.live = Reached()
        self.tested = Reached()
        self._now = self.live
        self._tests: list[tuple[str, Evidence]] = []
        plain: set[str] = set()
        self.families = Families(survey, plain)
        self.apps = Apps(survey)
        self._plain = plain
        self._todo: list[str] = []
        #: names of `_singles` that a file quotes
        self._quoted: dict[str, set[str]] = {}

    def run(self) -> None:
        """Fill `live`, then `tested` with what only tests reach beyond it."""
        survey = self.survey
        commands = list(mentioned(survey))
        roots = [*named_roots(survey), *published(survey), *imported_elsewhere(survey), *manual(survey)]
        start = [*roots, *((path, why) for path, why, tests in commands if not tests)]
        tests = test_roots(survey)
        guarded = [path for path, facts in survey.facts.items() if facts.guarded]
        self._imported([path for path, _ in start] + [each for each in guarded if not survey.is_test(each)])
        self._enter(start)
        self._settle()
        self._enter(scripts(survey, self._unseen()))
        self._settle()
        self._late()
        self._now = self.tested
        self.tested.seen.update(self.live.seen)
        self._enter((path, Evidence(kind="test", detail="a test", path=path)) for path in tests)
        self._enter((path, why) for path, why, tests in commands if tests)
        self._settle()
        self._late()

    def _imported(self, start: Iterable[str]) -> None:
        """Note what imports alone lead to: a package mostly of these is no folder of plugins."""
        reach(start, self.survey.edges, self._plain, self.survey.names.ancestors)

    def _unseen(self) -> list[str]:
        return [path for path in self.survey.names.paths if path not in self._now.seen]

    def _enter(self, found: Iterable[tuple[str, Evidence]]) -> None:
        """Reach each target and what it imports; keep the evidence of those that no import reached."""
        for path, why in found:
            if path in self._now.seen or path not in self.survey.names.paths:
                continue
            self._now.kept.setdefault(path, why)
            fresh = reach([path], self.survey.edges, self._now.seen, self.survey.names.ancestors)
            self._todo.extend(fresh)

    def _settle(self) -> None:
        """Look into every module that became live until no more do."""
        known = len(self.families.helpers)
        while self._todo:
            todo, self._todo = self._todo, []
            for path in sorted(todo):
                self._enter(self._from(path))
            if not self._todo and len(self.families.helpers) > known:
                known = len(self.families.helpers)
                self._enter(self._callers())

    def _callers(self) -> Found:
        """Yield what is given to functions that load what they are given, now that those are known."""
        words = [f"{each}(".encode() for each in self.families.helpers if len(each) > 5 and SCANS.match(each)]
        homes = self.families.homes
        for path in sorted(self._now.seen):
            if path not in homes and homes.isdisjoint(self.survey.edges.get(path, ())):
                continue
            data = self.survey.data(path)
            detail = self.survey.detail(path) if any(word in data for word in words) else None
            if detail is not None:
                yield from self.families.called(path, detail, self._now.seen)
                yield from self.families.handed(path, detail, self._now.seen)

    def _late(self) -> None:
        """Apply what can only be told when the rest is known."""
        if self.apps.is_django and self._now is self.live and (not self.apps.folders or self.apps.is_library):
            self._enter(self.apps.assumed())
            self._settle()
        if self.apps.is_django and self._now is self.tested:
            self._enter(self.apps.of_tests())
            self._settle()
        self._enter(migrations(self.survey, self._now.seen, self._unseen()))
        self._settle()

    def _from(self, path: str) -> Found:
        """Yield what one live module names otherwise than by an import that ruff sees."""
        facts = self.survey.facts[path]
        yield from self._strings(path, facts)
        yield from self._runs(path, facts)
        yield from self._recovered(path, facts)
        if facts.lists or base_of(path) == "conf.py":
            yield from self._lists(path)
        if facts.loads or facts.words:
            yield from self._loaded(path, facts)
        yield from self._plugged(path, facts)
        if self.apps.is_django:
            yield from self._django(path, facts)

    def _plugged(self, path: str, facts: Facts) -> Found:
        if PLUGGED in facts.words and not self.survey.is_test(path):
            yield from self.families.plugged(path, self._now.seen)

    def _loaded(self, path: str, facts: Facts) -> Found:
        is_test = (
            self._now is self.tested and self.survey.is_test_file(path) and base_of(path) != "conftest.py"
        )
        is_table = OPAQUE in facts.words and any(
            self._is_relative(each, path) for each in facts.strings if each.startswith(".")
        )
        names = UNKNOWN in facts.words and self._has_singles(path)
        opaque = not facts.loads and (is_table or names or self._names_single(path, facts))
        if facts.loads or opaque:
            for target, why in self.families.of(path, self._now.seen):
                if not is_test or self.survey.is_test(target):
                    yield target, why

    def _is_relative(self, text: str, path: str) -> bool:
        """Tell whether it names a module from here that nothing reached yet."""
        target = self.survey.names.find_relative(text, path)
        return target is not None and target not in self._now.seen

    def _names_single(self, path: str, facts: Facts) -> bool:
        """Tell whether a file imports a module by a literal name without a dot that nothing reached yet."""
        if OPAQUE not in facts.words:
            return False
        words = {each.decode() for each in _LITERAL.findall(self.survey.data(path))}
        return not words.isdisjoint(self._quoted_singles(path)) if words else False

    def _django(self, path: str, facts: Facts) -> Found:
        yield from self.apps.configured(path)
        if "os" in facts.imports:
            yield from self.apps.settings(path)
        if "_APPS" in facts.words:
            yield from self.apps.named(path)
        if b"(AppConfig)" in self.survey.data(path):
            yield from self.apps.offered(path)
        if facts.loads and b"autodiscover_" in self.survey.data(path):
            detail = self.survey.loading(path)
            for call in detail.calls if detail is not None else ():
                if call.name in ("autodiscover_modules", "autodiscover_tasks"):
                    for name in call.names:
                        yield from self.apps.discover(name, path, call.line)

    def _strings(self, path: str, facts: Facts) -> Found:
        for text in facts.strings:
            target = resolve(self.survey, text, path) or self._part(text, path)
            if target is None or target == path:
                continue
            gathers = bool(facts.words) and base_of(target) == INIT and self._has_unseen(folder_of(target))
            if target in self._now.seen and not gathers:
                continue
            yield from self._said(path, text, target)

    def _part(self, text: str, path: str) -> str | None:
        """Return the module whose name's end a class loader is given: `get_class("shop.forms", "Form")`."""
        if ":" in text or "/" in text or self._now is self.tested:
            return None
        target = self.survey.names.find(text, path, loose=True)
        if target is None or target in self._now.seen:
            return None
        if not _CLASS_LOADER.search(self.survey.data(path)):
            return None
        said = self.survey.said(path, text) or ()
        given = any(_CLASS_LOADER_NAME.fullmatch(word) for each in said for word in each.context[-1:])
        return target if given else None

    def _has_unseen(self, folder: str) -> bool:
        return any(each not in self._now.seen for each in self.survey.names.children.get(folder, ()))

    def _said(self, path: str, text: str, target: str) -> Found:
        """Check a string in its file; a package may stand for the modules in it."""
        if target not in self._now.seen and is_plainly_code(self.survey.data(path), text):
            yield target, Evidence(kind="string", detail=f"string '{text}' in {path}", path=path)
            if base_of(target) != INIT or not self.survey.facts[path].words:
                return
        if self._now is self.tested and self.survey.is_test(target):
            yield target, Evidence(kind="string", detail=f"'{text}' in {path}", path=path)
            return
        said = self.survey.said(path, text)
        if said is None:
            yield (
                target,
                Evidence(kind="string", detail=f"'{text}' in {path}, which can't be parsed", path=path),
            )
            return
        for each in filter(_names_module, said):
            why = f"string '{text}' in {path}"
            yield target, Evidence(kind="string", detail=why, path=path, line=each.line)
            rule = (
                PARTS_OF_SETTINGS.get(each.context[-1]) if each.context and base_of(target) == INIT else None
            )
            if rule is not None:
                yield from self._parts(target, rule, why, path)
            if base_of(target) == INIT and self._gathers(path, each):
                for child in self.survey.names.below(folder_of(target), deep=False):
                    yield (
                        child,
                        Evidence(
                            kind="string", detail=f"{why} gathers its package", path=path, line=each.line
                        ),
                    )

    def _gathers(self, path: str, said: Said) -> bool:
        """Tell whether a package that is named stands for the modules in it: in a list of packages alone."""
        if said.text.endswith(".") or not any(FAMILY_NAMES.match(word) for word in said.context[-1:]):
            return False
        found = (self.survey.names.find(each, path) for each in self._beside(path, said) if "." in each)
        return all(each is None or base_of(each) == INIT for each in found)

    def _beside(self, path: str, said: Said) -> list[str]:
        """Return what stands in the same list."""
        detail = self.survey.detail(path) if said.group else None
        return [each.text for each in detail.strings if each.context == said.context] if detail else []

    def _parts(self, target: str, rule: re.Pattern[str], why: str, path: str) -> Found:
        """Yield the modules of a package that a setting means when it names the package."""
        folder = folder_of(target)
        for each in self.survey.names.below(folder, deep=True):
            if rule.fullmatch(each[len(folder) + 1 :]):
                yield each, Evidence(kind="setting", detail=f"{why} means it", path=path)

    def _runs(self, path: str, facts: Facts) -> Found:
        """Take scripts and modules that code starts by path or with `-m`."""
        for text in facts.commands:
            is_path = text.endswith(".py")
            if is_path and not facts.runs:
                continue
            target = resolve(self.survey, text, path, single=True)
            main = (
                f"{folder_of(target)}/__main__.py" if target is not None and base_of(target) == INIT else None
            )
            for each in filter(None, (target, main)):
                if each not in self._now.seen and each != path and each in self.survey.names.paths:
                    line = self._holds(path, text)
                    if line is not None:
                        yield (
                            each,
                            Evidence(kind="command", detail=f"{path} runs '{text}'", path=path, line=line),
                        )

    def _holds(self, path: str, text: str) -> int | None:
        """Return the line of a string, no docstring, that holds the text; 0 when the file can't be parsed."""
        detail = self.survey.around(path, text)
        if detail is None:
            return 0
        fits = (each for each in detail.strings if text in each.text and _names_module(each))
        return next((each.line for each in fits), None)

    def _recovered(self, path: str, facts: Facts) -> Found:
        """Take imports that only work because the code, or who starts it, extends the search path."""
        known = self.survey.edges.get(path, set())
        for text in facts.imports:
            if text.startswith("."):
                continue
            target = self._import(text, path)
            if target is None or target in self._now.seen or target in known or target == path:
                continue
            detail = self.survey.detail(path)
            found = (
                [each for each in detail.imports if each.module == text and each.level == 0] if detail else []
            )
            line = found[0].line if found else self._in_code(detail, text)
            if line is not None or detail is None:
                self.survey.edges.setdefault(path, set()).add(target)
                yield (
                    target,
                    Evidence(kind="import", detail=f"import of '{text}' in {path}", path=path, line=line),
                )

    def _in_code(self, detail: Detail | None, text: str) -> int | None:
        """Return the line of a string that is code and imports the module: something runs or writes it."""
        strings = detail.strings if detail is not None else []
        told = (each for each in strings if "\n" in each.text and text in each.text and _names_module(each))
        return next((each.line for each in told if text in _imports_of(each.text)), None)

    def _import(self, text: str, path: str) -> str | None:
        if text.partition(".")[0] in sys.stdlib_module_names:
            return None
        found = self.survey.names.find(text, path)
        if (
            found is None and "." in text and self.survey.facts[path].guarded
        ):  # a script's own folder comes first
            found = self.survey.names.at("/".join(filter(None, [folder_of(path), *text.split(".")])))
        return found

    @cached_property
    def _singles(self) -> dict[str, str]:
        """Modules that a name without a dot can mean."""
        names = self.survey.names
        return {names.dotted(each): each for each in names.paths if len(names.canonical(each)) == 1}

    def _has_singles(self, path: str) -> bool:
        """Tell whether a file quotes the name of such a module that nothing reached yet."""
        return bool(self._quoted_singles(path))

    def _quoted_singles(self, path: str) -> list[str]:
        """Return such names of modules that nothing reached yet, as far as a file quotes them."""
        if path not in self._quoted:
            self._quoted[path] = self._singles.keys() & self.survey.quoted_words(path)
        known = self._quoted[path]
        return sorted(each for each in known if self._singles[each] not in self._now.seen)

    def _lists(self, path: str) -> Found:
        """Take single words of lists that name modules: `pytest_plugins`, Sphinx's `extensions`."""
        for text in self._quoted_singles(path):
            target = self.survey.names.find(text, path)
            if target is None or target in self._now.seen:
                continue
            for each in self.survey.said(path, text) or ():
                if _names_module(each) and any(LIST_NAMES.match(word) for word in each.context[-2:]):
                    detail = f"'{text}' in {path}"
                    yield target, Evidence(kind="string", detail=detail, path=path, line=each.line)


def _imports_of(code: str) -> set[str]:
    """Return what a text imports when it is Python; nothing of other texts."""
    tree = (
        parse(import_module("textwrap").dedent(code).encode("utf-8", "replace")) if "import" in code else None
    )
    return imported(tree) if tree is not None else set()


def _names_module(said: Said) -> bool:
    """Tell whether something may import what the string names."""
    last, before = said.context[-1:], [each for each in said.context[-2:-1] if each not in TEXTS]
    return not any(NO_IMPORT.match(word) for word in (*before, *last)) and "loggers" not in said.context
