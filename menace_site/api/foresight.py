"""The API of what is foreseen: the graph of an engine's workflows, their hard stages, and verdicts."""

import math
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from engines.domain.errors import InvalidInput
from engines.domain.unseen import visible_data
from engines.models import Engine
from engines.panels import graph as graphs
from engines.serializers import Input, StrictText
from engines.services import bots, stage_orders
from engines.services.temporal_stages import evidence_for
from engines.viewsets import (
    OPERATE,
    SEE_ENGINES,
    actor_of,
    checked,
    known_parameters,
    text_parameter,
)
from forecasting.panels.foresight import verdicts
from menace_site.api.endpoint import Endpoint
from menace_site.api.promotion_serializers import WholeNumber


class KeysSerializer(serializers.Serializer[Any]):
    """Keys of a payload."""

    keys = serializers.ListField(child=serializers.CharField(), allow_null=True)
    origin = serializers.CharField(help_text="What they are known from.")


class NodeSerializer(serializers.Serializer[Any]):
    """A node of the graph: a workflow, or the bot's model."""

    workflow = serializers.CharField(help_text="Its name; `the model` is the bot's model.")
    kind = serializers.CharField(help_text="workflow or model")
    modules = serializers.IntegerField(allow_null=True, help_text="Modules that it is made of.")
    whole = serializers.BooleanField(allow_null=True, help_text="Whether all imports were followed.")
    takes = KeysSerializer()
    gives = KeysSerializer()
    cycles = serializers.IntegerField(allow_null=True, help_text="Cycles whose ROI was measured.")


class SeenSerializer(serializers.Serializer[Any]):
    """What was seen of one kind of an edge."""

    kind = serializers.CharField()
    text = serializers.CharField()


class EdgeSerializer(serializers.Serializer[Any]):
    """A change of `source` is felt in `target`."""

    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    resource = serializers.FloatField(allow_null=True)
    data = serializers.FloatField(allow_null=True)  # type: ignore[assignment]
    logical = serializers.FloatField(allow_null=True)
    passes = serializers.FloatField(help_text="Share of what the source feels that arrives.")
    seen = SeenSerializer(many=True)


class RefusedSerializer(serializers.Serializer[Any]):
    """An edge that was left out."""

    source = serializers.CharField()  # type: ignore[assignment]
    target = serializers.CharField()
    reason = serializers.CharField()


class FeltSerializer(serializers.Serializer[Any]):
    """What one workflow would feel."""

    workflow = serializers.CharField()
    roi = serializers.FloatField()
    synergy = serializers.FloatField()
    share = serializers.FloatField()
    path = serializers.ListField(child=serializers.CharField())
    depth = serializers.IntegerField()


class WaveSerializer(serializers.Serializer[Any]):
    """The wave of a change."""

    workflow = serializers.CharField()
    roi_delta = serializers.FloatField()
    synergy_delta = serializers.FloatField()
    felt = FeltSerializer(many=True)


class GraphSerializer(serializers.Serializer[Any]):
    """The graph of an engine's workflows as it was measured last."""

    engine = serializers.CharField()
    at = serializers.DateTimeField(allow_null=True)
    commit = serializers.CharField(allow_blank=True)
    due = serializers.BooleanField(help_text="Something happened since; it is measured anew soon.")
    error = serializers.CharField(allow_blank=True)
    nodes = NodeSerializer(many=True)
    edges = EdgeSerializer(many=True)
    refused = RefusedSerializer(many=True)
    wave = WaveSerializer(allow_null=True, help_text="With `workflow`: what a change of it would do.")


class StagesInput(Input):
    """What shall run; without both, every workflow as it runs today."""

    workflow = StrictText(required=False, max_length=64)
    revision = WholeNumber(required=False, min_value=1, max_value=2**63 - 1)


class StagesOrderSerializer(serializers.Serializer[Any]):
    """Stages that somebody asked for, and how far they are."""

    engine = serializers.CharField()
    token = serializers.CharField(help_text="The same for all who ask while it is under way.")
    state = serializers.CharField(help_text="waiting, running, done, failed or cancelled")
    by = serializers.CharField()
    at = serializers.DateTimeField()
    heard = serializers.DateTimeField(help_text="When a worker told of it last.")
    revisions = serializers.ListField(child=serializers.IntegerField())
    done = serializers.IntegerField(help_text="Runs that have ended.")
    of = serializers.IntegerField(help_text="Runs in all.")
    message = serializers.CharField(allow_blank=True)


