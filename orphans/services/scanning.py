"""Keeps what a scan found: one transaction that brings the rows of a subject up to date."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models.functions import Now

from orphans.domain.findings import Classification, Finding, Scan
from orphans.domain.states import SETTLED, ModuleState, ScanState
from orphans.models import ModuleMapEntry, OrphanModule, ScanRun
from orphans.models.words import WORDS_CHARS
from orphans.services import tallies

LISTED: Final = 200
"""Paths of each kind of change that a scan's row keeps."""
HASH_BYTES: Final = 32 * 2**20

COLUMNS: Final = (
    "content_hash", "classification", "found_as", "isolated", "redundant", "parents", "chain", "head", "twin",
    "similarity", "confidence", "reason", "evidence", "state", "previous_state", "state_reason", "scan",
    "side_effects", "coverage", "score", "updated_at",
)  # fmt: skip


@dataclass
class Changes:
    """What differs from the scan before."""

    new: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    reclassified: list[str] = field(default_factory=list)
    live: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def as_data(self) -> dict[str, list[str]]:
        """Return the lists, each cut."""
        return {name: paths[:LISTED] for name, paths in vars(self).items()}


def file_hash(checkout: Path, path: str) -> str:
    """Return the SHA-256 of a module; empty when it is no plain file inside the checkout, or too large."""
    place = checkout / path
    try:
        if place.is_symlink() or not place.is_file():
            return ""
        if not place.resolve().is_relative_to(checkout.resolve()) or place.stat().st_size > HASH_BYTES:
            return ""
        return hashlib.sha256(place.read_bytes()).hexdigest()
    except OSError:  # no right to look, or gone since
        return ""


def record_scan(
    subject: str,
    scan: Scan,
    *,
    checkout: Path,
    source: str,
    repository: str = "",
    commit: str = "",
    options: Mapping[str, Any] | None = None,
) -> ScanRun:
    """Write a scan and what it changes about the subject's modules; a repeated source writes nothing.

    A module keeps its state while its content is the same. With other content it is found anew, unless it
    is in the module map. What the scan no longer finds is live again, or gone with its file.
    """
    hashes = {path: file_hash(checkout, path) for path in scan.findings}
    with transaction.atomic():
        row, made = ScanRun.objects.get_or_create(
            subject=subject,
            source=source,
            defaults=_facts(
                scan, repository=repository or str(checkout), commit=commit, options=options or {}
            ),
        )
        if not made:
            return row
        changes = _bring_up_to_date(row, scan, hashes, checkout)
        row.changes = changes.as_data()
        row.save(update_fields=["changes"])
    return row


def _facts(scan: Scan, *, repository: str, commit: str, options: Mapping[str, Any]) -> dict[str, Any]:
    counts = Counter(finding.classification.value for finding in scan.findings.values())
    return {
        "state": ScanState.DONE,
        "repository": repository,
        "commit": commit,
        "modules": scan.modules,
        "edges": scan.edges,
        "counts": dict(counts),
        "found": len(scan.findings),
        "isolated": len(scan.isolated),
        "unreadable": dict(list(scan.unreadable.items())[:LISTED]),
        "options": dict(options),
        "seconds": scan.seconds,
    }


def _bring_up_to_date(row: ScanRun, scan: Scan, hashes: Mapping[str, str], checkout: Path) -> Changes:
    changes = Changes()
    known = {module.path: module for module in OrphanModule.objects.of(row.subject).select_for_update()}
    isolated = frozenset(scan.isolated)
    found = []
    for path, finding in sorted(scan.findings.items()):
        module = known.get(path) or OrphanModule(subject=row.subject, path=path)
        _note(module, finding, hashes[path], changes, isolated=path in isolated)
        module.scan, module.updated_at = row, Now()
        found.append(module)
    _write(found)
    _close((module for path, module in known.items() if path not in scan.findings), checkout, changes)
    discovered = sum(path in isolated for path in changes.new)
    counts = {
        tallies.ISOLATED_DISCOVERED: discovered,
        tallies.RECLASSIFIED: len(changes.reclassified),
    }
    tallies.add(row.subject, counts)
    return changes


def _note(
    module: OrphanModule, finding: Finding, content_hash: str, changes: Changes, *, isolated: bool
) -> None:
    """Carry one finding over to its row."""
    is_new = module.pk is None
    is_other = not is_new and module.content_hash != content_hash
    before = module.classification
    _describe(module, finding, content_hash, isolated=isolated)
    if is_new:
        changes.new.append(module.path)
    elif is_other:
        changes.changed.append(module.path)
        module.side_effects = module.coverage = module.score = None
    heavy = before == Classification.HEAVY_SIDE_EFFECTS and not is_other
    module.classification = before if heavy else finding.classification
    if not is_new and module.classification != before:
        changes.reclassified.append(module.path)
    _reopen(module, is_other=is_other)


def _describe(module: OrphanModule, finding: Finding, content_hash: str, *, isolated: bool) -> None:
    module.content_hash = content_hash
    module.found_as = finding.classification
    module.isolated = isolated
    module.redundant = finding.redundant
    module.parents, module.chain = list(finding.parents), list(finding.chain)
    module.head = finding.chain[0] if finding.chain else module.path
    module.twin, module.similarity = finding.twin or "", finding.similarity
    module.confidence, module.reason = finding.confidence, finding.reason[:WORDS_CHARS]
    module.evidence = [each.to_json() for each in finding.evidence]


def _reopen(module: OrphanModule, *, is_other: bool) -> None:
    """Put a module back into the queue when it came back, or when its content is another."""
    back = module.state in (ModuleState.LIVE, ModuleState.GONE)
    other = is_other and module.state not in (ModuleState.INTEGRATED, ModuleState.FOUND)
    if back or other:
        module.previous_state, module.state = module.state, ModuleState.FOUND
        module.state_reason = "found again" if back else "its content changed"


def _write(modules: list[OrphanModule]) -> None:
    fresh = [module for module in modules if module.pk is None]
    known = [module for module in modules if module.pk is not None]
    for module in fresh:
        module.found_at = module.updated_at
    OrphanModule.objects.bulk_create(fresh, batch_size=500)
    OrphanModule.objects.bulk_update(known, COLUMNS, batch_size=200)


def _close(missing: Iterable[OrphanModule], checkout: Path, changes: Changes) -> None:
    """Settle what the scan no longer finds."""
    for module in missing:
        there = (checkout / module.path).is_file()
        if module.state in SETTLED and (there or module.state == ModuleState.GONE):
            continue
        to, listed = (ModuleState.LIVE, changes.live) if there else (ModuleState.GONE, changes.gone)
        listed.append(module.path)
        reason = "something live reaches it now" if there else "its file is gone"
        OrphanModule.objects.filter(pk=module.pk).update(
            state=to, previous_state=module.state, state_reason=reason, updated_at=Now()
        )
        if not there:
            entries = ModuleMapEntry.objects.filter(subject=module.subject, path=module.path, removed_at=None)
            entries.update(removed_at=Now(), removed_label=reason)
