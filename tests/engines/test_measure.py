"""Step *measure*: forecasts that later cycles settle, evaluations, and modules with nothing more to give."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engines.domain.cycle import Part, StepFailed
from engines.domain.results import CLI, StepOutcome
from engines.domain.states import Trigger
from engines.models import Cycle, CycleStep, Engine
from engines.services import module_progress
from engines.services.cycles import enqueue_cycle, retry_cycle, run_cycle
from engines.services.parts import default_parts
from engines.services.pipeline import Assignment, Evaluation
from engines.services.registry import register_engine
from forecasting.models import CycleMetrics, Forecast, ModuleProgress, RoiEvent, SynergySample
from forecasting.models import Evaluation as Judged
from forecasting.services.modules import reopen
from menace_site.models import AuditEntry
from orphans.models import ModuleRun, SelfTestRun
from tests.engines.moving import Does
from tests.engines.repositories import make_repository
from tests.engines.test_steps import ScriptedPipeline

pytestmark = pytest.mark.django_db(transaction=True)


class Scored(ScriptedPipeline):
    """A pipeline whose deployed model is better than guessing, and that tells the scores of its folds."""

    def evaluate(self, bot: Assignment, **more: Any) -> Evaluation:
        found = super().evaluate(bot, **more)
        return replace(found, report=replace(found.report, naive=0.5))

    def run(self, bot: Assignment, energy: float = 1.0, **more: Any) -> Any:
        found = super().run(bot, energy, **more)
        return replace(found, challenger={**found.challenger, "fold_scores": [0.9, 1.0]})


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return register_engine(path=str(make_repository(tmp_path / "bot")), actor=CLI)


def run(engine: Engine, pipeline: ScriptedPipeline, orphans: dict[str, Any] | None = None) -> Cycle:
    """Run a cycle whose step *orphans* found what it is given."""
    told = StepOutcome(state="done", result=orphans or {})
    parts: dict[str, Part] = {**default_parts(pipeline), "orphans": Does(lambda _: told)}
    parts["gate"] = Does()
    cycle = enqueue_cycle(engine, trigger=Trigger.MANUAL, energy=1.0, actor=CLI, wake=False)
    run_cycle(cycle.pk, owner="test", parts=parts)
    cycle.refresh_from_db()
    engine.refresh_from_db()
    return cycle


def rows() -> list[Any]:
    """Return every row that *measure* writes of forecasts, evaluations and modules."""
    models = (Forecast, Judged, RoiEvent, CycleMetrics, ModuleProgress, SynergySample)
    times = {"at", "updated_at", "settled_at"}
    return [
        {name: value for name, value in row.items() if name not in times}
        for model in models
        for row in model._default_manager.order_by("pk").values()
    ]


def test_each_measured_cycle_is_forecast_and_later_ones_settle_it(engine: Engine) -> None:
    cycles = [run(engine, Scored(accuracy=accuracy)) for accuracy in (0.9, 0.8, 0.85, 0.9)]

    made = list(Forecast.objects.order_by("id"))
    levels = [event.roi_after for event in RoiEvent.objects.order_by("id")]
    assert [row.source for row in made] == [f"cycle:{cycle.pk}" for cycle in cycles]
    assert [row.seen for row in made] == [1, 2, 3, 4]
    assert made[0].actual == levels[1:]
    assert made[1].error is not None
    assert made[-1].actual == []
    assert [row.roi for row in CycleMetrics.objects.order_by("cycle")] == levels
    assert RoiEvent.objects.earliest("id").actual_horizons == levels[1:]
    first, *_, last = CycleStep.objects.filter(name="measure").order_by("id")
    assert first.log == "review: the confidence of the forecast is not known yet; a person decides"
    assert_parts_multiply(last.result["risk_adjusted"])


def assert_parts_multiply(told: dict[str, float]) -> None:
    """Check that the risk-adjusted ROI is made of the parts that are told."""
    product = (1 - told["catastrophic_risk"]) * told["stability"] * told["safety"]
    assert 0 < product <= 1
    assert told["value"] == pytest.approx(told["base"] * product)


def test_a_bot_whose_level_is_not_measured_gets_no_forecast_and_no_zero(engine: Engine) -> None:
    cycle = run(engine, ScriptedPipeline())
    assert cycle.roi_delta is not None
    assert RoiEvent.objects.get().roi_after is None
    assert not Forecast.objects.exists()
    assert not CycleMetrics.objects.exists()
    assert Judged.objects.get().passed is True


def test_how_training_was_judged_is_kept(engine: Engine) -> None:
    run(engine, Scored(gain=5.0))
    run(engine, Scored(gain=0.0))
    won, lost = Judged.objects.order_by("id")
    assert (won.cv_score, won.passed, won.error) == (0.95, True, "")
    assert (lost.passed, won.gpt_feedback) == (False, None)


def test_a_failed_training_is_kept_with_its_reason(engine: Engine) -> None:
    class Broken(Scored):
        def run(self, bot: Assignment, energy: float = 1.0, **more: Any) -> Any:
            raise StepFailed("the bot's code raised ValueError")

    cycle = run(engine, Broken())
    row = Judged.objects.get()
    assert (row.source, row.passed, row.cv_score) == (f"cycle:{cycle.pk}", False, None)
    assert "ValueError" in row.error


def test_measuring_again_changes_no_row(engine: Engine) -> None:
    found = self_tested(engine, {"a.py": {"f": 1, "g": 3}}, roi=0.5)
    run(engine, Scored(accuracy=0.8), found)
    cycle = run(engine, Scored(accuracy=0.85), self_tested(engine, {"a.py": {"f": 2, "g": 2}}, roi=0.25))
    before = rows()

    retry_cycle(cycle.pk, from_step="measure", actor=CLI)
    parts = {**default_parts(Scored(accuracy=0.85)), "gate": Does()}
    run_cycle(cycle.pk, owner="test", parts=parts)

    assert rows() == before
    module = ModuleProgress.objects.get()
    assert (module.samples, module.roi_total) == (2, 0.75)
    assert module.entropy == 1.0


def side(cpu: float, successes: int) -> dict[str, Any]:
    """Return one side of a benchmark as it is told."""
    return {"runs": 3, "successes": successes, "cpu_seconds": cpu, "outcomes": ["ok"]}


def test_what_a_module_added_to_a_workflow_is_kept_by_scenario(engine: Engine) -> None:
    cycle = run(engine, Scored(), self_tested(engine, {"a.py": {"f": 1}}, roi=0.5))
    rows = list(SynergySample.objects.order_by("scenario"))
    assert [(row.subject, row.scenario, row.source) for row in rows] == [
        (f"{engine.name}/score", scenario, f"cycle:{cycle.pk}:0") for scenario in ("", "baseline", "spike")
    ]
    # the engine's manifest prices a success at nothing, and both sides' seconds as one started minute
    for row in rows:
        assert row.metrics == {
            "synergy_cpu_usage": 2.0,
            "synergy_efficiency": pytest.approx(1 / 3 - 2 / 3),
            "synergy_roi": 0.0,
            "synergy_revenue": 0.0,
        }
        assert row.roi_delta == 0.0


def self_tested(
    engine: Engine, modules: dict[str, dict[str, int]], roi: float | None = None
) -> dict[str, Any]:
    """Make a set of self-tests with calls by function; return what the step *orphans* tells of it."""
    source = f"test:{SelfTestRun.objects.count()}"
    batch = SelfTestRun.objects.create(subject=engine.name, source=source, checkout="/", state="done")
    for path, functions in modules.items():
        run = {"subject": engine.name, "path": path, "state": "passed", "functions": functions}
        ModuleRun.objects.create(batch=batch, **run)
    sides = {"parent": side(cpu=1.0, successes=2), "candidate": side(cpu=3.0, successes=3)}
    told = {"roi": roi, "presets": {"baseline": sides, "spike": sides} if roi is not None else {}}
    proposals = [{"module_path": path, "workflow": "score", "benchmark": told} for path in modules]
    return {"batch": batch.pk, "proposals": proposals}


def test_a_module_without_further_returns_is_told_and_marked_until_a_person_reopens_it(
    engine: Engine,
) -> None:
    logs = []
    for _ in range(4):
        cycle = run(engine, Scored(), self_tested(engine, {"a.py": {"f": 1}, "b.py": {"f": 1}}, roi=0.0))
        logs.append(CycleStep.objects.get(cycle=cycle, name="measure").log)
    assert ["sandbox diminishing: a.py" in log for log in logs] == [False, False, True, False]
    assert set(module_progress.complete_of(engine)) == {"a.py", "b.py"}
    assert_reopening_ends_the_mark(engine)


def assert_reopening_ends_the_mark(engine: Engine) -> None:
    """Reopen one of the engine's two complete modules, twice."""
    wanted = list(ModuleProgress.objects.filter(path="a.py"))
    ids = [row.pk for row in wanted]
    found = reopen(ids, actor=CLI, reason="a new customer")
    assert [row.path for row in found] == ["a.py"]
    assert set(module_progress.complete_of(engine)) == {"b.py"}
    entry = AuditEntry.objects.get(verb="module.reopen")
    assert (entry.actor, entry.detail["path"]) == ("command line", "a.py")
    assert reopen(ids, actor=CLI) == []


def test_a_module_whose_worth_was_not_measured_is_never_complete(engine: Engine) -> None:
    for _ in range(4):
        run(engine, Scored(), self_tested(engine, {"a.py": {"f": 1}}))
    assert ModuleProgress.objects.get().samples == 4
    assert module_progress.complete_of(engine) == {}


def test_modules_are_counted_also_where_nothing_was_trained(tmp_path: Path) -> None:
    plain = register_engine(path=str(make_repository(tmp_path / "plain", {"a.py": "x = 1\n"})), actor=CLI)
    run(plain, Scored(), self_tested(plain, {"a.py": {"f": 1}}, roi=0.5))
    assert ModuleProgress.objects.get().roi_total == 0.5


def test_what_the_settings_say_makes_the_limits(settings: Any) -> None:
    changed = {"roi_threshold": 0.2, "synergy_threshold": 0.3, "entropy_threshold": 0.4}
    more = {"entropy_plateau_threshold": 0.5, "entropy_plateau_consecutive": 7}
    settings.SANDBOX = settings.SANDBOX.model_copy(update={**changed, **more})
    made = module_progress.limits()
    assert (made.roi, made.synergy, made.entropy, made.plateau, made.consecutive) == (0.2, 0.3, 0.4, 0.5, 7)
