"""The work of a scan that no memory answers: graph, roots, verdicts."""

import time

from orphans.discovery.edges import corrected, parsed, why_unreadable
from orphans.discovery.plain import NoRuffError, Plain, Ruff
from orphans.discovery.spread import Spread
from orphans.discovery.survey import Survey
from orphans.discovery.verdicts import Judge
from orphans.domain.findings import Classification, Reading, Scan


def scanned(survey: Survey, reading: Reading, begun: float, *, use_ruff: bool) -> Scan:
    """Return what nothing live reaches; `begun` is on `time.perf_counter`."""
    survey, spread = connected(survey, use_ruff=use_ruff)
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


def connected(survey: Survey, *, use_ruff: bool = True) -> tuple[Survey, Spread]:
    """Return a survey with its facts and edges, and what its roots reach."""
    _graph(survey, use_ruff=use_ruff)
    spread = Spread(survey)
    spread.run()
    return survey, spread


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
