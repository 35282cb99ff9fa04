"""Overview, health, audit, account, errors."""

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client, RequestFactory
from django.utils import timezone

from menace_site import errors
from menace_site.models import ApiToken, Preference
from tests.factories import (
    PASSWORD,
    make_beat,
    make_cycle,
    make_engine,
    make_entry,
    make_team,
    make_user,
    make_version,
)
from tests.web.conftest import client_of


class TestOverview:
    """The first page."""

    def test_it_shows_what_each_engine_does(self, viewer: Client) -> None:
        history = [{"cycle": n, "delta": d, "success": d > 0, "ema": d} for n, d in enumerate((0.5, -0.2))]
        engine = make_engine("alpha", roi_history=history, roi_delta_ema=0.3, momentum=0.5)
        make_cycle(engine, roi_delta=-0.2)
        make_cycle(engine, state="running", step="retrain", steps_done=2)
        make_version(engine)
        (card,) = viewer.get("/").context["engines"]
        assert (card["state"], card["running"]["step"], card["candidates"]) == ("running", "retrain", 1)
        assert (card["ema_text"], card["momentum_text"]) == ("+0.3", "0.5")
        assert card["spark"]["label"] == "latest 2 ROI deltas, from −0.2 to +0.5"  # noqa: RUF001

    def test_a_loss_has_its_sign(self, viewer: Client) -> None:
        make_engine(roi_history=[{"cycle": 1, "delta": -0.25, "success": False, "ema": -0.25}])
        assert '<b class="down">−0.25</b>' in viewer.get("/").content.decode()  # noqa: RUF001

    def test_the_empty_one_leads_to_the_next_step(self, operator: Client, viewer: Client) -> None:
        assert 'href="/engines/new/"' in operator.get("/").content.decode()
        assert "manage.py demo" in viewer.get("/").content.decode()

    def test_foreign_engines_do_not_show(self, viewer: Client) -> None:
        make_cycle(make_engine("secret", team=make_team()))
        context = viewer.get("/").context
        assert context["engines"] == []
        assert context["latest"] == []

    def test_htmx_gets_the_moving_part_alone(self, viewer: Client) -> None:
        make_engine()
        text = viewer.get("/", headers={"HX-Request": "true"}).content.decode()
        assert text.lstrip().startswith('<div id="live"')

    def test_a_banner_tells_that_no_worker_answers(self, viewer: Client) -> None:
        assert "No worker answers." in viewer.get("/").content.decode()

    def test_no_banner_while_worker_and_beat_answer(self, viewer: Client) -> None:
        for service in ("worker", "beat"):
            make_beat(service, detail={"every": 5, "processes": 2})
        text = viewer.get("/").content.decode()
        assert "No worker answers." not in text
        assert "The scheduler is away." not in text

    def test_a_rubbish_cursor_leads_to_the_start(self, viewer: Client) -> None:
        assert viewer.get("/?cursor=x")["Location"] == "/"

    def test_who_has_no_role_sees_nothing(self, db: None) -> None:
        response = client_of(make_user("none")).get("/")
        assert response.status_code == 403
        assert "Your role does not allow this" in response.content.decode()


class TestSystem:
    """The page of health."""

    def test_it_tells_apart_answering_late_and_gone(self, viewer: Client) -> None:
        for age in (1, 40, 600):
            make_beat(age=age, detail={"every": 5, "processes": 2})
        words = [beat["word"] for beat in viewer.get("/system/").context["beats"]]
        assert words == ["answers", "late", "gone"]

    def test_sizes_come_without_counting(self, viewer: Client) -> None:
        names = {table["name"] for table in viewer.get("/system/").context["tables"]}
        assert "engines_cycle" in names


class TestAudit:
    """The audit log."""

    def test_approvers_read_it(self, approver: Client) -> None:
        make_entry(verb="cycle.pause", detail={"why": "<script>alert(1)</script>"})
        text = approver.get("/audit/").content.decode()
        assert "cycle.pause" in text
        assert "<script>alert" not in text

    def test_operators_may_not(self, operator: Client) -> None:
        response = operator.get("/audit/")
        assert response.status_code == 403
        assert "for approvers" in response.content.decode()

    def test_it_filters_and_pages(self, approver: Client) -> None:
        for number in range(60):
            make_entry(actor="ada" if number % 2 else "bob")
        first = approver.get("/audit/?actor=ada")
        assert {entry.actor for entry in first.context["page"].rows} == {"ada"}
        assert approver.get("/audit/").context["page"].next

    @pytest.mark.parametrize("query", ["cursor=x", "actor=%00", "target=" + "x" * 3000])
    def test_rubbish_is_no_error(self, approver: Client, query: str) -> None:
        assert approver.get(f"/audit/?{query}", follow=True).status_code == 200

    def test_a_cycles_acts_show_on_its_own_tab(self, viewer: Client) -> None:
        cycle = make_cycle()
        make_entry(target=f"cycle:{cycle.pk}", verb="cycle.retry")
        assert "cycle.retry" in viewer.get(f"/cycles/{cycle.pk}/audit/").content.decode()


