"""API tokens."""

import hashlib
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from engines.domain.errors import InvalidInput
from engines.domain.results import SYSTEM
from menace_site.models import ApiToken, AuditEntry
from menace_site.tokens import MAX_PER_USER, authenticate, create_token, revoke_token
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def token_for(role: str = "viewer", **options: Any) -> tuple[ApiToken, str]:
    given = {"name": "ci", "scopes": ["read"], "expires_at": None, **options}
    return create_token(make_user(role), **given)


def test_only_a_hash_of_the_secret_is_kept() -> None:
    token, secret = token_for()
    assert token.sha256 == hashlib.sha256(secret.encode()).hexdigest()
    assert secret.startswith(f"men_{token.prefix}_")
    assert len(secret.split("_", 2)[2]) >= 43  # 256 bits
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(t)::text FROM menace_site_apitoken t")
        assert secret.split("_", 2)[2] not in cursor.fetchone()[0]


def test_the_secret_opens_and_nothing_else_does() -> None:
    token, secret = token_for()
    assert authenticate(secret) == token
    for wrong in (
        "",
        "men",
        secret[:-1],
        secret + "x",
        secret.replace("men_", "mem_"),
        "men__x",
        "\ud800",
        "a_b_c",
    ):
        assert authenticate(wrong) is None


def test_the_secret_of_one_prefix_does_not_open_another() -> None:
    one, first = token_for()
    other, _ = token_for()
    mixed = first.replace(one.prefix, other.prefix)
    assert authenticate(mixed) is None


def test_an_expired_token_is_worthless() -> None:
    token, secret = token_for(expires_at=timezone.now() + timedelta(minutes=1))
    assert authenticate(secret)
    ApiToken.objects.filter(pk=token.pk).update(expires_at=timezone.now())
    assert authenticate(secret) is None


def test_a_revoked_token_is_worthless_and_revoking_twice_is_one_act() -> None:
    token, secret = token_for()
    when = revoke_token(token, actor=SYSTEM).revoked_at
    assert authenticate(secret) is None
    assert revoke_token(token, actor=SYSTEM).revoked_at == when
    assert AuditEntry.objects.filter(verb="token.revoke", target=f"token:{token.prefix}").count() == 1


def test_a_disabled_user_is_out_at_once() -> None:
    token, secret = token_for()
    token.user.is_active = False
    token.user.save()
    assert authenticate(secret) is None


def test_the_use_is_noted_once_a_minute() -> None:
    token, secret = token_for()
    authenticate(secret)
    noted = ApiToken.objects.get().last_used_at
    with CaptureQueriesContext(connection) as queries:
        authenticate(secret)
    assert noted is not None
    assert len(queries) == 1
    ApiToken.objects.filter(pk=token.pk).update(last_used_at=noted - timedelta(minutes=2))
    authenticate(secret)
    again = ApiToken.objects.get().last_used_at
    assert again is not None
    assert again > noted


def test_making_one_leaves_a_trace_without_the_secret() -> None:
    token, secret = token_for(scopes=["operate", "read"])
    entry = AuditEntry.objects.get(verb="token.create")
    assert entry.detail["scopes"] == ["read", "operate"]
    assert entry.actor == token.user.username
    assert secret not in json.dumps(entry.detail)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["root"]}, "scopes"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "expires_at"),
    ],
)
def test_a_wrong_token_is_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        token_for(**options)
    assert caught.value.field == field
    assert not ApiToken.objects.exists()


def test_one_person_has_a_limited_number() -> None:
    user = make_user()
    for number in range(MAX_PER_USER):
        create_token(user, name=str(number), scopes=["read"], expires_at=None)
    with pytest.raises(InvalidInput, match="revoke one first"):
        create_token(user, name="one more", scopes=["read"], expires_at=None)


def run(*args: str) -> str:
    out = io.StringIO()
    call_command("token", *args, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_the_command_prints_the_secret_alone_on_stdout() -> None:
    make_user(username="ada")
    secret = run("create", "ada", "--scopes", "read,operate").strip()
    token = authenticate(secret)
    assert token is not None
    assert token.scopes == ["read", "operate"]
    assert token.expires_at is not None
    assert abs(token.expires_at - timezone.now() - timedelta(days=90)) < timedelta(minutes=1)


def test_the_command_speaks_json() -> None:
    make_user(username="ada")
    made = json.loads(run("create", "ada", "--name", "ci", "--days", "0", "--json"))
    assert (made["user"], made["name"], made["expires_at"], made["state"]) == ("ada", "ci", None, "live")
    [listed] = json.loads(run("list", "ada", "--json"))
    assert "token" not in listed
    assert json.loads(run("revoke", made["prefix"], "--json"))["state"] == "revoked"
    assert authenticate(made["token"]) is None
    assert "revoked" in run("list")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("create", "nobody"), "no user 'nobody'"),
        (("create", "ada", "--scopes", "root"), "scopes of: read, operate, approve"),
        (("create", "ada", "--scopes", ","), "scopes of"),
        (("create", "ada", "--days", "-1"), "--days"),
        (("create", "off"), "disabled"),
        (("revoke", "nothing"), "no token"),
        (("list", "nobody"), "no user"),
    ],
)
def test_the_command_ends_with_two_and_the_reason(args: tuple[str, ...], message: str) -> None:
    make_user(username="ada")
    off = make_user(username="off")
    off.is_active = False
    off.save()
    with pytest.raises(CommandError, match=message) as caught:
        run(*args)
    assert caught.value.returncode == 2


def test_the_command_says_how_to_make_the_first() -> None:
    assert "token create" in run("list")
