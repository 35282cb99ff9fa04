"""Who asks: a program with a bearer token, or a person with a session and a CSRF token."""

from typing import cast

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from menace_site.models import ApiToken
from menace_site.tokens import authenticate

CHALLENGE = 'Bearer realm="api"'


def user_of(request: Request) -> User:
    """Return who asks; only for actions that let signed-in people in."""
    return cast("User", request.user)


def token_of(request: Request) -> ApiToken | None:
    """Return the token in use; None: a session."""
    return cast("ApiToken | None", request.auth)


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer men_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """Return the token's user and the token; None when there is no bearer token to check."""
        scheme, _, secret = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = authenticate(secret.strip())
        if token is None:
            # one answer for every cause: which part was wrong is nobody's business
            raise AuthenticationFailed("this token is unknown, expired or revoked")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE


class Session(SessionAuthentication):
    """The session of a signed-in person; unsafe methods need the CSRF token in `X-CSRFToken`."""

    def authenticate_header(self, request: Request) -> str:
        """Return the challenge of a 401."""
        return CHALLENGE
