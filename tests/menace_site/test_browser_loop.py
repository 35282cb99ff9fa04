"""The browser's event loop and the tests around it: order must not matter."""

import asyncio

from django.test import Client
from playwright.sync_api import Page


def running() -> asyncio.AbstractEventLoop | None:
    """Return the loop that counts as running in this thread, None without one."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def show(page: Page, words: str) -> None:
    """Fail unless the browser shows the words."""
    page.set_content(f"<h1>{words}</h1>")
    assert page.inner_text("h1") == words
    assert running() is not None


def test_a_page_works(page: Page) -> None:
    show(page, "first")


def test_then_a_test_without_a_page_sees_no_loop(client: Client) -> None:
    assert running() is None
    assert client.get("/no-such-page").status_code in (302, 404)


def test_then_a_page_works_again(page: Page) -> None:
    show(page, "second")
