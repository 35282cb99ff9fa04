"""Endpoints of forecasts and of how good they were: the same mappings as the pages show."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from engines.domain.errors import InvalidInput
from engines.models import Engine, Promotion
from engines.panels.backtest import backtest, promotion_outcomes
from engines.viewsets import SEE_ENGINES, fields_parameter, known_parameters, text_parameter
from forecasting.models import Forecast
from forecasting.panels import forecast_subjects, model_card, roi_prediction_panel
from menace_site.api import forecast_serializers as shapes
from menace_site.api.endpoint import Endpoint
from menace_site.api.orphans import ENGINE, OfEngines


class Forecasts(OfEngines):
    """What was forecast of an engine and its workflows after each cycle."""

    access = {"list": SEE_ENGINES}
    serializer_class = shapes.ForecastRow

    def get_queryset(self) -> "QuerySet[Forecast]":
        """Return the forecasts of the engine in the address, or 404."""
        name = self.kwargs.get("name", "")
        engine = get_object_or_404(Engine.objects.visible_to(self.request.user), name=name)
        return Forecast.objects.filter(subject__in=forecast_subjects(of=engine.name))

    @extend_schema(
        responses=shapes.ForecastRow(many=True),
        parameters=[
            text_parameter("subject", "The engine, or `engine/workflow`."),
            fields_parameter(shapes.FORECAST_COLUMNS),
        ],
    )
    def list(self, request: Request, name: str) -> Response:
        """List forecasts, newest first, each with what came of it so far."""
        rows = self.narrowed(self.get_queryset(), subject=[])
        return self.listed(rows, shapes.FORECAST_COLUMNS, "subject")


class Evaluation(Endpoint, ViewSet):
    """How good forecasts and the gate were."""

    access = {"retrieve": SEE_ENGINES, "models": SEE_ENGINES}

    @extend_schema(responses=shapes.EvaluationSerializer, parameters=[ENGINE])
    def retrieve(self, request: Request) -> Response:
        """Show errors, classes, calibration, workflows and scenarios, and what became of promotions.

        Of all engines that you see, or of one; the gate's backtest is of one.
        """
        known_parameters(request, "engine")
        engine = _engine(request)
        promotions = Promotion.objects.visible_to(request.user)
        return Response(
            {
                "engine": None if engine is None else engine.name,
                "predictions": roi_prediction_panel(_subjects(request, engine)),
                "gate": None if engine is None else backtest(engine),
                "promotions": promotion_outcomes(promotions.filter(engine=engine) if engine else promotions),
            }
        )

    @extend_schema(responses=shapes.ModelsSerializer)
    def models(self, request: Request) -> Response:
        """Show the forecast model in use, the shipped one, and those that training made."""
        found = model_card()
        return Response(
            {
                "active": _card(found["active"]),
                "shipped": _card(found["shipped"]),
                "trained": [_card(card) for card in found["trained"]],
            }
        )


def _engine(request: Request) -> Engine | None:
    name = request.query_params.get("engine", "")
    if not name:
        return None
    if "\0" in name:
        raise InvalidInput("a text without NUL", field="engine")
    found = Engine.objects.visible_to(request.user).filter(name=name).first()
    if found is None:
        raise InvalidInput(f"there is no engine {name[:80]!r}", field="engine")
    return found


def _subjects(request: Request, engine: Engine | None) -> list[str]:
    if engine is not None:
        return forecast_subjects(of=engine.name)
    seen = set(Engine.objects.visible_to(request.user).values_list("name", flat=True))
    return [subject for subject in forecast_subjects() if subject.partition("/")[0] in seen]


RENAMED = {"fields": "fields_used", "parent": "better_than"}


def _card(card: Any) -> dict[str, Any]:
    """Return a card as the API names it: `fields` is a parameter there."""
    return {RENAMED.get(name, name): value for name, value in card.items()}
