"""What the rows of an engine say of its bot, as values."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from engines import git
from engines.domain.manifest import BaseBudget, Manifest, Value, Workflow
from engines.domain.results import Budget
from engines.domain.roi import RoiState, ValueModel
from engines.models import Engine


def manifest_of(engine: Engine) -> Manifest:
    """Return the manifest that was validated when the engine was registered or last refreshed."""
    return manifest_from_data(engine.manifest)


def manifest_from_data(data: dict[str, Any]) -> Manifest:
    """Return the manifest that `dataclasses.asdict` turned into plain data."""
    if not data:
        return Manifest()
    plain: dict[str, Any] = dict(data)
    plain |= {key: tuple(value) for key, value in data.items() if isinstance(value, list)}
    plain["value"] = Value(**data["value"]) if data.get("value") else None
    plain["budget"] = BaseBudget(**data["budget"])
    plain["workflows"] = {
        name: Workflow(name=name, steps=tuple(workflow["steps"]), input=workflow["input"])
        for name, workflow in data["workflows"].items()
    }
    return Manifest(**plain)


def base_budget(engine: Engine) -> Budget:
    """Return what energy 1 buys."""
    return Budget(cpu_seconds=engine.base_cpu_seconds, trials=engine.base_trials)


def value_model(manifest: Manifest) -> ValueModel | None:
    """Return the prices of the manifest, if it has any."""
    return None if manifest.value is None else ValueModel(**asdict(manifest.value))


def roi_state(engine: Engine, entries: list[dict[str, Any]] | None = None) -> RoiState:
    """Return what the engine remembers of its cycles' worth, or what it remembered with only `entries`."""
    kept = engine.roi_history if entries is None else entries
    return RoiState(
        ema=kept[-1]["ema"] if kept else None,
        alpha=engine.roi_ema_alpha,
        success_history=tuple(bool(entry["success"]) for entry in kept),
        deltas=tuple(entry["delta"] for entry in kept),
    )


def head(engine: Engine) -> str:
    """Return the commit that the engine's repository is at."""
    return git.head(Path(engine.repository))
