"""Workflows under hard conditions: real runs in the sandbox, and what is kept of them."""

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.utils.module_loading import import_string

from engines.domain.cycle import Interrupted
from engines.domain.results import CLI
from engines.domain.roi import ValueModel
from engines.domain.states import RevisionState
from engines.domain.workflows.stages import NORMAL, STAGES
from engines.models import Engine, WorkflowGraphState, WorkflowStages
from engines.services import stage_runs, temporal_stages, workflow_graph, workflows
from engines.services.pulse import closing
from engines.services.registry import register_engine
from engines.services.stage_runs import run_stages
from engines.services.temporal_stages import evidence_for, measure, measure_due, worth
from engines.services.workflow_benchmark import Bench
from forecasting.models import CycleMetrics, Forecast, RoiEvent
from orphans.sandbox import Measurement, Network, Outcome, RunSpec
from orphans.services.scenarios import probe
from tests.engines.repositories import make_repository
from tests.factories import make_cycle

MANIFEST = """
[value]
metric = "accuracy"
value_per_success = 2.0
cpu_hour_cost = 3.6

[workflows.orders]
steps = ["shop:load", "shop:report"]
input = "orders.json"
"""
SHOP = """
def load(payload):
    return payload["orders"]


def report(orders):
    return {"total": orders[0]["price"] + orders[1]["price"], "count": len(orders)}
"""
FILES = {"menace.toml": MANIFEST, "shop.py": SHOP, "orders.json": '{"orders": [{"price": 1}, {"price": 2}]}'}
PRICES = ValueModel(metric="accuracy", value_per_success=2.0, cpu_hour_cost=3.6)


class Runs:
    """A runner that answers what it is told to, by stage, and remembers what it was asked."""

    def __init__(self, **answers: Measurement) -> None:
        self.answers = answers
        self.asked: list[RunSpec] = []

    def run(self, spec: RunSpec, *, on_progress: Any = None, cancel: Any = None) -> Measurement:
        self.asked.append(spec)
        if cancel is not None and cancel.is_set():
            return Measurement(outcome=Outcome.CANCELLED)
        found = self.answers.get(spec.env["SANDBOX_SCENARIO_NAME"], GOOD)
        return replace(found, calls={"a": 3, "b": 1}) if spec.count_calls else found

    @property
    def bench(self) -> Bench:
        return Bench(
            checkout=Path("/nowhere"), import_paths=(".",), input="orders.json", seed=5, run=self.run
        )


class Set:
    def is_set(self) -> bool:
        return True


GOOD = Measurement(
    outcome=Outcome.OK,
    result={"success": True, "keys": ["total", 3], "error": None},
    wall_seconds=1.0,
    cpu_seconds=0.5,
)
BROKEN = replace(GOOD, result={"success": False, "error": "KeyError: 'price'"})
SLOW = replace(GOOD, wall_seconds=4.0)
LATE = Measurement(outcome=Outcome.TIMEOUT, reason="over its time", wall_seconds=10.0, cpu_seconds=0.1)


