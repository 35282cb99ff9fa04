"""Canaries: secrets of environment, settings and database are on no page, in no answer and no log."""

import json
import logging
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.test import Client, override_settings

from menace_site import health
from menace_site.models import ApiToken, AuditEntry, IdempotencyKey
from menace_site.sandbox_settings import SandboxSettings
from menace_site.tokens import SCOPES, create_token
from orphans.domain.git_call import environment
from tests.factories import PASSWORD, make_cycle, make_engine, make_user

CANARY = "c4n4ry-s3cr3t"
DATABASE = f"postgresql://menace:{CANARY}@db.example/menace"
PAGES = (
    "/", "/cycles/", "/engines/", "/presets/", "/tokens/", "/preferences/", "/health", "/metrics", "/login/",
    "/api/", "/api/me/", "/api/tokens/", "/api/cycles/", "/api/engines/", "/api/schema/", "/api/nothing/",
    "/nothing/", "/admin/", "/admin/menace_site/apitoken/", "/admin/auth/user/",
    "/cycles/?order=" + CANARY[:3],
)  # fmt: skip


@pytest.fixture(autouse=True)
def secret_settings(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Secrets in the environment and in the settings, as an installation has them."""
    for name in ("DJANGO_SECRET_KEY", "MENACE_METRICS_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setenv("DATABASE_URL", DATABASE)
    environ = {"DATABASE_URL": DATABASE, "DJANGO_SECRET_KEY": CANARY, "MENACE_METRICS_TOKEN": CANARY}
    with override_settings(SECRET_KEY=CANARY * 4, SANDBOX=SandboxSettings.from_environ(environ)):
        yield


@pytest.fixture
def ada(db: None) -> User:
    """An administrator with a token, whose hashes are secrets too."""
    user = make_user("admin", username="ada")
    create_token(user, name="ci", scopes=SCOPES, expires_at=None)
    make_cycle(make_engine("alpha"))
    return user


def browser(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def secrets_of(user: User) -> list[str]:
    """Return what must be shown to nobody: the canary and what the database keeps in hashes."""
    hashes = ApiToken.objects.values_list("sha256", flat=True)
    return [CANARY, PASSWORD, user.password, *hashes]


def said(response: Any) -> str:
    body = b"".join(response) if response.streaming else response.content
    return f"{body.decode(errors='replace')} {dict(response.headers)}"


@pytest.mark.parametrize("page", PAGES)
def test_no_page_shows_a_secret(ada: User, page: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    text = said(browser(ada).get(page)) + caplog.text
    assert [secret for secret in secrets_of(ada) if secret in text] == []


@pytest.mark.parametrize("page", PAGES)
def test_no_stranger_learns_a_secret(ada: User, page: str) -> None:
    text = said(Client(raise_request_exception=False).get(page))
    assert [secret for secret in secrets_of(ada) if secret in text] == []


FAILURES = [
    OperationalError(f'connection to "{DATABASE}" failed'),
    RuntimeError(f"no such place: {CANARY}"),
    ValueError(CANARY),
    KeyError(CANARY),
    OSError(13, "denied", f"/home/{CANARY}"),
]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("page", ["/cycles/", "/api/cycles/"])
def test_no_error_page_tells_what_went_wrong_inside(
    ada: User, page: str, error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise error

    client = browser(ada)
    monkeypatch.setattr("engines.models.paging.page", broken)
    monkeypatch.setattr("menace_site.api.pagination.page", broken)
    monkeypatch.setattr("engines.filters.cycles.CycleFilter.parse", broken)
    response = client.get(page)
    assert response.status_code in (500, 503)
    text = said(response)
    assert CANARY not in text
    assert "Traceback" not in text
    assert type(error).__name__ not in text


@pytest.mark.parametrize("debug", ["sekret", "wrong"])
def test_a_password_that_was_typed_is_in_no_log(
    db: None, debug: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    make_user("viewer", username="ada")
    response = Client().post("/login/", {"username": "ada", "password": f"{CANARY}-{debug}"})
    assert CANARY not in said(response)
    assert CANARY not in caplog.text


def test_a_token_that_was_sent_is_in_no_answer_and_no_log(db: None, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    sent = f"men_{CANARY.replace('-', '')[:8]}_{CANARY}"
    response = Client().get("/api/me/", headers={"Authorization": f"Bearer {sent}"})
    assert response.status_code == 401
    assert CANARY not in said(response)
    assert CANARY not in caplog.text


def test_a_new_secret_is_shown_once_and_kept_nowhere(ada: User) -> None:
    client = browser(ada)
    body = json.dumps({"name": "ci2", "scopes": ["read"], "expires_at": "2036-01-01T00:00:00Z"})
    answer = client.post(
        "/api/tokens/", body, content_type="application/json", headers={"Idempotency-Key": "k"}
    )
    secret = answer.json()["secret"]
    rows = [*ApiToken.objects.values(), *AuditEntry.objects.values(), *IdempotencyKey.objects.values()]
    assert secret not in json.dumps(rows, default=str)
    assert secret not in said(client.get("/api/tokens/"))


COMMANDS: dict[str, Callable[[], tuple[str, ...]]] = {
    "doctor": lambda: ("doctor",),
    "check": lambda: ("check",),
    "tokens": lambda: ("token", "list", "--json"),
    "metrics": lambda: ("export_metrics", "--once"),
    "engines": lambda: ("engines", "list", "--json"),
    "presets": lambda: ("environment", "list", "--json"),
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_command_prints_a_secret(ada: User, words: Callable[[], tuple[str, ...]]) -> None:
    out, err = StringIO(), StringIO()
    try:
        call_command(*words(), stdout=out, stderr=err)
    except (CommandError, SystemExit) as end:
        err.write(str(end))
    text = out.getvalue() + err.getvalue()
    assert [secret for secret in secrets_of(ada) if secret in text] == []


def test_health_names_no_address(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "_client", lambda: (_ for _ in ()).throw(OSError(f"{DATABASE} is away")))
    state = health.check()
    assert state["broker"]["ok"] is False
    assert CANARY not in json.dumps(state)


def test_git_is_told_nothing_of_ours() -> None:
    assert CANARY not in str(environment("/usr/bin"))
