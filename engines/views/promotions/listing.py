"""The list of promotions."""

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from engines.domain.promotion import Kind
from engines.filters.promotions import PROMOTION_ORDERS, VERDICTS, PromotionFilter
from engines.models import Promotion, PromotionQuerySet
from engines.panels import promotions as panels
from engines.views import lists
from engines.views.common import person, viewers

EXPORTED = (
    "id", "engine__name", "subject", "kind", "version_id", "revision_id", "cycle_id", "verdict", "state",
    "message", "evidence_sha256", "requested_label", "created_at", "decided_label", "decided_at", "reason",
    "break_glass", "automatic", "applied_at", "alarm_at", "rolled_back_label", "rolled_back_at",
    "rolled_back_reason",
)  # fmt: skip
COLUMN_NAMES = (
    ("gate", "Gate"),
    ("against", "What stands against it"),
    ("asked", "Asked for by"),
    ("opened", "Opened"),
    ("decided", "Decided"),
)
CHOICES = {"kinds": [str(kind) for kind in Kind], "verdicts": VERDICTS}
PROMOTIONS = lists.Listing(
    name="promotions",
    noun="promotion",
    url="promotion-list",
    template="promotions/list.html",
    filter=PromotionFilter,
    orders=PROMOTION_ORDERS,
    listed=panels.listed,
    rows=lambda rows: map(panels.promotion_row, rows),
    pills=panels.state_pills,
    columns=COLUMN_NAMES,
    exported={
        column: column.replace("engine__name", "engine").replace("_label", "_by").removesuffix("_id")
        for column in EXPORTED
    },
)


def promotions_of(request: HttpRequest) -> PromotionQuerySet:
    """Return the promotions of the engines that the person sees."""
    return Promotion.objects.visible_to(person(request))


@require_safe
@viewers
def promotion_list(request: HttpRequest) -> HttpResponse:
    """Show the promotions that the filter in the URL lets through, one page of them."""
    return lists.usual(request, PROMOTIONS) or lists.show(
        request, PROMOTIONS, promotions_of(request), more=lambda *_: CHOICES
    )


@require_safe
@viewers
def promotion_export(request: HttpRequest, kind: str) -> StreamingHttpResponse:
    """Stream every promotion that the filter lets through, newest first."""
    return lists.export(request, PROMOTIONS, promotions_of(request), kind)
