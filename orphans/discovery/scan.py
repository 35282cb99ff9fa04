"""One scan of a checkout: walk, graph, roots, verdicts. The checkout is read, never imported or run."""

import gc
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from orphans.discovery.edges import corrected, parsed, why_unreadable
from orphans.discovery.plain import NoRuffError, Plain, Ruff
from orphans.discovery.remembered import remembered
from orphans.discovery.spread import Spread
from orphans.discovery.store import Store, settled, tree_key
from orphans.discovery.survey import Survey
from orphans.discovery.verdicts import Judge, Reading
from orphans.discovery.walk import walk
from orphans.domain.findings import Classification, Scan


def scan(
    checkout: Path,
    *,
    reading: Reading = Reading.AUTO,
    use_ruff: bool = True,
    cache: Path | None = None,
    skip: Collection[str] = (),
) -> Scan:
    """Return the modules of a checkout that no root reaches.

    Args:
        checkout: its folder.
        reading: what an unreferenced module of a published library is.
        use_ruff: False takes the graph from Python's own parser: slower, the same answer.
        cache: folder to remember files and results in; None remembers nothing.
        skip: names of folders that are not looked at, wherever they are.

    Raises:
        NotADirectoryError: there is no such folder.
        TooLargeError: it has more files than a scan takes.
    """
    begun = time.perf_counter()
    with _uncollected():
        tree = walk(checkout, skip)
        store = Store(cache, tree.root)
        key = tree_key(tree, f"{reading} {use_ruff}")
        known = remembered(store, key, begun)
        if known is not None:
            return known
        store.load()
        survey = Survey(tree, store)
        made = _scan(survey, reading, begun, use_ruff=use_ruff)
        if cache is not None and settled(tree, time.time_ns()):
            store.keep(survey.rows())
            store.keep_result(key, made.to_json())
        return made


@contextmanager
def _uncollected() -> Iterator[None]:
    """Switch the cycle collector off: a scan makes millions of objects and no cycles worth the search."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _scan(survey: Survey, reading: Reading, begun: float, *, use_ruff: bool) -> Scan:
    _graph(survey, use_ruff=use_ruff)
    spread = Spread(survey)
    spread.run()
    findings = Judge(survey, spread, reading).findings()
    isolated = sorted(
        path for path, each in findings.items()
        if not each.parents and not survey.edges.get(path)
        and each.classification is not Classification.TEST_ONLY
    )  # fmt: skip
    return Scan(
        modules=len(survey.names.paths),
        edges=sum(map(len, survey.edges.values())),
        findings=findings,
        isolated=tuple(isolated),
        unreadable=survey.unreadable,
        seconds=round(time.perf_counter() - begun, 3),
    )


def _graph(survey: Survey, *, use_ruff: bool) -> None:
    """Fill the survey's facts and edges, ruff working at the same time."""
    paths = sorted(survey.names.paths)
    same_files = survey.store.paths >= survey.names.paths and len(survey.store.paths) == len(paths)
    if same_files:  # the edges of a file that didn't change hold as long as no file came or went
        for path in paths:
            survey.read_facts(path)
    changed = [path for path in paths if path not in survey.plain]
    ruff = _started(survey, [*changed, *sorted(survey.tree.notebooks)]) if use_ruff else None
    for path in paths if not same_files else ():
        survey.read_facts(path)
    survey.note_starts()
    plain = _finished(ruff)
    if plain is None:
        survey.edges = parsed(survey)
        failed = [each for each in survey.edges if survey.detail(each) is None]
    else:
        if same_files:
            plain.edges.update((path, found) for path, found in survey.plain.items() if path not in changed)
        survey.plain = {path: plain.edges[path] for path in paths if path in plain.edges}
        survey.edges = corrected(survey, plain)
        failed = list(plain.failed)
    survey.unreadable.update(why_unreadable(survey, failed, survey.edges))


def _started(survey: Survey, files: list[str]) -> Ruff | None:
    try:
        return Ruff(survey.tree.root, files, survey.sources)
    except NoRuffError:
        return None


def _finished(ruff: Ruff | None) -> Plain | None:
    try:
        return ruff.result() if ruff is not None else None
    except NoRuffError:
        return None
