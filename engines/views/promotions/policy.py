"""What an engine's promotions take: the gate's knobs, and whether a person decides."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from engines.domain.errors import InvalidInput, MenaceError
from engines.domain.promotion import digest
from engines.forms import PolicyForm
from engines.services import promotions as services
from engines.views.common import actor, engine_of, person, viewers
from engines.views.promotions.decision import NOT_ALLOWED


@require_http_methods(["GET", "HEAD", "POST"])
@viewers
def engine_policy(request: HttpRequest, name: str) -> HttpResponse:
    """Show an engine's policy; a POST with a reason changes it."""
    engine = engine_of(request, name)
    policy = services.policy_of(engine)
    may = person(request).has_perm(services.DECIDE)
    form = PolicyForm(request.POST) if request.method == "POST" else PolicyForm(initial=policy.as_data())
    if form.is_bound and form.is_valid():
        try:
            seen, changes = request.POST.get("seen", ""), form.changes(policy)
            services.set_policy(engine.pk, actor=actor(request), reason=form.reason, seen=seen, **changes)
        except InvalidInput as error:
            form.refuse(error)
        except MenaceError as error:
            form.add_error(None, str(error))
        else:
            messages.success(
                request, f"The policy of {name} was changed; open promotions keep their verdict."
            )
            return redirect("engine-policy", name)
    seen = request.POST.get("seen", "") or digest(policy.as_data())
    context = {"form": form, "engine": engine, "seen": seen, "why_not": "" if may else NOT_ALLOWED}
    status = (422 if may else 403) if form.errors else 200
    return render(request, "engines/policy.html", context, status=status)
