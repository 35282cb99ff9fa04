"""Small checkouts written from a table, and what a scan says of them."""

from collections.abc import Mapping
from pathlib import Path

from orphans.discovery import Reading, scan
from orphans.domain.findings import Scan

BODY = "def work(value):\n    return value\n"
"""What a module of these trees holds when its text doesn't matter."""


def write(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write the files below `root`; an empty text of a module that is no `__init__.py` becomes `BODY`."""
    for name, text in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(text, str):
            filled = BODY if not text and name.endswith(".py") and not name.endswith("__init__.py") else text
            place.write_text(filled)
        else:
            place.write_bytes(text)
    return root


def scanned(
    root: Path, files: Mapping[str, str | bytes], reading: Reading = Reading.AUTO, *, use_ruff: bool = True
) -> Scan:
    """Return the scan of a checkout with these files."""
    return scan(write(root, files), reading=reading, use_ruff=use_ruff)


def dead(root: Path, files: Mapping[str, str | bytes], *, use_ruff: bool = True) -> set[str]:
    """Return the modules that nothing, not even a test, reaches."""
    found = scanned(root, files, use_ruff=use_ruff).findings.values()
    return {
        each.path for each in found if each.classification.value not in ("test_only", "public_unreferenced")
    }
