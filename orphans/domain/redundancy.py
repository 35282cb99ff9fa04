"""Find the live module that an orphan is a copy of, or was superseded by.

Two signals must agree (see `fingerprints`): the share of the orphan's statements that the other module
contains, and the overlap of their names. Containment, not likeness: a successor has grown, a fragment is
small. Most files are never parsed: `sketches` compares raw words first, and only the few that share the
orphan's rare ones go on.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from itertools import islice, takewhile
from pathlib import PurePosixPath
from typing import Final, NamedTuple, TypeAlias

from orphans.domain.findings import Evidence
from orphans.domain.fingerprints import Fingerprint, fingerprint
from orphans.domain.glances import Glance
from orphans.domain.sketches import Sketches, words_in

Source: TypeAlias = str | bytes
Reader: TypeAlias = Callable[[], Source | None]
Printer: TypeAlias = Callable[[str, Source], Fingerprint | None]

LEAST_WEIGHT: Final = 8
"""Modules with less in them say nothing: two of them are alike by chance."""
LEAST_CONTAINED, LEAST_NAMES, LEAST_TOGETHER = 0.4, 0.75, 1.5
"""How much of a module must be in another one, of its statements, of the names, and both added."""
LEAST_DEFINITIONS: Final = 0.7
"""Share of the definitions that must have one name in both; siblings call theirs otherwise."""
WITHOUT_DEFINITIONS: Final = (0.85, 0.8, 12)
"""What is asked of a module whose definitions are called otherwise: statements, names, number of names."""
SHORTLIST: Final = 4
"""So many files are parsed for one orphan at most."""


class Twin(NamedTuple):
    """The module that makes another one redundant."""

    path: str
    #: share of the orphan's statements, by weight, that the twin contains: 0 to 1
    similarity: float
    #: whether the twin is one of the live modules; else it is itself a candidate
    live: bool
    evidence: tuple[Evidence, ...] = ()


class Overlap(NamedTuple):
    """How much of one module is in another; all shares from 0 to 1."""

    #: of the module's statements, by weight, what the other contains
    contained: float
    #: of the other's statements, by weight, what the module contains
    covered: float
    #: of the shorter list of names, what both have
    names: float
    #: of the shorter list of outermost functions and classes, what both have; None when one has none
    definitions: float | None = None
    #: how many names both have
    shared_names: int = 0

    @property
    def is_copy(self) -> bool:
        """Whether both signals are there and strong together.

        The thresholds are read off `benchmarks/redundancy.py`: siblings reach one of them, seldom the sum.
        """
        if self.definitions is not None and self.definitions < LEAST_DEFINITIONS:
            contained, names, number = WITHOUT_DEFINITIONS
            return self.contained >= contained and self.names >= names and self.shared_names >= number
        together = self.contained + self.names >= LEAST_TOGETHER
        return together and self.contained >= LEAST_CONTAINED and self.names >= LEAST_NAMES

    @property
    def rank(self) -> float:
        """The order of copies: the closer the higher; among equals the one with the least besides."""
        return self.contained + self.names + self.covered / 10


def overlap(module: Fingerprint, other: Fingerprint) -> Overlap:
    """Return how much of `module` is in `other`."""
    shared = sum(weight for shape, weight in module.shapes.items() if shape in other.shapes)
    back = sum(weight for shape, weight in other.shapes.items() if shape in module.shapes)
    return Overlap(
        contained=shared / max(1, module.weight),
        covered=back / max(1, other.weight),
        names=_shared(module.names, other.names) or 0.0,
        definitions=_shared(module.definitions, other.definitions),
        shared_names=len(module.names & other.names),
    )


def may_contain(module: Fingerprint, glance: Glance) -> bool:
    """Tell whether a file that looks so can have an overlap with the module that is a copy's."""
    shared = glance.shared_names(module)
    shorter = min(len(module.names), glance.names)
    definitions = glance.shared_definitions(module)
    if definitions is not None and definitions < LEAST_DEFINITIONS:
        _contained, names, number = WITHOUT_DEFINITIONS
        return shared >= max(number, names * shorter)
    return shared >= LEAST_NAMES * shorter


def _shared(some: frozenset[str], others: frozenset[str]) -> float | None:
    """Return the share of the shorter list that both have; None when it is empty."""
    shorter = min(len(some), len(others))
    return len(some & others) / shorter if shorter else None


