"""What goes wrong around promotions: clocks that jump, disks that fail, policies and engines that change."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now
from django.test import Client

from engines.domain.errors import Conflict, Stale
from engines.domain.states import VersionState
from engines.models import Engine, ModelVersion, Promotion
from engines.services import promotions
from engines.services.promotions import evidence, live
from menace_site.models import AuditEntry
from tests.engines.promoting import (
    applied,
    approve,
    approver,
    champion,
    make_bot,
    make_forecast,
    make_promotion,
    make_winner,
)
from tests.engines.repositories import git, make_repository
from tests.engines.test_steps import ScriptedPipeline, run
from tests.factories import make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def automatic() -> Promotion:
    """A promotion that the engine's policy approved and no worker took up yet."""
    engine = make_bot()
    promotions.set_policy(engine.pk, actor=approver(), reason="trusted", mode="automatic")
    found = make_promotion(engine)
    assert (found.state, found.automatic) == ("approved", True)
    return found


def state(promotion: Promotion) -> str:
    promotion.refresh_from_db()
    return str(promotion.state)


def take_the_policy_back(engine: Engine) -> None:
    promotions.set_policy(engine.pk, actor=approver(), reason="no, wait", mode="manual")


def switch_off(engine: Engine) -> None:
    Engine.objects.filter(pk=engine.pk).update(enabled=False)


@pytest.mark.parametrize(
    ("change", "why"), [(take_the_policy_back, "leaves decisions to people"), (switch_off, "switched off")]
)
def test_what_no_person_approved_is_called_off_until_it_is_live(
    automatic: Promotion, change: Callable[[Engine], None], why: str
) -> None:
    was = champion(automatic.engine)
    change(automatic.engine)

    assert promotions.apply(automatic.pk) == "stale"
    automatic.refresh_from_db()
    assert (why in automatic.message, champion(automatic.engine)) == (True, was)


def test_what_a_person_approved_goes_live_whatever_the_policy_says_by_then() -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    switch_off(promotion.engine)

    assert promotions.apply(promotion.pk) == "applied"


def test_an_engine_that_is_switched_off_approves_nothing_by_itself() -> None:
    engine = make_bot()
    promotions.set_policy(engine.pk, actor=approver(), reason="trusted", mode="automatic")
    switch_off(engine)

    promotion = make_promotion(engine)

    assert (promotion.state, promotion.policy["left_to_people"]) == (
        "waiting",
        ["the engine is switched off"],
    )


def test_evidence_of_the_future_is_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = make_promotion()
    real = evidence.now
    monkeypatch.setattr(evidence, "now", lambda: real() - 2 * HOUR)

    with pytest.raises(Stale, match="clock was set back"):
        approve(promotion, approver())
    assert state(promotion) == "stale"


def test_clocks_of_two_servers_may_differ_a_little(monkeypatch: pytest.MonkeyPatch) -> None:
    promotion = make_promotion()
    real = evidence.now
    monkeypatch.setattr(evidence, "now", lambda: real() - HOUR / 60)

    assert promotions.staleness(promotion) == ()


@pytest.mark.parametrize(("jump", "result"), [(24 * HOUR, "applied"), (HOUR / 120, "applying")])
def test_a_lease_from_before_the_clock_was_set_back_does_not_hold_it_up(jump: timedelta, result: str) -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    rows = Promotion.objects.filter(pk=promotion.pk)
    rows.update(state="applying", attempts=F("attempts") + 1, apply_until=Now() + jump)

    assert (promotion.pk in promotions.left_over()) is (result == "applied")
    assert promotions.apply(promotion.pk) == result


def test_a_promotion_that_went_with_its_engine_is_no_error() -> None:
    promotion = make_promotion()
    approve(promotion, approver())
    promotion.engine.delete()

    assert promotions.apply(promotion.pk) == "gone"
    assert promotions.left_over() == []


def test_files_that_nobody_committed_change_nothing(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "bot")
    promotion = make_promotion(make_bot(place=place))
    (place / "bot.py").write_text("raise SystemExit")
    (place / "new.py").write_text("")
    git(place, "add", "new.py")

    assert promotions.staleness(promotion) == ()
    approve(promotion, approver())
    assert promotions.apply(promotion.pk) == "applied"


def test_a_cycle_that_ends_before_a_worker_came_does_not_undo_an_approval() -> None:
    engine = make_bot()
    make_winner(engine)
    promotion = make_promotion(engine)
    approve(promotion, approver())

    run(engine, ScriptedPipeline(gain=6.0))

    newest = ModelVersion.objects.filter(engine=engine, state=VersionState.CANDIDATE).latest("pk")
    assert newest.pk != promotion.version_id
    assert promotions.apply(promotion.pk) == "applied"
    assert promotion.version is not None
    assert champion(engine) == promotion.version.sha256


