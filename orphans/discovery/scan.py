"""One scan of a checkout: walk, graph, roots, verdicts. The checkout is read, never imported or run."""

import time
from pathlib import Path

from orphans.discovery.edges import corrected, parsed, why_unreadable
from orphans.discovery.plain import NoRuffError, Ruff
from orphans.discovery.spread import Spread
from orphans.discovery.survey import Survey
from orphans.discovery.verdicts import Judge, Reading
from orphans.discovery.walk import walk
from orphans.domain.findings import Classification, Scan


def scan(checkout: Path, *, reading: Reading = Reading.AUTO, use_ruff: bool = True) -> Scan:
    """Return the modules of a checkout that no root reaches.

    Args:
        checkout: its folder.
        reading: what an unreferenced module of a published library is.
        use_ruff: False takes the graph from Python's own parser: slower, the same answer.

    Raises:
        NotADirectoryError: there is no such folder.
        TooLargeError: it has more files than a scan takes.
    """
    begun = time.perf_counter()
    survey = Survey(walk(checkout))
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
    files = [*sorted(survey.names.paths), *sorted(survey.tree.notebooks)]
    try:
        ruff = Ruff(survey.tree.root, files, survey.sources) if use_ruff else None
    except NoRuffError:
        ruff = None
    for path in sorted(survey.names.paths):
        survey.read_facts(path)
    try:
        plain = ruff.result() if ruff is not None else None
    except NoRuffError:
        plain = None
    if plain is None:
        survey.edges = parsed(survey)
        failed = [each for each in survey.edges if survey.detail(each) is None]
    else:
        survey.edges = corrected(survey, plain)
        failed = list(plain.failed)
    survey.unreadable.update(why_unreadable(survey, failed, survey.edges))
