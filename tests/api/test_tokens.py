"""One's own tokens over the API."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from menace_site.models import ApiToken, AuditEntry
from menace_site.tokens import create_token
from tests.api.conftest import Api
from tests.factories import make_user

pytestmark = pytest.mark.django_db
LATER = (timezone.now() + timedelta(days=30)).isoformat()


def body(**changes: Any) -> dict[str, Any]:
    return {"name": "ci", "scopes": ["read"], "expires_at": LATER, **changes}


def test_a_new_token_opens_what_it_says() -> None:
    api = Api(make_user("operator"))
    made = api.post("tokens/", body())
    assert made.status_code == 201
    fresh = Api(None)
    fresh.headers = {"Authorization": f"Bearer {made.json()['secret']}"}
    assert fresh.get("cycles/").status_code == 200
    assert fresh.post("tokens/", body()).status_code == 403


def test_the_list_shows_ones_own_and_no_secret() -> None:
    api, other = Api(make_user()), Api(make_user("admin"))
    rows = api.get("tokens/").json()["results"]
    assert [row["name"] for row in rows] == ["test"]
    assert other.headers["Authorization"].split("_", 2)[2] not in str(rows)
    assert not {"sha256", "secret"} & set(rows[0])
    assert api.get("tokens/", fields="sha256").status_code == 400


def test_a_revoked_token_is_out() -> None:
    api = Api(make_user())
    token, secret = create_token(api.user, name="old", scopes=["read"], expires_at=None)  # type: ignore[arg-type]
    assert api.post(f"tokens/{token.pk}/revoke/").json()["revoked_at"]
    old = Api(None)
    old.headers = {"Authorization": f"Bearer {secret}"}
    assert old.get("me/").status_code == 401
    assert AuditEntry.objects.filter(verb="token.revoke", actor_kind="token").count() == 1


def test_tokens_of_others_do_not_exist() -> None:
    token, _ = create_token(make_user(), name="theirs", scopes=["read"], expires_at=None)
    assert Api(make_user("admin")).post(f"tokens/{token.pk}/revoke/").status_code == 404
    assert ApiToken.objects.get(pk=token.pk).revoked_at is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"scopes": [True]}, "scopes"),
        ({"expires_at": None}, "expires_at"),
        ({"expires_at": 1}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-14:00"}, "expires_at"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"user": 1}, "user"),
    ],
)
def test_a_wrong_token_is_refused(changes: dict[str, Any], field: str) -> None:
    answer = Api(make_user()).post("tokens/", body(**changes))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].split(".")[0] == field


def test_a_token_gives_no_more_than_it_has() -> None:
    user = make_user("approver")
    api = Api(user, ("read", "operate"))
    assert api.post("tokens/", body(scopes=["read", "approve"])).status_code == 403
    assert api.post("tokens/", body(scopes=["read", "operate"])).status_code == 201


def test_a_token_makes_none_that_outlives_it() -> None:
    api = Api(make_user())
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert api.post("tokens/", body()).status_code == 403
