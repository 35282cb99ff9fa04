"""Presets that follow forecasts of synergy: the example of the specification, and benchmarks."""

import pytest
from pytest_django.fixtures import Settings

from engines.services.workflow_synergies import Foreseen, presets_for
from forecasting.domain.tracker import ROITracker
from forecasting.services.synergies import record_synergy
from orphans.environment_generator import adapt_presets


def test_the_example_of_the_specification() -> None:
    tracker = ROITracker()
    tracker.update(0.0, 0.1, metrics={"synergy_efficiency": 0.02})
    expected = tracker.predict_synergy_metric("efficiency")
    presets = [{"CPU_LIMIT": "1", "MEMORY_LIMIT": "256"}]
    assert expected is not None
    assert expected > 0
    assert adapt_presets(tracker, presets) == [{"CPU_LIMIT": 0.5, "MEMORY_LIMIT": "128Mi"}]
    tracker.update(0.1, 0.2, metrics={"synergy_efficiency": -0.5})
    assert adapt_presets(tracker, presets) == [{"CPU_LIMIT": 2, "MEMORY_LIMIT": "512Mi"}]
    assert adapt_presets(ROITracker(), presets) == [{"CPU_LIMIT": 1, "MEMORY_LIMIT": "256Mi"}]


@pytest.mark.django_db
def test_benchmarks_follow_only_where_the_setting_says_so(settings: Settings) -> None:
    given = [{"SCENARIO_NAME": "small", "CPU_LIMIT": 1, "MEMORY_LIMIT": "256Mi"}]
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"env_presets": given})
    record_synergy("alpha/score", "cycle:1", metrics={"efficiency": 0.5})
    record_synergy("alpha/score", "cycle:1", metrics={"efficiency": -0.5}, scenario="small")
    assert [preset.as_data() for preset in presets_for("alpha/score")] == given
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"adapt_presets": True})
    lower = {"SCENARIO_NAME": "small", "CPU_LIMIT": 0.5, "MEMORY_LIMIT": "128Mi"}
    assert [preset.as_data() for preset in presets_for("alpha/score")] == [lower]
    assert [preset.as_data() for preset in presets_for("alpha/clean")] == given


@pytest.mark.django_db
def test_what_is_recorded_foretells_as_a_tracker_does() -> None:
    for number, value in enumerate((1.0, 2.0, 4.0), 1):
        record_synergy("alpha/score", f"cycle:{number}", metrics={"throughput": value})
    tracker = ROITracker()
    for value in (1.0, 2.0, 4.0):
        tracker.update(None, None, metrics={"throughput": value})
    seen = Foreseen("alpha/score")
    assert seen.predict_synergy_metric("throughput") == tracker.predict_synergy_metric("throughput")
    assert seen.reliability("synergy_throughput") == tracker.reliability("throughput")
    assert seen.predict_synergy_metric("gpu_usage") is seen.reliability("gpu_usage") is None
