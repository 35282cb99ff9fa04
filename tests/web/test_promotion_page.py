"""The page that a promotion is decided on: what it shows of the evidence, and every decision through it."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from engines.models import Engine, Promotion, WorkflowEdge, WorkflowStages
from engines.panels.promotion_page import left_to_people
from engines.services import promotions as services
from tests.factories import make_engine, make_roi_event, make_user
from tests.forecasting.rows import make_forecast
from tests.web.conftest import client_of
from tests.web.promotion_rows import FORECAST, make_promotion
from tests.web.test_queries import MOST, statements

pytestmark = pytest.mark.django_db

STAGES = {"normal": {"runs": 5, "successes": 5, "seconds": 0.4}, "schema_drift": {"runs": 5, "successes": 0}}


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, address
    return response.content.decode()


def page(client: Client, promotion: Promotion) -> str:
    return text(client, f"/promotions/{promotion.pk}/")


def post(client: Client, promotion: Promotion, act: str, **fields: Any) -> Any:
    return client.post(f"/promotions/{promotion.pk}/{act}/", fields)


@pytest.fixture
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing have changed: these engines have no repository."""
    monkeypatch.setattr("engines.services.promotions.deciding.staleness", lambda promotion: ())


class TestLeft:
    """Why an automatic policy left a candidate to a person."""

    @pytest.mark.parametrize(
        ("policy", "told"),
        [
            ({"mode": "automatic", "left_to_people": ["not measured: <b>flags</b>"]}, True),
            ({"mode": "manual", "left_to_people": ["not measured: <b>flags</b>"]}, False),
            ({"mode": "automatic", "left_to_people": 7}, False),
            ({"mode": "automatic"}, False),
        ],
    )
    def test_it_is_told_where_the_policy_decides(self, policy: dict[str, Any], told: bool) -> None:
        assert left_to_people(policy) == (["not measured: <b>flags</b>"] if told else [])

    def test_the_page_escapes_it(self, viewer: Client) -> None:
        policy = {"mode": "automatic", "left_to_people": ["not measured: <b>flags</b>"]}
        found = page(viewer, make_promotion(policy=policy))
        assert "The policy leaves it to a person: not measured: &lt;b&gt;flags&lt;/b&gt;." in found


@pytest.mark.parametrize("kind", ["model", "workflow"])
def test_the_button_for_the_stages_names_what_would_run(viewer: Client, kind: str) -> None:
    promotion = make_promotion(kind=kind)
    revision = f"revision={promotion.revision_id}&amp;" if kind == "workflow" else ""
    asked = f"/engines/alpha/stages/?{revision}promotion={promotion.pk}"
    assert f'hx-get="{asked}"' in page(viewer, promotion)
    part = text(viewer, asked.replace("&amp;", "&"))
    said = "what is live and the candidate, side by side" if kind == "workflow" else "every workflow of alpha"
    assert said in part
    assert "disabled" in part, "a viewer may not act"


