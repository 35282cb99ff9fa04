"""What the pages of orphan modules share: whose rows a person sees."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from engines.models import Engine, WorkflowRevision
from engines.views.common import modules_of, person
from orphans.models import ModuleRun, OrphanModule, ScanRun, SelfTestRun

NOT_ALLOWED = "You may look, but not act: ask for the role of an operator."


def subjects_of(request: HttpRequest) -> "QuerySet[Engine, Any]":
    """Return the names of the engines that the person sees."""
    return Engine.objects.visible_to(person(request)).values("name")


def module_of(request: HttpRequest, pk: int) -> OrphanModule:
    """Return one module with its scan, or 404: a foreign one does not exist."""
    return get_object_or_404(modules_of(request).select_related("scan"), pk=pk)


def engine_named(request: HttpRequest, name: str) -> Engine:
    """Return the engine that a visible row names."""
    return get_object_or_404(Engine.objects.visible_to(person(request)), name=name)


def scans_of(request: HttpRequest) -> "QuerySet[ScanRun]":
    """Return the scans that the person may see."""
    return ScanRun.objects.filter(subject__in=subjects_of(request))


def batches_of(request: HttpRequest) -> "QuerySet[SelfTestRun]":
    """Return the sets of self-tests that the person may see."""
    return SelfTestRun.objects.filter(subject__in=subjects_of(request))


def runs_of(request: HttpRequest) -> "QuerySet[ModuleRun]":
    """Return the self-tests of modules that the person may see."""
    return ModuleRun.objects.filter(subject__in=subjects_of(request))


def revisions_of(request: HttpRequest) -> "QuerySet[WorkflowRevision]":
    """Return the revisions of workflows that the person may see."""
    engines = Engine.objects.visible_to(person(request))
    return WorkflowRevision.objects.filter(engine__in=engines).select_related("engine", "parent")
