"""Endpoints of engines and cycles: check, ask one service, show the row. `access` says who may what."""

from typing import Any, cast

from django.contrib.auth.models import Group, User
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer, ValidationError
from rest_framework.viewsets import GenericViewSet

from engines.domain.errors import InvalidInput
from engines.domain.results import Actor
from engines.domain.states import CycleState, Trigger
from engines.filters import CYCLE_ORDERS, ENGINE_ORDERS, PARAMETERS, RANGES, CycleFilter
from engines.forms import ROLES
from engines.models import Cycle, CycleQuerySet, Engine, EngineQuerySet, ModelVersion
from engines.panels import history as histories
from engines.serializers import (
    CYCLE_COLUMNS,
    ENGINE_COLUMNS,
    VERSION_COLUMNS,
    Columns,
    CycleRow,
    CycleSerializer,
    EngineChanges,
    EngineInput,
    EngineRow,
    EngineSerializer,
    HistorySerializer,
    MetricsInput,
    MetricsWritten,
    RetryInput,
    TriggerInput,
    VersionRow,
)
from engines.services.cycles import cancel_cycle, enqueue_cycle, pause_cycle, resume_cycle, retry_cycle
from engines.services.observed import push_metrics
from engines.services.registry import register_engine, update_engine
from forecasting import panels as numbers

PAGING = ("cursor", "size", "order", "fields")
SEE_ENGINES = ("engines.view_engine", "read")
SEE_CYCLES = ("engines.view_cycle", "read")
OPERATE = ("engines.operate_engine", "operate")


def text_parameter(name: str, description: str, **options: Any) -> OpenApiParameter:
    """Return a query parameter for the schema."""
    return OpenApiParameter(name, str, description=description, **options)


def fields_parameter(columns: Columns) -> OpenApiParameter:
    """Return the parameter that chooses fields."""
    known = ", ".join(columns.paths)
    return text_parameter("fields", f"Fields to show, comma-separated, of: {known}. Default: a lean set.")


CYCLE_PARAMETERS = [
    text_parameter("state", "Comma-separated.", enum=[str(s) for s in CycleState], many=True, explode=False),
    text_parameter("engine", "Names of engines, comma-separated."),
    text_parameter("trigger", "Comma-separated.", enum=[str(t) for t in Trigger], many=True, explode=False),
    text_parameter("range", "Created within; not together with since or until.", enum=list(RANGES)),
    text_parameter("since", "Created at or after: a day or an ISO 8601 time."),
    text_parameter("until", "Created before."),
    OpenApiParameter("roi_min", float, description="ROI delta at least."),
    OpenApiParameter("roi_max", float, description="ROI delta at most."),
    text_parameter(
        "q", "An id, words of the message (or their beginnings), or how the engine's name begins."
    ),
    fields_parameter(CYCLE_COLUMNS),
]
HISTORY_PARAMETERS = [
    text_parameter("metric", "Name of a metric; without: the ROI deltas."),
    text_parameter("period", "How far back; without: from the beginning.", enum=list(numbers.PERIODS)),
]


def user_of(request: Request) -> User:
    """Return who asks; the permission class let only signed-in people in."""
    return cast("User", request.user)


def actor_of(request: Request) -> Actor:
    """Return who acts: the person, or the person's token."""
    user, token = user_of(request), cast("Any", request.auth)
    if token is None:
        return Actor(user_id=user.pk, label=user.get_username(), kind="person")
    return Actor(user_id=user.pk, label=f"{user.get_username()} ({token.name})", kind="token")


