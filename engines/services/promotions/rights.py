"""Who may decide on promotions: asked by the service itself, whatever door somebody came through."""

from django.conf import settings
from django.contrib.auth.models import User

from engines.domain.errors import InvalidInput, NotAllowed
from engines.domain.results import Actor
from engines.domain.unseen import UNSEEN
from engines.models import Engine, Promotion

DECIDE = "engines.decide_promotion"
OPERATE = "engines.operate_engine"
REASON_CHARS = 1000


def person(actor: Actor, engine: Engine, *permissions: str) -> User:
    """Return the person behind the actor, who holds one of the permissions and sees the engine.

    Raises NotAllowed otherwise: also for the system, and for commands that name nobody.
    """
    user = User.objects.filter(pk=actor.user_id, is_active=True).first() if actor.user_id else None
    if user is None:
        raise NotAllowed("a person decides on promotions; say who you are")
    if not any(user.has_perm(permission) for permission in permissions):
        raise NotAllowed(f"your role doesn't allow this; it takes the permission {permissions[0]}")
    if not Engine.objects.visible_to(user).filter(pk=engine.pk).exists():
        raise NotAllowed(f"{engine.name} belongs to another team")
    return user


def self_approval(promotion: Promotion, user_id: int | None) -> str:
    """Say why the requester can't approve alone; empty for others, and without the two-person rule."""
    mine = promotion.requested_by_id is not None and promotion.requested_by_id == user_id
    if not mine or not settings.SANDBOX.two_person_rule:
        return ""
    if settings.SANDBOX.break_glass:
        return (
            "you requested this; approving it alone breaks the glass, which must be asked for and is audited"
        )
    return "you requested this, so another person must approve it (two-person rule)"


def check_self_approval(promotion: Promotion, user: User, *, break_glass: bool) -> bool:
    """Return whether the glass is broken; NotAllowed when the requester must not approve."""
    objection = self_approval(promotion, user.pk)
    if objection and not (break_glass and settings.SANDBOX.break_glass):
        raise NotAllowed(objection)
    return bool(objection)


def reasoned(reason: str) -> str:
    """Return the reason without blanks around it; InvalidInput when nothing can be read in it."""
    text = reason.strip() if isinstance(reason, str) else ""
    if not UNSEEN.sub("", text).strip():
        raise InvalidInput("say why; the reason is kept with the decision", field="reason")
    if len(text) > REASON_CHARS:
        raise InvalidInput(f"a reason has at most {REASON_CHARS} characters", field="reason")
    return text.replace("\0", "").encode("utf-8", "replace").decode()
