"""The step *gate*: evidence becomes promotions; policies may approve; what leaves its band is questioned."""

from pathlib import Path
from typing import Any

import pytest

from engines.domain.cycle import StepContext
from engines.domain.errors import Conflict, InvalidInput, NotAllowed
from engines.domain.results import Actor, StepOutcome
from engines.domain.states import RevisionState, VersionState
from engines.models import Cycle, Engine, ModelVersion, Promotion, WorkflowRevision
from engines.services import cycles, promotions
from engines.services.promotions.shadow import shadow
from engines.services.steps.gate import Gate
from forecasting.models import Forecast
from tests.engines.promoting import (
    actor_of,
    applied,
    approve,
    approver,
    champion,
    head,
    make_bot,
    make_forecast,
    make_promotion,
    make_winner,
)
from tests.factories import make_cycle, make_revision, make_roi_event, make_user
from tests.orphans.rows import make_batch, make_run

pytestmark = pytest.mark.django_db


class Quiet:
    """A pulse that nobody listens to."""

    def is_set(self) -> bool:
        return False

    def report(self, fraction: float | None, message: str = "") -> None:
        """Say nothing."""


def gate(engine: Engine, cycle: Cycle | None = None) -> StepOutcome:
    """Run the step for a cycle of the engine."""
    cycle = cycle or make_cycle(engine, "running")
    Cycle.objects.filter(pk=cycle.pk).update(state="done")
    context = StepContext(
        cycle_id=cycle.pk, engine_id=engine.pk, engine_name=engine.name, step="gate", trigger="manual",
        energy=1.0, seed=0, seconds_left=60.0, scratch=Path("/nowhere"), pulse=Quiet(),
    )  # fmt: skip
    outcome = Gate().run(context)
    Gate().commit(context, outcome)
    return outcome


def test_without_a_candidate_there_is_nothing_to_promote() -> None:
    outcome = gate(make_bot())

    assert (outcome.state, outcome.result["promotions"]) == ("done", [])
    assert "nothing is a candidate" in outcome.note


def test_a_candidate_of_the_cycle_comes_before_people() -> None:
    engine = make_bot()
    make_forecast(engine)
    version = make_winner(engine)

    outcome = gate(engine, version.cycle)

    promotion = Promotion.objects.get(version=version)
    assert promotion.cycle == version.cycle
    assert outcome.result["promotions"][0]["verdict"] == "promote"
    assert "candidates" not in outcome.result, "the evidence is kept once"


def test_a_young_bot_is_held_until_there_are_enough_cycles() -> None:
    engine = make_bot()
    forecast = make_forecast(engine, cycles=2)
    version = make_winner(engine)
    gate(engine, version.cycle)
    first = Promotion.objects.get(version=version)
    assert (first.state, "Insufficient data" in first.decision["text"]) == ("held", True)

    Forecast.objects.filter(pk=forecast.pk).update(seen=8)
    gate(engine)

    first.refresh_from_db()
    assert first.state == "superseded"
    assert Promotion.objects.get(version=version, state="waiting").verdict == "promote"


def test_what_a_person_may_be_looking_at_is_left_alone() -> None:
    promotion = make_promotion()

    gate(promotion.engine)

    assert Promotion.objects.get(engine=promotion.engine) == promotion


def test_a_newer_winner_supersedes_the_promotion_of_the_older() -> None:
    promotion = make_promotion()
    ModelVersion.objects.filter(pk=promotion.version_id or 0).update(state=VersionState.RETIRED)
    newer = make_winner(promotion.engine)

    gate(promotion.engine, newer.cycle)

    promotion.refresh_from_db()
    assert (promotion.state, "retired" in promotion.message) == ("superseded", True)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"risk": "Volatile"}, "risk"),
        ({"brittle": True}, "brittle"),
        ({"p_collapse": 0.9}, "p_collapse"),
        ({"mean": [-3.0] * 5, "upper80": [-3.0] * 5}, "projection"),
    ],
)
def test_what_the_gate_blocks_nobody_can_approve(change: dict[str, Any], code: str) -> None:
    engine = make_bot()
    make_forecast(engine, **change)
    promotion = make_promotion(engine)
    promotions.set_policy(engine.pk, actor=approver(), reason="try", overrule_holds=True)

    assert promotion.state == "blocked"
    assert [reason["code"] for reason in promotion.decision["reasons"] if not reason["ok"]] == [code]
    with pytest.raises(Conflict, match="nobody can approve"):
        approve(promotion, approver(), overrule=True)