def checked(form: type[Serializer[Any]], request: Request) -> dict[str, Any]:
    """Return the body's checked values; ValidationError names what is wrong."""
    serializer = form(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def known_parameters(request: Request, *known: str) -> None:
    """Refuse a misspelt parameter: it would silently show everything."""
    if unknown := sorted(set(request.query_params) - set(known)):
        raise InvalidInput(f"unknown parameter; known: {', '.join(known)}", field=unknown[0][:80])


class Listing(GenericViewSet[Any]):
    """Lists of plain columns, paged by key."""

    orders: tuple[str, ...]
    default_order: str

    def listed(self, queryset: Any, columns: Columns, *more: str) -> Response:
        """Return one page of the queryset; `more` are the view's own parameters."""
        known_parameters(self.request, *PAGING, *more)
        names = columns.chosen(self.request.query_params.get("fields", ""))
        wanted = {*columns.read(names), "id", *self.orders}
        found = self.paginate_queryset(queryset.values(*wanted))
        return self.get_paginated_response(columns.rows(list(found or ()), names))


class EngineViewSet(Listing):
    """Bots under care."""

    access = {
        "list": SEE_ENGINES,
        "retrieve": SEE_ENGINES,
        "create": OPERATE,
        "partial_update": OPERATE,
        "metrics": OPERATE,
        "history": SEE_ENGINES,
        "versions": ("engines.view_modelversion", "read"),
    }
    orders: tuple[str, ...] = ENGINE_ORDERS
    default_order = "name"
    lookup_field = "name"
    lookup_value_regex = "[a-z0-9][a-z0-9_-]{0,62}"
    serializer_class = EngineSerializer

    def get_queryset(self) -> EngineQuerySet:
        """Return the engines that the user may see."""
        return Engine.objects.visible_to(self.request.user).select_related("team")

    @extend_schema(responses=EngineRow(many=True), parameters=[fields_parameter(ENGINE_COLUMNS)])
    def list(self, request: Request) -> Response:
        """List engines."""
        return self.listed(self.get_queryset().select_related(None), ENGINE_COLUMNS)

    def retrieve(self, request: Request, name: str) -> Response:
        """Show one engine."""
        return Response(EngineSerializer(self.get_object()).data)

    @extend_schema(request=EngineInput, responses={201: EngineSerializer})
    def create(self, request: Request) -> Response:
        """Take a repository under care. It is checked whole first; nothing is kept of one that is refused."""
        values = checked(EngineInput, request)
        energy = values.pop("base_energy", 1.0)
        values |= _team(values, request)
        engine = register_engine(actor=actor_of(request), energy=energy, **values)
        return Response(EngineSerializer(engine).data, status=201)

    @extend_schema(request=EngineChanges, responses=EngineSerializer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change settings of an engine."""
        engine = self.get_object()
        values = checked(EngineChanges, request)
        values |= _team(values, request)
        return Response(EngineSerializer(update_engine(engine.pk, actor=actor_of(request), **values)).data)

    @extend_schema(request=MetricsInput, responses={201: MetricsWritten})
    @action(detail=True, methods=["post"])
    def metrics(self, request: Request, name: str) -> Response:
        """Push metrics observed in production; they enter the engine's drift detection."""
        engine = self.get_object()
        values = checked(MetricsInput, request)["values"]
        return Response({"written": push_metrics(engine, values, actor=actor_of(request))}, status=201)

    @extend_schema(responses=HistorySerializer, parameters=HISTORY_PARAMETERS)
    @action(detail=True, pagination_class=None)
    def history(self, request: Request, name: str) -> Response:
        """Show the ROI deltas, or one metric, over time: single numbers, or days where there are many."""
        known_parameters(request, "metric", "period")
        engine = self.get_object()
        return Response(_history(engine, request.query_params))

    @extend_schema(responses=VersionRow(many=True), parameters=[fields_parameter(VERSION_COLUMNS)])
    @action(detail=True)
    def versions(self, request: Request, name: str) -> Response:
        """List the versions of the engine's model."""
        engine = self.get_object()
        self.orders, self.default_order = ("id",), "-id"
        return self.listed(ModelVersion.objects.filter(engine=engine), VERSION_COLUMNS)


class CycleViewSet(Listing):
    """Passes of the engines."""

    access = {
        "list": SEE_CYCLES,
        "retrieve": SEE_CYCLES,
        "create": OPERATE,
        "cancel": OPERATE,
        "pause": OPERATE,
        "resume": OPERATE,
        "retry": OPERATE,
    }
    orders = CYCLE_ORDERS
    default_order = "-id"
    lookup_value_regex = "[0-9]{1,18}"
    serializer_class = CycleSerializer

    def get_queryset(self) -> CycleQuerySet:
        """Return the cycles that the user may see."""
        return Cycle.objects.visible_to(self.request.user)

    def get_object(self) -> Cycle:
        """Return one cycle with its steps, or 404 when it isn't the user's to see."""
        found: Cycle = get_object_or_404(self.get_queryset().select_related("engine"), pk=self.kwargs["pk"])
        return found

    def answer(self, pk: int, status: int = 200) -> Response:
        """Return a cycle as the database has it now."""
        cycle = self.get_queryset().select_related("engine").prefetch_related("steps").get(pk=pk)
        return Response(CycleSerializer(cycle).data, status=status)

    @extend_schema(responses=CycleRow(many=True), parameters=CYCLE_PARAMETERS)
    def list(self, request: Request) -> Response:
        """List cycles."""
        wanted = CycleFilter.parse(request.query_params)
        if wanted.errors:
            raise ValidationError(dict(wanted.errors))
        return self.listed(wanted.apply(self.get_queryset()), CYCLE_COLUMNS, *PARAMETERS)

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a cycle with its steps, its decision and its result."""
        return self.answer(self.get_object().pk)

    @extend_schema(request=TriggerInput, responses={201: CycleSerializer})
    def create(self, request: Request) -> Response:
        """Trigger a cycle: it waits for a worker."""
        values = checked(TriggerInput, request)
        engine = Engine.objects.visible_to(request.user).filter(name=values["engine"]).first()
        if engine is None:
            raise InvalidInput(f"there is no engine {values['engine']!r}", field="engine")
        energy = values.get("energy", engine.base_energy)
        cycle = enqueue_cycle(engine, trigger=Trigger.API, energy=energy, actor=actor_of(request))
        return self.answer(cycle.pk, 201)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a cycle: at once when it waits, after its running step was stopped otherwise."""
        return self.answer(cancel_cycle(self.get_object().pk, actor=actor_of(request)).pk)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def pause(self, request: Request, pk: str) -> Response:
        """Pause a cycle; its running step is stopped and starts anew later."""
        return self.answer(pause_cycle(self.get_object().pk, actor=actor_of(request)).pk)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Let a paused cycle go on."""
        return self.answer(resume_cycle(self.get_object().pk, actor=actor_of(request)).pk)

    @extend_schema(request=RetryInput)
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        """Start an ended cycle again from a step."""
        cycle = self.get_object()
        values = checked(RetryInput, request)
        return self.answer(retry_cycle(cycle.pk, actor=actor_of(request), **values).pk)


def _team(values: dict[str, Any], request: Request) -> dict[str, Any]:
    """Return the group that `team` names: one of the user's own, or any for a superuser."""
    if values.get("team") is None:
        return {}
    mine = Group.objects.all() if request.user.is_superuser else request.user.groups.all()
    team = mine.exclude(name__in=ROLES).filter(name=values["team"]).first()
    if team is None:
        raise InvalidInput("you are in no group of that name", field="team")
    return {"team": team}


def _history(engine: Engine, params: Any) -> dict[str, Any]:
    metric, period = params.get("metric", ""), params.get("period", "")
    if "period" in params and period not in numbers.PERIODS:
        raise InvalidInput(f"known: {', '.join(numbers.PERIODS)}", field="period")
    known = numbers.metric_names(engine.name)
    if metric and metric not in known:
        raise InvalidInput("the engine has no metric of that name (yet)", field="metric")
    found = (
        histories.metric_history(engine, metric, period=period)
        if metric
        else histories.roi_history(engine, period=period)
    )
    return {
        "engine": engine.name,
        "metric": metric or "roi_delta",
        "per": found.get("per", "point"),
        "cut": found["cut"],
        "metrics": known,
        "points": [_point(point) for point in found["points"]],
    }


def _point(point: dict[str, Any]) -> dict[str, Any]:
    return {
        "at": point["at"],
        "value": point.get("value", point.get("delta")),
        "ema": point.get("ema"),
        "low": point.get("low"),
        "high": point.get("high"),
        "source": point["source"],
    }
