"""Promotions from evidence to effect and back, through the services, on real rows and a real repository."""

from pathlib import Path
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from engines.domain.errors import Conflict, InvalidInput, NotAllowed, Stale
from engines.domain.promotion import PromotionState, canonical, digest
from engines.domain.results import CLI, SYSTEM, Actor
from engines.domain.states import VersionState
from engines.models import Engine, ModelVersion, Promotion
from engines.services import promotions
from engines.services.promotions import live
from menace_site.models import AuditEntry
from tests.engines import promoting
from tests.engines.promoting import applied, approve, approver, champion, make_bot, make_promotion
from tests.engines.repositories import git, make_repository
from tests.factories import make_team, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting() -> Promotion:
    return make_promotion()


def state(promotion: Promotion) -> str:
    promotion.refresh_from_db()
    return str(promotion.state)


def test_good_evidence_waits_for_a_person_with_its_hash(waiting: Promotion) -> None:
    assert (waiting.state, waiting.verdict) == (PromotionState.WAITING, "promote")
    assert waiting.evidence_sha256 == digest(waiting.evidence)
    assert waiting.evidence["forecast"]["risk"] == "Stable"
    assert waiting.decision["unmeasured"] == []


def test_approved_by_another_person_and_applied_by_a_worker(waiting: Promotion) -> None:
    was = champion(waiting.engine)

    approve(waiting, approver())
    assert (state(waiting), champion(waiting.engine)) == ("approved", was)
    assert promotions.apply(waiting.pk) == "applied"

    assert state(waiting) == "applied"
    assert champion(waiting.engine) == waiting.evidence["candidate"]["sha256"] != was
    assert waiting.before["champion"]["sha256"] == was  # type: ignore[index]


def test_every_act_is_audited(waiting: Promotion) -> None:
    approve(waiting, approver())
    promotions.apply(waiting.pk)
    promotions.rollback(waiting.pk, actor=approver(), reason="on second thoughts")

    verbs = AuditEntry.objects.filter(target=f"promotion:{waiting.pk}").order_by("id")
    assert list(verbs.values_list("verb", flat=True)) == [
        "promotion.open",
        "promotion.approve",
        "promotion.apply",
        "promotion.rollback",
    ]


def test_applying_again_changes_nothing() -> None:
    promotion = applied()
    after, audited = promotion.applied_at, AuditEntry.objects.count()

    assert promotions.apply(promotion.pk) == "applied"

    promotion.refresh_from_db()
    assert (promotion.applied_at, AuditEntry.objects.count()) == (after, audited)


def test_a_second_click_is_refused_and_names_the_first(waiting: Promotion) -> None:
    approve(waiting, approver())

    with pytest.raises(Conflict, match="approved already by approver"):
        approve(waiting, approver())


def test_what_nobody_approved_is_not_applied(waiting: Promotion) -> None:
    assert promotions.apply(waiting.pk) == "waiting"


@pytest.mark.parametrize("role", ["viewer", "operator", "none"])
def test_without_the_right_nobody_decides(waiting: Promotion, role: str) -> None:
    who = promoting.actor_of(make_user(role))

    for act in (approve, lambda p, a: promotions.reject(p.pk, actor=a, reason="no")):
        with pytest.raises(NotAllowed):
            act(waiting, who)
    assert state(waiting) == "waiting"


@pytest.mark.parametrize("who", [SYSTEM, CLI, Actor(user_id=10**9, label="ghost")])
def test_who_is_no_person_decides_nothing(waiting: Promotion, who: Actor) -> None:
    with pytest.raises(NotAllowed, match="a person decides"):
        approve(waiting, who)


def test_somebody_who_left_decides_nothing(waiting: Promotion) -> None:
    user = make_user("approver")
    user.is_active = False
    user.save()

    with pytest.raises(NotAllowed):
        approve(waiting, promoting.actor_of(user))


def test_engines_of_other_teams_are_left_to_them() -> None:
    promotion = make_promotion(make_bot(team=make_team()))

    with pytest.raises(NotAllowed, match="another team"):
        approve(promotion, approver())


@pytest.mark.parametrize("reason", ["", "   ", "\u200b", "\n\t"])
def test_a_reason_is_needed(waiting: Promotion, reason: str) -> None:
    who = approver()
    with pytest.raises(InvalidInput, match="say why"):
        approve(waiting, who, reason=reason)
    with pytest.raises(InvalidInput, match="say why"):
        promotions.reject(waiting.pk, actor=who, reason=reason)
    assert state(waiting) == "waiting"


@pytest.mark.parametrize("role", ["approver", "admin"])
def test_the_requester_cannot_approve_not_even_an_administrator(role: str) -> None:
    user = make_user(role)
    promotion = make_promotion(requested_by=user)

    with pytest.raises(NotAllowed, match="two-person rule"):
        approve(promotion, promoting.actor_of(user), break_glass=True)
    approve(promotion, approver())
    assert state(promotion) == "approved"


def test_fresh_evidence_does_not_make_somebody_else_the_requester() -> None:
    user = make_user("approver")
    promotion = make_promotion(requested_by=user)

    fresh = promotions.reconsider(promotion.pk, actor=approver())

    assert (fresh.requested_by, state(promotion)) == (user, "superseded")
    with pytest.raises(NotAllowed):
        approve(fresh, promoting.actor_of(user))


