"""Opening a module again that cycles skip because its changes brought nothing more."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from engines.services.orphan_acts import REASON_CHARS
from engines.views.common import actor, attempt, operators
from engines.views.orphans.common import module_of
from forecasting.panels.progress import module_progress
from forecasting.services.modules import reopen


@require_POST
@operators
def orphan_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """Let later cycles work on a complete module; a full new streak makes it complete once more."""
    module = module_of(request, pk)
    found = module_progress(module.subject, module.path)
    if found is None:
        raise Http404
    reason, who = request.POST.get("reason", "")[:REASON_CHARS], actor(request)
    attempt(
        request,
        lambda: reopen([found["id"]], actor=who, reason=reason),
        f"{module.path} is open: later cycles work on it again.",
    )
    return redirect("orphan-detail", pk)
