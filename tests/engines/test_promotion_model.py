"""Promotions against a model: any acts by anybody in any order never let anything past the rules."""

import random
from typing import Any

import pytest

from engines.domain.errors import MenaceError
from engines.domain.promotion import OPEN, UNDER_WAY, canonical
from engines.domain.results import SYSTEM, Actor
from engines.models import Engine, Promotion
from engines.services import promotions
from engines.services.promotions import live
from menace_site.models import AuditEntry
from tests.engines.promoting import actor_of, make_bot, make_forecast, make_winner
from tests.factories import make_user

pytestmark = pytest.mark.django_db
TURNS = 40
ROLES = ("viewer", "operator", "approver", "approver", "admin")


class World:
    """One engine and some people; `live` is what the model says that is live."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)
        self.engine: Engine = make_bot()
        make_forecast(self.engine)
        self.people = [make_user(role) for role in ROLES]
        self.live = self.now()
        self.done: list[str] = []

    def now(self) -> str:
        return canonical(live.live(self.engine.pk, "model"))

    def one(self) -> Promotion | None:
        rows = list(Promotion.objects.filter(engine=self.engine).order_by("pk"))
        return self.pick.choice([*rows, *rows[-1:] * (2 * len(rows))]) if rows else None

    def somebody(self) -> Actor:
        return self.pick.choice([*map(actor_of, self.people), *map(actor_of, self.people[2:]), SYSTEM])

    def may(self, actor: Actor) -> bool:
        return actor.user_id in {user.pk for user in self.people[2:]}

    def win(self) -> None:
        self.engine.versions.filter(state="candidate").update(state="retired")
        asked = self.pick.choice([*self.people, None])
        promotions.supersede_gone(self.engine.pk)
        promotions.open_promotion(make_winner(self.engine, requested_by=asked))

    def approve(self) -> None:
        if (promotion := self.one()) is None:
            return
        actor, was = self.somebody(), promotion.state
        sha256 = self.pick.choice([promotion.evidence_sha256] * 6 + ["0" * 64])
        reason = self.pick.choice(["fine"] * 6 + [" "])
        worked = self.tried(
            promotions.approve, promotion.pk, actor=actor, evidence_sha256=sha256, reason=reason
        )
        right = self.may(actor) and actor.user_id != promotion.requested_by_id
        given = reason == "fine" and sha256 == promotion.evidence_sha256
        if worked:
            assert right
            assert given
            assert was in OPEN
        promotion.refresh_from_db()
        assert worked == (promotion.state == "approved" and was != "approved")
        if right and given and was == "waiting":
            assert promotion.state in ("approved", "stale")

    def reject(self) -> None:
        if (promotion := self.one()) is None:
            return
        actor, was = self.somebody(), promotion.state
        worked = self.tried(promotions.reject, promotion.pk, actor=actor, reason="no")
        assert worked == (self.may(actor) and was in (*OPEN, "approved"))

    def apply(self) -> None:
        if (promotion := self.one()) is None:
            return
        was = promotion.state
        after = promotions.apply(promotion.pk)
        if (was, after) == ("approved", "applied"):
            self.live = self.now()
            assert canonical(promotion.evidence["candidate"]["sha256"])[1:-1] in self.live
            self.done.append("apply")
        else:
            assert (was == after) or (was == "approved" and after == "stale")

    def rollback(self) -> None:
        if (promotion := self.one()) is None:
            return
        actor, shown = self.somebody(), promotions.preview(promotion.pk)
        worked = self.tried(promotions.rollback, promotion.pk, actor=actor, reason="back")
        assert worked == (self.may(actor) and shown["possible"])
        if worked:
            self.live = canonical(shown["then"])
            self.done.append("rollback")

    def reconsider(self) -> None:
        if (promotion := self.one()) is None:
            return
        actor, asked = self.somebody(), promotion.requested_by_id
        if self.tried(promotions.reconsider, promotion.pk, actor=actor):
            fresh = Promotion.objects.filter(engine=self.engine).latest("pk")
            assert fresh.requested_by_id == asked

    @staticmethod
    def tried(act: Any, *args: Any, **words: Any) -> bool:
        try:
            act(*args, **words)
        except MenaceError:
            return False
        return True


@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_is_tried_only_what_was_approved_goes_live_and_comes_back(seed: int) -> None:
    world = World(seed)
    acts = [
        world.win,
        *[world.approve] * 4,
        *[world.apply] * 4,
        world.reject,
        world.rollback,
        world.reconsider,
    ]
    for _ in range(TURNS):
        if not Promotion.objects.filter(state__in=(*OPEN, *UNDER_WAY)).exists():
            world.win()
        world.pick.choice(acts)()
        assert world.now() == world.live

    audited = AuditEntry.objects.filter(verb__in=["promotion.apply", "promotion.rollback"]).order_by("pk")
    verbs = [verb.removeprefix("promotion.") for verb in audited.values_list("verb", flat=True)]
    assert verbs == world.done
    assert len(world.done) >= 1, "the walk got nowhere"
