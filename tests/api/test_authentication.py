"""Who gets in, and who may do what."""

import pytest
from django.test import Client
from django.utils.crypto import get_random_string
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.viewsets import ViewSet

from menace_site.api.endpoint import Endpoint
from menace_site.tokens import create_token
from tests.api.conftest import Answer, Api, Scopes
from tests.factories import make_cycle, make_engine, make_user

pytestmark = pytest.mark.django_db
PATHS = [
    "engines/",
    "cycles/",
    "tokens/",
    "me/",
    "audit/",
    "health/",
    "schema/",
    "engines/alpha/",
    "cycles/1/",
]


def assert_problem(answer: Answer, status: int) -> None:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "instance", "errors"}
    assert body["status"] == status


@pytest.mark.parametrize("path", PATHS)
def test_a_stranger_gets_a_challenge_and_no_data(path: str) -> None:
    make_cycle(make_engine("alpha"))
    answer = Api(None).get(path)
    assert_problem(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "value", ["Bearer", "Bearer ", "Bearer x", "Bearer men_a_b", "Bearer \udcff", "Bearer a b c"]
)
def test_a_bad_token_is_refused_even_with_a_session(value: str) -> None:
    client = Client()
    client.force_login(make_user("admin"))
    header = value.encode("utf-8", "surrogateescape").decode("latin-1")
    assert_problem(client.get("/api/me/", HTTP_AUTHORIZATION=header), 401)


def test_other_schemes_are_left_to_the_session() -> None:
    client = Client()
    client.force_login(make_user())
    assert client.get("/api/me/", headers={"Authorization": "Basic eDp5"}).status_code == 200


def test_a_session_needs_the_csrf_token_to_act() -> None:
    engine = make_engine()
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_user("operator"))
    body = {"engine": engine.name}
    assert_problem(client.post("/api/cycles/", body, content_type="application/json"), 403)
    client.cookies["csrftoken"] = token = get_random_string(32)
    answer = client.post(
        "/api/cycles/", body, content_type="application/json", headers={"X-CSRFToken": token}
    )
    assert answer.status_code == 201


def test_a_token_needs_no_csrf_token() -> None:
    user = make_user("operator")
    _, secret = create_token(user, name="t", scopes=["operate"], expires_at=None)
    client = Client(enforce_csrf_checks=True)
    body = {"engine": make_engine().name}
    headers = {"Authorization": f"Bearer {secret}"}
    answer = client.post("/api/cycles/", body, content_type="application/json", headers=headers)
    assert answer.status_code == 201


def test_a_disabled_user_is_out_at_once() -> None:
    api = Api(make_user())
    assert api.get("me/").status_code == 200
    assert api.user is not None
    api.user.is_active = False
    api.user.save()
    assert_problem(api.get("me/"), 401)


@pytest.mark.parametrize(
    ("role", "scopes", "sees", "acts"),
    [
        ("none", ("read", "operate", "approve"), 403, 403),
        ("viewer", ("read", "operate", "approve"), 200, 403),
        ("operator", ("read",), 200, 403),
        ("operator", ("operate",), 403, 201),
        ("operator", ("approve",), 403, 403),
        ("approver", ("read", "operate"), 200, 201),
        ("admin", ("read",), 200, 403),
    ],
)
def test_role_and_scope_must_both_allow(role: str, scopes: Scopes, sees: int, acts: int) -> None:
    make_engine("alpha")
    api = Api(make_user(role), scopes)
    assert api.get("engines/").status_code == sees
    assert api.post("cycles/", {"engine": "alpha"}).status_code == acts


class Careless(Endpoint, ViewSet):
    """An endpoint that forgot to say who may."""

    def list(self, request: Request) -> Response:
        return Response({"secret": 1})


def test_an_endpoint_that_declares_no_access_is_closed_to_everybody() -> None:
    request = APIRequestFactory().get("/")
    force_authenticate(request, make_user("admin"))
    assert Careless.as_view({"get": "list"})(request).status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
def test_other_methods_are_not_allowed(method: str) -> None:
    answer = Api(make_user("admin")).send(method, "cycles/", "{}")
    assert_problem(answer, 405)
    assert answer["Allow"]


@pytest.mark.parametrize(
    "path", ["nothing/", "cycles/1/explode/", "engines/A/", "..%2fadmin/", "%00/", "%ff/"]
)
@pytest.mark.parametrize("role", ["admin", None])
def test_an_unknown_address_is_a_problem_too(path: str, role: str | None) -> None:
    api = Api(make_user(role) if role else None)
    assert_problem(api.get(path), 404)
    assert_problem(api.post(path), 404)


def test_me_says_who_and_what() -> None:
    api = Api(make_user("operator", username="ada"), ("read",))
    body = api.get("me/").json()
    assert (body["username"], body["roles"], body["superuser"]) == ("ada", ["operator"], False)
    assert "engines.operate_engine" in body["permissions"]
    assert body["token"]["scopes"] == ["read"]
    assert "sha256" not in body["token"]
