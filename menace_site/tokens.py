"""API tokens: made, checked and revoked here. Only a hash is kept; the secret is shown once."""

import hashlib
import hmac
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from engines.domain.errors import InvalidInput
from engines.domain.results import Actor
from engines.signals import acted
from menace_site.models import ApiToken

SCOPES = ("read", "operate", "approve")
"""`read` sees, `operate` acts on engines and cycles, `approve` decides promotions. None includes another."""

MARK = "men"
MAX_SECRET = 100
MAX_PER_USER = 50
USED_EVERY = timedelta(minutes=1)


def create_token(
    user: User,
    *,
    name: str,
    scopes: Collection[str],
    expires_at: datetime | None,
    actor: Actor | None = None,
) -> tuple[ApiToken, str]:
    """Return a new token and its secret (`men_<prefix>_<secret>`), which is not kept.

    Raises InvalidInput when the name, a scope or the expiry is wrong, or the user has 50 live tokens.
    """
    name = _checked_name(name)
    _check(user, scopes, expires_at)
    prefix = secrets.token_hex(4)
    secret = f"{MARK}_{prefix}_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        token = ApiToken.objects.create(
            user=user,
            name=name,
            prefix=prefix,
            sha256=_digest(secret),
            scopes=[scope for scope in SCOPES if scope in scopes],
            expires_at=expires_at,
        )
        _audit(actor or person(user), "token.create", token, scopes=token.scopes)
    token.refresh_from_db()
    return token, secret


def revoke_token(token: ApiToken, *, actor: Actor) -> ApiToken:
    """Make a token worthless from now on; revoking it twice changes nothing."""
    with transaction.atomic():
        changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=Now())
        if changed:
            _audit(actor, "token.revoke", token)
    token.refresh_from_db()
    return token


def authenticate(secret: str) -> ApiToken | None:
    """Return the live token with this secret, its user attached; None for anything else."""
    parts = secret.split("_", 2)
    if len(secret) > MAX_SECRET or len(parts) != 3 or parts[0] != MARK or not parts[1].isalnum():
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=parts[1]).first()
    # compare with something in any case, so that the time tells nothing about prefixes
    known = token.sha256 if token else _digest("")
    if not hmac.compare_digest(known, _digest(secret)) or token is None or not is_live(token):
        return None
    _mark_used(token)
    return token


def is_live(token: ApiToken) -> bool:
    """Whether the token opens anything: not revoked, not expired, its user not disabled."""
    expired = token.expires_at is not None and token.expires_at <= timezone.now()
    return token.revoked_at is None and not expired and token.user.is_active


def person(user: User) -> Actor:
    """Return a person as the one who acts."""
    return Actor(user_id=user.pk, label=user.get_username(), kind="person")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > 100 or not name.isprintable():
        raise InvalidInput("give the token a name of 1 to 100 printable characters", field="name")
    return name


def _check(user: User, scopes: Collection[str], expires_at: datetime | None) -> None:
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InvalidInput(f"give one or more scopes of: {', '.join(SCOPES)}", field="scopes")
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidInput("the expiry must lie in the future", field="expires_at")
    live = ApiToken.objects.filter(user=user, revoked_at=None).exclude(expires_at__lte=timezone.now())
    if live[:MAX_PER_USER].count() >= MAX_PER_USER:
        raise InvalidInput(
            f"{user.get_username()} has {MAX_PER_USER} live tokens; revoke one first", field="name"
        )


def _mark_used(token: ApiToken) -> None:
    """Note the use, at most once a minute: a write a request would cost more than it tells."""
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at <= now - USED_EVERY:
        stale = Q(last_used_at=None) | Q(last_used_at__lte=now - USED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _audit(actor: Actor, verb: str, token: ApiToken, **detail: object) -> None:
    facts = {"user": token.user.get_username(), "name": token.name, **detail}
    acted.send(sender=ApiToken, actor=actor, verb=verb, target=f"token:{token.prefix}", detail=facts)
