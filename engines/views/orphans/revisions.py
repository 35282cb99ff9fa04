"""Revisions of workflows that modules were put into: the list, one against its parent, taking it back."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from engines.domain.states import RevisionState
from engines.panels import orphans as panels
from engines.services import promotions
from engines.views import lists
from engines.views.common import actor, attempt, chosen_engine, may_operate, modules_of, operators, viewers
from engines.views.orphans.common import NOT_ALLOWED, revisions_of

STATES = [str(state) for state in RevisionState]
WHY_NOT = {
    RevisionState.ACTIVE: "The revision is live: its promotion is rolled back instead.",
    "": "The revision is {}: there is nothing to take back.",
}


@require_safe
@viewers
def revision_list(request: HttpRequest) -> HttpResponse:
    """Show the revisions, newest first."""
    engine, state = chosen_engine(request), request.GET.get("state", "")
    wanted = {"engine__name": engine, "state": state if state in STATES else ""}
    rows = revisions_of(request).filter(**{name: value for name, value in wanted.items() if value})
    context, wrong = lists.plain(request, rows, lambda found: map(panels.revision_row, found))
    context |= {"engine": engine, "state": wanted["state"], "states": STATES}
    return wrong or render(request, "orphans/revisions.html", context)


@require_safe
@viewers
def revision_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a revision beside its parent."""
    revision = get_object_or_404(revisions_of(request), pk=pk)
    head = panels.revision_head(revision)
    modules = modules_of(request).filter(subject=revision.engine.name, path=revision.module_path)
    module = modules.values_list("pk", flat=True).first() if revision.module_path else None
    reason = "" if head["undoable"] else WHY_NOT.get(revision.state, WHY_NOT[""]).format(revision.state)
    context = {
        "revision": head,
        "module": module,
        "why_not": reason if may_operate(request) else NOT_ALLOWED,
    }
    return render(request, "orphans/revision.html", context)


@require_POST
@operators
def revision_revert(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a revision back."""
    revision = get_object_or_404(revisions_of(request), pk=pk)
    who = actor(request)
    attempt(
        request,
        lambda: promotions.withdraw(revision.pk, actor=who),
        f"Revision {pk} is taken back; nothing was deleted.",
    )
    return redirect("orphan-revision", pk)
