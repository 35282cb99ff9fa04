"""Scans of engines' repositories: the history, and what changed between two."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from engines.domain.errors import InvalidInput
from engines.models.paging import page
from engines.panels import orphans as panels
from engines.views.common import may_operate, person, viewers
from engines.views.orphans.common import scans_of
from engines.views.orphans.narrowing import chosen_engine, engine_names
from engines.views.orphans.queue import NEWEST, under_way
from orphans.models import ScanRun

SIZE = 50


@require_safe
@viewers
def orphan_scans(request: HttpRequest) -> HttpResponse:
    """Show the scans, newest first."""
    engine = chosen_engine(request)
    rows = scans_of(request).defer("unreadable", "options")
    try:
        found = page(
            rows.filter(subject=engine) if engine else rows,
            order=NEWEST,
            cursor=request.GET.get("cursor", ""),
            size=SIZE,
        )
    except InvalidInput:
        return redirect("orphan-scans")
    context = {
        "page": found,
        "rows": [panels.scan_row(scan) for scan in found.rows],
        "engine": engine,
        "engines": engine_names(person(request)),
        "may_operate": may_operate(request),
        **under_way(request, (engine,) if engine else ()),
    }
    return render(request, "orphans/scans.html", context)


@require_safe
@viewers
def orphan_scan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one scan beside the one before it."""
    scan = get_object_or_404(scans_of(request), pk=pk)
    same = ScanRun.objects.filter(subject=scan.subject).order_by("-id")
    before = same.filter(pk__lt=scan.pk).first()
    later = same.filter(pk__gt=scan.pk).order_by("id").values_list("pk", flat=True).first()
    return render(request, "orphans/scan.html", {"scan": panels.scan_head(scan, before), "later": later})