def test_without_a_forecast_the_gate_holds_and_says_so() -> None:
    engine = make_bot()
    promotion = promotions.open_promotion(make_winner(engine))

    assert promotion.state == "held"
    assert {"risk", "projection", "confidence"} <= set(promotion.decision["unmeasured"])
    with pytest.raises(Conflict, match="lets nobody overrule"):
        approve(promotion, approver(), overrule=True)


def test_a_hold_is_overruled_where_the_policy_allows_it_and_the_approver_says_so() -> None:
    engine = make_bot()
    make_forecast(engine, cycles=5)
    promotion = make_promotion(engine)
    promotions.set_policy(engine.pk, actor=approver(), reason="a pilot", overrule_holds=True)

    with pytest.raises(Conflict, match="approve it as overruled"):
        approve(promotion, approver())
    approve(promotion, approver(), overrule=True)

    promotion.refresh_from_db()
    assert promotion.state == "approved"


def test_a_policy_that_became_stricter_counts_at_the_approval() -> None:
    promotion = make_promotion()
    promotions.set_policy(promotion.engine_id, actor=approver(), reason="stricter", tau=0.99)

    with pytest.raises(Conflict, match="the gate holds it"):
        approve(promotion, approver())


def test_automatic_mode_approves_within_its_limits_and_no_more() -> None:
    engine = make_bot()
    promotions.set_policy(engine.pk, actor=approver(), reason="trusted", mode="automatic")
    first = make_promotion(engine)
    promotions.apply(first.pk)
    second = make_promotion(engine)

    first.refresh_from_db()
    assert (first.state, first.automatic, first.decided_label) == (
        "applied",
        True,
        f"policy of {engine.name}",
    )
    assert second.state == "waiting", "one a day"


@pytest.mark.parametrize("who", [Actor(), Actor(user_id=-1)])
def test_a_policy_is_changed_by_people_with_the_right(who: Actor) -> None:
    engine = make_bot()
    with pytest.raises(NotAllowed):
        promotions.set_policy(engine.pk, actor=who, reason="x", mode="automatic")
    with pytest.raises(NotAllowed):
        promotions.set_policy(engine.pk, actor=actor_of(make_user("operator")), reason="x", tau=0)
    with pytest.raises(InvalidInput):
        promotions.set_policy(engine.pk, actor=approver(), reason="x", roi_floor=-1)


@pytest.mark.parametrize(("levels", "proposed"), [([5.0] * 4, False), ([5.0, 3.5, 3.5], True), ([1.0], True)])
def test_a_rollback_is_proposed_when_the_roi_leaves_the_band(levels: list[float], proposed: bool) -> None:
    promotion = applied()
    for level in levels:
        make_roi_event(promotion.engine.name, level)

    outcome = gate(promotion.engine)

    promotion.refresh_from_db()
    assert outcome.result["rollbacks_proposed"] == ([promotion.pk] if proposed else [])
    assert promotion.rollback_proposed is proposed
    assert champion(promotion.engine) == promotion.evidence["candidate"]["sha256"], "it is proposed, not done"


def make_candidate_revision(engine: Engine) -> WorkflowRevision:
    """Make a revision that succeeds where its parent fails, with a self-test of its module."""
    root = make_revision(engine, workflow="orders")
    runs = {"parent": {"runs": 5, "successes": 0}, "candidate": {"runs": 5, "successes": 5}}
    make_run(make_batch(engine.name), "extra.py", state="passed", content_hash="a" * 64, tests_passed=2)
    return make_revision(
        engine,
        RevisionState.CANDIDATE,
        workflow="orders",
        parent=root,
        steps=[*root.steps, "extra:run"],
        module_path="extra.py",
        module_hash="a" * 64,
        commit=head(Path(engine.repository)),
        benchmark={"roi": 1.5, "presets": {"baseline": runs}, "success_delta": 1.0},
    )


