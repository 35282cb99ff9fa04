"""Pages of errors. They need no database, tell no internals, and programs get problem+json."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader
from psycopg.errors import QueryCanceled

from menace_site import tables
from menace_site.api.problems import plain_problem
from menace_site.theme import THEMES

RETRY_SECONDS = 5
AWAY = "The database does not answer. Try again in a moment."
SLOW = "This took the database too long and was stopped. Narrow the filter or the time."
TITLES = {
    400: "Bad request",
    403: "Not allowed",
    404: "Not found",
    429: "Too many tries",
    500: "Something broke",
    503: "Not available",
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    return _answer(request, 400, "This request can't be understood.")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403, with the reason if the page gave one."""
    return _answer(
        request, 403, str(exception)[:200] or "Your role does not allow this. Ask whoever runs this site."
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404; what a person may not see does not exist either."""
    return _answer(request, 404, "There is nothing here, or you may not see it.")


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 503 when the database is away, too slow or of another version, else 500."""
    error = sys.exc_info()[1]
    if isinstance(error, OperationalError | InterfaceError):
        response = _answer(request, 503, SLOW if isinstance(error.__cause__, QueryCanceled) else AWAY)
        response["Retry-After"] = str(RETRY_SECONDS)
        return response
    if other := tables.explained(error):
        return _answer(request, 503, other)
    return _answer(request, 500, "The error was logged. Try again, or go back.")


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer 403 when a form came without the right token."""
    return _answer(
        request,
        403,
        "The form was too old or came from elsewhere. Go back, reload the page and send it again.",
    )


def locked_out(request: HttpRequest, response: object = None, credentials: object = None) -> HttpResponse:
    """Answer 429 after too many wrong passwords."""
    answer = _answer(request, 429, "Too many wrong passwords. Try again in a quarter of an hour.")
    answer["Retry-After"] = "900"
    return answer


def _answer(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    if request.path.startswith("/api/"):
        return plain_problem(request, status, detail)
    cookie = request.COOKIES.get("theme", "")
    context = {
        "status": status,
        "title": TITLES[status],
        "detail": detail,
        "theme": cookie if cookie in THEMES else "",
    }
    # no request: context processors would ask the database, which may be what is away
    return HttpResponse(loader.render_to_string("error.html", context), status=status)