class StagesSerializer(serializers.Serializer[Any]):
    """How each workflow of an engine bore the hard stages when it last ran through them."""

    engine = serializers.CharField()
    workflows = serializers.DictField(child=serializers.DictField())
    order = StagesOrderSerializer(allow_null=True, help_text="What was asked for last; null: nothing lately.")


class VerdictSerializer(serializers.Serializer[Any]):
    """Where a subject's ROI is going."""

    subject = serializers.CharField()
    risk = serializers.CharField()
    brittle = serializers.BooleanField()
    p_collapse = serializers.FloatField(allow_null=True)
    collapse_in = serializers.IntegerField(allow_null=True)
    curve = serializers.ListField(child=serializers.FloatField())
    probabilities = serializers.DictField(child=serializers.FloatField())
    elasticity = serializers.FloatField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)
    evidence = serializers.CharField(help_text="none, low or enough")
    template = serializers.DictField(allow_null=True, help_text="A curve that was not measured, labelled so.")
    cycles = serializers.IntegerField()
    cycle = serializers.IntegerField(allow_null=True)
    at = serializers.DateTimeField(allow_null=True)
    due = serializers.BooleanField(help_text="Measured since; it is made anew soon.")


GRAPH_PARAMETERS = [
    text_parameter("workflow", "Workflow that changes, or `the model`; without: no wave."),
    OpenApiParameter("roi_delta", float, description="What the change brings; 1 without it."),
    OpenApiParameter("synergy_delta", float, description="Its synergy; 0 without it."),
]


class Foresight(Endpoint, GenericViewSet[Any]):
    """What is foreseen of an engine."""

    access = {
        "graph": SEE_ENGINES,
        "stages": SEE_ENGINES,
        "verdicts": SEE_ENGINES,
        "run_stages": OPERATE,
        "cancel_stages": OPERATE,
    }
    lookup_field = "name"
    pagination_class = None
    serializer_class = GraphSerializer

    def engine(self) -> Engine:
        """Return the engine that the address names, or 404."""
        seen = Engine.objects.visible_to(self.request.user)
        found: Engine = get_object_or_404(seen, name=self.kwargs["name"])
        return found

    @extend_schema(responses=GraphSerializer, parameters=GRAPH_PARAMETERS)
    @action(detail=True)
    def graph(self, request: Request, name: str) -> Response:
        """Show how the workflows hang together, and what a change of one of them would do to the others."""
        known_parameters(request, "workflow", "roi_delta", "synergy_delta")
        engine, workflow = self.engine(), request.query_params.get("workflow")
        deltas = _delta(request, "roi_delta", 1.0), _delta(request, "synergy_delta", 0.0)
        wave = None if workflow is None else graphs.wave(engine, workflow, *deltas)
        return Response({**graphs.graph(engine), "wave": wave})

    @extend_schema(responses=StagesSerializer)
    @action(detail=True)
    def stages(self, request: Request, name: str) -> Response:
        """Show how each workflow bore the hard stages; what was not measured says so."""
        known_parameters(request)
        engine = self.engine()
        found = {each: evidence_for(engine, each) for each in sorted(bots.manifest_of(engine).workflows)}
        order = stage_orders.noted(engine.pk)
        return Response({"engine": engine.name, "workflows": visible_data(found), "order": order})

    @extend_schema(request=StagesInput, responses={202: StagesOrderSerializer})
    @action(detail=True, methods=["post"])
    def run_stages(self, request: Request, name: str) -> Response:
        """Run workflows through the hard stages now; who asks once more meanwhile gets the same order."""
        engine, values = self.engine(), checked(StagesInput, request)
        return Response(stage_orders.ask(engine, actor=actor_of(request), **values), status=202)

    @extend_schema(request=None, responses=StagesOrderSerializer)
    @action(detail=True, methods=["post"])
    def cancel_stages(self, request: Request, name: str) -> Response:
        """Stop the stages that are under way within seconds; 409 where none are."""
        return Response(stage_orders.cancel(self.engine(), actor=actor_of(request)))

    @extend_schema(responses=VerdictSerializer(many=True))
    @action(detail=True)
    def verdicts(self, request: Request, name: str) -> Response:
        """Show the latest verdict on the engine and on each of its workflows."""
        known_parameters(request)
        return Response(verdicts(self.engine().name))


def _delta(request: Request, name: str, default: float) -> float:
    given = request.query_params.get(name)
    try:
        value = default if given is None else float(given)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or abs(value) > 1e100:
        raise InvalidInput("must be a finite number", field=name)
    return value
