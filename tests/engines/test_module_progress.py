"""What a cycle brought its modules: the ROI that benchmarks found, and the entropy of their calls."""

import math
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from engines.models import Engine
from engines.services import module_progress
from engines.services.module_progress import brought, limits, usual_size
from tests.orphans.rows import make_batch, make_run


def proposal(path: str, roi: float | None, **fields: Any) -> dict[str, Any]:
    return {"module_path": path, "benchmark": {"roi": roi}, **fields}


def told(*proposals: dict[str, Any], batch: int | None = None) -> dict[str, Any]:
    return {"orphans": {"proposals": list(proposals), "batch": batch}}


def test_a_cycle_without_the_step_brought_nothing() -> None:
    assert brought({}) == {}
    assert brought({"orphans": {}}) == {}


def test_a_module_brings_what_it_adds_to_all_workflows_it_fits() -> None:
    found = brought(told(proposal("a.py", 0.5), proposal("b.py", -1.0), proposal("a.py", 0.25)))
    assert {path: each.roi for path, each in found.items()} == {"a.py": 0.75, "b.py": -1.0}
    assert list(found) == ["a.py", "b.py"]


def test_what_was_not_benchmarked_was_not_measured() -> None:
    assert brought(told(proposal("a.py", None), {"module_path": "b.py", "benchmark": None})) == {}
    found = brought(told(proposal("a.py", None), proposal("a.py", 2.0)))
    assert found["a.py"].roi == 2.0


def test_a_gain_of_zero_is_a_measurement() -> None:
    assert brought(told(proposal("a.py", 0.0)))["a.py"].roi == 0.0


@pytest.mark.django_db
def test_the_entropy_is_that_of_the_calls_in_the_self_test() -> None:
    batch = make_batch()
    make_run(batch, "even.py", functions={"f": 4, "g": 4})
    make_run(batch, "one.py", functions={"f": 8})
    make_run(batch, "never.py", functions={})
    make_run(make_batch(), "other.py", functions={"f": 1, "g": 1})
    found = brought(told(proposal("even.py", 1.0), batch=batch.pk))
    assert (found["even.py"].entropy, found["even.py"].roi) == (1.0, 1.0)
    assert (found["one.py"].entropy, found["one.py"].roi) == (0.0, None)
    assert set(found) == {"even.py", "one.py"}


@pytest.mark.django_db
def test_of_very_many_modules_as_many_as_are_counted_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_progress, "MOST", 3)
    batch = make_batch()
    for number in range(5):
        make_run(batch, f"m{number}.py", functions={"f": 1})
    found = brought(told(*(proposal(f"a{number}.py", 1.0) for number in range(2)), batch=batch.pk))
    assert list(found) == ["a0.py", "a1.py", "m0.py"]


@pytest.mark.parametrize(
    ("deltas", "size"), [([], None), ([0.5], 0.5), ([1.0, -3.0], 2.0), ([0.0, 0.0], 0.0)]
)
def test_the_usual_size_is_the_mean_regardless_of_sign(deltas: list[float], size: float | None) -> None:
    engine = Engine(roi_history=[{"delta": delta, "success": True} for delta in deltas])
    assert usual_size(engine) == size


def test_limits_come_from_the_settings(settings: Settings) -> None:
    given = {
        "roi_threshold": 0.125,
        "synergy_threshold": 0.25,
        "entropy_threshold": 0.5,
        "entropy_plateau_threshold": 0.0625,
        "entropy_plateau_consecutive": 7,
    }
    settings.SANDBOX = settings.SANDBOX.model_copy(update=given)
    found = limits()
    assert (found.roi, found.synergy, found.entropy) == (0.125, 0.25, 0.5)
    assert (found.plateau, found.consecutive) == (0.0625, 7)
    assert math.isfinite(found.roi or 0.0)
