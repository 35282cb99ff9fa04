"""Exactly one effect: racing approvers, double clicks, repeated messages, and workers that die in between."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from engines import tasks
from engines.domain.errors import Conflict
from engines.domain.promotion import canonical
from engines.domain.states import VersionState
from engines.models import ModelVersion, Promotion
from engines.services import promotions
from engines.services.promotions import applying, live
from menace_site.models import AuditEntry
from tests.engines.promoting import approve, approver, make_bot, make_promotion

pytestmark = pytest.mark.django_db(transaction=True)
RACERS = 6


class Died(BaseException):
    """The worker was killed: nothing below catches this."""


def race(acts: list[Callable[[], object]]) -> list[object]:
    """Do all at the same moment, each with a connection of its own; return results or errors."""
    start, found = threading.Barrier(len(acts)), []

    def one(act: Callable[[], object]) -> None:
        try:
            start.wait()
            found.append(act())
        except Conflict as error:
            found.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_of_racing_approvers_one_wins_and_the_others_hear_of_it() -> None:
    promotion, who = make_promotion(), [approver() for _ in range(RACERS)]

    found = race([lambda actor=actor: approve(promotion, actor) for actor in who])  # type: ignore[misc]

    refused = [each for each in found if isinstance(each, Conflict)]
    assert len(refused) == RACERS - 1
    assert all("already by" in str(each) for each in refused)
    assert AuditEntry.objects.filter(verb="promotion.approve").count() == 1


def test_approving_and_rejecting_at_once_does_one_of_them() -> None:
    promotion, one, other = make_promotion(), approver(), approver()

    race(
        [
            lambda: approve(promotion, one),
            lambda: promotions.reject(promotion.pk, actor=other, reason="no"),
        ]
    )

    promotion.refresh_from_db()
    version = ModelVersion.objects.get(promotions=promotion)
    # rejecting comes after approving where both get their turn
    assert promotion.state in ("approved", "rejected")
    assert (promotion.state == "rejected") == (version.state == VersionState.REJECTED)


def test_many_workers_at_once_apply_it_once() -> None:
    promotion = make_promotion()
    approve(promotion, approver())

    found = race([lambda: promotions.apply(promotion.pk)] * RACERS)

    assert "applied" in found
    promotion.refresh_from_db()
    assert (promotion.state, promotion.attempts) == ("applied", 1)
    assert ModelVersion.objects.filter(engine=promotion.engine, state=VersionState.CHAMPION).count() == 1
    assert AuditEntry.objects.filter(verb="promotion.apply").count() == 1


def test_many_people_at_once_roll_it_back_once() -> None:
    engine = make_bot()
    before = canonical(live.live(engine.pk, "model"))
    promotion = make_promotion(engine)
    approve(promotion, approver())
    promotions.apply(promotion.pk)
    who = [approver() for _ in range(RACERS)]

    race(
        [
            lambda actor=actor: promotions.rollback(promotion.pk, actor=actor, reason="no")  # type: ignore[misc]
            for actor in who
        ]
    )

    assert canonical(live.live(engine.pk, "model")) == before
    assert AuditEntry.objects.filter(verb="promotion.rollback").count() == 1


@pytest.mark.parametrize("place", ["_wrong_file", "_finish", "_mark_applied"])
def test_a_worker_that_dies_in_between_leaves_nothing_half_done(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_bot()
    before = canonical(live.live(engine.pk, "model"))
    promotion = make_promotion(engine)
    approve(promotion, approver())

    def die(*_: Any) -> None:
        raise Died

    with monkeypatch.context() as dying:
        dying.setattr(applying, place, die)
        with pytest.raises(Died):
            promotions.apply(promotion.pk)

    assert canonical(live.live(engine.pk, "model")) == before
    assert promotions.apply(promotion.pk) == "applying", "its lease still runs"
    assert promotions.left_over() == []
    expire(promotion)
    assert promotions.left_over() == [promotion.pk]
    tasks.apply_promotion(promotion.pk)
    promotion.refresh_from_db()
    assert (promotion.state, promotion.attempts) == ("applied", 2)
    assert canonical(promotion.before) == before


def expire(promotion: Promotion) -> None:
    """Let the worker's lease run out."""
    Promotion.objects.filter(pk=promotion.pk).update(apply_until="2020-01-01T00:00Z")


def test_a_worker_that_wakes_up_late_writes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    finish = applying._finish

    def late(promotion_id: int, attempt: int, wrong: str) -> None:
        expire(promotion)
        with monkeypatch.context() as other:
            other.setattr(applying, "_finish", finish)
            assert promotions.apply(promotion_id) == "applied"
        finish(promotion_id, attempt, wrong)

    monkeypatch.setattr(applying, "_finish", late)

    assert promotions.apply(promotion.pk) == "applied"
    promotion.refresh_from_db()
    assert promotion.attempts == 2
    assert AuditEntry.objects.filter(verb="promotion.apply").count() == 1


def test_what_kills_every_worker_fails_and_changes_nothing(settings: Any) -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    Promotion.objects.filter(pk=promotion.pk).update(attempts=settings.SANDBOX.max_attempts)

    assert promotions.apply(promotion.pk) == "failed"
    promotion.refresh_from_db()
    assert "died 3 times" in promotion.message


def test_an_approval_that_no_worker_heard_of_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    sent: list[int] = []
    monkeypatch.setattr(tasks, "send_promotion", sent.append)

    tasks.sweep()
    assert sent == [], "it was approved a moment ago"
    Promotion.objects.filter(pk=promotion.pk).update(decided_at="2020-01-01T00:00Z")
    tasks.sweep()

    assert sent == [promotion.pk]
