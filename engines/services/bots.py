"""What the rows of an engine say of its bot, as values."""

from typing import Any

from engines.domain.manifest import BaseBudget, Manifest, Value, Workflow
from engines.domain.results import Budget
from engines.models import Engine


def manifest_of(engine: Engine) -> Manifest:
    """Return the manifest that was validated when the engine was registered or last refreshed."""
    return manifest_from_data(engine.manifest)


def manifest_from_data(data: dict[str, Any]) -> Manifest:
    """Return the manifest that `dataclasses.asdict` turned into plain data."""
    if not data:
        return Manifest()
    plain = {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}
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
