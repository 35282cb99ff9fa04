"""Endpoints of promotions: look, approve, reject, look again, roll back; and of an engine's policy."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from engines.domain.errors import InvalidInput
from engines.models import Engine, Promotion
from engines.services import promotions
from engines.viewsets import actor_of, checked, fields_parameter, text_parameter
from menace_site.api import promotion_serializers as shapes
from menace_site.api.endpoint import Endpoint
from menace_site.api.orphans import ENGINE, OfEngines

SEE = ("engines.view_promotion", "read")
OPERATE = ("engines.operate_engine", "operate")
DECIDE = (promotions.DECIDE, "approve")


class Promotions(OfEngines):
    """Candidates with their evidence, the gate's verdict, and what was decided."""

    access = {
        "list": SEE,
        "retrieve": SEE,
        "preview": SEE,
        "approve": DECIDE,
        "reject": DECIDE,
        "rollback": DECIDE,
        "keep": DECIDE,
        "reconsider": OPERATE,
    }
    engine_column = "engine__name"
    serializer_class = shapes.PromotionSerializer

    def get_queryset(self) -> "QuerySet[Promotion]":
        """Return the promotions that the user may see."""
        return Promotion.objects.visible_to(self.request.user).select_related("engine")

    def answer(self, pk: int, status: int = 200) -> Response:
        """Return a promotion as the database has it now."""
        return Response(shapes.PromotionSerializer(self.get_queryset().get(pk=pk)).data, status=status)

    @extend_schema(
        responses=shapes.PromotionRow(many=True),
        parameters=[
            ENGINE,
            text_parameter("state", "One of them.", enum=shapes.STATES),
            text_parameter("kind", "One of them.", enum=shapes.KINDS),
            text_parameter("verdict", "One of them.", enum=shapes.VERDICTS),
            fields_parameter(shapes.PROMOTION_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List promotions."""
        known = {"state": shapes.STATES, "kind": shapes.KINDS, "verdict": shapes.VERDICTS}
        if empty := [name for name in known if request.query_params.get(name) == ""]:
            raise InvalidInput(f"known: {', '.join(known[empty[0]])}", field=empty[0])
        rows = self.narrowed(self.get_queryset().select_related(None), engine=[], **known)
        return self.listed(rows, shapes.PROMOTION_COLUMNS, "engine", *known)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a promotion with its evidence and the gate's reasons."""
        return self.answer(self.get_object().pk)

    @extend_schema(request=shapes.ApproveInput)
    @action(detail=True, methods=["post"])
    def approve(self, request: Request, pk: str) -> Response:
        """Approve on the evidence with that hash; a worker applies it next.

        409 with the type `stale` when something has changed since; ask for `reconsider` then.
        """
        seen, values = self.get_object(), checked(shapes.ApproveInput, request)
        return self.answer(promotions.approve(seen.pk, actor=actor_of(request), **values).pk)

    @extend_schema(request=shapes.RejectInput)
    @action(detail=True, methods=["post"])
    def reject(self, request: Request, pk: str) -> Response:
        """Reject the candidate."""
        seen, values = self.get_object(), checked(shapes.RejectInput, request)
        return self.answer(promotions.reject(seen.pk, actor=actor_of(request), **values).pk)

    @extend_schema(request=None, responses={201: shapes.PromotionSerializer})
    @action(detail=True, methods=["post"])
    def reconsider(self, request: Request, pk: str) -> Response:
        """Gather fresh evidence on the candidate and ask the gate again: a new promotion takes its place."""
        fresh = promotions.reconsider(self.get_object().pk, actor=actor_of(request))
        return self.answer(fresh.pk, 201)

    @extend_schema(responses=shapes.PreviewSerializer)
    @action(detail=True)
    def preview(self, request: Request, pk: str) -> Response:
        """Show what a roll-back would change; nothing is changed."""
        return Response(promotions.preview(self.get_object().pk))

    @extend_schema(request=shapes.ReasonInput)
    @action(detail=True, methods=["post"])
    def rollback(self, request: Request, pk: str) -> Response:
        """Make live again, at once, what was live before."""
        seen, values = self.get_object(), checked(shapes.ReasonInput, request)
        return self.answer(promotions.rollback(seen.pk, actor=actor_of(request), **values).pk)

    @extend_schema(request=shapes.ReasonInput)
    @action(detail=True, methods=["post"])
    def keep(self, request: Request, pk: str) -> Response:
        """Answer a proposed roll-back with "keep it"."""
        seen, values = self.get_object(), checked(shapes.ReasonInput, request)
        return self.answer(promotions.keep(seen.pk, actor=actor_of(request), **values).pk)


class Policies(Endpoint, GenericViewSet[Any]):
    """The policies of engines' promotions."""

    access = {"retrieve": SEE, "partial_update": DECIDE}
    lookup_field = "name"
    serializer_class = shapes.PolicySerializer

    def engine(self) -> Engine:
        """Return the engine that the address names, or 404."""
        found: Engine = get_object_or_404(
            Engine.objects.visible_to(self.request.user), name=self.kwargs["name"]
        )
        return found

    def retrieve(self, request: Request, name: str) -> Response:
        """Show what the engine's promotions take."""
        return Response(promotions.policy_of(self.engine()).as_data())

    @extend_schema(request=shapes.PolicyInput, responses=shapes.PolicySerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change knobs of the policy; open promotions keep their verdict."""
        engine = self.engine()
        values = checked(shapes.PolicyInput, request)
        return Response(promotions.set_policy(engine.pk, actor=actor_of(request), **values).as_data())
