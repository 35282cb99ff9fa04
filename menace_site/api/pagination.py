"""Pages by key: `cursor` and `size` in, `next` and `previous` links out."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from engines.domain.errors import InvalidInput
from engines.domain.keyset import MAX_CURSOR, parse_order
from engines.models.paging import MAX_SIZE, Page, page

if TYPE_CHECKING:
    from rest_framework.views import APIView

SIZE = 50


class Keyset(BasePagination):
    """Pages of views that declare `orders`, columns with an index, and the `default_order`."""

    page: Page[Any]

    def paginate_queryset(
        self, queryset: "QuerySet[Any, Any] | Sequence[Any]", request: Request, view: "APIView | None" = None
    ) -> list[Any]:
        """Return the rows of the page; InvalidInput names the parameter that is wrong."""
        params = request.query_params
        order = parse_order(params.get("order") or view.default_order, view.orders)  # type: ignore[union-attr]
        self.url = request.get_full_path()
        self.page = page(
            cast("QuerySet[Any, Any]", queryset),
            order=order,
            cursor=params.get("cursor", ""),
            size=_size(params.get("size", "")),
        )
        return self.page.rows

    def get_paginated_response(self, data: Any) -> Response:
        """Return the page with links to those beside it."""
        return Response(
            {"next": self._link(self.page.next), "previous": self._link(self.page.previous), "results": data}
        )

    def _link(self, cursor: str | None) -> str | None:
        return replace_query_param(self.url, "cursor", cursor) if cursor else None

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the shape of a page."""
        link = {
            "type": ["string", "null"],
            "description": "Path and query of that page; null: there is none.",
        }
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def get_schema_operation_parameters(self, view: "APIView") -> list[dict[str, Any]]:
        """Return the parameters of a page."""
        orders = [sign + column for column in view.orders for sign in ("", "-")]  # type: ignore[attr-defined]
        return [
            _parameter(
                "cursor", "Where the page begins; taken from `next` or `previous`.", maxLength=MAX_CURSOR
            ),
            _parameter("size", "Rows of a page.", type="integer", minimum=1, maximum=MAX_SIZE, default=SIZE),
            _parameter("order", "Column to sort by; `-` for descending.", enum=orders),
        ]


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": {"type": "string", **schema},
    }


def _size(text: str) -> int:
    if not text:
        return SIZE
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_SIZE):
        raise InvalidInput(f"a whole number from 1 to {MAX_SIZE}", field="size")
    return int(text)
