"""What every route owes a browser: looking changes nothing, and acting needs the page's token."""

import pytest
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client

from tests.api import matrix

MAY_CHANGE = {
    "django_session",
    "menace_site_apitoken",
    "auth_user",
}
"""Sessions, when a token was last used, and when somebody signed in."""


@pytest.fixture
def admin(db: None) -> matrix.Subject:
    cache.clear()
    return next(person for person in matrix.subjects() if person.name == "admin")


def written() -> dict[str, int]:
    """Rows inserted, updated or deleted in this transaction so far, by table, undone ones too."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
        return {table: count for table, count in cursor.fetchall() if table not in MAY_CHANGE}


def addresses(admin: matrix.Subject, method: str, who: str = "admin") -> dict[str, str]:
    """Addresses of the routes where the table lets `who` in, by route."""
    own, _ = matrix.own_and_foreign()
    found = {}
    for (route, known), (letters, _) in matrix.table().items():
        if known == method and dict(zip(matrix.who(route), letters, strict=True))[who] == "+":
            found[route] = matrix.address(route, own, admin, own=True)
    return found


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_looking_changes_nothing(admin: matrix.Subject, method: str) -> None:
    routes = addresses(admin, "GET")
    assert len(routes) > 60
    changed = {}
    for route, path in routes.items():
        before = written()
        assert matrix.ask(admin, method, path) == "+", route
        after = written()
        if after != before:
            changed[route] = {table: n for table, n in after.items() if n != before.get(table)}
    assert changed == {}


def test_acting_from_a_browser_needs_the_token_of_the_page(admin: matrix.Subject) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(admin.user)  # type: ignore[arg-type]
    let_through = {}
    routes = addresses(admin, "POST")
    assert len(routes) > 30
    for route, path in routes.items():
        with transaction.atomic():
            kind = "application/json" if path.startswith("/api/") else "application/x-www-form-urlencoded"
            status = strict.generic(
                "POST", path, "{}" if "json" in kind else "", content_type=kind
            ).status_code
            transaction.set_rollback(True)
        if status != 403:
            let_through[route] = status
    assert let_through == {}
