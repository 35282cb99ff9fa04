"""The JSON files about orphan modules, which people edit: read into rows, written from rows.

The rows are the truth. What a file says otherwise is reported, and noted in the file beside what is true.
They lie in `orphans/SUBJECT/` of the data folder. `orphan_modules.json` in the data folder itself is read
for every subject that has the files it names; all three are written there too while there is one subject.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from orphans.domain import documents
from orphans.domain.documents import Document, Listed
from orphans.domain.errors import InvalidInput
from orphans.domain.findings import Classification
from orphans.domain.states import ModuleState
from orphans.files import CLASSIFICATIONS, MODULE_MAP, MODULES, FileRefused, read_json, write_json
from orphans.models import ModuleMapEntry, OrphanModule, ScanRun
from orphans.services import including
from orphans.services.scanning import file_hash

LISTED: Final = "listed in orphan_modules.json"
OUT: Final = (ModuleState.LIVE, ModuleState.GONE, ModuleState.RETIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What the files said."""

    #: modules that `orphan_modules.json` lists and that are there
    paths: tuple[str, ...] = ()
    #: where files and rows disagree, or what could not be read, in words
    conflicts: tuple[str, ...] = ()
    document: Document = field(default_factory=Document)


def folder(subject: str) -> Path:
    """Return the folder of a subject's files; InvalidInput when the subject would name another place."""
    if subject in ("", ".", "..") or "/" in subject or "\0" in subject:
        raise InvalidInput(f"{subject[:80]!r} is no name of a subject", field="subject")
    return Path(settings.DATA_DIR) / "orphans" / subject


def _shared() -> Path:
    return Path(settings.DATA_DIR)


def _read(path: Path) -> tuple[Any, list[str]]:
    try:
        return read_json(path), []
    except FileRefused as error:
        return None, [str(error)]


def include_orphan_modules(subject: str, checkout: Path) -> Taken:
    """Read `orphan_modules.json` and put what it lists into the queue, before a scan looks at it.

    A module that somebody took out of `module_map.json` and lists here is taken out of the map and tested
    again. What the rows say otherwise stays, and is reported.
    """
    own, problems = _read(folder(subject) / MODULES)
    inbox, more = _read(_shared() / MODULES)
    mine = _document(own)
    others = _document(inbox)
    there = {path: said for path, said in others.entries.items() if file_hash(checkout, path)}
    document = Document({**there, **mine.entries}, (*problems, *more, *mine.problems, *others.problems))
    missing = [path for path in mine.entries if not file_hash(checkout, path)]
    faults = [f"{path}: the file lists it, but there is no such file" for path in missing]
    present = {path: said for path, said in document.entries.items() if path not in missing}
    with transaction.atomic():
        faults += _queue(subject, checkout, present)
    return Taken(paths=tuple(sorted(present)), conflicts=(*document.problems, *faults), document=document)


def _document(data: Any) -> Document:
    return Document() if data is None else documents.read_modules(data)


def _queue(subject: str, checkout: Path, entries: Mapping[str, Listed]) -> list[str]:
    """Make rows of what is listed; return what a decision of a person stands against."""
    known = {row.path: row for row in OrphanModule.objects.of(subject).filter(path__in=list(entries))}
    unmapped = _unmapped(subject)
    faults = []
    for path, said in sorted(entries.items()):
        row = known.get(path)
        if row is None:
            _new_row(subject, checkout, said)
        elif row.state == ModuleState.RETIRED:
            faults.append(f"{path}: the file lists it, but it was retired ({row.state_reason})")
        elif row.state == ModuleState.INTEGRATED and path in unmapped:
            including.take_out(subject, [path], by=MODULE_MAP, reason=LISTED)
    return faults


def _new_row(subject: str, checkout: Path, said: Listed) -> None:
    classification = said.classification or Classification.ORPHAN
    OrphanModule.objects.create(
        subject=subject,
        path=said.path,
        content_hash=file_hash(checkout, said.path),
        classification=classification,
        found_as=classification,
        redundant=bool(said.redundant),
        parents=list(said.parents or ()),
        chain=[said.path],
        head=said.path,
        confidence=1.0,
        reason=LISTED,
        evidence=[{"kind": "listed", "detail": LISTED, "path": MODULES, "line": None}],
        updated_at=Now(),
    )


