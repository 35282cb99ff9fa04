"""The source of a workflow's steps in a checkout, measured without running it."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from orphans.discovery.quality import quality
from orphans.services.scanning import file_hash

SOURCE_BYTES: Final = 2**20


def source_of(
    checkout: Path, import_paths: Sequence[str], steps: Sequence[str]
) -> dict[str, float | None] | None:
    """Return the raw numbers of the modules whose functions are steps; None where one can't be read."""
    texts: dict[str, str] = {}
    for module in dict.fromkeys(step.partition(":")[0] for step in steps):
        place = _place(checkout, import_paths, module)
        if place is None:
            return None
        texts[place] = read_source(checkout, place)
    return quality(checkout, texts)


def _place(checkout: Path, import_paths: Sequence[str], module: str) -> str | None:
    """Return the file of a module by its dotted name; None where there is none that can be read."""
    places = [str(PurePosixPath(root, *module.split("."))) for root in import_paths]
    files = [name for place in places for name in (f"{place}.py", f"{place}/__init__.py")]
    return next((name for name in files if read_source(checkout, name)), None)


def read_source(checkout: Path, path: str) -> str:
    """Return a file's text; empty when it is no plain file of the checkout, or too large."""
    place = checkout / path
    if not file_hash(checkout, path) or place.stat().st_size > SOURCE_BYTES:
        return ""
    return place.read_text(errors="replace")