class TestAccount:
    """Preferences and tokens."""

    def test_choices_are_kept_and_used_at_once(self, viewer: Client) -> None:
        viewer.cookies["theme"] = "light"
        viewer.post("/account/", {"time_zone": "Asia/Tokyo", "theme": "dark"})
        text = viewer.get("/account/").content.decode()
        assert 'data-theme="dark"' in text
        assert "Times in <span data-zone>Asia/Tokyo" in text
        assert Preference.objects.get().time_zone == "Asia/Tokyo"

    def test_they_come_back_with_the_next_sign_in(self, client: Client, db: None) -> None:
        user = make_user("viewer")
        Preference.objects.create(user=user, time_zone="Europe/Oslo", theme="dark")
        client.post("/login/", {"username": user.username, "password": PASSWORD})
        assert client.session["time_zone"] == "Europe/Oslo"
        assert 'data-theme="dark"' in client.get("/account/").content.decode()

    @pytest.mark.parametrize("fields", [{"time_zone": "Mars/Base"}, {"theme": "pink"}])
    def test_unknown_choices_are_refused(self, viewer: Client, fields: dict[str, str]) -> None:
        assert viewer.post("/account/", fields).context["form"].errors
        assert not Preference.objects.exists()

    def test_a_token_is_shown_once(self, viewer: Client) -> None:
        response = viewer.post("/account/tokens/", {"name": "ci", "scopes": ["read"], "days": "30"})
        secret = response.context["secret"]
        assert secret.startswith("men_")
        assert secret in response.content.decode()
        assert secret not in viewer.get("/account/").content.decode()
        expires_at = ApiToken.objects.get().expires_at
        assert expires_at is not None
        assert expires_at > timezone.now()
        assert "no-store" in response["Cache-Control"]

    @pytest.mark.parametrize(
        "fields",
        [{}, {"name": "x"}, {"name": "x", "scopes": ["root"]}, {"name": "a" * 300, "scopes": ["read"]}],
    )
    def test_a_bad_token_is_refused(self, viewer: Client, fields: dict[str, object]) -> None:
        assert viewer.post("/account/tokens/", {"days": "30", **fields}).status_code == 422
        assert not ApiToken.objects.exists()

    def test_a_token_can_be_revoked_by_its_owner_alone(self, viewer: Client, operator: Client) -> None:
        viewer.post("/account/tokens/", {"name": "ci", "scopes": ["read"], "days": ""})
        token = ApiToken.objects.get()
        assert operator.post(f"/account/tokens/{token.pk}/revoke/").status_code == 404
        assert viewer.post(f"/account/tokens/{token.pk}/revoke/").status_code == 302
        token.refresh_from_db()
        assert token.revoked_at is not None

    def test_a_person_without_a_role_still_has_an_account(self, db: None) -> None:
        assert "No role yet" in client_of(make_user("none")).get("/account/").content.decode()


class TestSignIn:
    """Login and logout."""

    def test_five_wrong_passwords_lock_out(self, client: Client, db: None) -> None:
        user = make_user("viewer")
        codes = [
            client.post("/login/", {"username": user.username, "password": "wrong"}).status_code
            for _ in range(6)
        ]
        assert codes[0] == 200
        assert codes[-1] == 429
        locked = client.post("/login/", {"username": user.username, "password": PASSWORD})
        assert locked.status_code == 429
        assert locked["Retry-After"] == "900"

    def test_signing_out_ends_the_session(self, viewer: Client) -> None:
        assert viewer.post("/logout/").status_code == 302
        assert viewer.get("/").status_code == 302

    def test_a_link_cannot_sign_out(self, viewer: Client) -> None:
        assert viewer.get("/logout/").status_code == 405

    def test_it_does_not_lead_to_other_sites(self, client: Client, db: None) -> None:
        user = make_user("viewer")
        fields = {"username": user.username, "password": PASSWORD, "next": "https://evil.example/"}
        assert client.post("/login/", fields)["Location"] == "/"


class TestErrors:
    """Pages that say what went wrong, and no more."""

    def test_an_unknown_address_is_404(self, viewer: Client) -> None:
        response = viewer.get("/nothing/here/")
        assert response.status_code == 404
        assert "There is nothing here" in response.content.decode()

    def test_a_post_without_the_token_is_403(self, db: None) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(make_user("operator"), backend="django.contrib.auth.backends.ModelBackend")
        response = client.post("/cycles/bulk/cancel/", {"id": "1"})
        assert response.status_code == 403
        assert "too old or came from elsewhere" in response.content.decode()

    def test_a_database_that_is_away_is_503_with_a_time_to_come_back(self, broken_database: User) -> None:
        client = Client(raise_request_exception=False)
        client.force_login(broken_database, backend="django.contrib.auth.backends.ModelBackend")
        with connection.execute_wrapper(refuse):
            response = client.get("/")
        assert response.status_code == 503
        assert response["Retry-After"] == "5"
        assert "does not answer" in response.content.decode()

    def test_programs_get_problem_json(self) -> None:
        request = RequestFactory().get("/api/cycles/")
        try:
            raise OperationalError("secret host name")
        except OperationalError:
            response = errors.broken(request)
        assert response.status_code == 503
        assert response["Content-Type"] == "application/problem+json"
        assert b"secret" not in response.content

    def test_any_other_error_is_500_without_details(self) -> None:
        try:
            raise ValueError("secret detail")
        except ValueError:
            response = errors.broken(RequestFactory().get("/"))
        assert response.status_code == 500
        assert b"secret" not in response.content


def refuse(*_: object) -> None:
    raise OperationalError("the database system is shutting down")


@pytest.fixture
def broken_database(db: None) -> User:
    """A person who is there before the database goes away."""
    return make_user("viewer")