def _unmapped(subject: str) -> set[str]:
    """Return the modules that the rows have in the map and `module_map.json` has not; none without a file."""
    data, _ = _read(folder(subject) / MODULE_MAP)
    if data is None:
        return set()
    return _active(subject).keys() - documents.read_map(data).groups.keys()


def _active(subject: str) -> dict[str, int]:
    entries = ModuleMapEntry.objects.filter(subject=subject, removed_at=None)
    return dict(entries.values_list("path", "group"))


def disagreements(subject: str, taken: Taken) -> list[str]:
    """Say where the files and the rows of the latest scan disagree."""
    rows = OrphanModule.objects.of(subject).exclude(state__in=OUT)
    said = {
        row.path: Listed(path=row.path, classification=Classification(row.found_as), redundant=row.redundant)
        for row in rows
    }
    found = documents.conflicts(taken.document, said)
    data, problems = _read(folder(subject) / MODULE_MAP)
    if data is None:
        return [*found, *problems]
    in_file, in_rows = documents.read_map(data), _active(subject)
    found += [f"{MODULE_MAP}: {problem}" for problem in in_file.problems]
    found += [
        f"{path}: in the module map, but not in {MODULE_MAP}; list it in {MODULES} to have it tested anew"
        for path in sorted(in_rows.keys() - in_file.groups.keys())
    ]
    found += [
        f"{path}: in {MODULE_MAP}, but not in the module map; it enters once its self-test passes"
        for path in sorted(in_file.groups.keys() - in_rows.keys())
    ]
    return found


def export(subject: str, *, clean: bool = False, taken: Taken | None = None) -> Path:
    """Write the three files from the rows, each whole or not at all; return their folder.

    `clean` drops what is in the module map from `orphan_modules.json`. What a person listed and no row knows
    stays there. A conflict with what `taken` read is noted in the entry.
    """
    said = taken.document.entries if taken else {}
    rows = list(OrphanModule.objects.of(subject).exclude(state__in=OUT).order_by("path"))
    known = set(OrphanModule.objects.of(subject).values_list("path", flat=True))
    left = {path: _as_listed(entry) for path, entry in said.items() if path not in known}
    kept = {row.path: _entry(row, said.get(row.path)) for row in rows if _stays(row, said, clean=clean)}
    papers = {
        MODULES: {**left, **kept},
        CLASSIFICATIONS: {
            row.path: {"parents": row.parents, "classification": row.found_as, "redundant": row.redundant}
            for row in rows
        },
        MODULE_MAP: _active(subject),
    }
    places = [folder(subject), *([_shared()] if _is_only(subject) else [])]
    for place in places:
        for name, paper in papers.items():
            write_json(place / name, paper)
    return places[0]


def _stays(row: OrphanModule, said: Mapping[str, Listed], *, clean: bool) -> bool:
    """Tell whether the queue's file still lists a module: an integrated one only until it is cleaned.

    One that was listed as legacy and was taken in after all is always dropped.
    """
    if row.state != ModuleState.INTEGRATED:
        return True
    was = said.get(row.path)
    return not clean and not (was and was.classification is Classification.LEGACY)


def _entry(row: OrphanModule, said: Listed | None) -> dict[str, Any]:
    entry = {
        "parents": row.parents,
        "redundant": row.redundant,
        "classification": row.classification,
        "state": row.state,
        "side_effects": row.side_effects,
        "reason": row.state_reason or row.reason,
    }
    if said and said.classification and said.classification != row.classification:
        entry["conflict"] = f"this file said {said.classification}"
    return entry


def _as_listed(said: Listed) -> dict[str, Any]:
    told = {
        "classification": said.classification,
        "redundant": said.redundant,
        "parents": None if said.parents is None else list(said.parents),
    }
    return {name: value for name, value in told.items() if value is not None}


def _is_only(subject: str) -> bool:
    """Tell whether no other subject was ever scanned here."""
    return not ScanRun.objects.exclude(subject=subject).exists()
