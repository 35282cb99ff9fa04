"""Pages of the site itself: overview, health, audit, account."""

from typing import cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from engines.domain.errors import InvalidInput
from engines.domain.keyset import Order
from engines.models import Cycle, Engine, Promotion
from engines.models.paging import page
from engines.panels.orphans import module_row
from engines.panels.promotions import promotion_row
from menace_site import dashboard, theme
from menace_site.forms import PreferenceForm, TokenForm
from menace_site.models import ApiToken, AuditEntry
from menace_site.tokens import create_token, is_live, person, revoke_token
from orphans.models import OrphanModule

AUDIT_SIZE = 50
MAX_TOKENS = 100
viewers = permission_required("engines.view_engine", raise_exception=True)
NEWEST = Order("id", descending=True)


@require_safe
@viewers
def home(request: HttpRequest) -> HttpResponse:
    """Show all engines; asked by htmx, only the part that moves."""
    try:
        panel = dashboard.overview(_user(request), request.GET.get("cursor", ""))
    except InvalidInput:
        return redirect("home")
    panel["may_operate"] = _user(request).has_perm("engines.operate_engine")
    return render(request, "parts/overview.html" if _live(request) else "home.html", panel)


@require_safe
@viewers
def system(request: HttpRequest) -> HttpResponse:
    """Show whether every part answers."""
    return render(request, "parts/system.html" if _live(request) else "system.html", dashboard.system())


@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    """Show who did what; for approvers and superusers."""
    if not _user(request).has_perm("engines.decide_promotion"):
        raise PermissionDenied("The audit log is for approvers.")
    chosen = {name: request.GET.get(name, "").strip()[:150] for name in ("actor", "target", "verb")}
    entries = AuditEntry.objects.filter(
        **{name: text for name, text in chosen.items() if text and "\0" not in text}
    )
    try:
        found = page(entries, order=NEWEST, cursor=request.GET.get("cursor", ""), size=AUDIT_SIZE)
    except InvalidInput:
        return redirect("audit")
    return render(request, "audit.html", {"page": found, "chosen": chosen, "filtered": any(chosen.values())})


@require_safe
@viewers
def cycle_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what people and programs did to one cycle."""
    cycles = Cycle.objects.visible_to(_user(request)).select_related("engine")
    cycle = get_object_or_404(cycles, pk=pk)
    entries = AuditEntry.objects.filter(target=f"cycle:{cycle.pk}")[:AUDIT_SIZE]
    return render(request, "engines/cycle_audit.html", {"cycle": cycle, "entries": entries})


@require_safe
@viewers
def engine_audit(request: HttpRequest, name: str) -> HttpResponse:
    """Show what people and programs did to one engine."""
    engine = get_object_or_404(Engine.objects.visible_to(_user(request)), name=name)
    entries = AuditEntry.objects.filter(target=f"engine:{engine.name}")[:AUDIT_SIZE]
    return render(request, "engines/engine_audit.html", {"engine": engine, "entries": entries})


@require_safe
@viewers
def orphan_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what people and programs decided about one orphan module."""
    visible = Engine.objects.visible_to(_user(request)).values("name")
    module = get_object_or_404(OrphanModule.objects.filter(subject__in=visible), pk=pk)
    entries = AuditEntry.objects.filter(target=f"orphan:{module.pk}")[:AUDIT_SIZE]
    return render(request, "orphans/audit.html", {"module": module_row(module), "entries": entries})


@require_safe
@viewers
def promotion_audit(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what people, programs and policies did with one promotion."""
    rows = Promotion.objects.visible_to(_user(request)).select_related("engine", "version", "revision")
    promotion = get_object_or_404(rows, pk=pk)
    entries = AuditEntry.objects.filter(target=f"promotion:{promotion.pk}")[:AUDIT_SIZE]
    context = {"promotion": promotion_row(promotion), "entries": entries}
    return render(request, "promotions/audit.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """Show and keep a person's preferences; list the tokens."""
    user = _user(request)
    form = PreferenceForm(request.POST or None, initial=theme.preference(user))
    if request.method == "POST" and form.is_valid():
        theme.save(user, **form.cleaned_data)
        theme.keep(request, **form.cleaned_data)
        messages.success(request, "Kept.")
        response = redirect("account")
        response.delete_cookie("theme")
        return response
    return render(request, "account.html", _account(request, form, TokenForm()))


@never_cache
@require_POST
def token_new(request: HttpRequest) -> HttpResponse:
    """Make a token and show its secret, this once."""
    user, form, secret = _user(request), TokenForm(request.POST), ""
    if form.is_valid():
        try:
            _, secret = create_token(user, **form.arguments())
        except InvalidInput as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
    preferences = PreferenceForm(initial=theme.preference(user))
    context = _account(request, preferences, TokenForm() if secret else form)
    return render(request, "account.html", {**context, "secret": secret}, status=200 if secret else 422)


@require_POST
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke one of the person's own tokens."""
    user = _user(request)
    token = revoke_token(get_object_or_404(ApiToken, pk=pk, user=user), actor=person(user))
    messages.success(request, f"Token {token.name} is worthless now.")
    return redirect("account")


def _account(request: HttpRequest, form: PreferenceForm, token_form: TokenForm) -> dict[str, object]:
    user = _user(request)
    tokens = ApiToken.objects.filter(user=user).select_related("user")[:MAX_TOKENS]
    rows = [{"token": token, "live": is_live(token)} for token in tokens]
    roles = list(user.groups.order_by("name").values_list("name", flat=True))
    return {"form": form, "token_form": token_form, "tokens": rows, "roles": roles}


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)


def _live(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))
