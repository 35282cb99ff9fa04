"""One scan of a checkout: walk, graph, roots, verdicts. The checkout is read, never imported or run."""

import gc
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from orphans.discovery.remembered import remembered
from orphans.discovery.store import Store, settled, tree_key
from orphans.discovery.walk import walk
from orphans.domain.findings import Reading, Scan


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
        # a scan of what is remembered loads neither rules nor patterns: half of the time it takes
        from orphans.discovery.anew import scanned
        from orphans.discovery.survey import Survey

        store.load()
        survey = Survey(tree, store)
        made = scanned(survey, reading, begun, use_ruff=use_ruff)
        if cache is not None and settled(tree, time.time_ns()):
            store.keep(survey.rows(), survey.notes)
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
