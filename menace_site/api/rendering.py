"""How answers are written: always JSON, and always JSON that every parser takes."""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.utils.mediatypes import media_type_matches


class FiniteJSON(JSONRenderer):
    """JSON in which NaN and infinities, should a row hold one, are null: not measured."""

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Return the bytes; only what can't be written as it is pays for a second look."""
        if data is None:
            return b""
        try:
            text = json.dumps(
                data, cls=self.encoder_class, separators=(",", ":"), allow_nan=False, ensure_ascii=False
            )
        except ValueError:
            text = json.dumps(finite(data), cls=self.encoder_class, separators=(",", ":"), ensure_ascii=False)
        return text.encode("utf-8", "replace")


def finite(value: Any) -> Any:
    """Return the value with None for every float that is no number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [finite(inner) for inner in value]
    return value


class OneFormat(BaseContentNegotiation):
    """There is one format, whatever the client says it accepts (RFC 9110 §12.4.1 allows to disregard it)."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """Return the parser of the body's media type; none: 415."""
        content_type = request.content_type or ""
        return next(
            (parser for parser in parsers if media_type_matches(parser.media_type, content_type)), None
        )

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Return the first renderer."""
        first = next(iter(renderers))
        return first, str(first.media_type)
