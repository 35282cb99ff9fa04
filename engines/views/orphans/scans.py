"""Scans of engines' repositories: the history, and what changed between two."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from engines.panels import orphans as panels
from engines.views import lists
from engines.views.common import chosen_engine, viewers
from engines.views.orphans.common import scans_of
from engines.views.orphans.queue import under_way
from orphans.models import ScanRun


@require_safe
@viewers
def orphan_scans(request: HttpRequest) -> HttpResponse:
    """Show the scans, newest first."""
    engine = chosen_engine(request)
    rows = scans_of(request).defer("unreadable", "options")
    rows = rows.filter(subject=engine) if engine else rows
    context, wrong = lists.plain(request, rows, lambda found: map(panels.scan_row, found))
    context |= {"engine": engine, **under_way(request, (engine,) if engine else ())}
    return wrong or render(request, "orphans/scans.html", context)


@require_safe
@viewers
def orphan_scan_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one scan beside the one before it."""
    scan = get_object_or_404(scans_of(request), pk=pk)
    same = ScanRun.objects.filter(subject=scan.subject).order_by("-id")
    before = same.filter(pk__lt=scan.pk).first()
    later = same.filter(pk__gt=scan.pk).order_by("id").values_list("pk", flat=True).first()
    return render(request, "orphans/scan.html", {"scan": panels.scan_head(scan, before), "later": later})
