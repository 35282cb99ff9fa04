"""Errors as RFC 9457 problem documents: one shape for everything that goes wrong."""

import http
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import PermissionDenied as DjangoDenied
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from psycopg.errors import QueryCanceled
from rest_framework import exceptions
from rest_framework.response import Response

from engines.domain.errors import Conflict, InvalidInput, LeaseLost, NotAllowed, NotConfigured, Stale
from menace_site.api.parsers import TooLarge

MEDIA_TYPE = "application/problem+json"
KIND = "urn:menace:problem:"
BUSY_SECONDS = 5


class Unprocessable(exceptions.APIException):
    """The request is well formed and can't be honoured."""

    status_code = 422
    default_code = "unprocessable"


class Contradiction(exceptions.APIException):
    """The thing is in another state."""

    status_code = 409
    default_code = "conflict"


class Unavailable(exceptions.APIException):
    """Something this needs is away or was not set up."""

    status_code = 503
    default_code = "unavailable"
    default_detail = "the database doesn't answer; try again"
    wait = BUSY_SECONDS


def problem(exc: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to an exception of an endpoint; None for a defect, which Django reports."""
    error = as_api_exception(exc)
    if error is None:
        return None
    request = context.get("request")
    path = request.path if request is not None else ""
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    return Response(document(error, path), error.status_code, headers=headers, content_type=MEDIA_TYPE)


def as_api_exception(exc: Exception) -> exceptions.APIException | None:
    """Return what the exception means to a client."""
    match exc:
        case exceptions.APIException():
            return exc
        case InvalidInput():
            return exceptions.ValidationError({exc.field or "non_field_errors": [str(exc)]})
        case NotAllowed():
            return exceptions.PermissionDenied(str(exc))
        case Stale():
            return Contradiction(str(exc), code="stale")
        case Conflict() | LeaseLost():
            return Contradiction(str(exc))
        case NotConfigured():
            return Unavailable(str(exc), code="not_configured")
        case Http404() | ObjectDoesNotExist():
            return exceptions.NotFound()
        case DjangoDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return TooLarge()
        case SuspiciousOperation():
            return exceptions.ParseError("this request can't be read")
        case OperationalError(__cause__=QueryCanceled()):
            return Unavailable("this took the database too long and was stopped; narrow the filter")
        case OperationalError() | InterfaceError():
            return Unavailable()
    return None


def document(error: exceptions.APIException, path: str) -> dict[str, Any]:
    """Return the problem document."""
    errors = list(_flat(error.detail)) if isinstance(error, exceptions.ValidationError) else []
    code = "invalid" if errors else _code(error)
    return {
        "type": KIND + code.replace("_", "-"),
        "title": http.HTTPStatus(error.status_code).phrase,
        "status": error.status_code,
        "detail": _sentence(errors) if errors else str(error.detail),
        "instance": path,
        "errors": errors,
    }


def plain_problem(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """Return a problem from outside an endpoint, such as Django's own handlers of 404 and 500."""
    title = http.HTTPStatus(status).phrase
    data = {
        "type": KIND + title.lower().replace(" ", "-"),
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "errors": [],
    }
    return JsonResponse(data, status=status, content_type=MEDIA_TYPE)


def _code(error: exceptions.APIException) -> str:
    codes = error.get_codes()
    return codes if isinstance(codes, str) else str(error.default_code)


def _flat(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    """Yield one entry for each message of nested validation errors, with a dotted path to the field."""
    if isinstance(detail, dict):
        for key, inner in detail.items():
            name = "" if key == "non_field_errors" else str(key)
            yield from _flat(inner, ".".join(part for part in (path, name) if part))
    elif isinstance(detail, list):
        for inner in detail:
            yield from _flat(inner, path)
    else:
        yield {"field": path, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _sentence(errors: list[dict[str, str]]) -> str:
    first = errors[0]
    named = f"{first['field']}: {first['detail']}" if first["field"] else first["detail"]
    return named if len(errors) == 1 else f"{named} (and {len(errors) - 1} more)"
