"""What people do with their saved views of lists."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from engines.domain.errors import InvalidInput
from menace_site import saved_views
from menace_site.models import SavedView

LISTS = {"cycles": "cycle-list", "orphans": "orphan-list", "promotions": "promotion-list"}
viewers = permission_required("engines.view_engine", raise_exception=True)


@require_POST
@viewers
def view_save(request: HttpRequest) -> HttpResponse:
    """Keep the list that is shown under a name."""
    user = cast(User, request.user)
    page, query = request.POST.get("page", "cycles"), request.POST.get("query", "")
    name, usual = request.POST.get("name", ""), "usual" in request.POST
    try:
        view = saved_views.save(user, page=page, name=name, query=query, usual=usual)
    except InvalidInput as error:
        messages.error(request, f"The view was not kept: {error}.")
        return redirect(reverse(LISTS.get(page, "cycle-list")))
    saved_views.remember(request, user)
    messages.success(request, f"The view {view.name} is kept.")
    return redirect(_address(view))


@require_POST
@viewers
def view_usual(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the list with this view from now on, or no longer."""
    view, user = _own(request, pk), cast(User, request.user)
    saved_views.choose(view, usual=not view.usual)
    saved_views.remember(request, user)
    told = "no longer opens the list" if view.usual else "opens the list from now on"
    messages.success(request, f"{view.name} {told}.")
    return redirect(_address(view))


@require_POST
@viewers
def view_drop(request: HttpRequest, pk: int) -> HttpResponse:
    """Drop a view; the list itself stays."""
    view = _own(request, pk)
    view.delete()
    saved_views.remember(request, cast(User, request.user))
    messages.success(request, f"The view {view.name} is dropped.")
    return redirect(_address(view))


def _own(request: HttpRequest, pk: int) -> SavedView:
    return get_object_or_404(SavedView, pk=pk, user=cast(User, request.user))


def _address(view: SavedView) -> str:
    return f"{reverse(LISTS[view.page])}?{view.query}"