class TestEvidence:
    """Everything that was frozen stands on the page, in words."""

    def test_the_verdict_and_what_would_change_it(self, viewer: Client) -> None:
        found = page(viewer, make_promotion(evidence={"forecast": {**FORECAST, "risk": "Volatile"}}))
        assert "The gate blocks it" in found
        assert "Cycles after which the forecast is" in found

    def test_forecast_probabilities_and_hash(self, viewer: Client) -> None:
        promotion = make_promotion()
        found = page(viewer, promotion)
        for said in (promotion.evidence_sha256, "81%", "level over 24 cycles", "not brittle", "+0.3 to +0.7"):
            assert said in found

    def test_a_model_is_compared_by_parameters_and_metrics(self, viewer: Client) -> None:
        diff = viewer.get(f"/promotions/{make_promotion().pk}/").context["promotion"]["diff"]
        assert [(row["name"], row["differs"]) for row in diff["params"]] == [("C", True), ("solver", False)]
        assert diff["metrics"][0]["change"] == "+0.04"

    def test_a_workflow_is_compared_step_by_step(self, viewer: Client) -> None:
        found = page(viewer, make_promotion(kind="workflow"))
        assert '<div class="diffline plus"><span>+</span><code>bot.clean:strip</code>' in found

    def test_what_is_missing_is_said(self, viewer: Client) -> None:
        promotion = make_promotion(
            kind="workflow", evidence={"forecast": None, "impact": None, "self_tests": None}
        )
        found = page(viewer, promotion)
        for said in (
            "No forecast yet",
            "No flagger looks at code yet",
            "no graph of this bot",
            "Not measured.",
        ):
            assert said in found

    def test_the_impact_is_drawn_and_tabled(self, viewer: Client) -> None:
        engine = make_engine("alpha")
        WorkflowEdge.objects.create(engine=engine, source="score", target="report", data=0.5)
        dependants = {"report": -0.12, "archive": 0.05}
        promotion = make_promotion(engine, kind="workflow", evidence={"impact": {"dependants": dependants}})
        response = viewer.get(f"/promotions/{promotion.pk}/")
        names = [box["name"] for box in response.context["figure"]["boxes"]]
        assert names == ["score", "archive", "report"]
        assert "data 0.50" in response.content.decode()

    def test_the_stages_of_candidate_and_live_stand_side_by_side(self, viewer: Client) -> None:
        promotion = make_promotion(kind="workflow")
        kept: dict[str, Any] = {
            "engine": promotion.engine,
            "workflow": "score",
            "commit": "c",
            "seed": 1,
            "repeats": 5,
        }
        WorkflowStages.objects.create(**kept, stages=STAGES, resilience=0.5)
        WorkflowStages.objects.create(**kept, stages=STAGES, revision=promotion.revision)
        stages = viewer.get(f"/promotions/{promotion.pk}/").context["stages"]
        assert [column["name"] for column in stages["columns"]] == ["live", "candidate"]
        assert [cell["state"] for row in stages["rows"] for cell in row["cells"]] == ["done"] * 2 + [
            "failed"
        ] * 2
        assert stages["sums"][2]["cells"] == ["50%", "not measured"]

    def test_the_gate_is_held_against_what_came(self, viewer: Client) -> None:
        promotion = make_promotion()
        came: dict[str, Any] = {"settled_at": timezone.now(), "seen": 20}
        make_forecast(mean=2.0, actual=[1.0] * 5, **came)
        make_forecast(mean=2.0, actual=[-1.0] * 5, **came)
        make_forecast(mean=2.0, actual=[1.0] * 5, risk="Volatile", **came)
        table = viewer.get(f"/promotions/{promotion.pk}/").context["backtest"]["table"]
        assert [(row["paid"], row["lost"]) for row in table] == [(1, 1), (0, 0), (1, 0)]

    def test_what_a_bot_wrote_is_escaped(self, viewer: Client) -> None:
        evil = "<script>alert(1)</script>\u202e"
        forecast = {**FORECAST, "reason": evil, "probabilities": {evil: 0.5}, "model": evil}
        promotion = make_promotion(
            evidence={"forecast": forecast, "impact": {"dependants": {evil: 1.0}}},
            message=evil,
            requested_label=evil,
        )
        found = page(viewer, promotion)
        assert "<script>alert" not in found
        assert "\u202e" not in found

    def test_damaged_evidence_still_makes_a_page(self, viewer: Client) -> None:
        promotion = make_promotion()
        names = ("gain", "forecast", "history", "impact", "candidate", "live", "at", "self_tests", "flags")
        wrong: tuple[Any, ...] = ([], {"mean": "x"}, "y", {"dependants": 3}, 4, None, "yesterday", "z", 7)
        parts = dict(zip(names, wrong, strict=True))
        broken = Promotion.objects.create(
            engine=promotion.engine,
            kind="model",
            version=promotion.version,
            subject="alpha",
            verdict="hold",
            evidence=parts,
            evidence_sha256="0" * 64,
            decision={"reasons": [{"ok": "?"}, 5]},
            policy=[],
            state="superseded",
        )
        assert "not measured" in page(viewer, broken)