def find_twins(
    candidates: Mapping[str, Source], others: Mapping[str, Reader], printer: Printer | None = None
) -> dict[str, Twin]:
    """Return the twin of every candidate that has one.

    Args:
        candidates: path -> source of the modules that may be redundant.
        others: path -> how to read it, for the live modules. Each is read once, the shortlisted ones twice;
            a reader returns None for what can't be read. Most are not parsed.
        printer: `(path, source) -> fingerprint`, for instance from a cache; `fingerprint` by default.

    A live original is preferred to another candidate. Of candidates that are copies of each other the one
    with the most in it stays, among equals the one with the shortest and then the first path.
    """
    mine = _Candidates(candidates, printer or _print)
    words = {path: some for path, source in candidates.items() if (some := words_in(source))}
    live = {path: read for path, read in others.items() if path not in candidates}
    found = _Search(live, mine, live=True).twins(words, lambda _path, _other: True)
    sources = {path: partial(candidates.__getitem__, path) for path in candidates}
    left = {path: each for path, each in words.items() if path not in found}
    return found | _Search(sources, mine, live=False).twins(left, mine.is_junior)


class _Candidates:
    """The fingerprints of the modules that may be redundant, made when they are asked for."""

    def __init__(self, sources: Mapping[str, Source], printer: Printer) -> None:
        self.printer = printer
        self._sources = sources
        self._prints: dict[str, Fingerprint | None] = {}

    def glance(self, path: str) -> Glance:
        """Return what a candidate's bytes tell."""
        return Glance.at(self._sources[path])

    def printed(self, path: str) -> Fingerprint | None:
        """Return a candidate's fingerprint; None when there is too little in it to compare."""
        if path not in self._prints:
            found = self.printer(path, self._sources[path])
            self._prints[path] = found if found and found.weight >= LEAST_WEIGHT else None
        return self._prints[path]

    def is_junior(self, path: str, other: str) -> bool:
        """Tell whether the other one stays when both are copies of each other."""
        mine, theirs = self.printed(path), self.printed(other)
        if mine is None or theirs is None:
            return False
        return (-theirs.weight, len(other), other) < (-mine.weight, len(path), path)


def _print(_path: str, source: Source) -> Fingerprint | None:
    return fingerprint(source)


class _Search:
    """Looks for twins in one set of files."""

    def __init__(self, files: Mapping[str, Reader], candidates: _Candidates, *, live: bool) -> None:
        self._files = files
        self._candidates = candidates
        self._live = live
        self._prints: dict[str, Fingerprint | None] = {}
        self._glances: dict[str, Glance] = {}

    def twins(
        self, words: Mapping[str, frozenset[bytes]], may: Callable[[str, str], bool]
    ) -> dict[str, Twin]:
        """Return the twin of each module that has one; `may(path, other)` says which others count."""
        sketches = self._sketched(words.values()) if words else None
        found = {}
        for path, some in words.items() if sketches else ():
            near = [x for x in sketches.closest(some) if x != path] if sketches else []
            seen = self._candidates.glance(path) if near else None
            likely = seen is not None and any(self._glance(x).may_hold(some, seen) for x in near[:SHORTLIST])
            module = self._candidates.printed(path) if likely else None
            if module is not None:
                twin = self._best(path, module, islice((x for x in near if may(path, x)), SHORTLIST))
                if twin is not None:
                    found[path] = twin
        return found

    def _sketched(self, wanted: Iterable[frozenset[bytes]]) -> Sketches:
        sketches = Sketches(wanted)
        for path, read in self._files.items():
            source = read()
            if source is not None:
                sketches.add(path, source)
        return sketches

    def _best(self, path: str, module: Fingerprint, near: Iterable[str]) -> Twin | None:
        others = ((other, self._printed(other)) for other in near if self._may_contain(module, other))
        compared = {other: overlap(module, each) for other, each in others if each is not None}
        copies = {other: each for other, each in compared.items() if each.is_copy}
        if not copies:
            return None
        best = min(copies, key=lambda other: (-copies[other].rank, -_shared_folders(path, other), other))
        return _twin(best, copies[best], live=self._live)

    def _may_contain(self, module: Fingerprint, path: str) -> bool:
        """Tell whether the file can pass `Overlap.is_copy`, without parsing it."""
        return may_contain(module, self._glance(path))

    def _glance(self, path: str) -> Glance:
        if path not in self._glances:
            self._glances[path] = Glance.at(self._files[path]() or b"")
        return self._glances[path]

    def _printed(self, path: str) -> Fingerprint | None:
        if path not in self._prints:
            source = self._files[path]()
            self._prints[path] = None if source is None else self._candidates.printer(path, source)
        return self._prints[path]


def _shared_folders(path: str, other: str) -> int:
    pairs = zip(PurePosixPath(path).parts[:-1], PurePosixPath(other).parts[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _twin(path: str, found: Overlap, *, live: bool) -> Twin:
    statements = f"{found.contained:.0%} of its statements, whatever their variables are called"
    detail = f"{statements}, are in {path}; {found.names:.0%} of the names are the same"
    fact = Evidence(kind="twin", detail=detail, path=path)
    return Twin(path=path, similarity=round(found.contained, 4), live=live, evidence=(fact,))
