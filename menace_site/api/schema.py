"""The OpenAPI schema: what drf-spectacular reads off the endpoints, and the errors that each may answer."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import Direction, OpenApiParameter

from engines.serializers import Input, Partial
from menace_site.api.idempotency import HEADER, MAX_KEY, REPLAYED
from menace_site.api.problems import MEDIA_TYPE

PROBLEM = "Problem"
ERRORS = {
    "400": "The body or a parameter is wrong; `errors` names each field.",
    "401": "No valid token and no session.",
    "403": "The role or the token's scope doesn't allow it, or the CSRF token is missing.",
    "404": "There is no such thing, or it isn't yours to see.",
    "409": "The thing is in a state that doesn't allow this, or the same request is running.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "The Idempotency-Key was used for another request.",
    "429": "Too many requests; `Retry-After` says how many seconds to wait.",
    "503": "The database is away; try again.",
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "detail", "instance", "errors"],
    "properties": {
        "type": {"type": "string", "description": "Which kind of problem; stable."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "Path of the request."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}


class Schema(AutoSchema):
    """Adds the errors and the Idempotency-Key to each operation."""

    def get_override_parameters(self) -> list[Any]:
        """Return the parameters that the endpoint declares, and the key of a POST."""
        parameters: list[Any] = super().get_override_parameters()
        if self.method != "POST":
            return parameters
        key = OpenApiParameter(
            HEADER,
            {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
            OpenApiParameter.HEADER,
            description="Same key, same body: the effect once, the same answer for a day.",
        )
        return [*parameters, key]

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        if self.method == "POST":
            replayed = {
                "description": "This is the answer of an earlier request.",
                "schema": {"const": "true"},
            }
            for code in [code for code in bodies if code < "300"]:
                bodies[code]["headers"] = {REPLAYED: replayed}
        return bodies | {code: self._problem(code) for code in self._errors()}

    def _errors(self) -> list[str]:
        codes = ["400", "401", "403", "429", "503"]
        if "{" in self.path or self.path.rstrip("/").endswith("audit"):
            codes.append("404")
        if self.method in ("POST", "PATCH"):
            codes += ["409", "413", "415"]
        return sorted([*codes, "422"] if self.method == "POST" else codes)

    def _problem(self, code: str) -> dict[str, Any]:
        component = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=PROBLEM, type=ResolvedComponent.SCHEMA, schema=SCHEMA, object=PROBLEM
        )
        self.registry.register_on_missing(component)
        answer: dict[str, Any] = {
            "description": ERRORS[code],
            "content": {MEDIA_TYPE: {"schema": component.ref}},
        }
        if code in ("429", "503"):
            answer["headers"] = {"Retry-After": {"description": "Seconds.", "schema": {"type": "string"}}}
        return answer

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if isinstance(serializer, Partial):
            schema.pop("required", None)
        if isinstance(serializer, Input):
            schema["additionalProperties"] = False
        return schema


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the schema of bearer tokens."""

    target_class = "menace_site.api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "http", "scheme": "bearer", "description": "An API token: men_…"}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Tells the schema of sessions."""

    target_class = "menace_site.api.authentication.Session"
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """Return the scheme."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
