"""The JSON file that mirrors an engine's ROI history, averages and time of last cycle (`state_path`).

The row is the truth. The file is written after each cycle, atomically, with the version before kept beside
it, and is read only when an engine without history is taken under care.
"""

import json
import logging
import math
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings

from engines.domain.errors import InvalidInput
from engines.files import read_bytes, write_atomically
from engines.models import Engine

log = logging.getLogger(__name__)

MAX_BYTES = 1_000_000
BAD = (OSError, InvalidInput, ValueError, TypeError, KeyError, OverflowError, RecursionError)
"""What reading a file may raise that somebody else wrote."""


def path_of(engine: Engine) -> Path:
    """Return where the engine's state file lies: its `state_path`, else `<data dir>/<name>_state.json`."""
    return (
        Path(engine.state_path)
        if engine.state_path
        else Path(settings.DATA_DIR) / f"{engine.name}_state.json"
    )


def state_of(engine: Engine) -> dict[str, Any]:
    """Return the content of the file."""
    return {
        "bot_name": engine.name,
        "roi_history": [entry["delta"] for entry in engine.roi_history],
        "roi_delta_ema": engine.roi_delta_ema,
        "roi_ema_alpha": engine.roi_ema_alpha,
        "success_history": engine.success_history,
        "momentum": engine.momentum,
        "last_run": engine.last_cycle_at.isoformat() if engine.last_cycle_at else None,
    }


def export_state(engine: Engine) -> Path:
    """Write the file: all of the new version, or still all of the old one, whenever the power fails."""
    path = path_of(engine)
    text = json.dumps(state_of(engine), indent=2, allow_nan=False) + "\n"
    if (before := _read(path)) is not None:  # a torn file must not take the place of the good one before it
        write_atomically(_previous(path), before.encode())
    write_atomically(path, text.encode())
    return path


def _previous(path: Path) -> Path:
    return path.with_name(f"{path.name}.previous")


def import_state(engine: Engine) -> bool:
    """Fill an engine that has no history from its file; a torn file gives way to the version before it.

    Returns whether anything was read. A file that can't be read is named in the log and changes nothing.
    """
    path = path_of(engine)
    for candidate in (path, _previous(path)):
        if (text := _read(candidate)) is not None:
            _apply(engine, json.loads(text))
            return True
    return False


def _read(path: Path) -> str | None:
    """Return the text of a state file, None when there is none or it is none; the log then says why."""
    try:
        data = read_bytes(path, MAX_BYTES)
        if data is None:
            return None
        text = data.decode()
        _check(json.loads(text))
    except BAD as error:
        log.warning("state file %s was passed over: %s", path, error or type(error).__name__)
        return None
    return text


def _check(state: Any) -> None:
    numbers = [
        *state["roi_history"],
        *(x for x in (state["roi_delta_ema"], state["momentum"]) if x is not None),
    ]
    if not all(isinstance(x, int | float) and math.isfinite(x) for x in numbers):
        raise ValueError("a number in it is not finite")
    if len(state["success_history"]) != len(state["roi_history"]):
        raise ValueError("success_history and roi_history differ in length")
    if state["last_run"] is not None and datetime.fromisoformat(state["last_run"]).tzinfo is None:
        raise ValueError("last_run has no time zone")


def _apply(engine: Engine, state: dict[str, Any]) -> None:
    pairs = zip(state["roi_history"], state["success_history"], strict=True)
    engine.roi_history = [
        {"cycle": None, "delta": delta, "success": bool(success), "ema": state["roi_delta_ema"]}
        for delta, success in pairs
    ]
    engine.roi_delta_ema = state["roi_delta_ema"]
    engine.momentum = state["momentum"]
    engine.last_cycle_at = datetime.fromisoformat(state["last_run"]) if state["last_run"] else None
    engine.save(update_fields=["roi_history", "roi_delta_ema", "momentum", "last_cycle_at"])
