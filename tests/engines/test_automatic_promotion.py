"""An engine whose policy decides, from a cycle to what is live, within its limits and never beyond."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from engines.domain.cycle import Part
from engines.domain.results import CLI, Artifact
from engines.domain.states import Trigger, VersionState
from engines.domain.workflows.graph import MODEL
from engines.models import Engine, ModelVersion, Promotion, WorkflowGraphState
from engines.services import promotions
from engines.services.cycles import enqueue_cycle, run_cycle
from engines.services.parts import default_parts
from engines.services.pipeline import Assignment, Evaluation
from engines.services.promotions.impact import impact_of
from engines.services.registry import register_engine
from forecasting.models import CycleMetrics
from menace_site.models import AuditEntry
from tests.engines.moving import Does
from tests.engines.promoting import approver, keep_file
from tests.engines.repositories import BOT, MANIFEST, git, make_repository
from tests.engines.test_steps import ScriptedPipeline

pytestmark = pytest.mark.django_db(transaction=True)

WORKFLOWS = """
[tool.menace.workflows.score]
steps = ["steps:score"]

[tool.menace.workflows.mail]
steps = ["post:send"]
"""
STEPS = "import bot\n\ndef score(payload):\n    return {'model': len(bot.build())}\n"
FILES = {
    "pyproject.toml": MANIFEST + WORKFLOWS,
    "bot.py": BOT,
    "steps.py": STEPS,
    "post.py": "def send(payload):\n    return payload\n",
}
CYCLES = 7
LIMITS: dict[str, Any] = {"mode": "automatic", "auto_confidence": 0.3, "auto_unknown_brittleness": True}


class Winning(ScriptedPipeline):
    """A pipeline that loses until it is told to win; its models are files in the store."""

    made = itertools.count()

    def __init__(self, gain: float = 0.0) -> None:
        super().__init__(gain=gain)

    def evaluate(self, bot: Assignment, **more: Any) -> Evaluation:
        found = super().evaluate(bot, **more)
        kept = Artifact(**keep_file(b"deployed")) if found.artifact else None
        return replace(found, report=replace(found.report, naive=0.5), artifact=kept)

    def run(self, bot: Assignment, energy: float = 1.0, **more: Any) -> Any:
        made = Artifact(**keep_file(f"challenger {next(self.made)}".encode()))
        return replace(super().run(bot, energy, **more), artifact=made)


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return register_engine(path=str(make_repository(tmp_path / "bot", FILES)), actor=CLI)


def cycle(engine: Engine, pipeline: Winning) -> None:
    """Run a cycle of the schedule; nothing but the scan for orphans is left out."""
    parts: dict[str, Part] = {**default_parts(pipeline), "orphans": Does()}
    queued = enqueue_cycle(engine, trigger=Trigger.MANUAL, energy=1.0, actor=CLI, wake=False)
    run_cycle(queued.pk, owner="test", parts=parts)


def live(engine: Engine) -> dict[str, Any]:
    """Return what the deployed model has for parameters."""
    return dict(ModelVersion.objects.get(engine=engine, state=VersionState.CHAMPION).params)


def test_an_engine_promotes_by_itself_under_stated_limits_and_not_beyond_one_of_them(engine: Engine) -> None:
    strict = {**LIMITS, "auto_unknown_brittleness": False}
    promotions.set_policy(engine.pk, actor=approver(), reason="a pilot", **strict)
    for _ in range(CYCLES):
        cycle(engine, Winning())
    assert (live(engine), Promotion.objects.count()) == ({"a": 1}, 0)
    assert CycleMetrics.objects.filter(subject=engine.name, raroi__isnull=False).count() == CYCLES - 2

    cycle(engine, Winning(gain=5.0))
    first = Promotion.objects.get()
    assert (first.state, first.verdict) == ("waiting", "promote"), first.decision["text"]
    assert first.policy["left_to_people"] == ["not measured: brittle"]

    promotions.set_policy(engine.pk, actor=approver(), reason="no code changes", **LIMITS)
    cycle(engine, Winning(gain=5.0))
    promotion = Promotion.objects.latest("pk")
    told = {reason["code"]: reason for reason in promotion.decision["reasons"]}
    assert (promotion.state, promotion.automatic) == ("approved", True)
    assert set(promotion.evidence["impact"]["dependants"]) == {"score"}, "mail never touches the model"
    assert told["impact"]["ok"]
    assert promotion.decision["unmeasured"] == ["brittle"]

    assert [promotions.apply(each) for each in (promotion.pk, promotion.pk)] == ["applied", "applied"]
    assert live(engine) == {"a": 2}
    said = AuditEntry.objects.get(verb="promotion.approve")
    assert said.detail["not_measured"] == ["brittle"]
    assert (said.actor, said.detail["automatic"]) == (f"policy of {engine.name}", True)


def test_the_impact_of_a_model_is_that_of_the_commit_that_the_bot_is_at(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert impact_of(engine, "", 1.0) is None, "nobody measured the graph yet"
    cycle(engine, Winning())
    found = impact_of(engine, "", 2.0)
    assert found is not None
    # half of what `score` is made of is the model, and 0.85 of that passes
    assert found["dependants"] == {"score": pytest.approx(2.0 * 0.5 * 0.85)}

    root = Path(engine.repository)
    (root / "steps.py").write_text("def score(payload):\n    return payload\n")
    git(root, "commit", "-qam", "without the model")
    assert impact_of(engine, "", 2.0) is None, "it was measured of another commit"
    cycle(engine, Winning())
    assert impact_of(engine, "", 2.0) == {
        "dependants": {},
        "source": "the graph of model and workflows",
    }
    assert MODEL in WorkflowGraphState.objects.get(engine=engine).nodes
    call_command("workflows", "graph", engine.name, change=MODEL)
    told = capsys.readouterr().out
    assert "2 workflows and the model, 0 edges" in told
    assert "ROI +1, synergy +0 by the model" in told
    assert impact_of(engine, "", None) is None
