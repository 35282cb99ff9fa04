"""What runs on a data directory, for other commands to read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engines.domain.errors import Conflict
from menace_site.embedded.locks import FileLock


def state_file(data_dir: Path) -> Path:
    """Return where `up` says what it runs."""
    return data_dir / "run" / "up.json"


def take(data_dir: Path) -> FileLock:
    """Become the one supervisor of this data directory. Raises Conflict that names the other one."""
    lock = FileLock(data_dir / "run" / "up.lock")
    if not lock.acquire():
        facts = read(data_dir)
        raise Conflict(
            f"{data_dir} is already run by process {facts.get('pid', '(starting)')} at "
            f"{facts.get('url', 'an address not known yet')}; stop it, or choose another SANDBOX_DATA_DIR"
        )
    return lock


def running(data_dir: Path) -> dict[str, Any]:
    """Return what the supervisor of this data directory says, or nothing when none runs."""
    return read(data_dir) if FileLock(data_dir / "run" / "up.lock").held_by_somebody() else {}


def read(data_dir: Path) -> dict[str, Any]:
    """Return the last state written, by whomever."""
    try:
        facts: dict[str, Any] = json.loads(state_file(data_dir).read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return facts


def write(data_dir: Path, url: str, children: Mapping[str, int | None]) -> None:
    """Say who runs what."""
    path = state_file(data_dir)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": os.getpid(), "url": url, "children": dict(children)}))
    draft.replace(path)
