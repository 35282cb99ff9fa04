"""`discover_recursive_orphans` and `discover_isolated_modules`: what the rest of the system works with."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orphans.discovery.scan import scan
from orphans.domain.findings import Classification, Finding, Reading, Scan

WANTED = (
    Classification.ORPHAN,
    Classification.ISOLATED,
    Classification.REDUNDANT,
    Classification.LEGACY,
)


def discover_recursive_orphans(
    repo: Path,
    names: Iterable[str] | None = None,
    *,
    recursive: bool = True,
    depth: int | None = None,
    reading: Reading = Reading.AUTO,
    cache: Path | None = None,
) -> dict[str, dict[str, Any]]:
    """Return what nothing live reaches, by path: `parents`, `redundant`, `classification`, `chain`.

    Args:
        repo: folder of the checkout.
        names: only these paths and what they lead to; all heads by default.
        recursive: follow the imports of a head; False returns the heads alone.
        depth: follow so many imports from a head at most; no limit by default.
        reading: see `scan`.
        cache: see `scan`.
    """
    found = scan(repo, reading=reading, cache=cache)
    return recursive_orphans(found, names, recursive=recursive, depth=depth)


def recursive_orphans(
    found: Scan, names: Iterable[str] | None = None, *, recursive: bool = True, depth: int | None = None
) -> dict[str, dict[str, Any]]:
    """Return the same of a scan that was made already."""
    dead = {path: each for path, each in found.findings.items() if each.classification in WANTED}
    start = (
        {each.chain[0] if each.chain else path for path, each in dead.items()}
        if names is None
        else set(names)
    )
    limit = 0 if not recursive else depth
    return {path: _row(dead[path]) for path in _followed(dead, start, limit)}


def discover_isolated_modules(
    repo: Path,
    *,
    recursive: bool = True,
    depth: int | None = None,
    reading: Reading = Reading.AUTO,
    cache: Path | None = None,
) -> list[str]:
    """Return the modules that nothing imports, and with `recursive` the helpers that only they lead to."""
    found = scan(repo, reading=reading, cache=cache)
    dead = {path: each for path, each in found.findings.items() if each.classification in WANTED}
    alone = {path for path, each in dead.items() if not each.parents}
    return _followed(dead, alone, depth if recursive else 0)


def _followed(dead: Mapping[str, Finding], start: Iterable[str], limit: int | None) -> list[str]:
    """Return `start` and what it leads to among `dead`, up to `limit` imports away, by path."""
    children: dict[str, list[str]] = {}
    for path, each in dead.items():
        for parent in each.parents:
            children.setdefault(parent, []).append(path)
    seen = {each for each in start if each in dead}
    border, away = list(seen), 0
    while border and (limit is None or away < limit):
        border = [child for path in border for child in children.get(path, ()) if child not in seen]
        seen.update(border)
        away += 1
    return sorted(seen)


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "parents": list(finding.parents),
        "redundant": finding.redundant or finding.classification is Classification.LEGACY,
        "classification": finding.classification.value,
        "chain": list(finding.chain),
        "confidence": finding.confidence,
        "reason": finding.reason,
    }
