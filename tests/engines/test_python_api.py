"""`SelfImprovementEngine` and `ImprovementEngineRegistry` from plain Python."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engines import api
from engines.domain.errors import Conflict, InvalidInput, NotConfigured
from engines.domain.results import AutomationResult
from engines.models import Cycle, Engine
from engines.services.pipeline import Assignment, Evaluation
from tests.engines.repositories import make_repository
from tests.engines.test_steps import ScriptedPipeline

pytestmark = pytest.mark.django_db(transaction=True)


class BrokenPipeline(ScriptedPipeline):
    """A pipeline whose bot can't be measured."""

    def evaluate(self, bot: Assignment, **_: Any) -> Evaluation:
        raise RuntimeError("the bot is broken")


@pytest.fixture
def data(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder of its own with the repositories alpha and beta."""
    settings.DATA_DIR = tmp_path
    monkeypatch.setenv("SANDBOX_DATA_DIR", str(tmp_path))
    for name in ("alpha", "beta"):
        make_repository(tmp_path / "repos" / name)
    return tmp_path


def test_the_first_example_works_as_written(data: Path) -> None:
    builder = api.ContextBuilder("bots.db", "code.db", "errors.db", "workflows.db")
    engine = api.SelfImprovementEngine(
        bot_name="alpha",
        pipeline=ScriptedPipeline(gain=5.0),
        state_path=api.resolve_path(f"{os.getenv('SANDBOX_DATA_DIR', 'sandbox_data')}/alpha_state.json"),
    )
    assert api.ModelAutomationPipeline(context_builder=builder).context_builder is builder
    registry = api.ImprovementEngineRegistry()
    registry.register_engine("alpha", engine)

    results = registry.run_all_cycles(energy=2)

    assert results["alpha"].roi is not None
    assert results["alpha"].roi.roi_gain == pytest.approx(4.99)
    state = json.loads((data / "alpha_state.json").read_text())
    assert state["roi_delta_ema"] == engine.roi_delta_ema
    assert state["success_history"] == engine.success_history == [True]
    assert engine.momentum == state["momentum"]


def test_an_engine_made_again_goes_on_with_its_history(data: Path) -> None:
    api.SelfImprovementEngine("alpha", ScriptedPipeline(), state_path=data / "s.json").run_cycle()
    Engine.objects.all().delete()

    again = api.SelfImprovementEngine("alpha", ScriptedPipeline(), state_path=data / "s.json")

    assert again.success_history == [True]
    assert again.roi_delta_ema is not None


def test_several_engines_run_in_parallel_and_a_failing_one_does_not_stop_the_others(data: Path) -> None:
    registry = api.ImprovementEngineRegistry()
    registry.register_engine("alpha", api.SelfImprovementEngine("alpha", BrokenPipeline()))
    registry.register_engine("beta", api.SelfImprovementEngine("beta", ScriptedPipeline(gain=3.0)))

    results = registry.run_all_cycles(parallel=2)

    assert results["alpha"].roi is None
    assert "the bot is broken" in results["alpha"].verdict
    assert isinstance(results["beta"], AutomationResult)
    assert results["beta"].roi is not None
    assert set(Cycle.objects.values_list("state", flat=True)) == {"failed", "done"}


def test_a_failed_cycle_raises_with_its_number(data: Path) -> None:
    with pytest.raises(api.CycleFailed, match="the bot is broken") as caught:
        api.SelfImprovementEngine("alpha", BrokenPipeline()).run_cycle()

    assert caught.value.cycle_id == Cycle.objects.get().pk


def test_an_unknown_engine_says_what_would_do(data: Path) -> None:
    with pytest.raises(NotConfigured, match="engines add"):
        api.SelfImprovementEngine("gamma")


def test_a_name_in_the_registry_is_never_replaced_silently(data: Path) -> None:
    registry = api.ImprovementEngineRegistry()
    registry.register_engine("alpha", api.SelfImprovementEngine("alpha"))

    with pytest.raises(Conflict, match="another engine"):
        registry.register_engine("alpha", api.SelfImprovementEngine("beta"))
    with pytest.raises(InvalidInput, match="no engine is registered"):
        registry.unregister_engine("beta")


def test_the_trigger_explains_itself_without_writing(data: Path) -> None:
    engine = api.SelfImprovementEngine("alpha", ScriptedPipeline())
    first = engine.should_trigger()
    engine.run_cycle()

    after = engine.should_trigger()

    assert first.run
    assert "never_run" in {reason.code for reason in first.reasons}
    assert not after.run
    assert engine._should_trigger() is False
    assert Cycle.objects.count() == 1


@pytest.mark.parametrize("energy", [0, -1, 101, float("nan"), "2", True])
def test_a_bad_energy_is_refused_before_anything_is_written(data: Path, energy: Any) -> None:
    with pytest.raises(InvalidInput):
        api.SelfImprovementEngine("alpha", ScriptedPipeline()).run_cycle(energy)

    assert not Cycle.objects.exists()
