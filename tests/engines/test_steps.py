"""The cycle's own parts, with a pipeline that answers from a script."""

from pathlib import Path
from typing import Any

import pytest

from engines.domain.results import CLI, SYSTEM, Artifact, AutomationResult, Roi
from engines.domain.states import CycleState, Trigger, VersionState
from engines.domain.training_report import EvaluationReport
from engines.domain.training_words import NO_GAIN, PROMOTABLE
from engines.models import Cycle, Engine, ModelVersion, Promotion
from engines.services.cycles import enqueue_cycle, retry_cycle, run_cycle
from engines.services.observed import push_metrics
from engines.services.parts import default_parts
from engines.services.pipeline import Assignment, Evaluation, ModelAutomationPipeline
from engines.services.registry import register_engine, update_engine
from forecasting.models import MetricPoint, RoiEvent
from tests.engines.repositories import make_repository

pytestmark = pytest.mark.django_db(transaction=True)


class ScriptedPipeline(ModelAutomationPipeline):
    """Answers with what it was told; keeps the energies and assignments that it was asked with."""

    def __init__(self, *, gain: float = 5.0, accuracy: float = 0.9) -> None:
        super().__init__()
        self.gain, self.accuracy = gain, accuracy
        self.asked: list[tuple[Assignment, float]] = []

    def evaluate(self, bot: Assignment, **_: Any) -> Evaluation:
        report = EvaluationReport(
            metrics={"accuracy": self.accuracy},
            data={"data_rows": 10.0},
            digest="d",
            metric="accuracy",
            params={"a": 1},
        )
        kept = None if bot.champion_sha256 else Artifact(sha256="c" * 64, size=3)
        return Evaluation(report=report, commit="0" * 40, artifact=kept, cpu_seconds=1.0)

    def run(self, bot: Assignment, energy: float = 1.0, **_: Any) -> AutomationResult:
        self.asked.append((bot, energy))
        won = self.gain > 0
        return AutomationResult(
            roi=Roi(roi_gain=self.gain - 0.01, value=max(self.gain, 0.0), cost=0.01),
            verdict=PROMOTABLE if won else NO_GAIN,
            champion={"params": {"a": 1}, "metrics": {}},
            challenger={"params": {"a": 2}, "metrics": {"accuracy": 0.95}},
            artifact=Artifact(sha256="f" * 64, size=7),
            cpu_seconds=2.0,
        )


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    state = str(tmp_path / "state.json")
    return register_engine(path=str(make_repository(tmp_path / "bot")), actor=CLI, state_path=state)


def run(engine: Engine, pipeline: ModelAutomationPipeline, trigger: Trigger = Trigger.MANUAL) -> Cycle:
    actor = SYSTEM if trigger == Trigger.SCHEDULE else CLI
    cycle = enqueue_cycle(engine, trigger=trigger, energy=2.0, actor=actor, wake=False)
    run_cycle(cycle.pk, owner="test", parts=default_parts(pipeline))
    cycle.refresh_from_db()
    engine.refresh_from_db()
    return cycle


def test_a_cycle_keeps_champion_candidate_and_what_it_was_worth(engine: Engine) -> None:
    cycle = run(engine, ScriptedPipeline(gain=5.0))

    assert cycle.state == CycleState.DONE
    champion = ModelVersion.objects.get(state=VersionState.CHAMPION)
    candidate = ModelVersion.objects.get(state=VersionState.CANDIDATE)
    assert (champion.sha256, champion.params) == ("c" * 64, {"a": 1})
    assert (candidate.sha256, candidate.params, candidate.cycle) == ("f" * 64, {"a": 2}, cycle)
    # 3 CPU seconds are billed as one started minute of 0.1 an hour
    assert cycle.roi_delta == pytest.approx(5.0 - 0.1 / 60)
    assert engine.roi_delta_ema == cycle.roi_delta
    assert engine.success_history == [True]
    assert RoiEvent.objects.get().delta == cycle.roi_delta


def test_the_newest_winner_alone_waits_for_a_person(engine: Engine) -> None:
    run(engine, ScriptedPipeline(gain=5.0))
    newest = run(engine, ScriptedPipeline(gain=6.0))
    run(engine, ScriptedPipeline(gain=0.0))

    assert ModelVersion.objects.get(state=VersionState.CANDIDATE).cycle == newest
    assert ModelVersion.objects.filter(state=VersionState.RETIRED).count() == 1


def test_a_challenger_without_gain_costs_and_leaves_no_candidate(engine: Engine) -> None:
    cycle = run(engine, ScriptedPipeline(gain=0.0))

    assert not ModelVersion.objects.filter(state=VersionState.CANDIDATE).exists()
    assert cycle.roi_delta == pytest.approx(-0.1 / 60)
    assert engine.success_history == [False]


