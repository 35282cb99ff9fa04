"""The page of the API's documentation in a real browser, under the site's strict policy."""

import os
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from tests.factories import make_user


@pytest.fixture
def signed_in(live_server: Any, page: Page) -> tuple[Page, str]:
    """A browser in which an operator signed in, and the address of the site."""
    client = Client()
    client.force_login(make_user("operator"))
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": live_server.url, "httpOnly": True}]
    )
    page.set_default_timeout(60_000)  # Swagger draws for seconds on a busy machine
    return page, live_server.url


def test_the_page_draws_and_breaks_no_policy(signed_in: tuple[Page, str]) -> None:
    page, url = signed_in
    said: list[str] = []
    page.on("console", lambda message: said.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: said.append(f"error: {error}"))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    answer = page.goto(f"{url}/api/")
    assert answer is not None
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    page.get_by_text("/api/cycles/{id}/cancel/").wait_for()
    assert page.get_by_text("Menace API").count() >= 1
    assert [line for line in said if "violates" in line or line.startswith("error")] == []
    assert [address for address in asked if not address.startswith((url, "data:"))] == []
    if folder := os.environ.get("MENACE_SCREENSHOTS"):
        page.screenshot(path=f"{folder}/api-docs.png")


def test_a_request_can_be_tried_from_the_page(signed_in: tuple[Page, str]) -> None:
    page, url = signed_in
    page.goto(f"{url}/api/")
    row = page.locator("#operations-me-me_retrieve")
    row.locator(".opblock-summary").click()
    row.get_by_text("Try it out").click()
    with page.expect_response("**/api/me/") as answer:
        row.get_by_text("Execute", exact=True).click()
    assert answer.value.status == 200


def test_a_stranger_is_led_to_the_login(live_server: Any, page: Page) -> None:
    page.goto(f"{live_server.url}/api/")
    assert "/login/?next=/api/" in page.url
