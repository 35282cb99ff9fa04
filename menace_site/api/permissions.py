"""Who may: the user's role and the token's scope, both, for each action. What declares nothing is closed."""

from typing import TYPE_CHECKING

from rest_framework.exceptions import MethodNotAllowed, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from menace_site.api.authentication import token_of

if TYPE_CHECKING:
    from rest_framework.views import APIView


class RoleAndScope(BasePermission):
    """Ask the view's `access`: action → (permission or None, scope).

    The permission must be held by the user, the scope by the token when one is used. None asks for no
    permission: the action concerns the user's own things only.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """Return whether the user and the token may; PermissionDenied names what is missing."""
        if not request.user or not request.user.is_authenticated:
            return False
        need = self._need(request, view)
        if need is None:
            raise PermissionDenied("nobody may do this: the endpoint declares no access")
        permission, scope = need
        if permission is not None and not request.user.has_perm(permission):
            raise PermissionDenied(f"your role doesn't allow this; it takes the permission {permission}")
        token = token_of(request)
        if token is not None and scope not in token.scopes:
            raise PermissionDenied(f"this token lacks the scope {scope!r}")
        return True

    @staticmethod
    def _need(request: Request, view: "APIView") -> tuple[str | None, str] | None:
        action = getattr(view, "action", None)
        if action in (None, "metadata"):
            raise MethodNotAllowed(request.method or "")
        need: tuple[str | None, str] | None = getattr(view, "access", {}).get(action)
        return need