@pytest.fixture
def whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that can give runs an API, whatever this one can."""
    words = dict(probe()) | {"stub": True}
    monkeypatch.setattr(stage_runs, "probe", lambda: words)


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Engine:
    settings.DATA_DIR = tmp_path / "data"
    make_repository(tmp_path / "shop", FILES)
    return register_engine(path=str(tmp_path / "shop"), actor=CLI)


@pytest.mark.usefixtures("whole")
def test_all_stages_get_the_same_input_and_seeds() -> None:
    runs = Runs()
    found = run_stages(runs.bench, ["shop:load"])
    assert list(found) == list(STAGES)
    assert len(runs.asked) == 15
    by_stage = {name: [s for s in runs.asked if s.env["SANDBOX_SCENARIO_NAME"] == name] for name in STAGES}
    for specs in by_stage.values():
        assert [spec.env["SANDBOX_SEED"] for spec in specs] == ["5", "6", "7"]
        assert {spec.payload["input"] for spec in specs} == {"orders.json"}
        assert [spec.count_calls for spec in specs] == [True, False, False]
    assert [spec.payload["drift"] for spec in by_stage["high_latency"]] == [None] * 3
    assert by_stage["schema_drift"][1].payload["drift"] == {"seed": 6, "share": 0.2}
    assert by_stage["high_latency"][0].network is Network.STUB
    assert by_stage["resource_strain"][0].network is Network.NONE


@pytest.mark.usefixtures("whole")
def test_each_stage_is_told_beside_the_normal_one() -> None:
    runs = Runs(high_latency=SLOW, schema_drift=BROKEN, chaotic_failure=LATE)
    found = run_stages(runs.bench, ["shop:load"])
    assert {name: row["degradation"] for name, row in found.items()} == {
        "normal": None,
        "high_latency": 0.75,
        "resource_strain": 0.0,
        "schema_drift": 1.0,
        "chaotic_failure": 1.0,
    }
    assert found["schema_drift"]["error"] == "KeyError: 'price'"
    assert found["chaotic_failure"]["outcomes"] == ["timeout"]
    assert found["normal"]["keys"] == ["total"]
    assert found["normal"]["entropy"] == pytest.approx(0.8113, abs=1e-4)
    assert found["resource_strain"]["preset"]["MEMORY_LIMIT"] == "256Mi"


@pytest.mark.usefixtures("whole")
def test_a_stage_may_take_ten_times_as_long_as_the_normal_one() -> None:
    runs = Runs(normal=replace(GOOD, wall_seconds=2.0))
    run_stages(runs.bench, ["shop:load"], repeats=1)
    limits = {spec.env["SANDBOX_SCENARIO_NAME"]: spec.limits for spec in runs.asked}
    assert limits["normal"].wall_seconds == 90.0
    assert limits["high_latency"].wall_seconds == 20.0
    assert limits["resource_strain"].cpu_seconds == 10.0
    assert limits["resource_strain"].memory_bytes == 256 * 2**20


def test_where_the_normal_stage_fails_no_other_is_run() -> None:
    runs = Runs(normal=BROKEN)
    found = run_stages(runs.bench, ["shop:load"], repeats=2)
    assert len(runs.asked) == 2
    assert found["schema_drift"]["runs"] == 0
    assert "not measured: every run of the normal stage failed" in found["schema_drift"]["note"]


def test_when_the_time_is_over_the_rest_is_not_measured() -> None:
    times = iter([0.0, *[200.0] * 9])
    found = run_stages(Runs().bench, ["shop:load"], repeats=1, seconds=100.0, clock=lambda: next(times))
    assert found["normal"]["runs"] == 1
    assert {found[name]["note"] for name in STAGES[1:]} == {"not measured: the time for all stages was over"}


def test_without_a_loopback_stages_that_need_one_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    words = dict(probe()) | {"stub": False}
    monkeypatch.setattr(stage_runs, "probe", lambda: words)
    found = run_stages(Runs().bench, ["shop:load"], repeats=1)
    assert [name for name, row in found.items() if row["runs"]] == ["normal", "resource_strain"]
    assert "no loopback" in found["high_latency"]["note"]


def test_cancelling_ends_it() -> None:
    with pytest.raises(Interrupted):
        run_stages(replace(Runs().bench, cancel=Set()), ["shop:load"])


def test_a_normal_run_is_worth_its_success_less_its_cost() -> None:
    stages = {NORMAL: {"runs": 4, "successes": 3, "cpu_seconds": 1.0}}
    assert worth(stages, PRICES) == pytest.approx(2.0 * 0.75 - 0.001)
    assert worth(stages, None) is None
    assert worth({NORMAL: {**stages[NORMAL], "cpu_seconds": None}}, PRICES) is None


@pytest.mark.django_db
def test_stages_run_in_a_real_sandbox_are_kept_and_recorded(shop: Engine) -> None:
    cycle = make_cycle(shop, "done")
    row = measure(shop, workflows.current(shop, "orders"), by="ada", repeats=1)
    normal, strain, drift = (row.stages[name] for name in ("normal", "resource_strain", "schema_drift"))
    assert (normal["successes"], normal["keys"], normal["note"]) == (1, ["count", "total"], "")
    assert normal["entropy"] == pytest.approx(math.log2(3))  # the module, load and report, once each
    assert strain["successes"] == 1
    assert drift["runs"] == int(probe()["stub"])
    assert row.roi == pytest.approx(2.0, abs=0.1)
    metrics = CycleMetrics.objects.get()
    assert (metrics.subject, metrics.cycle) == ("shop/orders", cycle.pk)
    assert (metrics.roi, metrics.entropy, metrics.resilience) == (row.roi, row.degradation, row.resilience)
    assert list((Path(shop.repository).parent / "data" / "scratch" / "stages").iterdir()) == []


@pytest.mark.django_db
@pytest.mark.usefixtures("whole")
def test_a_candidate_is_measured_but_is_not_the_course_of_its_workflow(shop: Engine) -> None:
    make_cycle(shop, "done")
    revision = workflows.current(shop, "orders")
    candidate = revision.__class__.objects.create(
        engine=shop, workflow="orders", parent=revision, steps=["shop:load"], state=RevisionState.CANDIDATE
    )
    row = measure(shop, candidate, by="ada", runner=Runs())
    assert not CycleMetrics.objects.exists()
    assert evidence_for(shop, "orders", candidate)["id"] == row.pk
    assert not evidence_for(shop, "orders", revision)["measured"]


@pytest.mark.django_db
@pytest.mark.usefixtures("whole")
def test_evidence_tells_the_latest_set_and_the_course_of_the_degradation(shop: Engine) -> None:
    assert evidence_for(shop, "orders") == {
        "measured": False,
        "note": "not measured: no run through the hard stages",
        "stages": {},
    }
    revision = workflows.current(shop, "orders")
    for answers in ({}, {"schema_drift": BROKEN}):
        make_cycle(shop, "done")
        measure(shop, revision, by="ada", runner=Runs(**answers), repeats=1)
    found = evidence_for(shop, "orders")
    assert (found["measured"], found["degradation"], found["resilience"]) == (True, 0.25, 0.75)
    assert [each["degradation"] for each in found["series"]] == [0.0, 0.25]
    assert found["entropy"] == pytest.approx(0.8113, abs=1e-4)
    assert list(CycleMetrics.objects.values_list("entropy", flat=True)) == [0.0, 0.25]


@pytest.mark.django_db
@pytest.mark.usefixtures("whole")
def test_the_course_of_a_workflow_is_forecast_with_what_the_stages_cost_it(shop: Engine) -> None:
    revision = workflows.current(shop, "orders")
    for answers in ({}, {"schema_drift": BROKEN}, {"schema_drift": BROKEN, "high_latency": SLOW}):
        cycle = make_cycle(shop, "done")
        measure(shop, revision, by="ada", runner=Runs(**answers), repeats=1)
        measure(shop, revision, by="ada", runner=Runs(**answers), repeats=1)
    events = RoiEvent.objects.filter(subject="shop/orders").order_by("id")
    assert [event.roi_before is None for event in events] == [True, False, False]
    assert [event.roi_after for event in events] == pytest.approx([2.0] * 3, abs=0.01)
    forecast = Forecast.objects.get(subject="shop/orders", source=f"cycle:{cycle.pk}")
    assert (forecast.seen, forecast.risk, forecast.evidence) == (3, "Stable", "low")
    assert forecast.brittle is False  # the degradation rose, the worth of a normal run did not fall


@pytest.mark.django_db
@pytest.mark.usefixtures("whole")
def test_a_measured_output_is_what_the_graph_goes_by(shop: Engine) -> None:
    workflow_graph.refresh(shop)
    revision = workflows.current(shop, "orders")
    measure(shop, revision, by="ada", runner=Runs(), repeats=1)
    state = WorkflowGraphState.objects.get()
    assert state.due
    told = workflow_graph.refresh(shop).nodes["orders"]["gives"]
    assert told == {"keys": ["total"], "from": "output of a measured run"}


@pytest.mark.django_db
def test_a_cancelled_set_leaves_nothing(shop: Engine) -> None:
    revision = workflows.current(shop, "orders")
    with pytest.raises(Interrupted):
        measure(shop, revision, by="ada", runner=Runs(), cancel=Set())
    assert not WorkflowStages.objects.exists()
    assert list((Path(shop.repository).parent / "data" / "scratch" / "stages").iterdir()) == []


@pytest.mark.django_db
def test_what_waits_is_measured_once_a_cycle(
    shop: Engine, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        temporal_stages, "Bench", lambda **given: replace(Runs().bench, cancel=given["cancel"])
    )
    assert measure_due() is None
    cycle = make_cycle(shop, "done")
    row = measure_due()
    assert row is not None
    assert (row.cycle, row.requested_label) == (cycle, "schedule")
    assert measure_due() is None
    make_cycle(shop, "done")
    import_string(settings.CELERY_BEAT_SCHEDULE["measure-stages"]["task"])()
    assert WorkflowStages.objects.count() == 2
    make_cycle(shop, "done")
    shop.enabled = False
    shop.save()
    assert measure_due() is None


@pytest.mark.django_db
def test_a_process_that_ends_takes_no_set_with_it(shop: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        temporal_stages, "Bench", lambda **given: replace(Runs().bench, cancel=given["cancel"])
    )
    monkeypatch.setattr(closing, "asked", True)
    make_cycle(shop, "done")
    assert measure_due() is None
    monkeypatch.setattr(closing, "asked", False)
    assert measure_due() is not None


@pytest.mark.django_db
def test_a_repository_that_is_gone_is_passed_over(shop: Engine) -> None:
    make_cycle(shop, "done")
    Path(shop.repository, ".git").rename(Path(shop.repository, "gone"))
    assert measure_due() is None


@pytest.mark.django_db
def test_only_one_worker_measures_at_a_time(shop: Engine) -> None:
    make_cycle(shop, "done")
    cache.add(temporal_stages.LOCK, 1, 60)
    try:
        assert measure_due() is None
    finally:
        cache.delete(temporal_stages.LOCK)