def test_breaking_the_glass_takes_the_setting_and_is_audited(settings: Any) -> None:
    settings.SANDBOX = settings.SANDBOX.model_copy(update={"break_glass": True})
    user = make_user("approver")
    promotion = make_promotion(requested_by=user)

    with pytest.raises(NotAllowed, match="breaks the glass"):
        approve(promotion, promoting.actor_of(user))
    approve(promotion, promoting.actor_of(user), break_glass=True)

    assert Promotion.objects.get(pk=promotion.pk).break_glass
    assert AuditEntry.objects.filter(verb="promotion.break_glass").count() == 1


def test_another_hash_is_refused(waiting: Promotion) -> None:
    for named in ("", "0" * 64):
        with pytest.raises(Conflict, match="look at it again"):
            approve(waiting, approver(), evidence_sha256=named)


def test_the_beginning_of_a_hash_is_told_from_another_one(waiting: Promotion) -> None:
    with pytest.raises(Conflict, match="is the beginning of the hash alone; name the whole of it"):
        approve(waiting, approver(), evidence_sha256=waiting.evidence_sha256[:12])
    waiting.refresh_from_db()
    assert waiting.state == "waiting"


@pytest.mark.parametrize(
    "change", [{"evidence": {}}, {"decision": {}}, {"verdict": "hold"}, {"evidence_sha256": "0" * 64}]
)
def test_the_database_refuses_to_change_evidence(waiting: Promotion, change: dict[str, Any]) -> None:
    with pytest.raises(ProgrammingError, match="immutable"), transaction.atomic():
        Promotion.objects.filter(pk=waiting.pk).update(**change)


def test_what_came_to_an_end_stays_there(waiting: Promotion) -> None:
    promotions.reject(waiting.pk, actor=approver(), reason="no")

    with pytest.raises(ProgrammingError, match="stays there"), transaction.atomic():
        Promotion.objects.filter(pk=waiting.pk).update(state="approved")
    assert ModelVersion.objects.get(promotions=waiting).state == VersionState.REJECTED


def test_a_new_commit_makes_evidence_stale(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "bot")
    promotion = make_promotion(make_bot(place=place))
    git(place, "commit", "-q", "--allow-empty", "-m", "second")

    with pytest.raises(Stale, match="new commit"):
        approve(promotion, approver())
    assert state(promotion) == "stale"


def retire_champion(engine: Engine) -> None:
    ModelVersion.objects.filter(engine=engine, state=VersionState.CHAMPION).update(state="retired")


def make_newer(engine: Engine) -> None:
    promoting.make_winner(engine)


def lose_repository(engine: Engine) -> None:
    Engine.objects.filter(pk=engine.pk).update(repository="/nowhere")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (retire_champion, "something else is live"),
        (make_newer, "newer candidate"),
        (lose_repository, "can't be read"),
    ],
)
def test_a_changed_world_makes_evidence_stale(waiting: Promotion, change: Any, why: str) -> None:
    change(waiting.engine)

    with pytest.raises(Stale, match=why):
        approve(waiting, approver())
    assert state(waiting) == "stale"


def test_what_changed_after_the_approval_stops_the_worker(waiting: Promotion) -> None:
    approve(waiting, approver())
    retire_champion(waiting.engine)

    assert promotions.apply(waiting.pk) == "stale"
    assert not ModelVersion.objects.filter(engine=waiting.engine, state=VersionState.CHAMPION).exists()


def test_a_file_that_was_changed_on_the_disk_is_not_applied(waiting: Promotion) -> None:
    candidate, was = waiting.evidence["candidate"], champion(waiting.engine)
    approve(waiting, approver())
    live.artifact(candidate["sha256"]).write_bytes(b"x" * candidate["size"])

    assert promotions.apply(waiting.pk) == "failed"
    assert champion(waiting.engine) == was


def test_rolling_back_restores_byte_for_byte() -> None:
    engine = make_bot()
    before = canonical(live.live(engine.pk, "model"))
    promotion = applied(engine)
    assert canonical(live.live(engine.pk, "model")) != before
    shown = promotions.preview(promotion.pk)

    promotions.rollback(promotion.pk, actor=approver(), reason="it was worse")

    assert canonical(live.live(engine.pk, "model")) == before == canonical(shown["then"])
    assert state(promotion) == "rolled_back"
    assert {"path": "champion.metrics.accuracy", "before": 0.9, "after": 0.8} in shown["changes"]


def test_the_preview_changes_nothing() -> None:
    promotion = applied()
    before = canonical(live.live(promotion.engine_id, "model"))

    assert promotions.preview(promotion.pk)["possible"]
    assert canonical(live.live(promotion.engine_id, "model")) == before


def test_rolling_back_twice_is_refused() -> None:
    promotion = applied()
    promotions.rollback(promotion.pk, actor=approver(), reason="no")

    with pytest.raises(Conflict, match="only an applied one"):
        promotions.rollback(promotion.pk, actor=approver(), reason="no")


def test_the_newest_promotion_is_rolled_back_first() -> None:
    first = applied()
    second = make_promotion(first.engine)
    approve(second, approver())
    promotions.apply(second.pk)

    with pytest.raises(Conflict, match="roll that back first"):
        promotions.rollback(first.pk, actor=approver(), reason="no")
    for each in (second, first):
        promotions.rollback(each.pk, actor=approver(), reason="no")
    assert champion(first.engine) == first.evidence["live"]["champion"]["sha256"]


def test_without_the_old_file_there_is_no_way_back() -> None:
    promotion = applied()
    old = (promotion.before or {})["champion"]["sha256"]
    live.artifact(old).unlink()

    assert "not in the artifact store" in promotions.preview(promotion.pk)["why_not"]
    with pytest.raises(Conflict, match="not in the artifact store"):
        promotions.rollback(promotion.pk, actor=approver(), reason="no")
