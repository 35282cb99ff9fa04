"""What is known of a checkout during one scan: files, names, cheap facts, the syntax of a few files."""

import fnmatch
import re
import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, TypeVar

from orphans.discovery.store import Store
from orphans.discovery.walk import Stamp, Tree
from orphans.domain.detail import detail_of
from orphans.domain.excerpts import LEAST, holding, loaders, quoted, told_around
from orphans.domain.facts import Facts, facts_of
from orphans.domain.findings import Evidence
from orphans.domain.late import late
from orphans.domain.mentions import PYTEST_FILES, collected
from orphans.domain.names import INIT, Names, base_of, folder_of, parts_of, stem_of
from orphans.domain.rules import SUPPORT_FOLDERS, TEMPLATE_FOLDERS, TEST_FILE, TEST_FOLDERS, VENDOR_FOLDERS
from orphans.domain.told import Detail, Said

LEAST_STARTS: Final = 3
"""So many children of a package that it imports by bare name say that it is on `sys.path` itself."""
T = TypeVar("T", bound=tuple[Any, ...])
KEPT_BYTES: Final = 40_000_000
"""Sources that stay in memory during a scan; the rest is read anew each time."""
_QUOTED_WORD: Final = late(rb'"([A-Za-z_]\w*)"')


class Reached:
    """Modules that roots of one kind lead to, and what other than an import keeps a module."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.kept: dict[str, Evidence] = {}


def is_support(folder: str) -> bool:
    """Tell by its name whether a folder is of what tests use."""
    return "test" in folder and SUPPORT_FOLDERS.fullmatch(folder) is not None


class Survey:
    """One checkout while it is scanned."""

    def __init__(self, tree: Tree, store: Store | None = None) -> None:
        self.tree = tree
        self.store = store or Store(None, tree.root)
        self.names = Names(tree.python)
        self.facts: dict[str, Facts] = {}
        #: importer to imported, packages around them left out
        self.edges: dict[str, set[str]] = {}
        self.unreadable = dict(tree.unreadable)
        self._details: dict[str, Detail | None] = {}
        self._folders: dict[str, bool] = {}
        #: what ruff saw of files that didn't change
        self.plain: dict[str, list[str]] = {}
        self._bytes: dict[str, bytes] = {}
        self._room = KEPT_BYTES
        self._quoted: dict[str, set[str]] = {}
        self._excerpts: dict[str, dict[str, list[Said]]] = {}
        #: what the loaders of tests tell, of files that weren't parsed whole
        self._loading: dict[str, Detail] = {}
        #: what was noted of each file around the code, as JSON rows
        self.notes: dict[str, dict[str, Any]] = {}

    def data(self, path: str) -> bytes:
        """Return a file's bytes; nothing when it is gone."""
        try:
            return self._read(path)
        except OSError:
            return b""

    def _read(self, path: str) -> bytes:
        """Return a file's bytes, of the first ones from memory when they are asked for again."""
        found = self._bytes.get(path)
        if found is None:
            found = self.tree.read(path)
            if self._room >= len(found):
                self._room -= len(found)
                self._bytes[path] = found
        return found

    def noted(
        self, path: str, stamp: Stamp, kind: Callable[..., T], read: Callable[[str], list[T]]
    ) -> list[T]:
        """Return what a file around the code tells, from memory while the file is the same.

        Args:
            path: the file.
            stamp: as the walk saw it.
            kind: makes one thing that `read` returns from its fields.
            read: tells it from the text.

        Raises:
            OSError: the file can't be read.
        """
        rows = self.store.noted(path, stamp)
        try:
            found = [kind(*each) for each in rows] if rows is not None else None
        except TypeError:
            found = None
        if found is None:
            found = read(self._read(path).decode("utf-8", "replace"))
        self.notes[path] = {"key": stamp.key, "rows": found}
        return found

    def quoted_words(self, path: str) -> set[str]:
        """Return the single words that a file quotes, from either kind of quote to either."""
        found = self._quoted.get(path)
        if found is None:
            words = _QUOTED_WORD.findall(self.data(path).replace(b"'", b'"'))
            found = self._quoted[path] = {each.decode() for each in words}
        return found

    def read_facts(self, path: str) -> Facts:
        """Read a file, unless what is known of it still holds, and keep the cheap facts of it."""
        found = self._remembered(path)
        if found is None:
            try:
                found = facts_of(self._read(path))
            except OSError as error:
                self.unreadable[path] = str(error.strerror or error)
                found = Facts()
        self.facts[path] = found
        return found

    def _remembered(self, path: str) -> Facts | None:
        row = self.store.known(path, self.tree.python[path])
        try:
            found = Facts.from_row(row["facts"]) if row else None
            if "called" in row and row["called"] == list(self._called(path)):
                self._recall(path, row)
            if row and "edges" in row:
                self.plain[path] = list(map(str, row["edges"]))
        except (AttributeError, KeyError, TypeError, ValueError, IndexError):
            return None
        if "problem" in row:
            self.unreadable[path] = str(row["problem"])
        return found

    def _recall(self, path: str, row: dict[str, Any]) -> None:
        """Take over the syntax of a file; it depends on its dotted name, which other files can change."""
        if "detail" in row:
            self._details[path] = Detail.from_row(row["detail"]) if row["detail"] is not None else None
        if "loading" in row:
            self._loading[path] = Detail.from_row(row["loading"])
        for text, said in row.get("said", {}).items():
            self._excerpts.setdefault(path, {})[str(text)] = [Said.from_row(each) for each in said]

    def rows(self) -> dict[str, dict[str, Any]]:
        """Return what is worth remembering of each file."""
        found: dict[str, dict[str, Any]] = {}
        for path, facts in self.facts.items():
            row: dict[str, Any] = {"key": self.tree.python[path].key, "facts": facts.to_row()}
            if path in self._details or path in self._excerpts or path in self._loading:
                row["called"] = self._called(path)
            if path in self.unreadable:
                row["problem"] = self.unreadable[path]
            if path in self._details:
                detail = self._details[path]
                row["detail"] = detail.to_row() if detail is not None else None
            if self._excerpts.get(path) and "detail" not in row:
                excerpts = self._excerpts[path].items()
                row["said"] = {text: [each.to_row() for each in said] for text, said in excerpts}
            if path in self._loading and "detail" not in row:
                row["loading"] = self._loading[path].to_row()
            if path in self.plain:
                row["edges"] = self.plain[path]
            found[path] = row
        return found

    def detail(self, path: str) -> Detail | None:
        """Return the syntax of a file, parsed once; None when it can't be."""
        if path not in self._details:
            self._details[path] = self._parse(path)
        return self._details[path]

    def loading(self, path: str) -> Detail | None:
        """Return what a file tells of the modules that it loads; of a large test only those definitions."""
        if path not in self._details and path not in self._loading and self.is_test_file(path):
            data = self.data(path)
            told = loaders(data, *self._called(path)) if len(data) >= LEAST else None
            if told is not None:
                self._loading[path] = told
        return self._loading[path] if path in self._loading else self.detail(path)

    def around(self, path: str, text: str) -> Detail | None:
        """Return what a file tells; of a large one only the definitions that hold the text."""
        if not self._is_parsed(path) and len(self.data(path)) >= LEAST:
            told = holding(self.data(path), text, *self._called(path))
            if told is not None:
                return told
        return self.detail(path)

    def _is_parsed(self, path: str) -> bool:
        """Tell whether a file is parsed whole, or will be for its loaders: then an excerpt saves nothing."""
        return path in self._details or (self.facts[path].loads and not self.is_test_file(path))

    def _parse(self, path: str) -> Detail | None:
        return detail_of(self.data(path), *self._called(path))

    def _called(self, path: str) -> tuple[str, str, str]:
        """Return path, dotted name and package of a file."""
        name = self.names.dotted(path) if path in self.names.paths else stem_of(path)
        return path, name, name if base_of(path) == INIT else name.rpartition(".")[0]

    def said(self, path: str, text: str) -> list[Said] | None:
        """Return where a file says exactly this outside of docstrings; None when it can't be parsed.

        Of a large file only the definitions around the text are parsed.
        """
        known = self._excerpts.setdefault(path, {})
        if text not in known and not self._is_parsed(path):
            data = self.data(path)
            small = len(data) < LEAST
            told = None if small else told_around(data, quoted(data, text), *self._called(path))
            if told is not None:
                known[text] = [each for each in told.strings if each.text == text]
        if text in known:
            return known[text]
        detail = self.detail(path)
        return None if detail is None else [each for each in detail.strings if each.text == text]

    def is_test_file(self, path: str) -> bool:
        """Tell whether a test runner collects it."""
        return TEST_FILE.match(base_of(path)) is not None or (
            bool(self._collected) and any(each.fullmatch(path) for each in self._collected)
        )

    @cached_property
    def _collected(self) -> list[re.Pattern[str]]:
        """What `python_files` of pytest's settings names, as far as the names aren't the usual ones."""
        texts = {each: self._text(each) for each in PYTEST_FILES if each in self.tree.texts}
        found = [each for path, text in texts.items() for each in collected(path, text)]
        return [re.compile(f"(?:.*/)?{fnmatch.translate(each)}") for each in found]

    def _text(self, path: str) -> str:
        return self.data(path).decode("utf-8", "replace")

    def is_test(self, path: str) -> bool:
        """Tell whether it belongs to the tests: a test file, or what stands in their folders."""
        return self.is_test_file(path) or self.in_tests(folder_of(path))

    def in_tests(self, folder: str) -> bool:
        """Tell whether a folder is one of the tests, or below one."""
        known = self._folders.get(folder)
        if known is None:
            name = base_of(folder)
            mine = (name in TEST_FOLDERS and folder in self._with_tests) or is_support(name)
            known = mine or (bool(folder) and self.in_tests(folder_of(folder)))
            self._folders[folder] = known
        return known

    @cached_property
    def _with_tests(self) -> set[str]:
        """Folders with a test file or a conftest somewhere below them."""
        found: set[str] = set()
        for path in self.names.paths:
            folder = folder_of(path)
            if folder not in found and self.is_test_file(path):
                while folder and folder not in found:
                    found.add(folder)
                    folder = folder_of(folder)
        return found

    def is_vendored(self, path: str) -> bool:
        """Tell whether it is another project's code, carried along."""
        return not VENDOR_FOLDERS.isdisjoint(path.split("/")[:-1])

    def is_template(self, path: str) -> bool:
        """Tell whether the path has holes that a generator of projects fills."""
        return "{{" in path or "{%" in path or not TEMPLATE_FOLDERS.isdisjoint(path.split("/")[:-1])

    @cached_property
    def top_packages(self) -> list[str]:
        """Packages that no package is around, with the folder of each."""
        return sorted(
            each for each in self.names.packages if each and folder_of(each) not in self.names.packages
        )

    def note_starts(self) -> None:
        """Find the packages that are on `sys.path` by what they import: their own children, by bare name."""
        self.names.add_starts(
            each for each in self.top_packages if self._is_start(each, self._bare_children(each))
        )

    def _is_start(self, folder: str, names: set[str]) -> bool:
        if len(names) < LEAST_STARTS:
            return False
        used: set[str] = set()
        for path in self.names.below(folder, deep=True):
            used.update(each.partition(".")[0] for each in self.facts[path].imports)
        return len(names & used) >= LEAST_STARTS

    def _bare_children(self, folder: str) -> set[str]:
        """Return the names of modules in a package that no top module and nothing of Python has."""
        found = {parts_of(each)[-1] for each in self.names.children.get(folder, ())}
        others = {base_of(each) for each in self.top_packages}
        return {each for each in found - others if each not in sys.stdlib_module_names}

    @cached_property
    def sources(self) -> list[str]:
        """Folders that imports start from: the root, those with packages directly in them, and starts."""
        found = {folder_of(each) for each in self.top_packages if not self.in_tests(each)} | self.names.starts
        ordered = sorted(found - {""}, key=lambda each: (each.count("/"), each))
        return ["", *[each for each in ordered if not self.is_vendored(each + "/x")][:100]]