class TestFigure:
    """The curve: history, forecast, what came since."""

    def test_up_to_sixty_cycles_come_from_the_frozen_evidence(self, viewer: Client) -> None:
        promotion = make_promotion()
        figure = viewer.get(f"/promotions/{promotion.pk}/forecast.json").json()
        lines = {trace["name"]: trace for trace in figure["data"]}
        assert len(lines["ROI"]["x"]) == 24
        assert lines["forecast"]["y"][1:] == FORECAST["mean"]

    def test_more_come_from_the_rows_and_so_does_what_came(self, viewer: Client) -> None:
        for number in range(70):
            make_roi_event("alpha", 0.5, source=f"cycle:{number}", roi_after=0.5)
        make_forecast("alpha", source="cycle:69", actual=[0.4])
        frozen = {**FORECAST, "subject": "alpha", "source": "cycle:69"}
        promotion = make_promotion(evidence={"forecast": frozen})
        figure = viewer.get(f"/promotions/{promotion.pk}/forecast.json?shown=500").json()
        lines = {trace["name"]: trace for trace in figure["data"]}
        assert len(lines["ROI"]["x"]) == 70
        assert lines["what came"]["y"] == [0.4]


@pytest.mark.usefixtures("fresh")
class TestDeciding:
    """The service decides; the page tells what it said."""

    def test_an_approval_is_kept_with_its_reason(self, approver: Client) -> None:
        promotion = make_promotion()
        answer = post(
            approver, promotion, "approve", reason="pays", evidence_sha256=promotion.evidence_sha256
        )
        assert answer.status_code == 302
        promotion.refresh_from_db()
        assert (promotion.state, promotion.reason) == ("approved", "pays")
        assert "A worker applies it" in page(approver, promotion)

    def test_a_rejection_ends_it(self, approver: Client) -> None:
        promotion = make_promotion()
        post(approver, promotion, "reject", reason="no", evidence_sha256=promotion.evidence_sha256)
        promotion.refresh_from_db()
        assert promotion.state == "rejected"
        assert 'id="decision"' not in page(approver, promotion)

    @pytest.mark.parametrize("reason", ["", "   ", "\u200b"])
    def test_an_empty_reason_is_told_at_its_field(self, approver: Client, reason: str) -> None:
        promotion = make_promotion()
        answer = post(
            approver, promotion, "approve", reason=reason, evidence_sha256=promotion.evidence_sha256
        )
        assert answer.status_code == 422
        assert 'aria-invalid="true"' in answer.content.decode()

    def test_other_evidence_than_was_seen_is_a_conflict_and_the_reason_stays(self, approver: Client) -> None:
        promotion = make_promotion()
        answer = post(approver, promotion, "approve", reason="pays well", evidence_sha256="f" * 64)
        assert answer.status_code == 409
        assert "look at it again" in answer.content.decode()
        assert "pays well</textarea>" in answer.content.decode()

    def test_what_the_gate_blocks_cannot_be_approved(self, approver: Client) -> None:
        promotion = make_promotion(evidence={"gain": {"significant": False, "roi_gain": 0.0}})
        assert 'id="act-approve"' in page(approver, promotion)
        assert "the gate blocks it, and nobody can approve that" in page(approver, promotion)
        answer = post(approver, promotion, "approve", reason="x", evidence_sha256=promotion.evidence_sha256)
        assert answer.status_code == 409

    def test_who_may_not_decide_is_told_so(self, operator: Client) -> None:
        promotion = make_promotion()
        assert "ask for the role of an approver" in page(operator, promotion)
        answer = post(operator, promotion, "approve", reason="x", evidence_sha256=promotion.evidence_sha256)
        assert answer.status_code == 403

    def test_the_requester_is_refused_by_the_two_person_rule(self, db: None) -> None:
        user = make_user("approver")
        promotion = make_promotion(requested_by=user)
        client = client_of(user)
        assert "another person must approve it" in page(client, promotion)
        answer = post(client, promotion, "approve", reason="mine", evidence_sha256=promotion.evidence_sha256)
        assert answer.status_code == 403

    def test_breaking_the_glass_is_offered_where_the_settings_allow_it(self, db: None, settings: Any) -> None:
        settings.SANDBOX = settings.SANDBOX.model_copy(update={"break_glass": True})
        user = make_user("approver")
        promotion = make_promotion(requested_by=user)
        assert 'name="break_glass"' in page(client_of(user), promotion)
        sent = {"reason": "alone", "evidence_sha256": promotion.evidence_sha256, "break_glass": "1"}
        assert post(client_of(user), promotion, "approve", **sent).status_code == 302
        promotion.refresh_from_db()
        assert promotion.break_glass


