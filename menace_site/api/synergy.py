"""The API of synergy: what modules add to an engine's workflows, metric by metric."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from engines.domain.errors import InvalidInput
from engines.domain.unseen import visible_data
from engines.models import Engine
from engines.panels.synergy import of_engine
from engines.viewsets import SEE_ENGINES, known_parameters, text_parameter
from forecasting.models.tracking import SCENARIO_CHARS
from menace_site.api.endpoint import Endpoint


class MetricSerializer(serializers.Serializer[Any]):
    """One metric; null: not measured."""

    name = serializers.CharField()
    unit = serializers.CharField()
    good = serializers.CharField(help_text="higher or lower.")
    source = serializers.CharField(help_text="What it is measured from.")  # type: ignore[assignment]
    needed = serializers.CharField(help_text="What must be there for it to be measured.")
    value = serializers.FloatField(allow_null=True, help_text="With the module - without it, newest.")
    ahead = serializers.FloatField(allow_null=True, help_text="The next value as it is foreseen.")
    reliability = serializers.FloatField(allow_null=True, help_text="How exact such forecasts were, 0 to 1.")
    count = serializers.IntegerField(help_text="Values that it is foreseen from.")
    by = serializers.CharField(allow_blank=True, help_text="ema, arima or lstm; empty: not foreseen.")


class WorkflowSynergySerializer(serializers.Serializer[Any]):
    """All metrics of one workflow."""

    subject = serializers.CharField()
    scenario = serializers.CharField(allow_blank=True)
    at = serializers.DateTimeField(allow_null=True)
    source = serializers.CharField(allow_null=True, help_text="What measured it.")  # type: ignore[assignment]
    metrics = MetricSerializer(many=True)


class SynergySerializer(serializers.Serializer[Any]):
    """What modules add to the workflows of an engine."""

    engine = serializers.CharField()
    workflows = WorkflowSynergySerializer(many=True)


class Synergy(Endpoint, ViewSet):
    """What modules add to an engine's workflows."""

    access = {"retrieve": SEE_ENGINES}

    @extend_schema(
        responses=SynergySerializer,
        parameters=[text_parameter("scenario", "Name of a preset; without it, all together.")],
    )
    def retrieve(self, request: Request, name: str) -> Response:
        """Show the 24 synergy metrics and their reliability of each workflow, and what is foreseen next."""
        known_parameters(request, "scenario")
        seen = Engine.objects.visible_to(request.user)
        engine = get_object_or_404(seen, name=name)
        scenario = request.query_params.get("scenario", "")
        if "\0" in scenario or len(scenario) > SCENARIO_CHARS:
            raise InvalidInput(f"a name of at most {SCENARIO_CHARS} characters", field="scenario")
        return Response({"engine": engine.name, "workflows": visible_data(of_engine(engine, scenario))})