def test_another_branch_in_the_checkout_makes_it_stale(tmp_path: Path) -> None:
    place = make_repository(tmp_path / "bot")
    promotion = make_promotion(make_bot(place=place))
    git(place, "checkout", "-q", "-b", "elsewhere")
    git(place, "commit", "-q", "--allow-empty", "-m", "another")

    with pytest.raises(Stale, match="new commit"):
        approve(promotion, approver())


def test_a_cycle_that_finds_a_better_one_while_a_person_reads_takes_it_away() -> None:
    promotion = make_promotion()
    ModelVersion.objects.filter(pk=promotion.version_id or 0).update(state=VersionState.RETIRED)
    make_winner(promotion.engine)

    with pytest.raises(Stale, match="the candidate is retired by now"):
        approve(promotion, approver())
    with pytest.raises(Conflict, match="stale already"):
        approve(promotion, approver())
    with pytest.raises(Conflict, match="only a candidate"):
        promotions.reconsider(promotion.pk, actor=approver())


def break_disk(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, call, fails)


@pytest.mark.parametrize("call", ["open", "is_file"])
def test_a_disk_that_fails_is_told_and_changes_nothing(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    promotion = make_promotion()
    was = champion(promotion.engine)
    approve(promotion, approver())
    with monkeypatch.context() as patch:
        break_disk(patch, call)
        assert promotions.apply(promotion.pk) == "failed"

    promotion.refresh_from_db()
    assert "can't be read: Input/output error" in promotion.message
    assert champion(promotion.engine) == was


def test_an_old_model_that_was_changed_on_the_disk_does_not_come_back() -> None:
    promotion = applied()
    now, old = champion(promotion.engine), promotion.before["champion"]  # type: ignore[index]
    live.artifact(old["sha256"]).write_bytes(b"x" * old["size"])

    with pytest.raises(Conflict, match="changed on the disk"):
        promotions.rollback(promotion.pk, actor=approver(), reason="complaints")
    assert (state(promotion), champion(promotion.engine)) == ("applied", now)


def test_looking_again_at_what_the_policy_made_live_is_refused(automatic: Promotion) -> None:
    promotions.apply(automatic.pk)

    with pytest.raises(Conflict, match="applied already"):
        promotions.reconsider(automatic.pk, actor=approver())
    assert not AuditEntry.objects.filter(verb="promotion.reconsider").exists()


def test_a_reason_that_is_no_text_the_database_keeps_is_mended() -> None:
    promotion = make_promotion()
    approve(promotion, approver(), reason="fine\ud800\0 by me")

    promotion.refresh_from_db()
    assert promotion.reason == "fine? by me"


class TestStaleTabs:
    """Two people, or two tabs, with the form of one policy."""

    @pytest.fixture
    def engine(self) -> Engine:
        engine = make_bot()
        make_forecast(engine)
        promotions.set_policy(engine.pk, actor=approver(), reason="trusted", mode="automatic")
        return engine

    def form(self, client: Client, engine: Engine, **changes: Any) -> dict[str, Any]:
        """Return what a browser sends of the page as it is shown now."""
        shown = client.get(f"/engines/{engine.name}/policy/").context
        values = {
            name: value
            for name, value in promotions.policy_of(engine).as_data().items()
            if value is not False
        }
        return {**values, "seen": shown["seen"], "why": "a smaller step", **changes}

    def test_a_tab_from_before_an_emergency_does_not_take_it_back(self, engine: Engine) -> None:
        client = Client()
        client.force_login(make_user("approver", username="grace"))
        old = self.form(client, engine, tau=0.6)
        promotions.set_policy(engine.pk, actor=approver(), reason="stop it", mode="manual")

        for _ in range(2):
            page = client.post(f"/engines/{engine.name}/policy/", old)
            assert (page.status_code, "load it again" in page.content.decode()) == (422, True)
        engine.refresh_from_db()
        assert (promotions.policy_of(engine).mode, promotions.policy_of(engine).tau) == ("manual", 0.5)

    def test_a_fresh_tab_changes_what_it_says(self, engine: Engine) -> None:
        client = Client()
        client.force_login(make_user("approver", username="grace"))

        assert (
            client.post(f"/engines/{engine.name}/policy/", self.form(client, engine, tau=0.6)).status_code
            == 302
        )
        engine.refresh_from_db()
        assert promotions.policy_of(engine).tau == 0.6
