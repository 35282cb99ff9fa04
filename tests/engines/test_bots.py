"""What rows say of a bot, as values."""

import json
from dataclasses import asdict

import pytest

from engines.domain.manifest import parse
from engines.domain.results import Budget
from engines.models import Engine
from engines.services import bots

TEXT = """
pipeline = "bot.model:build"
entry_points = ["train.py", "bot.steps:predict"]
tests = ["tests"]
protected = ["data/*"]

[value]
metric = "mae"
direction = "min"
unit_value = 3.0
cpu_hour_cost = 0.2

[budget]
cpu_seconds = 5.5
trials = 7

[workflows.triage]
steps = ["bot.steps:load", "bot.steps:predict"]
input = "fixtures/x.json"
"""


def stored(text: str) -> Engine:
    """Return an engine whose manifest went through the database's JSON."""
    return Engine(name="bot", manifest=json.loads(json.dumps(asdict(parse({"menace.toml": text})))))


def test_a_manifest_survives_the_row() -> None:
    assert bots.manifest_of(stored(TEXT)) == parse({"menace.toml": TEXT})


@pytest.mark.parametrize("text", ["", 'tests = ["tests"]\n', 'import_paths = ["src"]\n'])
def test_a_small_manifest_survives_too(text: str) -> None:
    assert bots.manifest_of(stored(text)) == parse({"menace.toml": text})


def test_an_engine_without_manifest_has_the_empty_one() -> None:
    assert bots.manifest_of(Engine(name="bot")) == parse({})


def test_prices_come_from_the_manifest() -> None:
    prices = bots.value_model(bots.manifest_of(stored(TEXT)))

    assert prices is not None
    assert (prices.metric, prices.direction, prices.unit_value) == ("mae", "min", 3.0)
    assert bots.value_model(parse({})) is None


def test_energy_one_buys_the_row_s_budget() -> None:
    engine = Engine(name="bot", base_cpu_seconds=5.5, base_trials=7)

    assert bots.base_budget(engine) == Budget(cpu_seconds=5.5, trials=7)


def test_the_memory_of_roi_is_read_back_in_order() -> None:
    history = [
        {"cycle": 1, "delta": 2.0, "success": True, "ema": 2.0},
        {"cycle": 2, "delta": -1.0, "success": False, "ema": 1.7},
    ]
    engine = Engine(name="bot", roi_ema_alpha=0.1, roi_history=history)

    state = bots.roi_state(engine)

    assert (state.ema, state.deltas, state.success_history) == (1.7, (2.0, -1.0), (True, False))
    assert bots.roi_state(engine, history[:1]).ema == 2.0
    assert bots.roi_state(Engine(name="new")).ema is None
