"""Endpoints of scenario presets."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from engines.serializers import Columns, Partial
from engines.viewsets import (
    OPERATE,
    SEE_ENGINES,
    Listing,
    actor_of,
    checked,
    fields_parameter,
    text_parameter,
)
from menace_site.api.endpoint import Endpoint
from orphans.domain.errors import InvalidInput
from orphans.domain.presets import CATEGORIES
from orphans.models import ScenarioPreset, ScenarioPresetQuerySet
from orphans.models.preset import PRESET_NAME
from orphans.panels import PRESET_COLUMNS
from orphans.services import presets as services

COLUMNS = Columns({name: name for name in PRESET_COLUMNS}, ("id", "name", "profile", "category", "keys"))
KEYS_HELP = "The preset's keys, such as THREAD_BURST or MEMORY_LIMIT; values may have units."


class PresetSerializer(serializers.ModelSerializer[ScenarioPreset]):
    """A stored scenario preset."""

    category = serializers.ChoiceField(choices=CATEGORIES, read_only=True)
    keys = serializers.DictField(read_only=True, help_text=KEYS_HELP)

    class Meta:
        model = ScenarioPreset
        fields = PRESET_COLUMNS
        read_only_fields = fields


class PresetRow(Partial, PresetSerializer):
    """A stored scenario preset in a list: the fields asked for."""


class PresetChanges(serializers.Serializer[Any]):
    """What may change of a preset; `keys` takes the place of all keys that it had."""

    name = serializers.RegexField(PRESET_NAME, required=False)
    keys = serializers.DictField(help_text=KEYS_HELP)


class PresetInput(PresetChanges):
    """A preset to keep."""

    name = serializers.RegexField(PRESET_NAME)


class Presets(Endpoint, Listing):
    """Scenario presets: limits, faults, inputs and bursts that functions are tried under."""

    access = {
        "list": SEE_ENGINES,
        "retrieve": SEE_ENGINES,
        "create": OPERATE,
        "partial_update": OPERATE,
        "destroy": OPERATE,
    }
    orders = ("name", "id")
    default_order = "name"
    lookup_field = "name"
    lookup_value_regex = "[a-z0-9][a-z0-9_-]{0,62}"
    serializer_class = PresetSerializer

    def get_queryset(self) -> ScenarioPresetQuerySet:
        """Return all presets: they belong to no team."""
        return ScenarioPreset.objects.all()

    @extend_schema(
        responses=PresetRow(many=True),
        parameters=[text_parameter("category", "One of them.", enum=CATEGORIES), fields_parameter(COLUMNS)],
    )
    def list(self, request: Request) -> Response:
        """List the stored presets."""
        category = request.query_params.get("category", "")
        if category and category not in CATEGORIES:
            raise InvalidInput(f"one of {', '.join(CATEGORIES)}", field="category")
        return self.listed(self.get_queryset().of_category(category), COLUMNS, "category")

    def retrieve(self, request: Request, name: str) -> Response:
        """Show one preset."""
        return Response(PresetSerializer(self.get_object()).data)

    @extend_schema(request=PresetInput, responses={201: PresetSerializer})
    def create(self, request: Request) -> Response:
        """Keep a preset. Every key that is refused is named with the reason."""
        row = services.create_preset(actor=actor_of(request), **checked(PresetInput, request))
        return Response(PresetSerializer(row).data, status=201)

    @extend_schema(request=PresetChanges, responses=PresetSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Replace the keys of a preset, and its name if one is given."""
        row = self.get_object()
        changes = checked(PresetChanges, request)
        changed = services.update_preset(row.pk, actor=actor_of(request), **changes)
        return Response(PresetSerializer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Forget a preset; what was measured under it stays."""
        services.delete_preset(self.get_object().pk, actor=actor_of(request))
        return Response(status=204)
