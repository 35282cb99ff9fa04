"""A real Chromium through Playwright. A missing browser fails the test: nothing is skipped."""

import os
import shutil
from asyncio.events import _get_running_loop, _set_running_loop
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MAC_PLACES = (
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
ARGUMENTS = [
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
]
TIMEOUT_MS = 10_000


def find_chromium(environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the browser: `CHROMIUM_PATH`, else what the system has."""
    named = environ.get("CHROMIUM_PATH")
    found = [shutil.which(name) for name in NAMES] if not named else [named]
    places = [Path(place) for place in (*found, *MAC_PLACES) if place]
    return next((place for place in places if os.access(place, os.X_OK)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the whole run."""
    path = find_chromium()
    if path is None:
        pytest.fail("no Chromium: install it (apt-get install chromium) or set CHROMIUM_PATH", pytrace=False)
    arguments = [*ARGUMENTS, "--no-sandbox"] if os.getuid() == 0 else ARGUMENTS
    with sync_playwright() as playwright:
        instance = playwright.chromium.launch(executable_path=str(path), args=arguments)
        yield instance
        instance.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty page in a context of its own of 1440 by 900."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(TIMEOUT_MS)
    yield context.new_page()
    context.close()


@pytest.fixture(autouse=True)
def no_loop_of_the_browser(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hide the browser's event loop from tests that don't use it.

    Playwright marks its loop as running in the main thread for the rest of the run, and Django's handler
    refuses to work there: without this, tests would depend on whether one with a browser ran before.
    """
    loop = None if "browser" in request.fixturenames else _get_running_loop()
    if loop is not None:
        _set_running_loop(None)
    yield
    if loop is not None:
        _set_running_loop(loop)
