"""Endpoints of what changes of modules brought, and of opening complete ones again."""

from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from engines.domain.errors import Conflict
from engines.serializers import Input, Partial, StrictText
from engines.services.orphan_acts import REASON_CHARS
from engines.viewsets import OPERATE, SEE_ENGINES, actor_of, checked, fields_parameter
from forecasting.models import ModuleProgress
from forecasting.services.modules import reopen
from menace_site.api.orphan_serializers import OfSubject, columns
from menace_site.api.orphans import ENGINE, OfEngines

if TYPE_CHECKING:
    from django.db.models import QuerySet

MODULE_COLUMNS = columns(
    "id engine path samples entropy roi_total roi_count complete reason updated_at",
    "entropy_change entropy_changes completed_at completed_by reopened_at reopened_by reopened_reason",
    engine="subject",
)
YES, NO = "true", "false"


class ModuleSerializer(OfSubject):
    """Sums over all runs of a module that a cycle counted, and whether later cycles skip it."""

    class Meta:
        model = ModuleProgress
        fields: ClassVar[tuple[str, ...]] = tuple(MODULE_COLUMNS.paths)
        read_only_fields = fields


class ModuleRow(Partial, ModuleSerializer):
    """A module in a list: the fields asked for."""


class ReopenInput(Input):
    """Why a module is opened again."""

    reason = StrictText(required=False, allow_blank=True, max_length=REASON_CHARS)


class Modules(OfEngines):
    """What changes of modules brought."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES, "reopen": OPERATE}
    serializer_class = ModuleSerializer

    def get_queryset(self) -> "QuerySet[ModuleProgress]":
        """Return the modules that the user may see."""
        return self.visible(ModuleProgress)

    @extend_schema(
        responses=ModuleRow(many=True),
        parameters=[
            ENGINE,
            OpenApiParameter("complete", str, enum=[YES, NO], description="Whether cycles skip it."),
            fields_parameter(MODULE_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List modules that cycles counted."""
        rows = self.narrowed(self.get_queryset(), engine=[])
        complete = request.query_params.get("complete", "")
        if complete in (YES, NO):
            rows = rows.filter(complete=complete == YES)
        elif complete:
            raise serializers.ValidationError({"complete": [f"known: {YES}, {NO}"]})
        return self.listed(rows, MODULE_COLUMNS, "engine", "complete")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a module."""
        return Response(ModuleSerializer(self.get_object()).data)

    @extend_schema(request=ReopenInput, responses=ModuleSerializer)
    @action(detail=True, methods=["post"])
    def reopen(self, request: Request, pk: str) -> Response:
        """Let cycles work on a complete module again; a full new streak makes it complete once more."""
        row = self.get_object()
        values: dict[str, Any] = checked(ReopenInput, request)
        if not reopen([row.pk], actor=actor_of(request), reason=values.get("reason", "")):
            raise Conflict(f"{row.path} is not complete, so there is nothing to open")
        row.refresh_from_db()
        return Response(ModuleSerializer(row).data)