def test_stale_evidence_is_a_conflict_in_words(approver: Client) -> None:
    promotion = make_promotion()
    assert "can&#x27;t be read" in text(approver, f"/promotions/{promotion.pk}/freshness/")
    answer = post(approver, promotion, "approve", reason="x", evidence_sha256=promotion.evidence_sha256)
    assert answer.status_code == 409
    assert "Its evidence is stale." in answer.content.decode()


class TestWayBack:
    """The preview changes nothing; doing it takes a reason."""

    @staticmethod
    def applied() -> Promotion:
        promotion = make_promotion()
        before = {"champion": None}
        now = timezone.now()
        after = services.preview(promotion.pk)["now"]
        Promotion.objects.filter(pk=promotion.pk).update(
            state="applied", applied_at=now, before=before, before_sha256="0" * 64, after=after,
            alarm={"text": "3 of 3 cycles lay below"}, alarm_at=now,
        )  # fmt: skip
        promotion.refresh_from_db()
        return promotion

    def test_the_preview_names_each_part(self, approver: Client) -> None:
        promotion = self.applied()
        found = text(approver, f"/promotions/{promotion.pk}/rollback/")
        assert "3 of 3 cycles lay below" in found
        assert "<code>champion</code>" in found
        promotion.refresh_from_db()
        assert promotion.state == "applied"

    def test_without_a_reason_nothing_happens(self, approver: Client) -> None:
        promotion = self.applied()
        answer = approver.post(f"/promotions/{promotion.pk}/rollback/", {"reason": " "})
        assert answer.status_code == 422
        assert "Nothing was changed." in answer.content.decode()

    def test_a_state_that_cannot_be_restored_is_a_conflict(self, approver: Client) -> None:
        answer = approver.post(f"/promotions/{self.applied().pk}/rollback/", {"reason": "worse"})
        assert answer.status_code == 409

    def test_an_alarm_can_be_answered_with_keeping_it(self, approver: Client) -> None:
        promotion = self.applied()
        assert 'id="act-keep"' in page(approver, promotion)
        assert post(approver, promotion, "keep", reason="a holiday").status_code == 302
        assert 'id="act-keep"' not in page(approver, promotion)


def test_the_page_needs_few_statements_whatever_the_history(approver: Client) -> None:
    engine = make_engine("alpha")
    promotion = make_promotion(engine, kind="workflow")
    few = statements(approver, f"/promotions/{promotion.pk}/")
    _history(engine, make_user("operator"))
    many = statements(approver, f"/promotions/{promotion.pk}/")
    assert len(many) == len(few) <= MOST


def _history(engine: Engine, user: User) -> None:
    for number in range(30):
        make_roi_event(engine.name, 0.5, at=timezone.now() - dt.timedelta(hours=number))
        make_forecast(engine.name, actual=[1.0] * 5, settled_at=timezone.now())
    for name in ("clean", "report"):
        WorkflowEdge.objects.create(engine=engine, source="score", target=name, data=0.5)
        WorkflowStages.objects.create(
            engine=engine,
            workflow=name,
            commit="c",
            seed=1,
            repeats=5,
            stages=STAGES,
            requested_label=user.username,
        )