def test_a_revision_goes_live_by_its_promotion_alone_and_comes_back_byte_for_byte() -> None:
    engine = make_bot()
    make_forecast(engine)
    revision = make_candidate_revision(engine)
    gate(engine)
    promotion = Promotion.objects.get(revision=revision)
    assert (promotion.state, promotion.decision["unmeasured"]) == ("waiting", ["flags"])
    before = promotion.evidence["live"]

    approve(promotion, approver())
    assert promotions.apply(promotion.pk) == "applied"
    revision.refresh_from_db()
    assert revision.state == RevisionState.ACTIVE
    with pytest.raises(Conflict, match=f"roll back promotion {promotion.pk}"):
        promotions.withdraw(revision.pk, actor=approver())
    promotions.rollback(promotion.pk, actor=approver(), reason="no")

    assert promotions.preview(promotion.pk)["now"] == before
    assert WorkflowRevision.objects.get(pk=revision.pk).state == RevisionState.REVERTED


def test_a_revision_that_is_withdrawn_ends_its_promotion() -> None:
    engine = make_bot()
    make_forecast(engine)
    revision = make_candidate_revision(engine)
    gate(engine)

    promotions.withdraw(revision.pk, actor=approver())

    assert Promotion.objects.get(revision=revision).state == "superseded"


def test_shadow_mode_uses_only_what_was_known_then() -> None:
    engine = make_bot()
    young = make_winner(engine)
    make_forecast(engine)
    later = make_winner(engine)
    assert young.cycle is not None
    assert later.cycle is not None
    Cycle.objects.filter(pk=young.cycle.pk).update(finished_at="2020-01-01T00:00Z")
    Cycle.objects.filter(pk=later.cycle.pk).update(finished_at="2100-01-01T00:00Z")
    for cycle in (young.cycle, later.cycle):
        cycle.steps.update(finished_at="2020-01-01T00:00Z")

    found = shadow(engine)

    assert [(row["cycle"], row["verdict"]) for row in found["rows"]] == [
        (young.cycle_id, "hold"),
        (later.cycle_id, "promote"),
    ]
    assert [row["good"] for row in found["rows"]] == [True, None]
    assert (found["summary"]["known"], found["summary"]["false_blocks"]) == (1, 0)
    assert not Promotion.objects.filter(engine=engine).exists()


def test_who_wrote_the_automatic_policy_is_no_second_person_for_their_own_request() -> None:
    engine, user = make_bot(), make_user("approver")
    promotions.set_policy(engine.pk, actor=actor_of(user), reason="trusted", mode="automatic")

    mine = make_promotion(engine, requested_by=user)
    theirs = make_promotion(engine, requested_by=make_user("operator"))

    assert (mine.state, theirs.state) == ("waiting", "approved")


@pytest.mark.parametrize("label", ["grace", "grace (laptop)"])
def test_who_had_a_revision_made_by_hand_is_its_requester(label: str) -> None:
    user = make_user("approver", username="grace")
    engine = make_bot()
    make_forecast(engine)
    revision = make_candidate_revision(engine)
    WorkflowRevision.objects.filter(pk=revision.pk).update(created_label=label)

    gate(engine)

    promotion = Promotion.objects.get(revision=revision)
    assert promotion.requested_by == user
    with pytest.raises(NotAllowed, match="two-person rule"):
        approve(promotion, actor_of(user))


def test_who_has_a_scheduled_cycle_repeated_is_its_requester() -> None:
    user, cycle = make_user("approver"), make_cycle(state="failed", requested_label="schedule")

    retried = cycles.retry_cycle(cycle.pk, from_step="inspect", actor=actor_of(user))

    assert (retried.requested_by, retried.requested_label) == (user, user.username)
