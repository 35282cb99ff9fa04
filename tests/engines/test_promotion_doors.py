"""Nobody gets past the checks, whichever door they take: API, admin or command. Pages: tests/web."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from engines.domain.errors import InvalidInput, MenaceError
from engines.models import ModelVersion, Promotion
from engines.services import promotions
from menace_site.models import AuditEntry
from tests.engines.promoting import actor_of, applied, approver, champion, make_promotion
from tests.factories import make_user

pytestmark = pytest.mark.django_db
Door = Callable[[Promotion, User, str, str], None]


def staff(user: User) -> Client:
    """Sign somebody in who may enter the admin."""
    User.objects.filter(pk=user.pk).update(is_staff=True)
    client = Client()
    client.force_login(user)
    return client


def by_api(promotion: Promotion, user: User, sha256: str, reason: str) -> None:
    body = {"evidence_sha256": sha256, "reason": reason}
    address = f"/api/promotions/{promotion.pk}/approve/"
    client = staff(user)
    client.post(address, body, content_type="application/json", HTTP_IDEMPOTENCY_KEY="once")


def by_admin_page(promotion: Promotion, user: User, sha256: str, reason: str) -> None:
    body = {"act": "approve", f"evidence_sha256_{promotion.pk}": sha256, "reason": reason}
    staff(user).post(f"/admin/engines/promotion/{promotion.pk}/decide/", body)


def by_admin_action(promotion: Promotion, user: User, sha256: str, reason: str) -> None:
    chosen = {"action": "approve_chosen", "_selected_action": promotion.pk}
    body = {**chosen, "act": "approve", f"evidence_sha256_{promotion.pk}": sha256, "reason": reason}
    staff(user).post("/admin/engines/promotion/", body)


def by_command(promotion: Promotion, user: User, sha256: str, reason: str) -> None:
    words = ("--user", user.username, "--evidence", sha256, "--reason", reason)
    try:
        call_command("promotions", "approve", str(promotion.pk), *words, "--json")
    except MenaceError:
        assert promotion.state == "waiting"


DOORS = (by_api, by_admin_page, by_admin_action, by_command)


@pytest.mark.parametrize("door", DOORS)
def test_whoever_may_decide_comes_through_every_door(door: Door) -> None:
    promotion = make_promotion()

    door(promotion, make_user("approver"), promotion.evidence_sha256, "the numbers hold")

    promotion.refresh_from_db()
    assert (promotion.state, promotion.reason) == ("approved", "the numbers hold")


@pytest.mark.parametrize("door", DOORS)
def test_every_door_refuses_what_the_service_refuses(door: Door) -> None:
    mine = make_user("approver")
    promotion = make_promotion(requested_by=mine)
    sha256, other = promotion.evidence_sha256, make_user("approver")
    audited = AuditEntry.objects.count()

    door(promotion, make_user("operator"), sha256, "no right")
    door(promotion, mine, sha256, "my own")
    door(promotion, make_user("admin"), sha256, "  ")
    door(promotion, other, "0" * 64, "another hash")
    promotion.refresh_from_db()
    assert promotion.state == "waiting"
    ModelVersion.objects.filter(promotions=promotion).update(state="retired")
    door(promotion, other, sha256, "stale")

    promotion.refresh_from_db()
    assert promotion.state in ("waiting", "stale")
    assert champion(promotion.engine) == promotion.evidence["live"]["champion"]["sha256"]
    assert AuditEntry.objects.count() == audited


@pytest.mark.parametrize("door", DOORS)
def test_an_administrator_cannot_approve_what_they_requested(door: Door) -> None:
    admin = make_user("admin")
    promotion = make_promotion(requested_by=admin)

    door(promotion, admin, promotion.evidence_sha256, "I am the boss")

    promotion.refresh_from_db()
    assert promotion.state == "waiting"


def ask(user: User, address: str, **body: Any) -> Any:
    return staff(user).post(f"/api/promotions/{address}/", body, content_type="application/json")


def test_the_api_names_what_is_wrong() -> None:
    promotion, user = make_promotion(), make_user("approver")
    right = {"evidence_sha256": promotion.evidence_sha256, "reason": "fine"}
    act = f"{promotion.pk}/approve"

    assert ask(make_user("operator"), act, **right).status_code == 403
    assert ask(user, act, **right | {"reason": " "}).status_code == 400
    assert ask(user, act, **right | {"reason": "\u200b"}).json()["errors"][0]["field"] == "reason"
    assert ask(user, act, **right | {"evidence_sha256": "0" * 64}).json()["type"].endswith("conflict")
    ModelVersion.objects.filter(promotions=promotion).update(state="retired")
    refused = ask(user, act, **right)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:menace:problem:stale")


def test_the_api_shows_a_promotion_and_its_list() -> None:
    promotion = make_promotion()
    viewer = staff(make_user("viewer"))

    shown = viewer.get(f"/api/promotions/{promotion.pk}/").json()
    found = viewer.get("/api/promotions/?state=waiting&fields=id,verdict").json()["results"]

    assert shown["evidence_sha256"] == promotion.evidence_sha256
    assert [reason["code"] for reason in shown["decision"]["reasons"]][:2] == ["gain", "history"]
    assert found == [{"id": promotion.pk, "verdict": "promote"}]
    assert viewer.get("/api/promotions/?state=nonsense").status_code == 400


def test_a_repeated_request_with_its_key_gets_the_same_answer() -> None:
    promotion, client = make_promotion(), staff(make_user("approver"))
    body = {"evidence_sha256": promotion.evidence_sha256, "reason": "once"}
    address, kind = f"/api/promotions/{promotion.pk}/approve/", "application/json"

    first, second = (
        client.post(address, body, content_type=kind, HTTP_IDEMPOTENCY_KEY="k") for _ in range(2)
    )

    assert first.status_code == second.status_code == 200
    assert second["Idempotency-Replayed"] == "true"
    assert AuditEntry.objects.filter(verb="promotion.approve").count() == 1


def test_the_api_rejects_looks_again_and_rolls_back() -> None:
    user, promotion = make_user("approver"), make_promotion()

    fresh = ask(user, f"{promotion.pk}/reconsider").json()
    rejected = ask(user, f"{fresh['id']}/reject", reason="not now").json()
    done = applied()
    preview = staff(user).get(f"/api/promotions/{done.pk}/preview/").json()
    back = ask(user, f"{done.pk}/rollback", reason="worse").json()

    assert (rejected["state"], rejected["decided_by"]) == ("rejected", user.username)
    assert preview["possible"]
    assert preview["changes"]
    assert (back["state"], back["rolled_back_reason"]) == ("rolled_back", "worse")


def test_a_policy_changes_with_a_reason_and_the_right_to_decide() -> None:
    promotion, user = make_promotion(), make_user("approver")
    address = f"/api/engines/{promotion.engine.name}/policy/"

    def change(who: User, **body: Any) -> Any:
        return staff(who).patch(address, body, content_type="application/json")

    assert change(make_user("operator"), mode="automatic", reason="x").status_code == 403
    assert change(user, mode="automatic").status_code == 400
    assert change(user, tau=2, reason="x").status_code == 400
    assert change(user, tau=0.95, reason="stricter").json()["tau"] == 0.95
    assert staff(user).get(address).json()["mode"] == "manual"
    assert AuditEntry.objects.get(verb="promotion.policy").detail["after"] == {"tau": 0.95}


def test_the_admins_page_shows_evidence_and_why_not() -> None:
    user = make_user("admin")
    promotion = make_promotion(requested_by=user)
    client = staff(user)

    text = client.get(f"/admin/engines/promotion/{promotion.pk}/decide/").content.decode()

    assert promotion.evidence_sha256 in text
    assert "two-person rule" in text
    assert "<script>alert" not in text
    assert client.get("/admin/engines/promotion/").status_code == 200


def test_the_admins_action_asks_for_a_reason_first() -> None:
    promotion, client = make_promotion(), staff(make_user("approver"))
    chosen = {"action": "reject_chosen", "_selected_action": promotion.pk}

    asked = client.post("/admin/engines/promotion/", chosen)
    assert b'name="reason"' in asked.content
    client.post("/admin/engines/promotion/", {**chosen, "act": "reject", "reason": "not now"})

    promotion.refresh_from_db()
    assert (promotion.state, promotion.reason) == ("rejected", "not now")


def told(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    call_command("promotions", *words, "--json")
    return json.loads(capsys.readouterr().out)


def test_commands_list_show_and_roll_back(capsys: pytest.CaptureFixture[str]) -> None:
    promotion, who = applied(), make_user("approver").username
    pk = str(promotion.pk)

    assert [row["id"] for row in told(capsys, "list", "--state", "applied")] == [promotion.pk]
    assert told(capsys, "show", pk)["evidence"]["subject"] == promotion.subject
    assert told(capsys, "preview", pk)["possible"]
    assert told(capsys, "rollback", pk, "--user", who, "--reason", "worse")["state"] == "rolled_back"


def test_commands_speak_to_people_too(capsys: pytest.CaptureFixture[str]) -> None:
    promotion = make_promotion()
    name = promotion.engine.name

    call_command("promotions", "list", "--engine", name)
    call_command("promotions", "show", str(promotion.pk))
    call_command("promotions", "preview", str(promotion.pk))
    call_command("promotions", "shadow", name)
    who = make_user("approver").username
    words = ("--user", who, "--evidence", promotion.evidence_sha256, "--reason", "better")
    call_command("promotions", "approve", str(promotion.pk), *words)

    said = capsys.readouterr().out
    assert f"{name}" in said
    assert "+ gain" in said
    assert "only an applied one" in said
    assert "0 were blocked wrongly, 0 promoted wrongly" in said
    assert f"A worker applies it; `promotions show {promotion.pk}` says when it has." in said


def test_commands_name_a_person_who_exists() -> None:
    with pytest.raises(InvalidInput, match="no user"):
        call_command("promotions", "reject", "1", "--user", "ghost", "--reason", "x")
    with pytest.raises(InvalidInput, match="no promotion"):
        call_command("promotions", "show", "999999999")


def test_a_proposed_rollback_can_be_declined_once() -> None:
    promotion = applied()
    Promotion.objects.filter(pk=promotion.pk).update(alarm={"text": "low"}, alarm_at=promotion.applied_at)
    user = make_user("approver")

    kept = ask(user, f"{promotion.pk}/keep", reason="an outage, not the model")

    assert kept.json()["alarm_kept_by"] == user.username
    assert ask(user, f"{promotion.pk}/keep", reason="again").status_code == 409
    assert promotions.rollback(promotion.pk, actor=approver(), reason="still").state == "rolled_back"
    assert actor_of(user).kind == "person"
