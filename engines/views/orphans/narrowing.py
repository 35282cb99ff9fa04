"""Lists of one engine's rows, or of all that the person sees."""

import re

from django.contrib.auth.models import User
from django.http import HttpRequest

from engines.models import Engine
from engines.models.engine import NAME

MAX_ENGINES = 200


def chosen_engine(request: HttpRequest) -> str:
    """Return the engine that the address names; what can't be a name is none."""
    name = request.GET.get("engine", "")
    return name if re.fullmatch(NAME, name) else ""


def engine_names(user: User) -> list[str]:
    """Return the names of the engines that the person sees, the first 200."""
    return list(Engine.objects.visible_to(user).order_by("name").values_list("name", flat=True)[:MAX_ENGINES])
