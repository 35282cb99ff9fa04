"""The pages of scenario presets: the list, one preset with what it does here, and the form."""

from typing import Any, Final, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from orphans import panels
from orphans.domain.acting import Actor
from orphans.domain.errors import Conflict, InvalidInput
from orphans.domain.presets import CATEGORIES
from orphans.forms import PresetForm
from orphans.models import ScenarioPreset
from orphans.services import presets as services
from orphans.services.scenarios import probe

SEE: Final = "engines.view_engine"
OPERATE: Final = "engines.operate_engine"
"""Permissions of the roles: who may look at anything may see presets, who may operate may change them."""

viewers = permission_required(SEE, raise_exception=True)
operators = permission_required(OPERATE, raise_exception=True)


def actor(request: HttpRequest) -> Actor:
    """Return the signed-in person as services know them."""
    user = cast(User, request.user)
    return Actor(user_id=user.pk, label=user.get_username(), kind="person")


def may_operate(request: HttpRequest) -> bool:
    """Tell whether the person may change anything."""
    return cast(User, request.user).has_perm(OPERATE)


@require_safe
@viewers
def preset_list(request: HttpRequest) -> HttpResponse:
    """Show the presets that are kept, one page of them, and the canonical ones."""
    category = request.GET.get("category", "")
    chosen = category if category in CATEGORIES else ""
    page = panels.preset_page(
        category=chosen, q=request.GET.get("q", "")[:63], after=request.GET.get("after", "")[:63]
    )
    context = {
        **page,
        "category": chosen,
        "categories": CATEGORIES,
        "canonical": panels.canonical_rows(services.canonical(), chosen),
        "may_operate": may_operate(request),
    }
    return render(request, "orphans/presets.html", context)


@require_safe
@viewers
def preset_detail(request: HttpRequest, name: str) -> HttpResponse:
    """Show one preset and what each of its keys does on this machine."""
    row = get_object_or_404(ScenarioPreset, name=name)
    context = {**panels.preset_detail(row, probe()), "may_operate": may_operate(request)}
    return render(request, "orphans/preset.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def preset_new(request: HttpRequest) -> HttpResponse:
    """Make a preset; `?from=NAME` fills the form with a canonical or stored one."""
    form = PresetForm(request.POST) if request.method == "POST" else PresetForm(initial=_template(request))
    if form.is_bound and form.is_valid():
        try:
            row = services.create_preset(
                name=form.cleaned_data["name"], keys=form.keys(), actor=actor(request)
            )
        except (InvalidInput, Conflict) as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{row.name} is kept.")
            return redirect("preset-detail", row.name)
    return _form(request, form)


def _template(request: HttpRequest) -> dict[str, Any]:
    given = request.GET.get("from", "")
    try:
        return dict(services.find(given).as_data()) if given else {}
    except InvalidInput as error:
        messages.warning(request, str(error))
        return {}


@require_http_methods(["GET", "HEAD", "POST"])
@operators
def preset_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Change a preset."""
    row = get_object_or_404(ScenarioPreset, name=name)
    initial = {"name": row.name, **row.keys}
    form = PresetForm(request.POST) if request.method == "POST" else PresetForm(initial=initial)
    if form.is_bound and form.is_valid():
        try:
            row = services.update_preset(
                row.pk, keys=form.keys(), name=form.cleaned_data["name"], actor=actor(request)
            )
        except (InvalidInput, Conflict) as error:
            _refuse(form, error)
        else:
            messages.success(request, f"{row.name} was changed.")
            return redirect("preset-detail", row.name)
    return _form(request, form, name=name)


def _refuse(form: PresetForm, error: InvalidInput | Conflict) -> None:
    if isinstance(error, InvalidInput):
        form.refuse(error)
    else:
        form.add_error(None, str(error))


def _form(request: HttpRequest, form: PresetForm, *, name: str = "") -> HttpResponse:
    status = 422 if form.is_bound else 200
    return render(request, "orphans/preset_form.html", {"form": form, "name": name}, status=status)


@require_POST
@operators
def preset_delete(request: HttpRequest, name: str) -> HttpResponse:
    """Forget a preset."""
    row = get_object_or_404(ScenarioPreset, name=name)
    services.delete_preset(row.pk, actor=actor(request))
    messages.success(request, f"{name} was deleted. What was measured under it stays.")
    return redirect("preset-list")