def test_who_asks_gets_exactly_the_energy_asked_for_and_the_reason_says_so(engine: Engine) -> None:
    pipeline = ScriptedPipeline()

    cycle = run(engine, pipeline)

    assert pipeline.asked[0][1] == 2.0
    assert (cycle.decision or {})["reasons"][0]["code"] == "manual"


def test_the_schedule_skips_a_quiet_engine_and_says_why(engine: Engine) -> None:
    update_engine(engine.pk, actor=CLI, schedule_seconds=3600)
    run(engine, ScriptedPipeline())

    cycle = run(engine, ScriptedPipeline(), Trigger.SCHEDULE)

    assert cycle.state == CycleState.SKIPPED
    assert (cycle.decision or {})["run"] is False
    assert {"no_drift", "no_errors"} <= {reason["code"] for reason in (cycle.decision or {})["reasons"]}
    assert cycle.roi_delta is None


def test_a_jump_of_a_metric_makes_the_schedule_run(engine: Engine) -> None:
    update_engine(engine.pk, actor=CLI, schedule_seconds=3600)
    run(engine, ScriptedPipeline())
    wobbly = [0.90, 0.91, 0.89, 0.905, 0.895, 0.9, 0.91, 0.89, 0.9, 0.905, 0.895, 0.9] * 2
    for accuracy in wobbly:
        assert run(engine, ScriptedPipeline(accuracy=accuracy), Trigger.SCHEDULE).state == CycleState.SKIPPED

    ended = [run(engine, ScriptedPipeline(accuracy=0.6), Trigger.SCHEDULE) for _ in range(8)]

    ran = [cycle for cycle in ended if cycle.state == CycleState.DONE]
    assert ran
    assert any(reason["metric"] == "accuracy" for reason in (ran[0].decision or {})["reasons"])


def test_pushed_metrics_enter_once_as_their_mean(engine: Engine) -> None:
    push_metrics(engine, {"complaints": 4.0}, actor=CLI)
    push_metrics(engine, {"complaints": 6.0}, actor=CLI)

    cycle = run(engine, ScriptedPipeline())
    later = run(engine, ScriptedPipeline())

    point = MetricPoint.objects.get(source=f"cycle:{cycle.pk}", name="observed_complaints")
    assert point.value == 5.0
    assert not MetricPoint.objects.filter(source=f"cycle:{later.pk}", name="observed_complaints").exists()


def test_measuring_again_replaces_and_does_not_add(engine: Engine) -> None:
    cycle = run(engine, ScriptedPipeline(gain=5.0))
    before = (engine.roi_delta_ema, engine.roi_history)

    retry_cycle(cycle.pk, from_step="measure", actor=CLI)
    run_cycle(cycle.pk, owner="test", parts=default_parts(ScriptedPipeline(gain=5.0)))

    engine.refresh_from_db()
    assert (engine.roi_delta_ema, engine.roi_history) == before
    assert RoiEvent.objects.count() == 1


def test_inspecting_again_is_no_new_evidence_for_drift(engine: Engine) -> None:
    cycle = run(engine, ScriptedPipeline())
    before = engine.drift_state

    retry_cycle(cycle.pk, from_step="inspect", actor=CLI)
    run_cycle(cycle.pk, owner="test", parts=default_parts(ScriptedPipeline(accuracy=0.1)))

    engine.refresh_from_db()
    assert engine.drift_state == before
    assert ModelVersion.objects.filter(state=VersionState.CANDIDATE).count() == 1


def test_a_bot_without_pipeline_gets_a_cycle_that_measures_nothing(tmp_path: Path) -> None:
    plain = register_engine(path=str(make_repository(tmp_path / "plain", {"a.py": "x = 1\n"})), actor=CLI)

    cycle = run(plain, ScriptedPipeline())

    states = dict(cycle.steps.values_list("name", "state"))
    assert cycle.state == CycleState.DONE
    assert states["retrain"] == "not_configured"
    assert states["measure"] == "skipped"
    assert states["gate"] == "done"
    assert not Promotion.objects.exists()
    assert cycle.roi_delta is None


def test_the_energy_of_a_scheduled_cycle_follows_its_record(engine: Engine) -> None:
    pipeline = ScriptedPipeline()
    for _ in range(3):
        run(engine, pipeline)
    engine.refresh_from_db()
    Cycle.objects.filter(engine=engine).update(state=CycleState.FAILED, message="boom")

    cycle = run(engine, pipeline, Trigger.SCHEDULE)

    assert cycle.state == CycleState.DONE
    assert pipeline.asked[-1][1] != 2.0
    assert 1.0 <= pipeline.asked[-1][1] <= 4.0
    assert (cycle.decision or {})["energy_factors"]
