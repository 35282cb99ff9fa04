"""Endpoints of orphan modules, scans, self-tests, revisions and the sandbox."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import ValidationError
from rest_framework.viewsets import ViewSet

from engines.domain.errors import Conflict, InvalidInput
from engines.filters.orphans import ORPHAN_ORDERS, ORPHAN_PARAMETERS, OrphanFilter
from engines.models import Engine, WorkflowRevision
from engines.services import orphan_acts, orphan_work, promotions
from engines.viewsets import (
    OPERATE,
    SEE_ENGINES,
    Listing,
    actor_of,
    checked,
    fields_parameter,
    text_parameter,
)
from menace_site.api import orphan_serializers as shapes
from menace_site.api.endpoint import Endpoint
from orphans.models import ModuleRun, OrphanModule, OrphanModuleQuerySet, ScanRun, SelfTestRun
from orphans.sandbox import probe
from orphans.services.self_tests import cancel_batch

ID = "[0-9]{1,18}"
ENGINE = text_parameter("engine", "The name of an engine.")


def many(name: str, known: list[str]) -> OpenApiParameter:
    """Return a parameter that takes several of the known words."""
    return text_parameter(name, "Comma-separated.", enum=known, many=True, explode=False)


MODULE_PARAMETERS = [
    many("state", [*shapes.MODULE_STATES, "all"]),
    text_parameter("engine", "Names of engines, comma-separated."),
    many("classification", shapes.CLASSES),
    OpenApiParameter("confidence_min", float, description="From 0 to 1."),
    OpenApiParameter("confidence_max", float, description="From 0 to 1."),
    text_parameter("q", "Text in the path."),
    fields_parameter(shapes.MODULE_COLUMNS),
]


class OfEngines(Endpoint, Listing):
    """Rows of engines that the user may see, newest first."""

    orders: tuple[str, ...] = ("id",)
    default_order = "-id"
    lookup_value_regex = ID
    engine_column = "subject"

    def visible(self, model: Any) -> "QuerySet[Any]":
        """Return the rows of a model with a subject that the user may see."""
        engines = Engine.objects.visible_to(self.request.user)
        rows: QuerySet[Any] = model._default_manager.all()
        return rows.filter(subject__in=engines.values("name"))

    def narrowed(self, queryset: "QuerySet[Any]", **words: list[str]) -> "QuerySet[Any]":
        """Return the rows of the engine, and with the words, that the address names."""
        wanted = {}
        for name, known in words.items():
            given = self.request.query_params.get(name, "")
            if "\0" in given:
                raise InvalidInput("a text without NUL", field=name)
            if given and known and given not in known:
                raise InvalidInput(f"known: {', '.join(known)}", field=name)
            if given:
                wanted[self.engine_column if name == "engine" else name] = given
        return queryset.filter(**wanted)


class Orphans(OfEngines):
    """Modules that nothing live reaches."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES, "acts": OPERATE}
    orders = ORPHAN_ORDERS
    serializer_class = shapes.OrphanSerializer

    def get_queryset(self) -> OrphanModuleQuerySet:
        """Return the modules that the user may see."""
        return self.visible(OrphanModule)  # type: ignore[return-value]  # the model's own queryset

    @extend_schema(responses=shapes.OrphanRow(many=True), parameters=MODULE_PARAMETERS)
    def list(self, request: Request) -> Response:
        """List modules: those in the queue, unless `state` says otherwise."""
        wanted = OrphanFilter.parse(request.query_params)
        if wanted.errors:
            raise ValidationError(dict(wanted.errors))
        return self.listed(wanted.apply(self.get_queryset()), shapes.MODULE_COLUMNS, *ORPHAN_PARAMETERS)

    @extend_schema(responses=shapes.OrphanDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a module with the facts behind its verdict."""
        return Response(shapes.OrphanDetailSerializer(self.get_object()).data)

    @extend_schema(request=shapes.ActInput, responses=shapes.TallySerializer)
    @action(detail=False, methods=["post"])
    def acts(self, request: Request) -> Response:
        """Test, retire, restore or take in modules; those it doesn't fit are left alone and told.

        `test` and `integrate` go on in a worker: the modules' states and new self-tests show what came of it.
        """
        values = checked(shapes.ActInput, request)
        rows = list(self.get_queryset().filter(pk__in=values["ids"]).order_by("pk"))
        missing = sorted(set(values["ids"]) - {row.pk for row in rows})
        if missing:
            raise InvalidInput(f"there is no module {missing[0]}", field="ids")
        tally = orphan_acts.act_on(
            values["act"], rows, actor=actor_of(request), reason=values.get("reason", "")
        )
        return Response({"done": [pk for pk, _ in tally.done], "refused": list(tally.refused)})


class Scans(OfEngines):
    """Scans of engines' repositories."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES, "create": OPERATE}
    serializer_class = shapes.ScanSerializer

    def get_queryset(self) -> "QuerySet[ScanRun]":
        """Return the scans that the user may see."""
        return self.visible(ScanRun)

    @extend_schema(
        responses=shapes.ScanRow(many=True), parameters=[ENGINE, fields_parameter(shapes.SCAN_COLUMNS)]
    )
    def list(self, request: Request) -> Response:
        """List scans."""
        return self.listed(self.narrowed(self.get_queryset(), engine=[]), shapes.SCAN_COLUMNS, "engine")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a scan with what changed since the one before."""
        return Response(shapes.ScanSerializer(self.get_object()).data)

    @extend_schema(request=shapes.ScanInput, responses={202: shapes.AskedSerializer})
    def create(self, request: Request) -> Response:
        """Ask a worker to scan an engine's repository; its row appears when it is done."""
        name = checked(shapes.ScanInput, request)["engine"]
        engine = Engine.objects.visible_to(request.user).filter(name=name).first()
        if engine is None:
            raise InvalidInput(f"there is no engine {name!r}", field="engine")
        order = orphan_work.ask("scan", engine, actor=actor_of(request))
        return Response({"engine": engine.name, "source": f"web:{order['token']}"}, status=202)


class SelfTests(OfEngines):
    """Sets of self-tests."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES, "runs": SEE_ENGINES, "cancel": OPERATE}
    serializer_class = shapes.SelfTestSerializer

    def get_queryset(self) -> "QuerySet[SelfTestRun]":
        """Return the sets that the user may see."""
        return self.visible(SelfTestRun)

    @extend_schema(
        responses=shapes.SelfTestRow(many=True),
        parameters=[
            ENGINE,
            text_parameter("state", "One of them.", enum=shapes.BATCH_STATES),
            fields_parameter(shapes.BATCH_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List sets of self-tests."""
        rows = self.narrowed(self.get_queryset(), engine=[], state=shapes.BATCH_STATES)
        return self.listed(rows, shapes.BATCH_COLUMNS, "engine", "state")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a set of self-tests."""
        return Response(shapes.SelfTestSerializer(self.get_object()).data)

    @extend_schema(
        responses=shapes.ModuleRunRow(many=True),
        parameters=[
            text_parameter("state", "One of them.", enum=shapes.RUN_STATES),
            fields_parameter(shapes.RUN_COLUMNS),
        ],
    )
    @action(detail=True)
    def runs(self, request: Request, pk: str) -> Response:
        """List the modules of a set with their verdicts."""
        rows = ModuleRun.objects.filter(batch=self.get_object())
        return self.listed(self.narrowed(rows, state=shapes.RUN_STATES), shapes.RUN_COLUMNS, "state")

    @extend_schema(request=None, responses=shapes.SelfTestSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Cancel a set: what waits at once, what runs within seconds."""
        batch = self.get_object()
        if not cancel_batch(batch.pk, by=actor_of(request).label):
            raise Conflict(f"self-tests {batch.pk} have ended already")
        batch.refresh_from_db()
        return Response(shapes.SelfTestSerializer(batch).data)


class ModuleRuns(OfEngines):
    """Self-tests of single modules."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES}
    serializer_class = shapes.ModuleRunSerializer

    def get_queryset(self) -> "QuerySet[ModuleRun]":
        """Return the runs that the user may see."""
        return self.visible(ModuleRun)

    @extend_schema(
        responses=shapes.ModuleRunRow(many=True),
        parameters=[
            ENGINE,
            text_parameter("path", "The path of a module, whole."),
            fields_parameter(shapes.RUN_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List self-tests of single modules."""
        rows = self.narrowed(self.get_queryset(), engine=[], path=[])
        return self.listed(rows, shapes.RUN_COLUMNS, "engine", "path")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show everything that was observed in the self-test of a module."""
        return Response(shapes.ModuleRunSerializer(self.get_object()).data)


class Revisions(OfEngines):
    """Revisions of workflows that modules were put into."""

    access = {"list": SEE_ENGINES, "retrieve": SEE_ENGINES, "revert": OPERATE}
    engine_column = "engine__name"
    serializer_class = shapes.RevisionSerializer

    def get_queryset(self) -> "QuerySet[WorkflowRevision]":
        """Return the revisions that the user may see."""
        return WorkflowRevision.objects.filter(engine__in=Engine.objects.visible_to(self.request.user))

    @extend_schema(
        responses=shapes.RevisionRow(many=True),
        parameters=[
            ENGINE,
            text_parameter("state", "One of them.", enum=shapes.REVISION_STATES),
            fields_parameter(shapes.REVISION_COLUMNS),
        ],
    )
    def list(self, request: Request) -> Response:
        """List revisions."""
        rows = self.narrowed(self.get_queryset(), engine=[], state=shapes.REVISION_STATES)
        return self.listed(rows, shapes.REVISION_COLUMNS, "engine", "state")

    def retrieve(self, request: Request, pk: str) -> Response:
        """Show a revision with its evidence and its benchmark against its parent."""
        return Response(shapes.RevisionSerializer(self.get_object()).data)

    @extend_schema(request=None, responses=shapes.RevisionSerializer)
    @action(detail=True, methods=["post"])
    def revert(self, request: Request, pk: str) -> Response:
        """Take a proposed revision back; one that is live goes by the roll-back of its promotion."""
        revision = self.get_object()
        promotions.withdraw(revision.pk, actor=actor_of(request))
        revision.refresh_from_db()
        return Response(shapes.RevisionSerializer(revision).data)


class Sandbox(Endpoint, ViewSet):
    """What the sandbox of this machine can promise."""

    access = {"retrieve": SEE_ENGINES}

    @extend_schema(responses=shapes.SandboxSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show which layers hold here, and whether runs may start."""
        return Response(probe().as_data())
