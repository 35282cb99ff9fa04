"""What the pages of the engines share: who may, who acts, which rows they see."""

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from engines.domain.errors import Conflict, InvalidInput, NotAllowed
from engines.domain.results import Actor
from engines.models import Cycle, CycleQuerySet, Engine
from engines.models.engine import NAME
from orphans.models import OrphanModule, OrphanModuleQuerySet

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
OPERATE = "engines.operate_engine"
MAX_NAME = 64
MAX_ENGINES = 200


def viewers(view: View) -> View:
    """Let in who may look."""
    return permission_required("engines.view_engine", raise_exception=True)(view)


def operators(view: View) -> View:
    """Let in who may trigger, cancel, pause, resume and register."""
    return permission_required(OPERATE, raise_exception=True)(view)


def person(request: HttpRequest) -> User:
    """Return the signed-in person; the login middleware lets nobody else this far."""
    return cast(User, request.user)


def actor(request: HttpRequest) -> Actor:
    """Return the person as services know them."""
    user = person(request)
    return Actor(user_id=user.pk, label=user.get_username(), kind="person")


def cycles_of(request: HttpRequest) -> CycleQuerySet:
    """Return the cycles that the person may see."""
    return Cycle.objects.visible_to(person(request))


def cycle_of(request: HttpRequest, pk: int) -> Cycle:
    """Return one cycle with its engine, or 404: a foreign one does not exist."""
    return get_object_or_404(cycles_of(request).select_related("engine"), pk=pk)


def modules_of(request: HttpRequest) -> OrphanModuleQuerySet:
    """Return the orphan modules of the engines that the person sees."""
    engines = Engine.objects.visible_to(person(request))
    return OrphanModule.objects.filter(subject__in=engines.values("name"))


def engine_of(request: HttpRequest, name: str) -> Engine:
    """Return one engine, or 404."""
    engines = Engine.objects.visible_to(person(request)).select_related("team", "created_by")
    return get_object_or_404(engines, name=name)


def metric_of(request: HttpRequest) -> str:
    """Return the metric that the address names; what can't be a name is none."""
    name = request.GET.get("metric", "")
    return name if name.isprintable() and len(name) <= MAX_NAME else ""


def is_id(text: str) -> bool:
    """Tell whether a text can be a row's id."""
    return text.isascii() and text.isdigit() and len(text) < 19


def chosen_engine(request: HttpRequest) -> str:
    """Return the engine that the address names; what can't be a name is none."""
    name = request.GET.get("engine", "")
    return name if re.fullmatch(NAME, name) else ""


def engine_names(user: User) -> list[str]:
    """Return the names of the engines that the person sees, the first 200."""
    return list(Engine.objects.visible_to(user).order_by("name").values_list("name", flat=True)[:MAX_ENGINES])


def may_operate(request: HttpRequest) -> bool:
    """Tell whether the person may change anything."""
    return person(request).has_perm(OPERATE)


def attempt(request: HttpRequest, act: Callable[[], Any], done: str) -> Any:
    """Do what a person asked for and say how it went; return None when it was refused."""
    try:
        result = act()
    except (Conflict, InvalidInput, NotAllowed) as error:
        messages.error(request, str(error))
        return None
    messages.success(request, done)
    return result
