"""From what nothing reaches to findings: class, chain, reason in words and confidence."""

from collections.abc import Iterable, Mapping

from orphans.discovery.documents import documented
from orphans.discovery.edges import targets
from orphans.discovery.spread import Spread
from orphans.discovery.survey import Survey, is_support
from orphans.domain.detail import parse
from orphans.domain.findings import Classification, Evidence, Finding, Reading
from orphans.domain.graph import chains, importers
from orphans.domain.legacy import legacy_evidence, naming_evidence
from orphans.domain.names import INIT, base_of, folder_of
from orphans.domain.redundancy import Reader, Twin, find_twins
from orphans.domain.rules import DATA_FOLDERS, PACKAGING
from orphans.domain.syntax import only_imports


class Judge:
    """Judges the modules that the roots of a checkout don't reach."""

    def __init__(self, survey: Survey, spread: Spread, reading: Reading) -> None:
        self.survey, self.spread, self.reading = survey, spread, reading
        self.turned = importers(survey.edges)
        live, tested = spread.live.seen, spread.tested.seen
        self.dead = sorted(each for each in survey.names.paths - tested if self._counts(each))
        self.test_only = sorted(
            each for each in tested - live if not survey.is_test(each) and self._counts(each)
        )
        self.chains = {**chains(self.test_only, survey.edges), **chains(self.dead, survey.edges)}
        self.documented: Mapping[str, Evidence] = {}
        self.twins: Mapping[str, Twin] = {}
        self.retired: Mapping[str, Evidence] = {}

    def findings(self) -> dict[str, Finding]:
        """Return one finding for each module that isn't live."""
        self.twins = self._twins()
        if self.reading is not Reading.APPLICATION and self._is_packaged():
            self.documented = documented(self.survey, self.dead)
        self.retired = {
            path: each for path in self.dead if (each := legacy_evidence(self.survey.data(path), path))
        }
        found = {path: self._tested(path) for path in self.test_only}
        found.update({path: self._dead(path) for path in self.dead})
        return found

    def _is_packaged(self) -> bool:
        known = self.survey.tree.texts.keys() | self.survey.names.paths
        return not known.isdisjoint(PACKAGING) and "manage.py" not in known

    def _counts(self, path: str) -> bool:
        """Leave out others' code, templates of projects, inputs of tests and empty packages."""
        survey = self.survey
        if path in survey.unreadable or survey.is_vendored(path) or survey.is_template(path):
            return False
        if path.startswith(".") or "/." in path:
            return False
        if survey.in_tests(folder_of(path)) and self._is_input(path):
            return False
        if base_of(path) != INIT:
            return True
        detail = survey.detail(path)
        return detail is not None and detail.filled

    def _is_input(self, path: str) -> bool:
        """Tell whether a file in the folders of tests is an input of theirs, no module."""
        folders = path.split("/")[:-1]
        inside = [each for each in folders if self.survey.in_tests(path.partition(each)[0] + each)]
        named = any(map(_is_data, inside[1:])) or any(map(is_support, inside))
        return named or not self._is_used(folder_of(path))

    def _is_used(self, folder: str) -> bool:
        """Tell whether a test stands in a folder, or tests reach a module directly in it."""
        files = (*self.survey.names.below(folder, deep=False), f"{folder}/{INIT}")
        return any(self.survey.is_test_file(each) or each in self.spread.tested.seen for each in files)

    def _twins(self) -> dict[str, Twin]:
        """Return the twins of the dead modules; without any dead ones no file is read."""
        survey = self.survey
        mine = (each for each in self.dead if base_of(each) != INIT and not survey.is_test(each))
        wanted = {each: survey.data(each) for each in mine}
        if not wanted:
            return {}
        reached = self.spread.live.seen | self.spread.tested.seen
        live = sorted(each for each in reached & survey.names.paths if self._may_be_original(each))
        return find_twins(wanted, {each: _reader(survey, each) for each in live})

    def _may_be_original(self, path: str) -> bool:
        return not self.survey.is_test(path) and path not in self.survey.unreadable

    def _tested(self, path: str) -> Finding:
        why = self.spread.tested.kept.get(path)
        parents = tuple(sorted(self.turned.get(path, ())))
        first = next((each for each in parents if self.survey.is_test(each)), None)
        reason = (
            f"imported only by {_named(parents)}"
            if parents
            else f"only tests use it: {why.detail if why else ''}"
        )
        if parents and first is None:
            reason += ", which only tests reach"
        return Finding(
            path=path, classification=Classification.TEST_ONLY, parents=parents, chain=self._chain(path),
            confidence=0.95 if why is None else 0.8, reason=reason,
            evidence=(why,) if why is not None else (),
        )  # fmt: skip

    def _chain(self, path: str) -> tuple[str, ...]:
        return self.chains.get(path, (path,))

    def _dead(self, path: str) -> Finding:
        parents = tuple(sorted(self.turned.get(path, ())))
        twin = self.twins.get(path)
        classification = self._class(path, parents, twin)
        evidence = self._evidence(path, twin)
        return Finding(
            path=path,
            classification=classification,
            parents=parents,
            chain=self._chain(path),
            redundant=twin is not None,
            twin=twin.path if twin else None,
            similarity=round(twin.similarity, 4) if twin else None,
            confidence=self._confidence(path),
            reason=self._reason(path, parents, twin),
            evidence=tuple(evidence),
        )

    def _class(self, path: str, parents: tuple[str, ...], twin: Twin | None) -> Classification:
        if twin is not None:
            return Classification.REDUNDANT
        if path in self.retired:
            return Classification.LEGACY
        if self._is_offered(path):
            return Classification.PUBLIC_UNREFERENCED
        if not parents and not self.survey.edges.get(path):
            return Classification.ISOLATED
        return Classification.ORPHAN

    def _is_offered(self, path: str) -> bool:
        return self._is_public(path) or self._passes_on(path)

    def _is_public(self, path: str) -> bool:
        if self.reading is not Reading.LIBRARY or self.survey.is_test(path):
            return False
        private = any(part.startswith("_") and part != INIT for part in path.split("/"))
        inside = folder_of(path) in self.survey.names.packages
        return (inside and not private) or path in self.documented

    def _passes_on(self, path: str) -> bool:
        """Tell whether a module of a library only offers what live modules have, under a name of its own."""
        if self.reading is not Reading.AUTO or not self._is_packaged() or self.survey.is_test(path):
            return False
        tree = parse(self.survey.data(path))
        if tree is None or not only_imports(tree) or self.turned.get(path):
            return False
        return self._imports_live(path)

    def _imports_live(self, path: str) -> bool:
        """Tell whether a module imports something, and live modules alone."""
        detail = self.survey.detail(path)
        imports = detail.imports if detail is not None else []
        named = [each for each in imports if each.module != "__future__"]
        live = self.spread.live.seen
        return bool(named) and all(set(targets(self.survey, path, each)) & live for each in named)

    def _evidence(self, path: str, twin: Twin | None) -> Iterable[Evidence]:
        yield from _of_twin(path, twin) if twin else ()
        if path in self.retired:
            yield self.retired[path]
        for folder, wide in self.spread.families.wide.items():
            if folder_of(path) == folder:
                yield wide
        if path in self.documented:
            yield self.documented[path]

    def _confidence(self, path: str) -> float:
        if folder_of(path) in self.spread.families.wide:
            return 0.5
        if path in self.documented:
            return 0.6
        if self.survey.unreadable:
            return 0.85
        return 0.95 if folder_of(path) in self.survey.names.packages else 0.8

    def _reason(self, path: str, parents: tuple[str, ...], twin: Twin | None) -> str:
        if path[:-3] in self.survey.names.packages:
            return f"the package {path[:-3]}/ has the same name, and imports find that one"
        if parents:
            head = self._chain(path)[0]
            start = f"imported only by {_named(parents)}, which nothing live reaches"
            words = start if head in parents or head == path else f"{start}; the chain begins at {head}"
        else:
            words = "nothing imports it, and no command, setting, entry point or table names it"
        words += f"; {self.retired[path].detail}" if path in self.retired else ""
        words += f"; {self.documented[path].detail}" if path in self.documented else ""
        return f"{words}; {twin.path} contains {twin.similarity:.0%} of it" if twin else words


def _reader(survey: Survey, path: str) -> Reader:
    return lambda: survey.data(path)


def _is_data(folder: str) -> bool:
    return folder in DATA_FOLDERS or not folder.isidentifier()


def _of_twin(path: str, twin: Twin) -> Iterable[Evidence]:
    yield from twin.evidence
    named = naming_evidence(path, twin.path)
    if named is not None:
        yield named


def _named(paths: tuple[str, ...]) -> str:
    shown = ", ".join(paths[:3])
    return f"{shown} and {len(paths) - 3} more" if len(paths) > 3 else shown
