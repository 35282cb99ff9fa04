"""What tests of the API share: a client that speaks JSON with a token, as a program does."""

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django.fixtures import Settings

from menace_site.api.throttling import FixedWindow
from menace_site.tokens import SCOPES, create_token
from tests.factories import make_user

Scopes = tuple[str, ...]
Answer = Any
"""The test client's response, whose `json` the types don't know."""


class Api:
    """A program with a token. `json` of an answer is its parsed body."""

    def __init__(self, user: User | None, scopes: Scopes = SCOPES) -> None:
        self.client = Client()
        self.user = user
        self.headers: dict[str, str] = {}
        if user is not None:
            _, secret = create_token(user, name="test", scopes=scopes, expires_at=None)
            self.headers = {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **params: Any) -> Answer:
        return self.client.get(f"/api/{path}", params, headers=self.headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, json.dumps(data if data is not None else {}), **headers)

    def patch(self, path: str, data: Any) -> Answer:
        return self.send("PATCH", path, json.dumps(data))

    def send(self, method: str, path: str, body: str | bytes, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method, f"/api/{path}", body, content_type="application/json", headers={**self.headers, **named}
        )


@pytest.fixture(autouse=True)
def _generous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tests ask often; the tests of throttling set rates of their own."""
    monkeypatch.setattr(FixedWindow, "THROTTLE_RATES", {"token": "100000/min", "anon": "100000/min"})


@pytest.fixture
def viewer(db: None) -> Api:
    """A program of a viewer."""
    return Api(make_user("viewer"))


@pytest.fixture
def operator(db: None) -> Api:
    """A program of an operator."""
    return Api(make_user("operator"))


@pytest.fixture
def plain_site(db: None, settings: Settings) -> None:
    """Leave out what neither lets in nor keeps out, and costs every request."""
    cache.clear()
    beside = ("ServeStaticMiddleware", "GZipMiddleware")
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if not name.endswith(beside)]
