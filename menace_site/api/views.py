"""Endpoints of the site itself, and those of the engines with what every endpoint shares."""

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import ViewSet

from engines.domain.errors import InvalidInput
from engines.models import Cycle, Engine
from engines.viewsets import (
    CycleViewSet,
    EngineViewSet,
    Listing,
    actor_of,
    checked,
    fields_parameter,
    text_parameter,
)
from menace_site import health
from menace_site.api.authentication import Session, token_of, user_of
from menace_site.api.endpoint import Endpoint
from menace_site.api.serializers import (
    AUDIT_COLUMNS,
    TOKEN_COLUMNS,
    AuditRow,
    HealthSerializer,
    MeSerializer,
    NewTokenSerializer,
    TokenInput,
    TokenRow,
    TokenSerializer,
)
from menace_site.models import ApiToken, AuditEntry
from menace_site.tokens import create_token, revoke_token

OWN = None
"""No permission asked: the action is about the user's own things."""

LONGEST = timedelta(days=3650)


class Engines(Endpoint, EngineViewSet):
    """Bots under care."""


class Cycles(Endpoint, CycleViewSet):
    """Passes of the engines."""


class Tokens(Endpoint, Listing):
    """The user's own API tokens."""

    access = {
        "list": (OWN, "read"),
        "create": (OWN, "operate"),
        "revoke": (OWN, "operate"),
    }
    orders = ("id",)
    default_order = "-id"
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = TokenSerializer

    def get_queryset(self) -> "QuerySet[ApiToken]":
        """Return the user's tokens."""
        return ApiToken.objects.filter(user=user_of(self.request)).select_related("user")

    @extend_schema(responses=TokenRow(many=True), parameters=[fields_parameter(TOKEN_COLUMNS)])
    def list(self, request: Request) -> Response:
        """List your tokens, without secrets."""
        return self.listed(self.get_queryset().select_related(None), TOKEN_COLUMNS)

    @extend_schema(request=TokenInput, responses={201: NewTokenSerializer})
    def create(self, request: Request) -> Response:
        """Make a token. Its secret is in this answer and nowhere else.

        A token can't give another token scopes that it lacks, nor a longer life than its own.
        """
        values = checked(TokenInput, request)
        _refuse_more(token_of(request), values)
        token, secret = create_token(user_of(request), actor=actor_of(request), **values)
        response = Response({**TokenSerializer(token).data, "secret": secret}, status=201)
        response.secret_fields = ("secret",)  # type: ignore[attr-defined]
        return response

    @extend_schema(request=None, responses=TokenSerializer)
    def revoke(self, request: Request, pk: str) -> Response:
        """Make one of your tokens worthless from now on."""
        return Response(TokenSerializer(revoke_token(self.get_object(), actor=actor_of(request))).data)


class Me(Endpoint, ViewSet):
    """Who asks."""

    access = {"retrieve": (OWN, "read")}

    @extend_schema(responses=MeSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show who you are to the API and what you may."""
        user, token = user_of(request), token_of(request)
        return Response(
            {
                "username": user.get_username(),
                "roles": sorted(user.groups.values_list("name", flat=True)),
                "superuser": user.is_superuser,
                "permissions": sorted(user.get_all_permissions()),
                "token": TokenSerializer(token).data if token else None,
            }
        )


class Health(Endpoint, ViewSet):
    """Whether the parts answer."""

    access = {"retrieve": (OWN, "read")}

    @extend_schema(responses=HealthSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show whether web, database, broker, workers and beat answer; `/health` tells by its status."""
        parts = health.check()
        shown = {name: {"ok": part["ok"], "detail": part["detail"]} for name, part in parts.items()}
        shown.pop("version", None)
        return Response({"ready": health.ready(parts), **shown})


class Audit(Endpoint, Listing):
    """Acts of people, tokens and the system."""

    access = {"list": (OWN, "read")}
    orders = ("id",)
    default_order = "-id"
    serializer_class = AuditRow

    @extend_schema(
        responses=AuditRow(many=True),
        parameters=[
            text_parameter("target", "All acts on one thing: `engine:alpha` or `cycle:7`."),
            fields_parameter(AUDIT_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List acts: with `target` everybody's on it, without it your own (superusers: all)."""
        return self.listed(_audited(request), AUDIT_COLUMNS, "target")


class Schema(SpectacularJSONAPIView):
    """The OpenAPI schema, for everybody who is signed in."""

    permission_classes = [IsAuthenticated]


class Docs(SpectacularSwaggerSplitView):
    """The page that shows the schema and lets one try it."""

    permission_classes = [IsAuthenticated]
    authentication_classes = [Session]
    template_name = "api/docs.html"
    template_name_js = "drf_spectacular/swagger_ui.js"
    url_name = "api-schema"


@extend_schema(exclude=True)
class Unknown(APIView):
    """Whatever else lies under /api/: there is no such endpoint."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 to every method."""
        raise Http404


def _refuse_more(auth: ApiToken | None, values: dict[str, Any]) -> None:
    if values["expires_at"] > timezone.now() + LONGEST:
        raise InvalidInput("at most ten years ahead", field="expires_at")
    if auth is None:
        return
    if not set(values["scopes"]) <= set(auth.scopes):
        raise PermissionDenied("a token can't give scopes that it lacks")
    if auth.expires_at is not None and values["expires_at"] > auth.expires_at:
        raise PermissionDenied("a token can't make one that outlives it")


def _audited(request: Request) -> "QuerySet[Any]":
    """Return the entries that the user may see; Http404 for a target that isn't theirs to see."""
    entries = AuditEntry.objects.all()
    target = request.query_params.get("target", "")
    if not target:
        return entries if request.user.is_superuser else entries.filter(user_id_at_time=request.user.pk)
    kind, _, name = target.partition(":")
    if kind == "engine" and request.user.has_perm("engines.view_engine"):
        found: QuerySet[Any] = Engine.objects.visible_to(request.user).filter(name=name[:63])
    elif kind == "cycle" and request.user.has_perm("engines.view_cycle"):
        found = Cycle.objects.visible_to(request.user).filter(pk=int(name) if _is_id(name) else 0)
    else:
        raise InvalidInput("`engine:NAME` or `cycle:ID`", field="target")
    if not found.exists():
        raise Http404
    return entries.filter(target=target)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
