"""Chooses which modules a set of self-tests executes, and finds the tests of each."""

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from orphans.domain.candidates import Candidate, Switches, choose
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.domain.tests_of import Tests, imported_names, is_test_file, module_name, tests_of
from orphans.models import OrphanModule
from orphans.services.scanning import file_hash
from orphans.services.self_tests import Wanted

TEST_BYTES: Final = 2**20
MAX_TEST_FILES: Final = 20_000
SKIPPED_FOLDERS: Final = frozenset({"__pycache__", "node_modules", "site-packages"})
FRESH: Final = (ModuleState.FOUND, ModuleState.RESTORED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is executed and how, ready for a set of self-tests."""

    wanted: tuple[Wanted, ...] = ()
    #: `import_paths` and the dotted name of each module
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def paths(self) -> tuple[str, ...]:
        """The modules that are executed."""
        return tuple(each.path for each in self.wanted if not each.skip)


def plan(
    subject: str,
    *,
    checkout: Path,
    switches: Switches,
    import_paths: tuple[str, ...] = (".",),
    named: Collection[str] = (),
    again: bool = False,
    left_out: Collection[str] = (),
) -> Plan:
    """Choose among the subject's open modules.

    Each is executed once for each content, but those `named`, and all of them when `again`. With names,
    only these and what their chains lead to are looked at. What is `left_out` is touched by name alone.
    """
    pool = _pool(subject, frozenset(named), again=again)
    rows = [row for row in pool if row.path in named or row.path not in left_out]
    choice = choose((_candidate(row) for row in rows), switches, named=frozenset(named))
    news = {row.path for row in rows if row.state != ModuleState.SKIPPED or row.path in named}
    by_path = {row.path: row for row in rows}
    skipped = [path for path in choice.skipped if path in news]
    paths = with_src(checkout, import_paths)
    names = {path: module_name(path, paths) for path in choice.run}
    found = find_tests(checkout, choice.run, paths)
    chosen = [_wanted(by_path[path], names[path], found[path]) for path in choice.run]
    left = [_wanted(by_path[path], "", NO_TESTS, choice.skipped[path]) for path in skipped]
    return Plan(wanted=(*chosen, *left), options={"import_paths": list(paths), "modules": names})


NO_TESTS: Final = tests_of("", (), {})


def _pool(subject: str, named: frozenset[str], *, again: bool) -> Iterator[OrphanModule]:
    """Yield what may be chosen, in the order of chains: heads before what they lead to."""
    rows = OrphanModule.objects.of(subject).open()
    for row in sorted(rows, key=lambda row: (len(row.chain), row.path)):
        asked = bool(named & {row.path, *row.chain})
        fresh = row.state in FRESH or (row.state == ModuleState.SKIPPED and row.side_effects is None)
        if asked if named else fresh or again:
            yield row


def _candidate(row: OrphanModule) -> Candidate:
    heavy = row.classification == Classification.HEAVY_SIDE_EFFECTS and row.side_effects is not None
    return Candidate(
        path=row.path,
        classification=Classification(row.found_as if not heavy else row.classification),
        parents=tuple(row.parents),
        chain=tuple(row.chain),
        redundant=row.redundant,
        heavy=row.state_reason if heavy else "",
    )


def _wanted(row: OrphanModule, module: str, tests: Tests, skip: str = "") -> Wanted:
    return Wanted(
        path=row.path,
        content_hash=row.content_hash,
        module=module,
        tests=tests,
        classification=row.classification,
        skip=skip,
    )


def plan_files(checkout: Path, paths: Iterable[str], import_paths: tuple[str, ...] = (".",)) -> Plan:
    """Plan self-tests of files that no scan calls an orphan."""
    roots, files = with_src(checkout, import_paths), list(paths)
    found = find_tests(checkout, files, roots)
    names = {path: module_name(path, roots) for path in files}
    wanted = [
        Wanted(path=path, content_hash=file_hash(checkout, path), module=names[path], tests=found[path])
        for path in files
    ]
    return Plan(wanted=tuple(wanted), options={"import_paths": list(roots), "modules": names})


def with_src(checkout: Path, import_paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the import paths, and `src` where the checkout has that layout and names no other."""
    src = checkout / "src"
    uses_src = import_paths == (".",) and src.is_dir() and not (src / "__init__.py").exists()
    return (".", "src") if uses_src else import_paths


def find_tests(checkout: Path, paths: Iterable[str], import_paths: tuple[str, ...]) -> dict[str, Tests]:
    """Return the tests of each module."""
    files = list(paths)
    imports = {name: imported_names(text) for name, text in _test_files(checkout)} if files else {}
    return {path: tests_of(path, _names(path, import_paths), imports) for path in files}


def _names(path: str, import_paths: tuple[str, ...]) -> set[str]:
    """Return every name under which the file may be imported."""
    return {module_name(path, (root,)) for root in import_paths} | {module_name(path, import_paths)}


def _test_files(checkout: Path) -> Iterator[tuple[str, str]]:
    """Yield test files and their text, without following links or entering hidden folders."""
    left = MAX_TEST_FILES
    for folder, folders, files in os.walk(checkout, followlinks=False):
        folders[:] = sorted(each for each in folders if each[0] != "." and each not in SKIPPED_FOLDERS)
        for name in sorted(filter(is_test_file, files)):
            place = Path(folder) / name
            if left and not place.is_symlink() and place.stat().st_size <= TEST_BYTES:
                left -= 1
                yield place.relative_to(checkout).as_posix(), place.read_text(errors="replace")
