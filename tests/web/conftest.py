"""People with roles at their browsers."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from menace_site import health
from tests.factories import make_user


def client_of(user: User) -> Client:
    """Return the browser of a signed-in person; requests that raise answer with the error page."""
    client = Client(raise_request_exception=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def signed_in(db: None) -> Callable[..., Client]:
    """Return a maker of signed-in browsers by role."""
    return lambda role="operator", **fields: client_of(make_user(role, **fields))


@pytest.fixture
def viewer(signed_in: Callable[..., Client]) -> Client:
    """A viewer's browser."""
    return signed_in("viewer")


@pytest.fixture
def operator(signed_in: Callable[..., Client]) -> Client:
    """An operator's browser."""
    return signed_in("operator")


@pytest.fixture
def approver(signed_in: Callable[..., Client]) -> Client:
    """An approver's browser."""
    return signed_in("approver")


@pytest.fixture
def admin(signed_in: Callable[..., Client]) -> Client:
    """An administrator's browser."""
    return signed_in("admin")


def forget_health() -> None:
    """Forget what the process knew of the parts, so that the next page asks anew."""
    health._kept.update(state={}, until=float("-inf"))


@pytest.fixture(autouse=True)
def fresh_health() -> None:
    """Let each test ask anew."""
    forget_health()
